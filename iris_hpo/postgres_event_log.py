"""An event log for thousands of events on PostgreSQL: Dagster's own, with events stored together.

Dagster's own opens two connections for every event. This one stores what a run records together in
two transactions. Tables and content are the same: an instance can change from one to the other at
any time. `deploy/dagster.postgres.yaml` uses it.
"""

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from dagster import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._serdes import ConfigurableClassData
from dagster_postgres import PostgresEventLogStorage
from dagster_postgres.utils import get_token_provider_from_config, pg_url_from_config


class BatchedPostgresEventLog(PostgresEventLogStorage):
    """PostgreSQL event log that can store materialisations together."""

    _batch = threading.local()

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Make it from the settings of Dagster's own."""
        return cls(
            postgres_url=pg_url_from_config(config_value),
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
            inst_data=inst_data,
            token_provider=get_token_provider_from_config(config_value),
        )

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
