"""The ticks of the sensors.

Ticks compare content, never time stamps. Each tick gives one result. A file that cannot be read
makes the tick fail with the exact message and changes nothing until the file is right again: the UI
shows a failed tick in red, also on the page of all sensors, but a skipped one in grey. Files that
have changed are read twice, because an editor or a copy may be writing them: cut within a number,
they would be read as another one.
"""

import json
import logging
from collections.abc import Callable, Mapping
from time import sleep
from typing import Final

import dagster as dg

from iris_hpo.data.sources import file_digest
from iris_hpo.orchestration.acted_upon import (
    EDITS,
    code_changed,
    description_changed,
    edits_of,
    present_digests,
    read_cursor,
)
from iris_hpo.orchestration.claims import check_claim, claim_search, loaded_later
from iris_hpo.orchestration.draw_requests import draw_again
from iris_hpo.orchestration.elsewhere import note_missing
from iris_hpo.orchestration.home import check_settings_are_read
from iris_hpo.orchestration.names import log_line
from iris_hpo.orchestration.partitions import change_requests, pending_change, registered_keys
from iris_hpo.orchestration.plan import is_behind_data, quick_plan
from iris_hpo.orchestration.ranges import cut
from iris_hpo.orchestration.recorder import slow_log_note
from iris_hpo.orchestration.reselection import (
    select_again,
    select_what_was_left,
    select_what_was_missed,
)
from iris_hpo.orchestration.run_requests import (
    is_declared,
    plan_requests,
    requests_again,
    search_request,
    what_is_given_up,
    what_is_missing,
)
from iris_hpo.orchestration.shared_partitions import check_partitions
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.turns import release_dead_runs
from iris_hpo.orchestration.working_runs import (
    run_that_failed,
    run_that_makes,
    runs_at_work,
    runs_with_signs,
)
from iris_hpo.text import counted

SETTLING_SECONDS: Final = 1.0
"""Time between the two looks at files that have changed."""

_OF_SELECTIONS: Final = ("choosing", "left", "missed")
"""Parts of the cursor."""
_AT_WRITING: Final = "being written; the next tick looks again"


FindEdit = Callable[[], str]
"""Says what of a search's description was edited since it was loaded; empty if nothing was."""


def follow_parameter_files(
    context: dg.SensorEvaluationContext, study: Study, find_edit: FindEdit | None = None
) -> dg.SensorResult:
    """Evaluate a tick over the parameter files, and release dead runs.

    The first tick that does not fail notes a slow event log, and leaves a cursor.

    Raises
    ------
    InputError
        If a file cannot be used, or another project, or another asset, has the search's names.
    """
    _release_dead_runs(context.log, study)  # first, because a file may be wrong for a long time
    edit = _edit(study, find_edit)
    result = _look_again(context, edit) if edit else _follow_candidates(context, study)
    if context.cursor is None and (note := slow_log_note(study.instance)):
        log_line(context.log, note, logging.WARNING)
    return result


def _follow_candidates(context: dg.SensorEvaluationContext, study: Study) -> dg.SensorResult:
    """Evaluate a tick over the parameter files.

    The cursor holds what was last acted upon: digests of the candidates, of the description and of
    an estimator's code that belongs to no release. When the description or the code changes, all
    candidates are requested. It holds how the search chooses, too: when that changes, a selection
    is requested.
    """
    check_settings_are_read(study.instance.root_directory)
    if context.repository_def is not None:
        check_partitions(study.spec, context.repository_def.assets_defs_by_key.values())
    claim_search(study, follows=True)
    if study.spec.data_asset and study.data_asset.recorded() is None:
        return _wait_for_asset(context, study)
    if study.recorded("split") is None and (run_id := _first_run(study)):
        return _look_again(context, _reads_the_data(run_id))  # it may do the whole first search
    change = pending_change(study)
    last = read_cursor(context.cursor)
    cursor = present_digests(study)
    is_edited = description_changed(study, last, cursor)
    is_due = is_edited or code_changed(study, last, cursor)
    if change or is_due or last.get("digest") != cursor["digest"]:
        if not _is_settled(study, cursor["digest"]):
            return _look_again(context, f"the parameter files are {_AT_WRITING}")
        plan = quick_plan(study, all_candidates=is_due, all_sources=is_edited)
        kept = {name: last[name] for name in ("choosing",) if name in last}
        edits = edits_of(last)
        requests = plan_requests(study, plan, "-".join([*cursor.values(), str(edits)]))
        changes = change_requests(study.names, plan.change)
        return dg.SensorResult(
            run_requests=requests,
            dynamic_partitions_requests=changes,
            skip_reason=None if requests or changes else _nothing_new(study, note_missing(study)),
            cursor=json.dumps(cursor | kept | {EDITS: str(edits + 1)}),
        )
    return _follow_results(context, study, cursor)


