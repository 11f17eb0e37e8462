"""Requests of a selection that a run has left, or a sensor missed, or as the rule is another one.

What decides how a search chooses is in `selection_status`.
"""

import time
from typing import Final

import dagster as dg

from iris_hpo.data.split import CARD as SPLIT_CARD
from iris_hpo.data.split import SplitCard
from iris_hpo.known_rules import RULES
from iris_hpo.orchestration.cut_short import cut_short_run
from iris_hpo.orchestration.failures import INTERRUPTED
from iris_hpo.orchestration.last_run import CHANGED
from iris_hpo.orchestration.names import CODE_VERSIONS
from iris_hpo.orchestration.partitions import registered_keys
from iris_hpo.orchestration.record import latest_tags
from iris_hpo.orchestration.run_requests import MOST_TIMES, select_requests, take_over
from iris_hpo.orchestration.selection_status import CHOSEN_BY, TAG_LENGTH, choosing_fingerprint
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.working_runs import last_run_of, run_that_makes, runs_at_work
from iris_hpo.run_settings import ALL, SelectionSettings
from iris_hpo.spec_choosing import selection_settings
from iris_hpo.store.digests import ArtifactError

MISSED_SECONDS: Final = 120.0
"""Time that the selection's sensor has for a selection."""

_REQUESTED: Final = "requested"


def select_again(study: Study, before: str | None) -> tuple[list[dg.RunRequest], str | None]:
    """Request a selection if the search now chooses otherwise, such as after an upgrade.

    One that was wiped is requested, too.

    A selection whose settings a run has changed stands.

    Parameters
    ----------
    before
        Part of the cursor: how the search chose before; None if it is not known.

    Returns
    -------
    tuple
        The requests, and the new part of the cursor.
    """
    spec = study.spec
    own = selection_settings(spec, spec.division().n_folds)
    try:
        repeats = _repeats(study) if RULES[own.rule].needs_error else None
    except ArtifactError:  # the split was changed or is being written: another sensor sees that
        return [], before
    now = choosing_fingerprint(spec, own, repeats)
    recorded = study.recorded("selection")
    if recorded is None:
        return _select_wiped(study, before)
    if before == now:
        return [], now
    # Earlier versions say only which rule and refit; their standard error counted all repeats.
    follows = before is None and repeats is None and _was_chosen_by(study, own)
    if _stands(study, recorded.code_version, now, untagged=follows):
        return [], now
    if runs_at_work(study):
        return [], before
    return _request(study, f"{now}-{recorded.pointer}-select"), now


def select_what_was_left(study: Study, before: str) -> tuple[list[dg.RunRequest], str]:
    """Request a selection again whose run died, was interrupted, or could not be launched.

    Dagster's conditions take such a run for a selection that failed, which would fail again.

    Parameters
    ----------
    before
        Part of the cursor: the number of requests since the last selection.

    Returns
    -------
    tuple
        The requests, and the new part of the cursor; empty if nothing is left.
    """
    run = cut_short_run(study.instance, study.names.asset("selection"), INTERRUPTED)
    if run is None:
        return [], ""
    if not take_over(study, [run]):
        return [], before
    times = int(before or 0) + 1
    if times > MOST_TIMES:
        return [], before
    requests = _request(study, f"{run.run_id}-select")
    return requests, str(times) if requests else before


def select_what_was_missed(study: Study, before: str) -> tuple[list[dg.RunRequest], str]:
    """Request a selection that the selection's sensor has missed.

    Dagster's conditions know events by their numbers: they see no scores that were there before
    them, nor those of an event log that was replaced. A sensor that a user has stopped has missed
    nothing.

    Parameters
    ----------
    before
        Part of the cursor: the event of the latest score that has no selection after it, and since
        when, in seconds since the epoch, or that a selection was requested.

    Returns
    -------
    tuple
        The requests, and the new part of the cursor; empty if there is no such score.
    """
    scored, selected = _latest_score(study), study.recorded("selection")
    if scored is None or (selected is not None and selected.pointer > scored):
        return [], ""
    event, _, since = before.partition(" ")
    if event != str(scored):
        return [], f"{scored} {int(time.time())}"
    if since == _REQUESTED or time.time() - float(since) < MISSED_SECONDS:
        return [], before
    if runs_at_work(study) or _did_not_succeed(study) or _is_stopped(study):
        return [], before
    return _request(study, f"{scored}-{since}-select"), f"{scored} {_REQUESTED}"


def _request(study: Study, run_key: str | None) -> list[dg.RunRequest]:
    return select_requests(study, run_key, registered_keys(study))


def _did_not_succeed(study: Study) -> bool:
    """Whether the last run of the selection is at work, has failed, or was cancelled."""
    run = last_run_of(study, "selection")
    return run is not None and run.status is not dg.DagsterRunStatus.SUCCESS


def _latest_score(study: Study) -> int | None:
    """The event of the latest score; None if there is none."""
    for record in study.instance.get_asset_records([study.names.asset("scores")]):
        latest = record.asset_entry.last_materialization_record
        return latest.storage_id if latest else None
    return None


def _is_stopped(study: Study) -> bool:
    """Whether a user has stopped the selection's sensor."""
    if study.instance.schedule_storage is None:
        return False
    name = study.names.plain("selection_sensor")
    return any(
        state.instigator_name == name and state.status.value == "STOPPED"
        for state in study.instance.all_instigator_state()
    )


def _select_wiped(study: Study, before: str | None) -> tuple[list[dg.RunRequest], str | None]:
    """Request a selection that somebody has wiped, once; without `before` there was none."""
    waits = run_that_makes(study, "selection") or runs_at_work(study)
    if before is None or waits:
        return [], before
    requests = _request(study, None)
    return requests, None if requests else before


def _repeats(study: Study) -> int | None:
    """How often the folds of the recorded split are drawn; None for once, or without a split."""
    split = study.recorded("split")
    return study.card(SPLIT_CARD, SplitCard, split.version).repeats if split else None


def _stands(study: Study, code_version: str, now: str, *, untagged: bool) -> bool:
    """Whether the last selection is as the search chooses now, or as a user has asked for.

    Parameters
    ----------
    code_version
        That of the last selection.
    untagged
        Whether a selection of an earlier version, without a tag, is as the search chooses now.
    """
    if any(CHANGED in study.metadata(name) for name in ("split", "selection")):
        return True
    if code_version != CODE_VERSIONS["selection"]:
        return False
    tags = latest_tags(study.instance, study.names.asset("selection"))
    return tags[CHOSEN_BY] == now[:TAG_LENGTH] if CHOSEN_BY in tags else untagged


def _was_chosen_by(study: Study, settings: SelectionSettings) -> bool:
    """Whether the last selection followed the rule and the refit of these settings."""
    metadata = study.metadata("selection")
    rule, refit = (metadata[name].value if name in metadata else None for name in ("rule", "refit"))
    return rule == settings.rule and (refit == ALL) == settings.refits
