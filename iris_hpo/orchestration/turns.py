"""Whose turn it is: releasing what dead runs hold, and waiting for those that work.

A run that dies keeps its slot of the search's pool, and every later run waits for it. So each run
shows signs of life (`iris_hpo.orchestration.signs`), and who waits judges by them. On the machine
of the run's process, the time of its start decides at once, however long it is silent. From
elsewhere its beat decides: it has to stand still for 40 seconds on the clock of who waits.

A run that was given up may wake up again, with its machine. It ends at its next result. What it has
written until then is whole and was computed from the same inputs; a file that another run has
recorded with other bytes is refused when it is read, and made again.
"""

import threading
import time
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from iris_hpo.errors import InputError, WholeRunError
from iris_hpo.interrupts import as_interrupt
from iris_hpo.orchestration.signs import (
    PATIENCE_SECONDS,
    Sign,
    Watch,
    own_sign,
    read_signs,
    why_dead,
    write_sign,
)
from iris_hpo.processes import is_here

BEAT_SECONDS = 5.0
LOOK_SECONDS = 0.5
_LAST_BEAT_SECONDS: Final = 5.0

_NO_SIGN: Final = (SQLAlchemyError, InputError, NotImplementedError)
"""Why a sign of life is left out: the database is away, or has no place for it."""

UNFINISHED: Final = (
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
_watch = Watch()


class GivenUpError(WholeRunError):
    """The run was ended from outside; another may be working in its place."""


_given_up: set[str] = set()


def check_turn(run_id: str) -> None:
    """Refuse to work on for a run that was ended from outside.

    Raises
    ------
    GivenUpError
        If it was.
    """
    if run_id in _given_up:
        raise GivenUpError(
            "this run was ended from outside while it worked: it was cancelled, or showed no sign "
            "of life and was given up; what it finished before is kept"
        )


@contextmanager
def at_work(instance: dg.DagsterInstance, run_id: str) -> Generator[None]:
    """Show signs of life for a run, and release what dead runs hold while it waits or works."""
    if instance.is_ephemeral:  # in the memory of this process: nobody else can wait
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(instance, run_id, ended), daemon=True)
    with suppress(*_NO_SIGN):
        write_sign(instance, run_id, own_sign(1))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_LAST_BEAT_SECONDS)  # it may be writing
        _given_up.discard(run_id)
        with suppress(*_NO_SIGN):
            write_sign(instance, run_id, own_sign(0))


def _beat(instance: dg.DagsterInstance, run_id: str, ended: threading.Event) -> None:
    beat = 1
    while not ended.wait(BEAT_SECONDS):
        beat += 1
        with suppress(*_NO_SIGN):
            run = instance.get_run_by_id(run_id)
            if run is None or run.is_finished:
                _given_up.add(run_id)
                return
            write_sign(instance, run_id, own_sign(beat))
            release_dead_runs(instance)


# Releasing


@dataclass(frozen=True)
class Released:
    """A dead run that was released.

    Attributes
    ----------
    run_id
        Its id.
    text
        Which run it was, and why it was given up, for a message.
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

    Only runs are judged that have shown a sign of life, so runs of searches, and those that hold a
    slot of a search's pool.

    Parameters
    ----------
    pool
        The pool of a search: a run that holds a slot of it is also given up if it has never shown
        a sign.
    waited_for
        Runs that have started, and may hold none; they are given up like those that do.
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
        unmarked -= info.pending_run_ids  # they wait for a slot, and show nothing until they work
        unmarked |= info.active_run_ids | info.assigned_run_ids
    released: list[Released] = []
    for run_id in signs.keys() | unmarked:
        sign, record = signs.get(run_id), unfinished.get(run_id)
        if record is None and run_id not in holding:
            continue
        silence = watch.silence(run_id, sign)
        orphaned = not sign and silence >= PATIENCE_SECONDS and _is_orphaned(instance, run_id)
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
    """Whether the process is not here that Dagster has recorded as the one that executes a run.

    Of its machine Dagster records nothing. Only executors are recorded whose steps are processes of
    the same machine.
    """
    for log in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)[::-1]:
        event = log.dagster_event
        process = event.engine_event_data.metadata.get("pid") if event else None
        if process is not None:
            return not is_here(int(str(process.value)), log.timestamp)
    return False


def _release(instance: dg.DagsterInstance, run_id: str, reason: str) -> None:
    run = instance.get_run_by_id(run_id)  # once more: it may just have ended by itself
    if run is not None and run.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, f"This run was cancelled, and {reason}.")
    elif run is not None and run.status in UNFINISHED:
        instance.report_run_failed(run, f"This run was given up: {reason}.")
    if instance.event_log_storage.supports_global_concurrency_limits:
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)


def describe(run_id: str, sign: Sign | None, started: float | None) -> str:
    """Which run this is: its id, its process, and since when it works."""
    process = f"process {sign.process} on {sign.host}" if sign else ""
    since = time.strftime("since %H:%M:%S", time.localtime(started)) if started else ""
    details = ", ".join(filter(None, (process, since)))
    return f"run {run_id[:8]}" + (f" ({details})" if details else "")


# Waiting


def _holders(instance: dg.DagsterInstance, pool: str, without: str) -> Mapping[str, str]:
    """Who holds the slots of a pool, in words, by run id."""
    info = instance.event_log_storage.get_concurrency_info(pool)
    holding = {slot.run_id for slot in info.claimed_slots} | info.assigned_run_ids
    return describe_runs(instance, holding - {without})


def describe_runs(instance: dg.DagsterInstance, run_ids: Collection[str]) -> Mapping[str, str]:
    """Which runs these are, in words, by run id."""
    signs = read_signs(instance, run_ids)
    records = instance.get_run_records(dg.RunsFilter(run_ids=sorted(run_ids))) if run_ids else ()
    started = {record.dagster_run.run_id: record.start_time for record in records}
    return {run_id: describe(run_id, signs.get(run_id), started.get(run_id)) for run_id in run_ids}


class OrderlyWait:
    """Waits for a slot of the pool in Dagster's place.

    Dagster itself asks without a pause, and hears no signal. To be called with the events of a
    run, on the thread that executes it.

    Parameters
    ----------
    say
        Called with each line that the user should see.
    """

    def __init__(self, instance: dg.DagsterInstance, pool: str, say: Callable[[str], None]) -> None:
        self._instance = instance
        self._pool = pool
        self._say = say
        self._said: set[str] = set()

    def __call__(self, event: dg.EventLogEntry) -> None:
        """Return when the run, of which an event calls a step blocked, has its turn."""
        found = event.dagster_event
        if found is None or found.event_type is not dg.DagsterEventType.ENGINE_EVENT:
            return
        if found.step_key and "pool" in found.engine_event_data.metadata:
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
            if not self._said.issuperset(holders):
                self._said.update(holders)
                self._say(f"waiting for {' and '.join(holders.values())}; Ctrl-C ends the wait")
            time.sleep(LOOK_SECONDS)
