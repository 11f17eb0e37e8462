"""``iris-hpo status`` and ``leaderboard``: show results, and change nothing."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from iris_hpo.command.output import make_console, results, say, show
from iris_hpo.command.session import open_study
from iris_hpo.command.settings import choose_settings
from iris_hpo.orchestration.claims import check_claim
from iris_hpo.orchestration.plan import full_plan
from iris_hpo.orchestration.selection_metadata import part_note
from iris_hpo.orchestration.selection_status import selection_state
from iris_hpo.orchestration.status import STATES
from iris_hpo.selection.champion import ChampionCard
from iris_hpo.selection.leaderboard import CV_MEAN_OF, LEADERBOARD, read_csv, to_csv, typed
from iris_hpo.selection.sentences import champion_lines
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.text import clean, legible

Row = dict[str, str]


def show_status(
    *,
    search: str | None,
    data: str | None,
    artifacts: str | None,
    as_json: bool,
    **settings: Any,
) -> int:
    """Print the state of every asset; return the exit code, which is 1 if candidates failed."""
    with open_study(search, data, artifacts) as study:
        chosen = choose_settings(study, **settings)
        check_claim(study)
        plan = full_plan(study, chosen.settings)
        state = selection_state(study, chosen.selection, plan.status if plan.is_empty else None)
    counts = plan.counts()
    counts["selection"] = {name: int(name == state) for name in STATES}
    failed = sorted(plan.status.failed_runs)
    if as_json:
        show(json.dumps({"assets": counts, "failed": failed, "kept": [*chosen.kept]}))
        return 1 if failed else 0
    table = Table(box=None, pad_edge=False)
    table.add_column("asset")
    for name in STATES:
        table.add_column(name, justify="right")
    for asset, by_state in counts.items():
        table.add_row(asset, *(str(by_state[state]) for state in STATES))
    console = make_console()
    console.print(table)
    for line in chosen.kept:
        say(console, line)
    if failed:
        names = ", ".join(map(legible, failed))
        say(console, f"failed: {names}")
    return 1 if failed else 0


def show_leaderboard(
    *, search: str | None, data: str | None, artifacts: str | None, top: int | None, form: str
) -> int:
    """Print the leaderboard."""
    with open_study(search, data, artifacts) as study:
        store, champion = study.store, study.champion()
        part = part_note(study)
    all_rows = read_leaderboard(store, champion)
    rows = all_rows[:top]
    if form == "json":
        show(json.dumps([typed(row, study.spec.space) for row in rows]))
    elif form == "csv":
        results().write(clean(to_csv(rows).decode()))
    else:
        console = make_console()
        for line in champion_lines(champion, study.spec.task, len(all_rows)):
            say(console, line)
        say(console, "")
        print_leaderboard(console, rows)
        if part:
            say(console, f"note: {part}")
    return 0


def read_leaderboard(store: ArtifactStore, champion: ChampionCard) -> list[Row]:
    """Read the leaderboard that belongs to a champion."""
    content = read_verified(store, LEADERBOARD, champion.leaderboard_digest)
    return read_csv(content)


def print_leaderboard(console: Console, rows: Sequence[Row]) -> None:
    """Print the columns that a person compares."""
    table = Table(box=None, pad_edge=False)
    table.add_column("rank", justify="right")
    table.add_column("candidate")
    table.add_column("test score", justify="right")
    has_interval = all(row.get("interval_low") for row in rows)
    # The interval and the counts belong to the accuracy, the score or a column of its own.
    accuracy = "accuracy" if "accuracy" in rows[0] else "score"
    if has_interval:
        if accuracy != "score":
            table.add_column(accuracy, justify="right")
        table.add_column("95 % interval")
    table.add_column("fold mean", justify="right")
    table.add_column("fold SD", justify="right")
    others = [name for name in rows[0] if name.startswith(CV_MEAN_OF)]
    for name in others:
        table.add_column(legible(name.removeprefix(CV_MEAN_OF)), justify="right")
    table.add_column("")
    for row in rows:
        cells = [row["rank"], row["candidate"]]
        if not has_interval or accuracy != "score":
            cells.append(f"{float(row['score']):.4f}")
        if has_interval:
            cells += [
                f"{float(row[accuracy]):.4f} ({row['correct']}/{row['total']})",
                f"{float(row['interval_low']):.3f} to {float(row['interval_high']):.3f}",
            ]
        means = ("cv_mean", "cv_std", *others)
        cells += [f"{float(row[name]):.4f}" if row[name] else "-" for name in means]
        cells.append(
            "champion"
            if row["champion"] == "true"
            else "selected"
            if row["selected"] == "true"
            else ""
        )
        table.add_row(*cells)
    console.print(table)
