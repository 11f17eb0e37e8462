"""The engine of worker pools: it keeps them busy, and finds out who is to blame when one breaks."""

import contextlib
import pickle
import tempfile
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol, cast

from iris_hpo.search.engines.interface import Done, Failed, Item, Limits, Result
from iris_hpo.search.engines.worker import Report, run_chunk

_CHUNK_SECONDS: Final = 0.2
_LARGEST_CHUNK: Final = 64
_POLL_SECONDS: Final = 0.1


class PoolEngine:
    """Items spread over the workers of executors.

    An executor that breaks is replaced. What it had in flight is then run one item at a time, so
    that the item which kills workers is found, and no other is blamed.

    Parameters
    ----------
    workers
        How many items run at once.
    make_pool
        Makes an executor whose workers have run the given initializer.
    """

    def __init__(self, workers: int, make_pool: "PoolFactory") -> None:
        self._workers = workers
        self._make_pool = make_pool

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], limits: Limits
    ) -> Generator[Sequence[Done[Item, Result] | Failed[Item]], None, None]:
        """Yield one outcome per item, as they finish; those of a chunk come together."""
        if not items:
            return
        with tempfile.TemporaryDirectory(prefix="iris_hpo-") as marks:
            run = _PoolRun(
                self._workers,
                self._make_pool,
                pickle.dumps(work),
                limits,
                Path(marks),
                deque(_Try(item, number) for number, item in enumerate(items)),
            )
            try:
                yield from cast(
                    "Iterator[Sequence[Done[Item, Result] | Failed[Item]]]", run.outcomes()
                )
            finally:
                run.stop()


class Pool(Protocol):
    """An executor that can be stopped at once."""

    @property
    def executor(self) -> Executor:
        """Where work is submitted."""
        ...

    def kill(self) -> None:
        """Stop the workers, whatever they are doing."""
        ...


class PoolFactory(Protocol):
    """Makes pools."""

    def __call__(self, workers: int, work: bytes) -> Pool:
        """Start workers that hold the pickled work."""
        ...


@dataclass(frozen=True)
class _Try:
    """An item on its way, with how often a worker died of it, possibly."""

    item: object
    number: int
    deaths: int = 0


class _PoolRun:
    """One call of `PoolEngine.map`."""

    def __init__(
        self,
        workers: int,
        make_pool: PoolFactory,
        work: bytes,
        limits: Limits,
        marks: Path,
        waiting: deque[_Try],
    ) -> None:
        self._workers = workers
        self._make_pool = make_pool
        self._work = work
        self._limits = limits
        self._marks = marks
        self._waiting = waiting
        self._suspects: deque[_Try] = deque()
        self._in_flight: dict[Future[list[Report]], list[_Try]] = {}
        self._pool: Pool | None = None
        self._item_seconds = _CHUNK_SECONDS

    def outcomes(self) -> Iterator[Sequence[Done[object, object] | Failed[object]]]:
        while self._waiting or self._suspects or self._in_flight:
            together = list(self._outcomes_so_far())
            if together:
                yield together

    def _outcomes_so_far(self) -> Iterator[Done[object, object] | Failed[object]]:
        """Wait until something happens, and give the outcomes of that."""
        try:
            self._submit()
        except BrokenExecutor:
            yield from self._after_death()
            return
        poll = _POLL_SECONDS if self._limits.timeout else None
        finished, _ = wait(self._in_flight, timeout=poll, return_when=FIRST_COMPLETED)
        broken = False
        for future in finished:
            error = future.exception()
            if isinstance(error, BrokenExecutor):
                broken = True
                continue
            tries = self._in_flight.pop(future)
            if error is not None:
                yield from self._after_lost_answer(tries, error)
                continue
            for report in future.result():
                self._item_seconds = 0.8 * self._item_seconds + 0.2 * report.seconds
                yield report.outcome
        if broken:
            yield from self._after_death()
        elif self._limits.timeout:
            yield from self._end_overdue(self._limits.timeout)

    def stop(self) -> None:
        if self._pool is not None:
            self._pool.kill()
            self._pool = None

    def _submit(self) -> None:
        """Keep the workers busy; suspects run alone."""
        if self._pool is None:
            self._pool = self._make_pool(self._workers, self._work)
        if self._suspects:
            if not self._in_flight:
                self._send([self._suspects.popleft()])
            return
        # One chunk ahead per worker hides the way there and back. With a time limit nothing waits
        # in a worker's queue, so that what is in flight is running.
        ahead = self._workers if self._limits.timeout else 2 * self._workers
        while self._waiting and len(self._in_flight) < ahead:
            size = min(self._chunk_size(), len(self._waiting))
            self._send([self._waiting.popleft() for _ in range(size)])

    def _chunk_size(self) -> int:
        if self._limits.timeout:
            return 1
        fair = len(self._waiting) // (3 * self._workers)
        return max(1, min(int(_CHUNK_SECONDS / self._item_seconds), _LARGEST_CHUNK, fair))

    def _send(self, tries: list[_Try]) -> None:
        pool = cast("Pool", self._pool)
        marks = str(self._marks) if self._limits.timeout else None
        for one in tries:  # an earlier start, in a pool that is gone, does not count
            self._mark(one).unlink(missing_ok=True)
        try:
            future = pool.executor.submit(
                run_chunk,
                [one.item for one in tries],
                [one.number for one in tries],
                self._limits.retries,
                marks,
            )
        except BrokenExecutor:
            self._waiting.extendleft(reversed(tries))
            raise
        self._in_flight[future] = tries

    def _after_lost_answer(
        self, tries: Sequence[_Try], error: BaseException
    ) -> Iterator[Failed[object]]:
        """A chunk could not be sent, or its answer not be read: find the item to blame."""
        if len(tries) > 1:
            self._suspects.extend(tries)
            return
        yield Failed(tries[0].item, f"{type(error).__name__}: {' '.join(str(error).split())}")

    def _after_death(self) -> Iterator[Failed[object]]:
        """A worker died: replace the pool, and suspect everything that was in flight."""
        lost = sorted(
            (one for tries in self._in_flight.values() for one in tries), key=lambda one: one.number
        )
        alone = len(lost) == 1
        self._in_flight.clear()
        self.stop()
        for one in lost:
            # Only a death with nothing else in flight is proof.
            suspect = replace(one, deaths=one.deaths + 1) if alone else one
            if suspect.deaths > self._limits.retries:
                times = f"{suspect.deaths} time{'s' if suspect.deaths > 1 else ''}"
                yield Failed(
                    one.item, f"its worker process died {times} (killed, or out of memory)"
                )
            else:
                self._suspects.append(suspect)

    def _end_overdue(self, timeout: float) -> Iterator[Failed[object]]:
        now = time.time()
        overdue = [
            future
            for future, tries in self._in_flight.items()
            if not future.done() and now - self._started(tries[0], now) > timeout
        ]
        if not overdue:
            return
        ended = [one for future in overdue for one in self._in_flight.pop(future)]
        bystanders = [one for tries in self._in_flight.values() for one in tries]
        self._in_flight.clear()
        self.stop()
        self._waiting.extendleft(reversed(bystanders))
        for one in ended:
            yield Failed(one.item, f"did not finish within {timeout:g} s (candidate_timeout)")

    def _started(self, one: _Try, default: float) -> float:
        with contextlib.suppress(FileNotFoundError):
            return self._mark(one).stat().st_mtime
        return default

    def _mark(self, one: _Try) -> Path:
        return self._marks / str(one.number)
