"""Dagster's PostgreSQL event log for thousands of events, with a connection kept open.

Dagster's own event log opens two connections for every event. This one keeps a connection in each
process, and stores events of a run together in two transactions. Tables and content are the same:
an instance can change from one to the other at any time. `deploy/dagster.postgres.yaml` uses it.

If the server goes away, an event is still stored exactly once: after the wait, the events that the
broken connection had stored are looked up first. Waiting is in `postgres_server`.
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
from iris_hpo.event_log.failures import FailuresWithStatus
from iris_hpo.event_log.postgres_server import check_url, wait_for_server

_TRIES: Final = 5
"""Number of times that an event is sent while its connections break."""


class KeptPostgresEventLog(EventBatches, FailuresWithStatus, PostgresEventLogStorage):
    """A PostgreSQL event log that keeps a connection and can store materialisations together."""

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
            max_overflow=-1,  # several threads at once, as in Dagster's own event log
            pool_pre_ping=True,  # the server may have been restarted
        )
        wait_for_server(self._engine)  # the server has answered by now, so its settings are right

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Make the event log from the settings of Dagster's own; ``auth_provider`` is refused."""
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
        else:  # Dagster stores these events one by one
            store()

    def _store(self, events: Sequence[EventLogEntry], store: Callable[[], None]) -> None:
        """Store events; if the connection breaks, look up what was stored and store the rest."""
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
        """Store what is missing.

        One statement stores all events or none; later ones store tags, assets and checks.
        """
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
        """Storage ids of the stored events, in order; no two events have the same content."""
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
