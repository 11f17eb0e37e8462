"""Candidates that were tried and failed: what a run records of each, and what is read of them.

A failure is recorded as it comes, by an observation in place of the materialisation, so that it
counts however the run ends. A run that fails because of candidates names them all at its end.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

import dagster as dg

from iris_hpo.orchestration.record import last_attempts, latest_storage_ids, plan_partitions

if TYPE_CHECKING:
    from iris_hpo.orchestration.study import Study

FAILED: Final = "failed"
"""Metadata of an observation: why its candidate failed.

In the failure of a run: the candidates that failed, with reasons; the others are done.
"""

FAILED_BEFORE_END: Final = "failed_before_end"
"""Metadata of the failure of a whole run: the candidates that had failed before, with reasons.

No candidate is to blame for it, so that it is worth another attempt.
"""

_PAGE: Final = 500


def record_failure(
    context: dg.AssetExecutionContext,
    assets: Sequence[dg.AssetKey],
    key: str,
    reason: str,
    *,
    is_planned: bool,
) -> None:
    """Record that a candidate failed, for each asset of which it has no result.

    Parameters
    ----------
    is_planned
        Whether the run has planned the candidate: Dagster shows only planned ones as failed.
    """
    for asset in assets:
        if not is_planned:
            plan_partitions(context, asset, [key])
        context.log_event(dg.AssetObservation(asset, partition=key, metadata={FAILED: reason}))


def failed_partitions(instance: dg.DagsterInstance, key: dg.AssetKey) -> Mapping[str, str]:
    """Partitions that were tried and failed in their last attempt, each with the id of the run.

    Partitions that were left by a run that was cancelled, or ended as a whole, were not tried.
    """
    return tried_and_failed(instance, key, last_attempts(instance, key)[0])


def tried_and_failed(
    instance: dg.DagsterInstance, key: dg.AssetKey, attempts: Mapping[str, tuple[str, int]]
) -> Mapping[str, str]:
    """The attempts that failed by themselves, each with the id of the run.

    Parameters
    ----------
    key
        The asset.
    attempts
        Run id and event of each attempt, by partition.
    """
    runs = {partition: run_id for partition, (run_id, _) in attempts.items()}
    named = _named(instance, runs.values())
    failed = {partition: run for partition, run in runs.items() if partition in named[run]}
    others = {at: event for at, (_, event) in attempts.items() if at not in failed}
    observed = _observed(instance, key, others)
    return failed | {at: run for at, (run, _) in observed.items() if run == runs[at]}


def failure_reasons(instance: dg.DagsterInstance, run_id: str) -> Mapping[str, str]:
    """Reasons of failed candidates, for a run that failed only because of them."""
    return _failure_tables(instance, run_id, FAILED)


def reasons_of(study: "Study", runs: Mapping[str, str]) -> dict[str, str]:
    """Read why candidates failed.

    Parameters
    ----------
    runs
        Id of the run in which each candidate failed.
    """
    instance = study.instance
    named = _named(instance, runs.values())
    others = {key: 0 for key, run_id in runs.items() if key not in named[run_id]}
    observed = {
        (key, run_id): reason
        for name in ("models", "scores")
        for key, (run_id, reason) in _observed(instance, study.names.asset(name), others).items()
    }
    return {
        key: named[run_id].get(key) or observed.get((key, run_id)) or f"run {run_id} says why"
        for key, run_id in runs.items()
    }


def _named(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> dict[str, Mapping[str, str]]:
    """Read the candidates that failed, with reasons, in the failure of each run."""
    return {
        run_id: _failure_tables(instance, run_id, FAILED, FAILED_BEFORE_END)
        for run_id in sorted({*run_ids})
    }


def _observed(
    instance: dg.DagsterInstance, key: dg.AssetKey, since: Mapping[str, int]
) -> dict[str, tuple[str, str]]:
    """Read the last observations after an event; run id and reason of each that is a failure."""
    if not since:
        return {}
    latest = latest_storage_ids(instance, key, dg.DagsterEventType.ASSET_OBSERVATION)
    ids = [
        latest[partition] for partition, event in since.items() if latest.get(partition, 0) > event
    ]
    failed: dict[str, tuple[str, str]] = {}
    for record in _observations(instance, key, ids):
        observation = record.event_log_entry.asset_observation
        reason = observation.metadata.get(FAILED) if observation else None
        if isinstance(reason, dg.TextMetadataValue) and record.partition_key is not None:
            failed[record.partition_key] = record.run_id, reason.text or ""
    return failed


def _observations(
    instance: dg.DagsterInstance, key: dg.AssetKey, ids: Sequence[int]
) -> Iterator[dg.EventLogRecord]:
    for start in range(0, len(ids), _PAGE):
        page = ids[start : start + _PAGE]
        records_filter = dg.AssetRecordsFilter(asset_key=key, storage_ids=page)
        yield from instance.fetch_observations(records_filter, limit=len(page)).records


def _failure_tables(instance: dg.DagsterInstance, run_id: str, *names: str) -> Mapping[str, str]:
    reasons: dict[str, str] = {}
    for log in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        event = log.dagster_event
        data = event.step_failure_data.user_failure_data if event else None
        tables = [data.metadata.get(name) for name in names] if data else []
        for table in tables:
            if isinstance(table, dg.JsonMetadataValue):
                reasons.update(cast("dict[str, str]", table.data or {}))
    return reasons
