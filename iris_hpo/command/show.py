"""``iris-hpo status`` and ``leaderboard``: show results, and change nothing."""

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console

from iris_hpo.command.outdated import outdated_note
from iris_hpo.command.output import complain, make_console, results, say, show_json
from iris_hpo.command.session import open_study
from iris_hpo.command.settings import choose_settings
from iris_hpo.command.tables import print_columns
from iris_hpo.known_rules import RULES
from iris_hpo.orchestration.claims import check_claim
from iris_hpo.orchestration.plan import full_plan
from iris_hpo.orchestration.selection_metadata import part_note
from iris_hpo.orchestration.selection_status import selection_state
from iris_hpo.orchestration.status import STATES
from iris_hpo.selection.champion import ChampionCard
from iris_hpo.selection.leaderboard import LEADERBOARD, read_csv, to_csv, typed
from iris_hpo.selection.sentences import champion_lines
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.text import clean, counted, legible
from iris_hpo.training.metric_names import CV_MEAN_OF, is_metric

Row = dict[str, str]

_TEXTS: Final = ("candidate", "95 % interval", "")
_FIRST_LEFT_OUT: Final = ("fold SD", "95 % interval", "fold mean", "")
"""Columns that a narrow terminal does not get, in this order; other metrics go before them."""
_METRICS: Final = 4
"""Number of metrics beside a score of its own that a table shows; the file has all."""


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
    is_behind = any(each["missing"] + each["out of date"] for each in counts.values())
    if state == "up to date" and is_behind:  # with what is stored, which is not what is due
        state = "out of date"
    counts["selection"] = {name: int(name == state) for name in STATES}
    failed = sorted(plan.status.failed_runs)
    if as_json:
        drawing = {"left": plan.left, "ended": plan.ended} if study.sampling.is_adaptive else {}
        show_json({"assets": counts, "failed": failed, "kept": [*chosen.kept], **drawing})
        return 1 if failed else 0
    columns = {"asset": [*counts]}
    for name in STATES:
        columns[name] = [str(by_state[name]) for by_state in counts.values()]
    console = make_console()
    print_columns(console, columns, right=STATES)
    for line in chosen.kept:
        say(console, line)
    if plan.left:
        say(console, f"{study.sampling.part.use}: up to {counted(plan.left, 'candidate')} to draw")
    if plan.ended:
        say(console, f"no more candidates: {plan.ended}")
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
        notes = [note for note in (part_note(study), outdated_note(study)) if note]
    all_rows = read_leaderboard(store, champion)
    rows = all_rows[:top]
    if form == "json":
        show_json([typed(row, study.spec.space) for row in rows])
    elif form == "csv":
        results().write(clean(to_csv(rows).decode()))
    else:
        console = make_console()
        for line in champion_lines(champion, study.spec.task, len(all_rows)):
            say(console, line)
        say(console, "")
        print_leaderboard(console, rows, champion)
        for note in notes:
            say(console, f"note: {note}")
        return 0
    for note in notes:
        complain(f"note: {note}")
    return 0


def read_leaderboard(store: ArtifactStore, champion: ChampionCard) -> list[Row]:
    """Read the leaderboard that belongs to a champion."""
    content = read_verified(store, LEADERBOARD, champion.leaderboard_digest)
    return read_csv(content)


def print_leaderboard(console: Console, rows: Sequence[Row], champion: ChampionCard) -> None:
    """Print the columns that a person compares; a narrow terminal gets fewer of them."""
    itself = RULES[champion.rule].scores_itself
    columns = _own_columns(rows, champion.scoring) if itself else _columns(rows)
    right = [header for header in columns if header not in _TEXTS]
    kept = ["rank", "candidate", "test score", *([legible(champion.scoring)] if itself else [])]
    others = [header for header in columns if header not in (*kept, *_FIRST_LEFT_OUT)]
    print_columns(console, columns, [*others[::-1], *_FIRST_LEFT_OUT], right)


def _columns(rows: Sequence[Row]) -> dict[str, list[str]]:
    """The cells of each column by its header."""
    columns = {name: [row[name] for row in rows] for name in ("rank", "candidate")}
    has_interval = all(row.get("interval_low") for row in rows)
    # The interval and the counts belong to the accuracy, the score or a column of its own.
    accuracy = "accuracy" if "accuracy" in rows[0] else "score"
    if not has_interval or accuracy != "score":
        columns["test score"] = [f"{float(row['score']):.4f}" for row in rows]
    if has_interval:
        columns["test score" if accuracy == "score" else accuracy] = [
            f"{float(row[accuracy]):.4f} ({row['correct']}/{row['total']})" for row in rows
        ]
        columns["95 % interval"] = [
            f"{float(row['interval_low']):.3f} to {float(row['interval_high']):.3f}" for row in rows
        ]
    others = [name for name in rows[0] if name.startswith(CV_MEAN_OF)]
    means = {name: f"fold {legible(name.removeprefix(CV_MEAN_OF))}" for name in others}
    for name, header in {"cv_mean": "fold mean", "cv_std": "fold SD", **means}.items():
        columns[header] = [f"{float(row[name]):.4f}" if row[name] else "-" for row in rows]
    columns[""] = [_mark(row) for row in rows]
    return columns


def _own_columns(rows: Sequence[Row], scoring: str) -> dict[str, list[str]]:
    """The cells of the scores that an objective gave, and of the first of its other metrics."""
    names = [name for name in rows[0] if is_metric(name)]
    columns = {name: [row[name] for row in rows] for name in ("rank", "candidate")}
    shown = {"score": scoring, **{name: name for name in names[:_METRICS]}}
    for name, header in shown.items():
        columns[legible(header)] = [f"{float(row[name]):.6g}" if row[name] else "-" for row in rows]
    columns[""] = [_mark(row) for row in rows]
    return columns


def _mark(row: Row) -> str:
    if row["champion"] == "true":
        return "champion"
    return "selected" if row["selected"] == "true" else ""
