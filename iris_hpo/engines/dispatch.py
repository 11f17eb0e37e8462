"""The engine of worker processes: it keeps them busy, and finds out who is to blame for a death."""

import pickle
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, cast

from iris_hpo.engines.interface import Done, Failed, Item, Limits, Result, in_one_line
from iris_hpo.engines.leftovers import temporary_folder
from iris_hpo.engines.tries import Pace, Shares, Try, judge, overdue
from iris_hpo.engines.worker import Chunk, Report
from iris_hpo.errors import InputError

_POLL_SECONDS: Final = 0.1
_START_SECONDS: Final = 1.0
"""What a worker costs before it helps: for work that is done sooner, no other is started."""

_MOST_STILLBORN: Final = 3


class Worker(Protocol):
    """A process that does one chunk after the other."""

    def submit(self, chunk: Chunk) -> Future[list[Report]]:
        """Queue a chunk.

        Raises
        ------
        BrokenExecutor
            If the process has died.
        """
        ...

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        ...


class PoolEngine:
    """Items spread over worker processes.

    Each worker stands alone. If one dies, or is ended because its item takes too long, the others
    go on, and only what it had can be to blame: that is then run one item at a time, so that the
    item which kills workers is found.

    Parameters
    ----------
    most
        How many workers there may be. No more are started than the work is worth.
    start
        Starts a worker.
    started
        How many workers were started ahead, and are given out next.
    """

    def __init__(
        self, most: int, start: Callable[[], Worker], started: Callable[[], int] = int
    ) -> None:
        self._most = most
        self._start = start
        self._started = started

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], limits: Limits
    ) -> Generator[Sequence[Done[Item, Result] | Failed[Item]], None, None]:
        """Yield one outcome per item, as they finish; those of a chunk come together."""
        if not items:
            return
        with temporary_folder() as folder:
            path = folder / "work"
            path.write_bytes(pickle.dumps(work))
            waiting = Shares(Try(item, number) for number, item in enumerate(items))
            run = _PoolRun(self._most, self._start, self._started, path, limits, waiting)
            try:
                yield from cast(
                    "Iterator[Sequence[Done[Item, Result] | Failed[Item]]]", run.outcomes()
                )
            finally:
                run.stop()


@dataclass(eq=False)
class _Lane:
    """A worker, or the one in its place, and what it has been given.

    Attributes
    ----------
    alone
        Whether what is in flight is a suspect, with nothing beside it.
    """

    worker: Worker
    in_flight: dict[Future[list[Report]], list[Try]] = field(
        default_factory=dict[Future[list[Report]], list[Try]]
    )
    alone: bool = False

    @property
    def tries(self) -> list[Try]:
        return [one for tries in self.in_flight.values() for one in tries]