def _follow_results(
    context: dg.SensorEvaluationContext, study: Study, cursor: Mapping[str, str]
) -> dg.SensorResult:
    """Request what runs have left of candidates and selections that have not changed."""
    if missing := note_missing(study):  # a run would fail by it
        return _look_again(context, _nothing_new(study, missing))
    last, seen = read_cursor(context.cursor), dict(cursor)
    seen |= {EDITS: last[EDITS]} if EDITS in last else {}
    next_run = draw_again if study.sampling.is_adaptive else requests_again
    requests, again = next_run(study, last.get("again", ""))
    seen |= {"again": again} if again else {}
    if requests:
        seen |= {part: last[part] for part in _OF_SELECTIONS if part in last}
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(seen))
    requests, chosen = _selection_requests(study, last)
    problem = "" if requests else what_is_given_up(study, again) or what_is_missing(study)
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else _nothing_new(study, problem),
        cursor=json.dumps({**seen, **chosen}),
    )


def _is_settled(study: Study, digest: str) -> bool:
    """Whether parameter files that have changed still list the candidates of a digest."""
    if not study.sampling.reads_only_files:
        return True
    sleep(SETTLING_SECONDS)
    return study.candidates.digest == digest


def _nothing_new(study: Study, problem: str = "") -> str:
    keys = registered_keys(study) if study.sampling.is_adaptive else study.listed_keys
    reason = f"{counted(len(keys), 'candidate')}, nothing new"
    if problem:
        return f"{reason}; {problem}"
    if study.recorded("selection") is None and (run_id := run_that_failed(study, "selection")):
        return (
            f"{reason}, and no selection: its run {run_id} failed; see why there, and whether "
            "Dagster gave it to another code location, which has a search of this name"
        )
    return reason


def _selection_requests(
    study: Study, last: Mapping[str, str]
) -> tuple[list[dg.RunRequest], Mapping[str, str]]:
    """Request a selection, if one is due; the requests, and the new parts of the cursor."""
    requests, chosen = select_again(study, last.get("choosing"))
    left = last.get("left", "")
    if not requests:
        requests, left = select_what_was_left(study, left)
    missed = last.get("missed", "")
    if not requests:
        requests, missed = select_what_was_missed(study, missed)
    parts = zip(_OF_SELECTIONS, (chosen, left, missed), strict=True)
    return requests, {name: part for name, part in parts if part}


def follow_raw_data(
    context: dg.SensorEvaluationContext, study: Study, find_edit: FindEdit | None = None
) -> dg.SensorResult:
    """Evaluate a tick over the data file, or over the asset with the data.

    Raises
    ------
    InputError
        If the file cannot be used, or another project owns the search.
    """
    edit = _edit(study, find_edit)
    return _look_again(context, edit) if edit else _follow_data(context, study)


def _edit(study: Study, find_edit: FindEdit | None) -> str:
    """What to do after an edit, since runs would follow another description; empty without."""
    return (find_edit() if find_edit else "") or loaded_later(study)


