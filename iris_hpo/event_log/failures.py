"""The base class of the event logs: the failure of a run is shown when the run's status says it."""

import time
from collections.abc import Mapping
from itertools import takewhile
from typing import Final

from dagster import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqlEventLogStorage

_MOST_SECONDS: Final = 60
"""Time after which a failure is shown in any case, as its process may have ended in between."""


class FailuresWithStatus(SqlEventLogStorage):
    """An event log that Dagster's daemon can read for failed runs at any moment.

    Dagster stores the event of a failure first and then the status of the run. Its daemon looks at
    each event once, and passes over a run that has not failed: one that it sees in between is never
    tried again (``run_retries``), and its backfill waits for that without end.
    """

    def get_logs_for_all_runs_by_log_id(
        self,
        after_cursor: int = -1,
        dagster_event_type: DagsterEventType | set[DagsterEventType] | None = None,
        limit: int | None = None,
    ) -> Mapping[int, EventLogEntry]:
        """Return events by id, up to the first failure whose run has no such status yet."""
        logs = super().get_logs_for_all_runs_by_log_id(after_cursor, dagster_event_type, limit)
        return dict(takewhile(lambda log: self._is_to_be_shown(log[1]), logs.items()))

    def _is_to_be_shown(self, event: EventLogEntry) -> bool:
        if (
            event.dagster_event_type != DagsterEventType.RUN_FAILURE
            or time.time() - event.timestamp > _MOST_SECONDS
        ):
            return True
        run = self._instance.get_run_by_id(event.run_id)
        return run is None or run.is_finished