class _PoolRun:
    """One call of `PoolEngine.map`."""

    def __init__(
        self,
        most: int,
        start: Callable[[], Worker],
        started: Callable[[], int],
        work: Path,
        limits: Limits,
        waiting: Shares,
    ) -> None:
        self._most = most
        self._start = start
        self._started = started
        self._work = work
        self._limits = limits
        self._waiting = waiting
        self._suspects: deque[Try] = deque()
        self._lanes: list[_Lane] = []
        self._pace = Pace()
        self._stillborn = 0
        self._heard = time.monotonic()
        self._started_at: dict[int, float] = {}

    def outcomes(self) -> Iterator[Sequence[Done[object, object] | Failed[object]]]:
        self._hand_out()
        while any(lane.in_flight for lane in self._lanes) or self._waiting or self._suspects:
            in_flight = [future for lane in self._lanes for future in lane.in_flight]
            wait(in_flight, timeout=self._patience(), return_when=FIRST_COMPLETED)
            together = [outcome for lane in self._lanes for outcome in self._collect(lane)]
            self._hand_out()  # before the outcomes are looked at: that takes time too
            if together:
                yield together

    def stop(self) -> None:
        for lane in self._lanes:
            lane.worker.kill()

    def _hand_out(self) -> None:
        """Keep the workers busy, and start another if it is worth it."""
        for lane in self._lanes:
            self._feed(lane)
        while (self._waiting or self._suspects) and self._is_another_worth_it():
            lane = _Lane(self._start_worker())
            self._lanes.append(lane)
            self._greet(lane)

    def _start_worker(self) -> Worker:
        try:
            return self._start()
        except OSError as error:
            raise InputError(
                f"a worker process cannot be started: {error}; make room (memory, /dev/shm), then "
                "run the search again: finished candidates are kept"
            ) from error

    def _is_another_worth_it(self) -> bool:
        if not self._lanes:
            return True
        if len(self._lanes) >= self._most:
            return False
        if self._started():
            return True
        left = len(self._waiting) * (self._pace.item_seconds or 0) / len(self._lanes)
        is_working = any(lane.tries for lane in self._lanes)
        is_slow = is_working and time.monotonic() - self._heard > _START_SECONDS
        return is_slow or left > _START_SECONDS

    def _greet(self, lane: _Lane) -> None:
        """Let a new worker take the work in; what it gets before, no other can do meanwhile."""
        self._send(lane, [])

    def _feed(self, lane: _Lane) -> None:
        if lane.in_flight and (lane.alone or not lane.tries):
            return
        if self._suspects:
            if not lane.in_flight:
                lane.alone = True
                suspect = self._suspects.popleft()
                if not self._send(lane, [suspect]):
                    self._suspects.appendleft(suspect)
            return
        lane.alone = False
        while self._waiting and len(lane.in_flight) < self._ahead():
            tries = self._waiting.take(lane, self._chunk_size())
            if not self._send(lane, tries):
                self._waiting.put_back(lane, tries)
                return

    def _ahead(self) -> int:
        """Chunks that a worker may have.

        A second one hides the way there and back. With a time limit nothing waits in a worker's
        queue, so that what is in flight is running; nor near the end, where others could take it.
        """
        plenty = len(self._waiting) > self._most * self._chunk_size()
        return 2 if plenty and not self._limits.timeout else 1

    def _chunk_size(self) -> int:
        return 1 if self._limits.timeout else self._pace.chunk_size(len(self._waiting), self._most)

    def _send(self, lane: _Lane, tries: list[Try]) -> bool:
        """Give a chunk to a worker; tell whether it could be given: the worker may have died."""
        marks = self._work.parent
        for one in tries:  # an earlier start, in a worker that is gone, does not count
            self._mark(one).unlink(missing_ok=True)
            self._started_at.pop(one.number, None)
        chunk = Chunk(
            str(self._work),
            [one.item for one in tries],
            [one.number for one in tries],
            self._limits.retries,
            str(marks) if self._limits.timeout else None,
        )
        try:
            future = lane.worker.submit(chunk)
        except BrokenExecutor:
            if not lane.in_flight:  # or else they tell, and are suspects
                self._replace(lane)
            return False
        lane.in_flight[future] = tries
        return True

    def _patience(self) -> float | None:
        """How long to wait for an outcome before looking after something else."""
        may_grow = self._waiting and len(self._lanes) < self._most
        idle = any(not lane.in_flight for lane in self._lanes) and (self._waiting or self._suspects)
        return _POLL_SECONDS if self._limits.timeout or may_grow or idle else None

    def _collect(self, lane: _Lane) -> Iterator[Done[object, object] | Failed[object]]:
        for future in [future for future in lane.in_flight if future.done()]:
            error = future.exception()
            if isinstance(error, BrokenExecutor):
                yield from self._after_death(lane)
                return
            tries = lane.in_flight.pop(future)
            self._heard = time.monotonic()
            if error is not None:
                yield from self._after_lost_answer(tries, error)
                continue
            for report in future.result():
                self._stillborn = 0
                self._pace.note(report.seconds)
                yield report.outcome
        if self._limits.timeout:
            yield from self._end_overdue(lane, self._limits.timeout)

    def _after_lost_answer(
        self, tries: Sequence[Try], error: BaseException
    ) -> Iterator[Failed[object]]:
        """A chunk could not be sent, or its answer not be read: find the item to blame."""
        if len(tries) != 1:
            self._suspects.extend(tries)
            return
        yield Failed(tries[0].item, in_one_line(error))

    def _after_death(self, lane: _Lane) -> Sequence[Failed[object]]:
        """A worker died: replace it, and suspect everything that it had."""
        lost = lane.tries
        lane.in_flight.clear()
        if not lost:
            self._stillborn += 1
            if self._stillborn > _MOST_STILLBORN:
                raise InputError(
                    "worker processes end before they have done anything (killed, or out of "
                    "memory); see to the machine, and run again: what is finished is kept"
                )
        self._replace(lane)
        failed, suspects = judge(lost, self._limits.retries)
        self._suspects.extend(suspects)
        return failed

    def _end_overdue(self, lane: _Lane, timeout: float) -> Iterator[Failed[object]]:
        running = lane.tries
        if any(self._seconds_of(one) > timeout for one in running):
            lane.in_flight.clear()
            self._replace(lane)
            for one in running:  # a single one, with a time limit
                yield overdue(one, timeout)

    def _replace(self, lane: _Lane) -> None:
        lane.worker.kill()
        lane.worker = self._start_worker()
        lane.alone = False
        self._greet(lane)

    def _seconds_of(self, one: Try) -> float:
        """How long an item has been running, since its start was first seen here."""
        now = time.monotonic()
        if one.number not in self._started_at and self._mark(one).exists():
            self._started_at[one.number] = now
        return now - self._started_at.get(one.number, now)

    def _mark(self, one: Try) -> Path:
        return self._work.parent / str(one.number)
