"""What an instance has recorded of a search: materialisations, and Dagster's own verdicts."""

import sqlite3
from abc import ABC, abstractmethod
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.event_log import InMemoryEventLogStorage
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from dagster._core.storage.runs import InMemoryRunStorage

from iris_hpo.orchestration.names import Names


class Recorded(ABC):
    """A search on an instance."""

    instance: dg.DagsterInstance
    defs: dg.Definitions

    @property
    @abstractmethod
    def names(self) -> Names: ...

    def registered(self) -> list[str]:
        """The registered candidates."""
        return list(self.instance.get_dynamic_partitions("c_gamma"))

    def materializations(self, asset: str) -> list[dg.AssetMaterialization]:
        """All of an asset, the latest first."""
        found = self.instance.fetch_materializations(self.names.asset(asset), limit=1000)
        return [
            record.asset_materialization
            for record in found.records
            if record.asset_materialization is not None
        ]

    def by_partition(self, asset: str) -> dict[str, list[dg.AssetMaterialization]]:
        """All of an asset per partition, the latest first."""
        found: dict[str, list[dg.AssetMaterialization]] = {}
        for one in self.materializations(asset):
            found.setdefault(str(one.partition), []).append(one)
        return found

    def metadata(self, asset: str, partition: str | None = None) -> dict[str, Any]:
        """The values of the latest materialisation's metadata."""
        latest = next(one for one in self.materializations(asset) if one.partition == partition)
        return {name: value.value for name, value in latest.metadata.items()}

    def data_version(self, asset: str) -> str:
        tags = self.materializations(asset)[0].tags
        return str((tags or {})["dagster/data_version"])

    def run_ids(self) -> set[str]:
        return {run.run_id for run in self.instance.get_runs()}

    def staleness(self, asset: str) -> dict[str, str]:
        """Dagster's own verdict on every registered partition, as the UI asks for it."""
        resolver = self._resolver()
        key = self.names.asset(asset)
        return {one: resolver.get_status(key, one).name for one in self.registered()}

    def stale_causes(self, asset: str, partition: str) -> set[str]:
        """The upstream assets that make a partition stale."""
        causes = self._resolver().get_stale_causes(self.names.asset(asset), partition)
        return {
            cause.dependency.asset_key.to_user_string()
            for cause in causes
            if cause.dependency is not None
        }

    def source_staleness(self, asset: str) -> str:
        """The verdict on an asset without partitions."""
        return self._resolver().get_status(self.names.asset(asset)).name

    def partition_status(self, asset: str) -> dict[str, set[str]]:
        """Which partitions Dagster itself shows as materialised and as failed."""
        partitions = self.names.partitions
        found = get_and_update_asset_status_cache_value(
            self.instance, self.names.asset(asset), partitions, self.instance
        )
        assert found is not None
        with partition_loading_context(None, self.instance):
            return {
                "materialized": set(
                    found.deserialize_materialized_partition_subsets(
                        partitions
                    ).get_partition_keys()
                ),
                "failed": set(
                    found.deserialize_failed_partition_subsets(partitions).get_partition_keys()
                ),
            }

    def _resolver(self) -> CachingStaleStatusResolver:
        graph = self.defs.resolve_asset_graph()
        return CachingStaleStatusResolver(
            self.instance, graph, LoadingContextForTest(self.instance)
        )


def copy_record(source: dg.DagsterInstance, target: dg.DagsterInstance) -> None:
    """Make one instance in memory hold exactly what another holds."""
    for mine, other in (
        (source.event_log_storage, target.event_log_storage),
        (source.run_storage, target.run_storage),
    ):
        _held_connection(mine).backup(_held_connection(other))


def _held_connection(storage: Any) -> sqlite3.Connection:
    """The connection that keeps a database in memory alive."""
    if not isinstance(storage, (InMemoryEventLogStorage, InMemoryRunStorage)):
        raise TypeError(f"{storage} is not in memory")
    found = storage._held_conn.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found
