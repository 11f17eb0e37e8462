"""An event log for thousands of events: Dagster's PostgreSQL event log, with a connection kept.

Dagster's own opens two connections for every event. This one keeps one in each process, and stores
what a run records together in two transactions. Tables and content are the same: an instance can
change from one to the other at any time. `deploy/dagster.postgres.yaml` uses it.
"""

from collections.abc import Mapping
from typing import Any, Self

from dagster._core.storage.sql import create_engine
from dagster._serdes import ConfigurableClassData
from dagster_postgres import PostgresEventLogStorage
from dagster_postgres.utils import pg_url_from_config

from iris_hpo.event_batches import EventBatches


class KeptPostgresEventLog(EventBatches, PostgresEventLogStorage):
    """PostgreSQL event log that keeps a connection, and can store materialisations together."""

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,  # noqa: FBT001, FBT002 - Dagster's own signature
        inst_data: ConfigurableClassData | None = None,
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data)
        self._engine = create_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",
            pool_size=1,
            max_overflow=-1,  # several threads at once: as Dagster's own
            pool_pre_ping=True,  # the server may have been started anew
        )

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Make it from the settings of Dagster's own; tokens instead of passwords need that one."""
        if config_value.get("auth_provider"):
            raise ValueError(
                "KeptPostgresEventLog has no auth_provider; use dagster_postgres.event_log, class "
                "PostgresEventLogStorage"
            )
        return cls(
            pg_url_from_config(config_value),
            config_value.get("should_autocreate_tables", True),
            inst_data,
        )

    def dispose(self) -> None:
        """Close the connection."""
        self._engine.dispose()
        super().dispose()
