"""Turns of runs: release the slots of dead runs, and wait for runs that work.

A run that dies keeps its slot of the search's pool, and every later run waits for it. So each run
shows signs of life (`iris_hpo.orchestration.signs`), and processes that wait judge by them. On the
machine of the run's process, the start time of the process decides at once, however long the run is
silent. On another machine the heartbeat decides: it must have stopped for 40 seconds on the clock
of the process that waits.

What a run does that was given up, and wakes up again, is in `iris_hpo.orchestration.own_run`.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import dagster as dg

from iris_hpo.interrupts import as_interrupt
from iris_hpo.orchestration.signs import (
    PATIENCE_SECONDS,
    Sign,
    Watch,
    read_signs,
    why_dead,
)
from iris_hpo.processes import is_here, place_of_processes, stopped_note

LOOK_SECONDS = 0.5

UNFINISHED: Final = (
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
EXPECTED: Final = (dg.DagsterRunStatus.QUEUED, *UNFINISHED)
"""Statuses of runs that work, or will."""

_watch = Watch()


# Releasing


@dataclass(frozen=True)
class Released:
    """A dead run that was released.

    Attributes
    ----------
    run_id
        Id of the run.
    text
        Description of the run and why it was given up, for a message.
    """

    run_id: str
    text: str


def release_dead_runs(
    instance: dg.DagsterInstance,
    pool: str | None = None,
    watch: Watch = _watch,
    waited_for: Iterable[str] = (),
) -> list[Released]:
    """Mark dead runs as failed, and free their slots.

    Only runs of searches are judged: those that have shown a sign of life, and those that hold a
    slot of a search's pool.

    Parameters
    ----------
    pool
        The pool of a search. A run that holds a slot of the pool is also given up if it has never
        shown a sign.
    waited_for
        Ids of runs that have started and may hold no slot; they are given up in the same way.
    """
    storage = instance.event_log_storage
    pools = storage.supports_global_concurrency_limits
    holding = set(storage.get_concurrency_run_ids()) if pools else set[str]()
    unfinished = {
        record.dagster_run.run_id: record
        for record in instance.get_run_records(dg.RunsFilter(statuses=list(UNFINISHED)))
    }
    if not (holding or unfinished):
        return []
    signs = read_signs(instance, holding | unfinished.keys())
    unmarked = {run_id for run_id in waited_for if _has_started(unfinished.get(run_id))}
    if pool and holding - signs.keys():
        info = storage.get_concurrency_info(pool)
        unmarked -= info.pending_run_ids  # they wait for a slot, and show no sign until they work
        unmarked |= info.active_run_ids | info.assigned_run_ids
    released: list[Released] = []
    for run_id in signs.keys() | unmarked:
        sign, record = signs.get(run_id), unfinished.get(run_id)
        if record is None and run_id not in holding:
            continue
        silence = watch.silence(run_id, sign)
        asks = silence >= PATIENCE_SECONDS if sign is None else sign.has_left()
        orphaned = asks and _is_orphaned(instance, run_id)
        reason = why_dead(sign, silence, finished=record is None, orphaned=orphaned)
        if reason:
            _release(instance, run_id, reason)
            watch.forget([run_id])
            since = record.start_time if record else None
            released.append(Released(run_id, f"{describe(run_id, sign, since)}: {reason}"))
    return released


def _has_started(record: dg.RunRecord | None) -> bool:
    return record is not None and record.dagster_run.status is dg.DagsterRunStatus.STARTED


def _is_orphaned(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether the recorded process that executes a run is not on this machine.

    It executes the steps itself, or launches processes that do. Dagster does not record the machine
    of a process, and records a process only for executors whose steps are on the same machine.
    """
    for log in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)[::-1]:
        event = log.dagster_event
        process = event.engine_event_data.metadata.get("pid") if event else None
        if process is not None:
            return not is_here(int(str(process.value)), log.timestamp)
    return False