def _follow_data(context: dg.SensorEvaluationContext, study: Study) -> dg.SensorResult:
    """Evaluate a tick over the data that the description names.

    The cursor holds the digest of the content that was last acted upon; of an asset, the event of
    its materialisation, since a tick is too short to load the value. A run that reads the data,
    such as one of the user's own job, is waited for; what it then left undone is requested.
    """
    if not study.spec.has_table:
        return dg.SensorResult(skip_reason="the search has no table")
    recorded = study.recorded("raw_data")
    digest, recorded_digest = _data_digests(study)
    if not digest:
        return _wait_for_asset(context, study)
    last = read_cursor(context.cursor)
    seen, edits = last.get("digest") or recorded_digest, edits_of(last)
    cursor = json.dumps({"digest": digest, EDITS: str(edits + (digest != seen))})
    if not seen:
        return dg.SensorResult(
            skip_reason="the first search reads the data; this sensor follows its changes",
            cursor=cursor,
        )
    is_read = digest == recorded_digest
    if digest == seen or (is_read and not is_behind_data(study)):
        reason = "the data has not changed"
        if recorded and not is_read and not run_that_makes(study, "raw_data"):
            reason += ", but raw_data has other data: run the search again (iris-hpo run)"
        return dg.SensorResult(skip_reason=reason, cursor=cursor)
    check_claim(study)
    if reason := _reason_to_wait(study, digest):
        return _look_again(context, reason)
    if not study.spec.data_asset:
        study.dataset  # noqa: B018 - if it is half-written or wrong, wait until it is right
    sources = ["split"] if is_read else ["raw_data", "split"]
    run_key = f"{digest}-{edits}-{recorded.pointer if recorded else 0}"
    return dg.SensorResult(run_requests=_data_requests(study, run_key, sources), cursor=cursor)


def _reason_to_wait(study: Study, digest: str) -> str:
    """Why new data is left to a later tick; empty if it is not."""
    if run_id := run_that_makes(study, "raw_data"):
        return _reads_the_data(run_id)
    if study.spec.data_asset:
        return ""
    sleep(SETTLING_SECONDS)
    return "" if file_digest(study.data_file) == digest else f"the data file is {_AT_WRITING}"


def _data_requests(study: Study, run_key: str, sources: list[str]) -> list[dg.RunRequest]:
    """Request runs over all candidates, the first of which makes these assets too."""
    has_split, made = (study.recorded(name) is not None for name in ("split", "parameters"))
    # A run that was to record the present ones may have been cancelled.
    if not made or (has_split and not is_declared(study)):
        sources = [*sources, "parameters"]
    keys = registered_keys(study)
    if not keys:
        return [search_request(study, run_key, sources, ())]
    return [
        search_request(study, f"{run_key}-{index}", [*sources, "models", "scores"], part)
        for index, part in enumerate(cut([keys]))
    ]


def _data_digests(study: Study) -> tuple[str, str]:
    """What identifies the present data, and that of `raw_data`; empty where there is none."""
    if study.spec.data_asset:
        present, seen = study.data_asset.recorded(), study.data_asset.seen
        return str(present.pointer) if present else "", str(seen) if seen else ""
    recorded = study.recorded("raw_data")
    return file_digest(study.data_file), recorded.version if recorded else ""


def _wait_for_asset(context: dg.SensorEvaluationContext, study: Study) -> dg.SensorResult:
    return _look_again(context, f"waits until {study.data_asset.source} is materialised")


def _first_run(study: Study) -> str | None:
    """Id of a run that does the first search, also if the event log that recorded it was lost."""
    return run_that_makes(study, "raw_data") or next(iter(runs_at_work(study)), None)


def _reads_the_data(run_id: str) -> str:
    return f"waits for run {run_id}, which reads the data"


def _look_again(context: dg.SensorEvaluationContext, reason: str) -> dg.SensorResult:
    """Ask for nothing, and let the next tick know what this one knew."""
    return dg.SensorResult(skip_reason=reason, cursor=context.cursor or "{}")


def _release_dead_runs(log: logging.Logger, study: Study) -> None:
    pool, working = study.names.pool, runs_with_signs(study)
    for released in release_dead_runs(study.instance, pool, waited_for=working):
        log_line(log, f"Released {released.text}")
