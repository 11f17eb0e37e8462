"""A run that fails, seen by Dagster's daemon between the event of its failure and its status."""

import logging
from types import SimpleNamespace
from typing import Any

import dagster as dg
from dagster._core.events.log import EventLogEntry
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.auto_run_reexecution.event_log_consumer import EventLogConsumerDaemon


class Daemon(EventLogConsumerDaemon):
    """Dagster's daemon that tries failed runs again; it only notes what it would look at."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        super().__init__()
        self._context: Any = SimpleNamespace(instance=instance)
        self._logger = logging.getLogger(__name__)
        self._seen: list[str] = []

    @property
    def handle_updated_runs_fns(self) -> list[Any]:
        def note(_: object, records: list[dg.RunRecord], __: object) -> list[None]:
            self._seen += [record.dagster_run.status.value for record in records]
            return []

        return [note]

    def look(self) -> list[str]:
        """Go through one tick; return the statuses of the runs that it looked at, sorted."""
        self._seen = []
        list(self.run_iteration(self._context))
        return sorted(self._seen)


def fail(instance: dg.DagsterInstance, *, at: float) -> EventLogEntry:
    """Store the event of a run's failure, without the status that Dagster stores after it."""
    run = create_run_for_test(instance, job_name="job", status=dg.DagsterRunStatus.STARTED)
    failure = EventLogEntry(
        error_info=None,
        level=logging.ERROR,
        user_message="",
        run_id=run.run_id,
        timestamp=at,
        job_name="job",
        dagster_event=dg.DagsterEvent(dg.DagsterEventType.RUN_FAILURE.value, "job"),
    )
    instance.event_log_storage.store_event(failure)
    return failure


def check_that_a_failure_is_seen_with_its_status(instance: dg.DagsterInstance, now: float) -> None:
    daemon = Daemon(instance)
    assert daemon.look() == []
    failure = fail(instance, at=now)

    assert daemon.look() == []
    instance.run_storage.handle_run_event(failure.run_id, failure.get_dagster_event())
    assert daemon.look() == ["FAILURE"]
    assert daemon.look() == []

    fail(instance, at=now - 100)  # its process ended before the status: it holds up no other
    later = fail(instance, at=now)
    instance.run_storage.handle_run_event(later.run_id, later.get_dagster_event())
    assert daemon.look() == ["FAILURE", "STARTED"]
