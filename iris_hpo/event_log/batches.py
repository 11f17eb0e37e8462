"""The base class of the event logs: asset events of a block are stored together."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from dagster import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqlEventLogStorage

_BATCHED: Final = (
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventType.ASSET_OBSERVATION,
)


class EventBatches(SqlEventLogStorage):
    """An event log that stores a block's asset events by one call of `store_event_batch`."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        self._block = threading.local()
        super().__init__(*arguments, **settings)

    @contextmanager
    def batched(self) -> Generator[None]:
        """Store this thread's asset events together, at the end of the block.

        They have no storage ids before the block ends.
        """
        self._block.events = events = list[EventLogEntry]()
        try:
            yield
        finally:
            self._block.events = None
            if events:
                self.store_event_batch(events)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event now, or at the end of the open block if it is an asset's."""
        block_events: list[EventLogEntry] | None = getattr(self._block, "events", None)
        if block_events is not None and event.dagster_event_type in _BATCHED:
            block_events.append(event)
        else:
            super().store_event(event)
