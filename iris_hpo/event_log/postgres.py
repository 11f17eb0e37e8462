"""An event log for thousands of events: Dagster's PostgreSQL event log, with a connection kept.

Dagster's own opens two connections for every event. This one keeps one in each process, and stores
what a run records together in two transactions. Tables and content are the same: an instance can
change from one to the other at any time. `deploy/dagster.postgres.yaml` uses it.

A server that goes away is waited for, and an event is then stored once: what the broken connection
had stored is looked up first.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Self

import sqlalchemy as sa
from dagster import DagsterEventType
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.sql import create_engine
from dagster._serdes import ConfigurableClassData
from dagster_postgres import PostgresEventLogStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy.exc import DBAPIError

from iris_hpo.event_log.batches import EventBatches
from iris_hpo.event_log.postgres_server import check_url, wait_for_server

_TRIES: Final = 5
"""How often an event is sent while its connections break."""


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
            pool_pre_ping=True,  # the server may have been restarted
        )
        wait_for_server(self._engine)  # it has answered by now: its settings are right

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
        url = pg_url_from_config(config_value)
        check_url(url)
        return cls(
            url,
            config_value.get("should_autocreate_tables", True),
            inst_data,
        )

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, once, also if the connection breaks while it is stored."""
        self._store([event], lambda: super(KeptPostgresEventLog, self).store_event(event))

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events together, once, also if the connection breaks while they are stored."""

        def store() -> None:
            super(KeptPostgresEventLog, self).store_event_batch(events)

        types = {event.dagster_event_type for event in events}
        together = (DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.ASSET_OBSERVATION)
        if len(types) == 1 and types.issubset(together):
            self._store(events, store)
        else:  # Dagster stores each by itself
            store()

    def _store(self, events: Sequence[EventLogEntry], store: Callable[[], None]) -> None:
        """Store, and if the connection breaks look what it has stored, and do the rest."""
        step = store
        for left in reversed(range(_TRIES)):
            try:
                step()
            except DBAPIError as error:
                if not (left and error.connection_invalidated):
                    raise
                step = lambda: self._store_rest(events, store)  # noqa: E731
            else:
                return

    def _store_rest(self, events: Sequence[EventLogEntry], store: Callable[[], None]) -> None:
        """Store what is missing: one statement has stored all events or none, the next the rest."""
        ids = self._stored_ids(events)
        if len(ids) != len(events):
            store()
        elif events[-1].dagster_event_type in ASSET_EVENTS:
            tagged = sa.select(AssetEventTagsTable.c.event_id).where(
                AssetEventTagsTable.c.event_id.in_(ids)
            )
            with self.index_transaction() as connection:
                if connection.execute(tagged.limit(1)).first() is None:
                    self._store_asset_event_tags(connection, events, ids)
                    self._store_asset_event(connection, events[-1], ids[-1])
        elif events[-1].dagster_event_type in ASSET_CHECK_EVENTS:
            evaluated = sa.select(AssetCheckExecutionsTable.c.id).where(
                AssetCheckExecutionsTable.c.evaluation_event_storage_id == ids[-1]
            )
            with self.index_connection() as connection:
                is_stored = connection.execute(evaluated.limit(1)).first() is not None
            if not is_stored:
                self.store_asset_check_event(events[-1], ids[-1])

    def _stored_ids(self, events: Sequence[EventLogEntry]) -> Sequence[int]:
        """Storage ids of events, in order, if they are stored; a content is never logged twice."""
        table = SqlEventLogStorageTable.c
        rows = [self._event_to_row(event) for event in events]
        query = sa.select(table.id).where(
            table.run_id.in_({row["run_id"] for row in rows}),
            table.timestamp.in_({row["timestamp"] for row in rows}),
            table.event.in_([row["event"] for row in rows]),
        )
        with self.index_connection() as connection:
            return [row[0] for row in connection.execute(query.order_by(table.id))]

    def dispose(self) -> None:
        """Close the connection."""
        self._engine.dispose()
        super().dispose()
