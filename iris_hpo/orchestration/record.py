"""The record of a search in the event log: versions, inputs and attempts.

It is read in few queries, never one per key. Dagster's private interface is used only here and in
`iris_hpo.event_log`. What a run records of candidates is in `recorder` and `failed_candidates`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import dagster as dg
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from dagster._core.events import AssetMaterializationPlannedData

DATA_VERSION: Final = "dagster/data_version"
CODE_VERSION: Final = "dagster/code_version"
_USER_PROVIDED: Final = "dagster/data_version_is_user_provided"
_PAGE: Final = 50


@dataclass(frozen=True)
class Input:
    """An upstream materialisation.

    Attributes
    ----------
    version
        Data version.
    pointer
        Storage id in the event log, or any id between this one and the next of the same partition.
    code_version
        Code version of the asset at the time; empty if unknown.
    is_latest
        Whether nobody has reported a later one by hand; the next run replaces such a report.
    """

    version: str
    pointer: int
    code_version: str = ""
    is_latest: bool = True


def latest(
    instance: dg.DagsterInstance, key: dg.AssetKey, *, by_hand: bool = False
) -> Input | None:
    """The latest materialisation of an unpartitioned asset.

    Parameters
    ----------
    by_hand
        Whether one that was reported by hand counts. Of an asset of a search it says nothing about
        what is stored.
    """
    for position, record in enumerate(_records(instance, key)):
        if by_hand or _is_of_run(record):
            materialization = record.asset_materialization
            tags = (materialization.tags if materialization else None) or {}
            version, code_version = tags.get(DATA_VERSION, ""), tags.get(CODE_VERSION, "")
            return Input(version, record.storage_id, code_version, is_latest=position == 0)
    return None


def records_of_runs(
    instance: dg.DagsterInstance, asset: dg.AssetKey | dg.AssetRecordsFilter, read_first: int = 1
) -> Iterator[dg.EventLogRecord]:
    """Yield the materialisations of an asset of a search, the latest first.

    Those that were reported by hand, as in the UI, are left out.

    Parameters
    ----------
    read_first
        Number of records to read at first; more are read as they are needed.
    """
    return filter(_is_of_run, _records(instance, asset, read_first))


def _records(
    instance: dg.DagsterInstance, asset: dg.AssetKey | dg.AssetRecordsFilter, limit: int = 1
) -> Iterator[dg.EventLogRecord]:
    # Takes less than half the time of `get_latest_materialization_event`, which reads the table of
    # assets first.
    cursor = None
    while True:
        page = instance.fetch_materializations(asset, limit=limit, cursor=cursor)
        yield from page.records
        if not page.has_more:
            return
        limit, cursor = _PAGE, page.cursor


def _is_of_run(record: dg.EventLogRecord) -> bool:
    """Whether a run of the search recorded this; with a report by hand come no such tags."""
    materialization = record.asset_materialization
    tags = (materialization.tags if materialization else None) or {}
    return {DATA_VERSION, CODE_VERSION} <= tags.keys()


def input_pointer(
    instance: dg.DagsterInstance, key: dg.AssetKey, upstream: dg.AssetKey
) -> int | None:
    """Event of the upstream materialisation that the latest one of an asset was made from.

    Returns
    -------
    int or None
        Storage id of the upstream event; None without a materialisation, or if the asset did not
        depend on the other.
    """
    record = _latest_record(instance, key)
    if record is None or record.asset_materialization is None:
        return None
    pointer = (record.asset_materialization.tags or {}).get(_input_pointer_tag(upstream))
    return int(pointer) if pointer and pointer.isdecimal() else None


def latest_metadata(
    instance: dg.DagsterInstance, key: dg.AssetKey
) -> Mapping[str, dg.MetadataValue]:
    """The metadata of the latest materialisation of an unpartitioned asset."""
    record = _latest_record(instance, key)
    if record is None or record.asset_materialization is None:
        return {}
    return record.asset_materialization.metadata


def latest_tags(instance: dg.DagsterInstance, key: dg.AssetKey) -> Mapping[str, str]:
    """The tags of the latest materialisation of an unpartitioned asset."""
    record = _latest_record(instance, key)
    if record is None or record.asset_materialization is None:
        return {}
    return record.asset_materialization.tags or {}


def metadata_before(
    instance: dg.DagsterInstance, key: dg.AssetKey
) -> Mapping[str, dg.MetadataValue]:
    """The metadata of the materialisation before the latest of an unpartitioned asset."""
    for record in islice(records_of_runs(instance, key), 1, 2):
        return record.asset_materialization.metadata if record.asset_materialization else {}
    return {}


def _latest_record(instance: dg.DagsterInstance, key: dg.AssetKey) -> dg.EventLogRecord | None:
    return next(records_of_runs(instance, key), None)


def data_versions(instance: dg.DagsterInstance, key: dg.AssetKey) -> Mapping[str, str]:
    """The data version of the latest materialisation of every partition, in one query."""
    tags = instance.event_log_storage.get_latest_tags_by_partition(
        key, dg.DagsterEventType.ASSET_MATERIALIZATION, [DATA_VERSION]
    )
    return {partition: versions[DATA_VERSION] for partition, versions in tags.items()}


def latest_storage_ids(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    kind: dg.DagsterEventType = dg.DagsterEventType.ASSET_MATERIALIZATION,
) -> Mapping[str, int]:
    """The storage id of the latest event of a kind for every partition, in one query."""
    return instance.event_log_storage.get_latest_storage_id_by_partition(key, kind)


def last_event(instance: dg.DagsterInstance) -> int:
    """The storage id of the last event; 0 without any."""
    return instance.event_log_storage.get_maximum_record_id() or 0


def version_since(instance: dg.DagsterInstance, key: dg.AssetKey) -> int:
    """Event since which an unpartitioned asset has had its present data version.

    Returns
    -------
    int
        The storage id of the first materialisation with the present version; 0 without any.
    """
    since, present = 0, None
    for record in records_of_runs(instance, key, read_first=20):
        materialization = record.asset_materialization
        version = ((materialization.tags if materialization else None) or {}).get(DATA_VERSION)
        if present not in (None, version):
            break
        since, present = record.storage_id, version
    return since


def partitions_of_failed_runs(
    attempts: Mapping[str, tuple[str, int]], runs: Sequence[dg.DagsterRun]
) -> Mapping[str, str]:
    """Partitions whose last attempt was part of a run that failed, each with the id of the run.

    Dagster shows all of them as failed, whether they were tried or not. The parameters are what
    `last_attempts` returns.
    """
    failed = {run.run_id for run in runs if run.status == dg.DagsterRunStatus.FAILURE}
    return {partition: run_id for partition, (run_id, _) in attempts.items() if run_id in failed}


def last_attempts(
    instance: dg.DagsterInstance, key: dg.AssetKey
) -> tuple[Mapping[str, tuple[str, int]], Sequence[dg.DagsterRun]]:
    """Read the last attempts that made nothing: run id and event by partition, and their runs."""
    storage = instance.event_log_storage
    attempts = storage.get_latest_asset_partition_materialization_attempts_without_materializations(
        key
    )
    run_ids = sorted({run_id for run_id, _ in attempts.values()})
    return attempts, instance.get_runs(dg.RunsFilter(run_ids=run_ids)) if run_ids else ()


def planned_partitions(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    """The partitions that a run was launched for, as they were registered then."""
    planned = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    partitions = {log.dagster_event.partition for log in planned if log.dagster_event}
    return {partition for partition in partitions if partition is not None}


def plan_partitions(
    context: dg.AssetExecutionContext, key: dg.AssetKey, partitions: Iterable[str]
) -> None:
    """Record that a run planned to materialise partitions that its tags did not name at launch."""
    for partition in partitions:
        event = dg.DagsterEvent.build_asset_materialization_planned_event(
            context.run.job_name,
            context.op_execution_context.op_handle.name,
            AssetMaterializationPlannedData(key, partition=partition),
        )
        context.instance.report_dagster_event(event, context.run.run_id)


def recorded_result(key: dg.AssetKey) -> dg.MaterializeResult[Any]:
    """Make the result of an asset whose partitions were recorded one by one.

    Without a result Dagster passes over what depends on the asset. For one with this metadata, made
    for assets that record their own observations, it records nothing more.
    """
    return dg.MaterializeResult(
        asset_key=key, metadata={SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True}
    )


def as_json(value: object) -> dg.JsonMetadataValue:
    """Make metadata from a value that can be written as JSON."""
    return dg.MetadataValue.json(json.loads(json.dumps(value)))


def input_version_tag(key: dg.AssetKey) -> str:
    """Tag of a materialisation with the data version of an input."""
    return f"dagster/input_data_version/{key.to_user_string()}"


def _input_pointer_tag(key: dg.AssetKey) -> str:
    return f"dagster/input_event_pointer/{key.to_user_string()}"


def lineage_tags(
    data_version: str, code_version: str, inputs: Mapping[dg.AssetKey, Input]
) -> dict[str, str]:
    """Make all tags of a materialisation."""
    tags = {DATA_VERSION: data_version, CODE_VERSION: code_version, _USER_PROVIDED: "true"}
    for key, upstream in inputs.items():
        tags[input_version_tag(key)] = upstream.version
        tags[_input_pointer_tag(key)] = str(upstream.pointer)
    return tags
