"""An event log for thousands of events: Dagster's PostgreSQL event log, with a connection kept.

Dagster's own opens two connections for every event. This one keeps one in each process, and stores
what a run records together in two transactions. Tables and content are the same: an instance can
change from one to the other at any time. `deploy/dagster.postgres.yaml` uses it.
"""

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from dagster import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.sql import create_engine
from dagster._serdes import ConfigurableClassData
from dagster_postgres import PostgresEventLogStorage
from dagster_postgres.utils import pg_url_from_config


class KeptPostgresEventLog(PostgresEventLogStorage):
    """PostgreSQL event log that keeps a connection, and can store materialisations together."""

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,  # noqa: FBT001, FBT002 - Dagster's own signature
        inst_data: ConfigurableClassData | None = None,
    ) -> None:
        self._batch = threading.local()
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

    @contextmanager
    def batched(self) -> Generator[None]:
        """Store together, at the end of the block, this thread's materialisations of one asset.

        They have no storage ids before the block ends.
        """
        self._batch.events = events = list[EventLogEntry]()
        try:
            yield
        finally:
            self._batch.events = None
            self.store_event_batch(events)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, now or with the batch that is open."""
        opened: list[EventLogEntry] | None = getattr(self._batch, "events", None)
        if (
            opened is not None
            and event.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION
        ):
            opened.append(event)
        else:
            super().store_event(event)
