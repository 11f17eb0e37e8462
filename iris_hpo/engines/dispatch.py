"""Hand items out to workers, and find the item to blame when a worker dies.

All engines with workers share this code: how many items are sent together, how many chunks a worker
may have, limits of time, retries. The engine supplies the workers (`Workers`).
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from typing import Final, Generic

from iris_hpo.engines.interface import (
    Chunk,
    Done,
    Failed,
    Limits,
    Report,
    WorkerId,
    Workers,
    in_one_line,
)
from iris_hpo.engines.tries import Lane, Pace, Sent, Shares, Try, judge, overdue
from iris_hpo.errors import InputError, WholeRunError

_POLL_SECONDS: Final = 0.1
_MOST_STILLBORN: Final = 3
_PAUSE_SECONDS: Final = 5.0
"""Time between two looks at time limits from which on this process was stopped, as by Ctrl-Z."""


class Dispatch(Generic[WorkerId]):
    """Items that are known from the beginning, handed out to workers.

    Parameters
    ----------
    waiting
        The items.
    """

    def __init__(self, workers: Workers[WorkerId], waiting: Shares, limits: Limits) -> None:
        self._workers = workers
        self._waiting = waiting
        self._limits = limits
        self._suspects: deque[Try] = deque()
        self._lanes: dict[WorkerId, Lane] = {}
        self._worth = 0
        self._pace = Pace()
        self._ended: list[Done[object, object] | Failed[object]] = []
        self._chunks = 0
        self._stillborn = 0
        self._heard = self._looked = time.monotonic()

    def outcomes(self) -> Iterator[Sequence[Done[object, object] | Failed[object]]]:
        """Yield one outcome per item as they finish."""
        self._hand_out()
        while self._has_work():
            self._wait()
            self._hand_out()  # before the outcomes are yielded: the caller needs time for them
            if outcomes := self._new_outcomes():
                yield outcomes

    def _has_work(self) -> bool:
        return bool(self._waiting or self._suspects or self._in_flight())

    def _wait(self) -> None:
        """Wait for an outcome, or until workers and time limits are to be looked at."""
        in_flight = self._in_flight()
        if in_flight:
            wait(in_flight, timeout=self._patience(), return_when=FIRST_COMPLETED)
        else:
            time.sleep(self._patience() or 0)
        for worker in list(self._lanes):
            self._collect(worker)
        if self._limits.timeout:
            self._end_overdue(self._limits.timeout)

    def _new_outcomes(self) -> Sequence[Done[object, object] | Failed[object]]:
        outcomes, self._ended = self._ended, []
        return outcomes

    def _in_flight(self) -> list[Future[list[Report]]]:
        return [future for lane in self._lanes.values() for future in lane.in_flight]

    def _patience(self) -> float | None:
        """Seconds to wait for an outcome before workers and time limits are looked at."""
        has_work = self._waiting or self._suspects
        may_grow = has_work and self._workers.start_seconds() is not None and not self._is_full()
        idle = has_work and any(not lane.in_flight for lane in self._lanes.values())
        if self._limits.timeout or may_grow or idle:
            return _POLL_SECONDS
        return self._workers.look_seconds

    # Workers

    def _hand_out(self) -> None:
        """Admit new workers, give up lost ones, keep all busy, and start more if they pay off."""
        self._look_at_workers()
        for worker in list(self._lanes):
            self._feed(worker)
        while (self._waiting or self._suspects) and self._is_another_worth_it():
            self._worth = max(self._worth, len(self._lanes) + 1)
            self._workers.start()
            self._look_at_workers()

    def _look_at_workers(self) -> None:
        present = self._workers.present()
        for worker in self._lanes.keys() - present:
            self._lose(worker, self._workers.cause(worker, None))
        for worker in [worker for worker in present if worker not in self._lanes]:
            self._lanes[worker] = Lane()
            # Send the work alone: items in its queue would wait until the work is loaded.
            self._send(worker, [])

    def _is_full(self) -> bool:
        return self._workers.most is not None and len(self._lanes) >= self._workers.most

    def _is_another_worth_it(self) -> bool:
        cost = self._workers.start_seconds()
        if cost is None or self._is_full():
            return False
        if len(self._lanes) < max(self._worth, 1) or not cost:
            return True
        is_working = any(lane.tries for lane in self._lanes.values())
        is_slow = is_working and time.monotonic() - self._heard > cost
        return is_slow or self._seconds_left() / len(self._lanes) > cost

    def _seconds_left(self) -> float:
        """Seconds that the waiting items will take, as far as is known."""
        return len(self._waiting) * (self._pace.item_seconds or 0)

    def _lose(self, worker: WorkerId, cause: str) -> None:
        """Give up a worker that has died; its items in flight become suspects."""
        lost = self._lanes.pop(worker).tries
        self._waiting.free(worker)
        self._workers.lose(worker)
        failed, suspects = judge(lost, self._limits.retries, cause)
        self._ended += failed
        self._suspects.extend(suspects)

    def _after_death(self, worker: WorkerId, error: BaseException) -> None:
        if not self._lanes[worker].tries and self._workers.start_seconds() is not None:
            self._stillborn += 1
            if self._stillborn > _MOST_STILLBORN:
                raise InputError(
                    "worker processes end before they have done anything (killed, or out of "
                    "memory); see to the machine, and run again: what is finished is kept"
                )
        self._lose(worker, self._workers.cause(worker, error))

    # Work

    def _feed(self, worker: WorkerId) -> None:
        """Keep a worker busy; a suspect is sent alone."""
        lane = self._lanes[worker]
        if lane.in_flight and (lane.is_alone or not lane.tries):
            return
        lane.is_alone = False
        if self._suspects:
            if not lane.in_flight:
                suspect = self._suspects.popleft()
                lane.is_alone = True
                if not self._send(worker, [suspect]):
                    self._suspects.appendleft(suspect)
            return
        while self._waiting and len(lane.in_flight) < self._ahead():
            tries = self._waiting.take(worker, self._chunk_size())
            if not self._send(worker, tries):
                self._waiting.put_back(worker, tries)
                self._waiting.free(worker)
                return

    def _ahead(self) -> int:
        """Number of chunks that a worker may have.

        A second chunk hides the time of sending and answering. There is no second one with a time
        limit, so that every item in flight is running, nor near the end, where another worker could
        take the chunk.
        """
        plenty = len(self._waiting) > self._sharing() * self._chunk_size()
        return 2 if plenty and not self._limits.timeout else 1

    def _chunk_size(self) -> int:
        if self._limits.timeout:
            return 1
        return self._pace.chunk_size(len(self._waiting), self._sharing())

    def _sharing(self) -> int:
        """Number of workers that share the work."""
        return self._workers.most or max(len(self._lanes), 1)

    def _send(self, worker: WorkerId, tries: Sequence[Try]) -> bool:
        """Send a chunk to a worker.

        Returns
        -------
        bool
            Whether the chunk was sent. If the worker has died, its futures fail and their items
            become suspects; a worker without futures is given up here.
        """
        self._chunks += 1
        chunk = Chunk(
            self._chunks,
            [attempt.item for attempt in tries],
            self._limits.retries,
            is_timed=self._limits.timeout is not None,
        )
        lane = self._lanes[worker]
        try:
            future = self._workers.submit(worker, chunk)
        except BrokenExecutor as error:
            if not lane.in_flight:
                self._after_death(worker, error)
            return False
        lane.in_flight[future] = Sent(chunk.number, tries)
        return True

    def _collect(self, worker: WorkerId) -> None:
        lane = self._lanes[worker]
        for future in [future for future in lane.in_flight if future.done()]:
            error = future.exception()
            if isinstance(error, BrokenExecutor):
                self._after_death(worker, error)
                return
            sent = lane.in_flight.pop(future)
            self._heard = time.monotonic()
            if error is None:
                self._take(worker, sent, future.result())
            elif sent.tries:
                self._after_lost_answer(sent.tries, error)
            else:
                self._workers.refuse(worker, error)

    def _take(self, worker: WorkerId, sent: Sent, reports: Sequence[Report]) -> None:
        for report in reports:
            self._stillborn = 0
            self._pace.note(report.seconds)
            self._ended.append(report.outcome)
        if len(reports) < len(sent.tries):
            self._waiting.put_back(worker, sent.tries[len(reports) :])

    def _after_lost_answer(self, tries: Sequence[Try], error: BaseException) -> None:
        """Handle a chunk that could not be sent, or whose answer could not be read.

        A single item fails; of several, each becomes a suspect.
        """
        if isinstance(error, WholeRunError):
            self._ended.append(Failed(tries[0].item, str(error), ends_run=True))
        elif len(tries) == 1:
            self._ended.append(Failed(tries[0].item, in_one_line(error)))
        else:
            self._suspects.extend(tries)

    # Time

    def _end_overdue(self, timeout: float) -> None:
        self._leave_out_pause()
        late = [
            worker
            for worker, lane in self._lanes.items()
            if any(self._seconds_of(sent) > timeout for sent in lane.in_flight.values())
        ]
        for worker in late:
            lane = self._lanes.pop(worker)
            self._ended += [overdue(attempt, timeout) for attempt in lane.tries]  # a single one
            self._waiting.free(worker)
        if late:
            self._workers.kill(late)

    def _leave_out_pause(self) -> None:
        """Do not count the time for which this process was stopped: its workers were, too."""
        now = time.monotonic()
        paused, self._looked = now - self._looked, now
        if paused < _PAUSE_SECONDS:
            return
        for lane in self._lanes.values():
            for sent in lane.in_flight.values():
                if sent.started is not None:
                    sent.started += paused

    def _seconds_of(self, sent: Sent) -> float:
        """Seconds that a chunk has been running, since its start was first seen here."""
        now = time.monotonic()
        if sent.started is None and sent.tries and self._workers.has_started(sent.number):
            sent.started = now
        return 0.0 if sent.started is None else now - sent.started
