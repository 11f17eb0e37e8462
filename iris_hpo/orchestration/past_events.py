"""Events of the past: earlier versions of assets, what results were made from, logs of runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import dagster as dg

from iris_hpo.orchestration.record import DATA_VERSION, input_version_tag, records_of_runs

_PAGE: Final = 50


def version_before(instance: dg.DagsterInstance, key: dg.AssetKey, event: int) -> str | None:
    """Data version that an unpartitioned asset had before an event; None without any."""
    earlier = dg.AssetRecordsFilter(asset_key=key, before_storage_id=event)
    record = next(records_of_runs(instance, earlier), None)
    return _version(record.asset_materialization) if record else None


def latest_of_partition(
    instance: dg.DagsterInstance, key: dg.AssetKey, partition: str
) -> dg.AssetMaterialization | None:
    """The latest materialisation of a partition."""
    of_partition = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition])
    record = next(records_of_runs(instance, of_partition), None)
    return record.asset_materialization if record else None


def latest_of_version(
    instance: dg.DagsterInstance, key: dg.AssetKey, version: str
) -> dg.AssetMaterialization | None:
    """The latest materialisation of an unpartitioned asset with a data version."""
    for record in records_of_runs(instance, key, read_first=_PAGE):
        if _version(record.asset_materialization) == version:
            return record.asset_materialization
    return None


def input_version(
    materialization: dg.AssetMaterialization | None, upstream: dg.AssetKey
) -> str | None:
    """Data version of an input that a materialisation was made from; None if it is unknown."""
    tags = (materialization.tags if materialization else None) or {}
    return tags.get(input_version_tag(upstream))


def log_files(instance: dg.DagsterInstance, run_id: str) -> Sequence[str]:
    """Files on this machine with what the steps of a run printed, if they printed anything."""
    manager = instance.compute_log_manager
    files: list[str] = []
    for log in instance.all_logs(run_id, of_type=dg.DagsterEventType.LOGS_CAPTURED):
        if log.dagster_event is not None:
            key = log.dagster_event.logs_captured_data.file_key
            places = manager.get_log_metadata([run_id, "compute_logs", key])
            files += [path for path in (places.stdout_location, places.stderr_location) if path]
    return [path for path in files if Path(path).is_file() and Path(path).stat().st_size]


def _version(materialization: dg.AssetMaterialization | None) -> str | None:
    return ((materialization.tags if materialization else None) or {}).get(DATA_VERSION)
