"""Work that was cut short by the end of its process or its whole run, not by its own failure.

It is worth another attempt, which sensors request (`run_requests`, `reselection`). So is what was
lost, such as by a power cut: of a run that succeeded, what it recorded, or the run itself.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

import dagster as dg

from iris_hpo.orchestration.failed_candidates import FAILED_BEFORE_END, tried_and_failed
from iris_hpo.orchestration.record import last_attempts

_RETRY_SECONDS: Final = 120
"""Time that Dagster's daemon has to begin its own retry of a failed run."""

_WILL_RETRY: Final = "dagster/will_retry"
_RETRIED_BY: Final = "dagster/auto_retry_run_id"
_CHECK_FAILED: Final = "DagsterAssetCheckFailedError"


def cut_short_partitions(
    instance: dg.DagsterInstance, key: dg.AssetKey, tag: str
) -> tuple[Mapping[str, tuple[str, int]], Mapping[str, dg.DagsterRun]]:
    """Partitions whose last attempt ended with its process, or with its whole run, untried.

    Parameters
    ----------
    tag
        Tag of runs that a signal stopped. Other cancelled runs are left out: a user cancelled them.

    Returns
    -------
    tuple
        Id of the run and event of each attempt, by partition; and the runs by id, without those
        that the list of runs has lost. A run that a user deletes leaves no attempts.
    """
    attempts, runs = last_attempts(instance, key)
    others = {run.run_id for run in runs if not _is_cut_short(instance, run, tag)}
    left = {at: (run_id, event) for at, (run_id, event) in attempts.items() if run_id not in others}
    for partition in tried_and_failed(instance, key, left):
        del left[partition]
    return left, {run.run_id: run for run in runs}


def cut_short_run(instance: dg.DagsterInstance, key: dg.AssetKey, tag: str) -> dg.DagsterRun | None:
    """The last run of an unpartitioned asset, if its process ended before the asset was made.

    Parameters
    ----------
    tag
        As for `cut_short_partitions`.
    """
    run = run_without(instance, key)
    return run if run and _is_cut_short(instance, run, tag) else None


def run_without(instance: dg.DagsterInstance, key: dg.AssetKey) -> dg.DagsterRun | None:
    """The last run of an unpartitioned asset, if it has not made the asset."""
    for record in instance.get_asset_records([key]):
        entry = record.asset_entry
        made = entry.last_materialization_record
        if entry.last_run_id and (made is None or made.run_id != entry.last_run_id):
            return instance.get_run_by_id(entry.last_run_id)
    return None


def _is_cut_short(instance: dg.DagsterInstance, run: dg.DagsterRun, tag: str) -> bool:
    if run.status == dg.DagsterRunStatus.CANCELED:
        return tag in run.tags
    if run.status == dg.DagsterRunStatus.SUCCESS:
        return True
    return run.status == dg.DagsterRunStatus.FAILURE and not _says_why(instance, run.run_id)


def is_to_be_retried(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the daemon is about to retry a run, by ``run_retries`` of the instance.

    A second request beside the retry would do the same work. Once there is a retry, it is at work.
    """
    if run.tags.get(_WILL_RETRY) != "true" or _RETRIED_BY in run.tags:
        return False
    record = instance.get_run_record_by_id(run.run_id)
    ended = record.end_time if record else None
    return ended is not None and time.time() - ended < _RETRY_SECONDS


def retry_no_more(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Take a retry over from the daemon, which missed it: its backfill would wait without end."""
    if run.tags.get(_WILL_RETRY) == "true" and _RETRIED_BY not in run.tags:
        instance.add_run_tags(run.run_id, {_WILL_RETRY: "false"})


_explained: set[str] = set()


def _says_why(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a step of a run failed with a message by which it would fail again.

    What a run met that was worth another attempt may have failed other steps, too.
    """
    if run_id not in _explained:  # needed in every tick, and the log of an ended run stays
        logs = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        failures = [log.dagster_event.step_failure_data for log in logs if log.dagster_event]
        data = [failure.user_failure_data for failure in failures if failure.user_failure_data]
        marked = any(FAILED_BEFORE_END in one.metadata for one in data)
        if any(map(_is_blocked, failures)) or (data and not marked):
            _explained.add(run_id)
    return run_id in _explained


def _is_blocked(failure: Any) -> bool:
    """Whether a check that blocks has failed, as it would again."""
    return failure.error is not None and failure.error.cls_name == _CHECK_FAILED
