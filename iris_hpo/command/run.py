"""``iris-hpo run``."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any, Final, cast

from rich.console import Console

from iris_hpo.command.outdated import changed_data_note
from iris_hpo.command.output import complain, make_console, say, show_json
from iris_hpo.command.progress import TerminalProgress
from iris_hpo.command.session import open_study
from iris_hpo.command.settings import choose_settings
from iris_hpo.command.show import print_leaderboard, read_leaderboard
from iris_hpo.command.turns import turn
from iris_hpo.engines import default_engine, obstacle
from iris_hpo.errors import InputError
from iris_hpo.orchestration.checks import failed_blocking_checks
from iris_hpo.orchestration.config import engine_of
from iris_hpo.orchestration.names import NOTES
from iris_hpo.orchestration.outcome import Outcome, RunFailedError
from iris_hpo.orchestration.recorder import slow_log_note
from iris_hpo.orchestration.runner import Launcher
from iris_hpo.orchestration.selection_metadata import part_note
from iris_hpo.orchestration.study import Study
from iris_hpo.run_settings import LOKY, WorkSettings, settings_of
from iris_hpo.selection.champion import CHAMPION, edge_warning
from iris_hpo.selection.estimates import Estimate, NoEstimate
from iris_hpo.selection.leaderboard import metrics_of, typed
from iris_hpo.selection.sentences import champion_lines, estimate_of
from iris_hpo.text import legible

_TOP: Final = 10


def run_search(
    *,
    search: str | None,
    data: str | None,
    artifacts: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Bring the search up to date and print the result; return the exit code."""
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    side = make_console(quiet=quiet or as_json, for_results=False)
    work = {setting.name: options.pop(setting.name) for setting in settings_of(WorkSettings)}
    if (work["engine"] or default_engine()) == LOKY:
        obstacle()  # found out before the project imports joblib, which would warn of the same

    def announce(line: str) -> None:
        if as_json:
            complain(f"iris-hpo: {line}")
        else:
            say(side, line)

    with (
        open_study(search, data, artifacts) as study,
        turn(study, announce) as waited_since,
        TerminalProgress(side) as progress,
    ):
        if note := slow_log_note(study.instance):
            say(side, f"note: {note}")
        work["engine"] = work["engine"] or engine_of(study.spec)
        chosen = choose_settings(study, **options)
        for line in chosen.kept:
            announce(line)
        started = time.monotonic()
        launcher = Launcher(study, progress, announce, waited_since)
        try:
            outcome = launcher.bring_up_to_date(
                chosen.settings, chosen.selection, WorkSettings(**work)
            )
        except RunFailedError as error:
            return _report_failed_run(progress, error)
        progress.finish()
        progress.warn()
        seconds = time.monotonic() - started
        if note := changed_data_note(study):
            announce(f"note: {note}")
        _show(make_console(quiet=quiet), study, outcome, seconds, as_json=as_json)
        return 1 if _print_blocked(study) or outcome.failures else 0


def _show(
    console: Console, study: Study, outcome: Outcome, seconds: float, *, as_json: bool
) -> None:
    if as_json:
        show_json(_as_json(study, outcome, seconds))
    else:
        _print(console, study, outcome, seconds)
        _print_failures(outcome.failures)


def _report_failed_run(progress: TerminalProgress, error: RunFailedError) -> int:
    """Print why a run failed and which candidates had failed before; return the exit code."""
    if not error.failures:
        raise InputError(str(error)) from error
    progress.finish()
    progress.warn()
    _print_failures(error.failures)
    complain(f"iris-hpo: {error}")
    return 1


def _print_failures(failures: Mapping[str, str]) -> None:
    for key, reason in failures.items():
        complain(f"failed: {legible(key)}: {reason}")


def _print_blocked(study: Study) -> bool:
    """Print which checks block what depends on the selection; return whether any does."""
    blocked = failed_blocking_checks(study)
    for name, text in blocked.items():
        complain(f"iris-hpo: the check {name} blocks what depends on the selection: {text}")
    return bool(blocked)


def _print(console: Console, study: Study, outcome: Outcome, seconds: float) -> None:
    store, champion = study.store, study.champion()
    say(console, f"{outcome.counts} ({seconds:.1f} s)")
    if outcome.counts.ended:
        say(console, f"no more candidates: {outcome.counts.ended}")
    say(console, "")
    rows = read_leaderboard(store, champion)
    for line in champion_lines(champion, study.spec.task, len(rows)):
        say(console, line)
    say(console, "")
    print_leaderboard(console, rows[:_TOP], champion)
    if len(rows) > _TOP:
        search = f" --search {study.spec.name}" if study.spec.name else ""
        say(console, f"... and {len(rows) - _TOP} more: iris-hpo leaderboard{search}")
    say(console, "")
    if part := part_note(study):
        say(console, f"note: {part}")
    for note in _notes(study):
        say(console, f"note: {note}")
    if champion.edges:
        say(console, f"note: {edge_warning(champion.edges)}")
    say(console, f"files: {store.path('selection')}")
    say(console, f"champion's model: {store.path(CHAMPION)}")


def _notes(study: Study) -> Sequence[str]:
    """What to know about the data and the folds, as recorded when they were read and made."""
    recorded = [study.metadata(name).get(NOTES) for name in ("raw_data", "split")]
    notes = (cast("list[str]", notes.value) for notes in recorded if notes)
    return [*dict.fromkeys(chain.from_iterable(notes))]


def _as_json(study: Study, outcome: Outcome, seconds: float) -> dict[str, Any]:
    store, champion = study.store, study.champion()
    rows, estimate = read_leaderboard(store, champion), estimate_of(champion)
    best = next(row for row in rows if row["champion"] == "true")
    return {
        "candidates": outcome.counts.total,
        "trained": outcome.counts.trained,
        "scored": outcome.counts.scored,
        "reused": outcome.counts.reused,
        "failed": outcome.failures,
        **({"ended": outcome.counts.ended} if outcome.counts.ended else {}),
        "seconds": round(seconds, 3),
        "runs": outcome.run_ids,
        "champion": champion.key,
        "parameters": champion.parameters,
        "score": champion.score,
        "interval": champion.interval,
        "estimate": asdict(estimate) if isinstance(estimate, Estimate) else None,
        "estimate_reason": estimate.reason if isinstance(estimate, NoEstimate) else None,
        "as_good": champion.as_good,
        "references": champion.references,
        "refit": champion.refit,
        "ensemble": champion.ensemble,
        "cv_mean": champion.cv_mean,
        "metrics": metrics_of(typed(best, study.spec.space)),
        "selected": [row["candidate"] for row in rows if row["selected"] == "true"],
        "edges": champion.edges,
        "notes": [*_notes(study)],
        "files": str(store.path("selection")),
    }