def _release(instance: dg.DagsterInstance, run_id: str, reason: str) -> None:
    run = instance.get_run_by_id(run_id)  # read again: the run may just have ended by itself
    if run is not None and run.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, f"This run was cancelled, and {reason}.")
    elif run is not None and run.status in UNFINISHED:
        _report_failed(instance, run, f"This run was given up: {reason}.")
    if instance.event_log_storage.supports_global_concurrency_limits:
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)


def _report_failed(instance: dg.DagsterInstance, run: dg.DagsterRun, message: str) -> None:
    """Report the failure of a run, its status before the event.

    Dagster's daemon tries a failed run again when it reads the event. Dagster stores the event
    first, and a daemon that reads it before the status never tries the run again.
    """
    event_type = dg.DagsterEventType.RUN_FAILURE.value
    event = dg.DagsterEvent(event_type, run.job_name, message=message)
    instance.run_storage.handle_run_event(run.run_id, event)
    instance.report_run_failed(run, message)


def describe(run_id: str, sign: Sign | None, started: float | None) -> str:
    """Describe a run: its id, its process, and since when it works."""
    process = f"process {sign.process} on {sign.host}" if sign else ""
    since = time.strftime("since %H:%M:%S", time.localtime(started)) if started else ""
    details = ", ".join(filter(None, (process, since)))
    return f"run {run_id[:8]}" + (f" ({details})" if details else "")


# Waiting


def _holders(instance: dg.DagsterInstance, pool: str, without: str) -> Mapping[str, str]:
    """Describe the runs that hold the slots of a pool, by run id."""
    info = instance.event_log_storage.get_concurrency_info(pool)
    holding = {slot.run_id for slot in info.claimed_slots} | info.assigned_run_ids
    return describe_runs(instance, holding - {without})


def describe_runs(instance: dg.DagsterInstance, run_ids: Collection[str]) -> Mapping[str, str]:
    """Describe runs that are waited for, by run id."""
    signs = read_signs(instance, run_ids)
    records = instance.get_run_records(dg.RunsFilter(run_ids=sorted(run_ids))) if run_ids else ()
    started = {record.dagster_run.run_id: record.start_time for record in records}
    return {
        run_id: describe(run_id, signs.get(run_id), started.get(run_id))
        + _stopped_note(signs.get(run_id))
        for run_id in run_ids
    }


def _stopped_note(sign: Sign | None) -> str:
    return stopped_note(sign.process) if sign and sign.place == place_of_processes() else ""


class OrderlyWait:
    """Waits for a slot of the pool instead of Dagster.

    Dagster itself polls without a pause, and does not react to signals. Call this with the events
    of a run, on the thread that executes the run.

    Parameters
    ----------
    say
        Called with each line that the user should see.
    """

    def __init__(self, instance: dg.DagsterInstance, pool: str, say: Callable[[str], None]) -> None:
        self._instance = instance
        self._pool = pool
        self._say = say
        self._announced: set[str] = set()

    def __call__(self, event: dg.EventLogEntry) -> None:
        """Wait for the run's turn if the event says that a step of the run is blocked."""
        content = event.dagster_event
        if content is None or content.event_type is not dg.DagsterEventType.ENGINE_EVENT:
            return
        if content.step_key and "pool" in content.engine_event_data.metadata:
            with as_interrupt():
                self._wait(event.run_id)

    def _wait(self, run_id: str) -> None:
        storage = self._instance.event_log_storage
        while True:
            queue = storage.get_concurrency_info(self._pool).pending_steps
            turns = [step.assigned_timestamp for step in queue if step.run_id == run_id]
            if any(turns) or not turns:  # it may be the turn of another step of the run
                return
            for released in release_dead_runs(self._instance, self._pool):
                self._say(f"taking over from {released.text}")
            holders = _holders(self._instance, self._pool, run_id)
            if not self._announced.issuperset(holders.values()):
                self._announced.update(holders.values())
                self._say(f"waiting for {' and '.join(holders.values())}; Ctrl-C ends the wait")
            time.sleep(LOOK_SECONDS)
