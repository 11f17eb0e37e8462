"""Engines: run the same work on many items, and give each outcome as it finishes.

An engine isolates items from each other. An exception, a dead worker or an endless computation
costs its own item and nothing else.
"""

import contextlib
import os
import pickle
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar, cast

from threadpoolctl import ThreadpoolController, threadpool_limits

from iris_hpo.search.errors import CandidateError, InputError

Item = TypeVar("Item")
Result = TypeVar("Result")

_CHUNK_SECONDS: Final = 0.2
_LARGEST_CHUNK: Final = 64
_POLL_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Done(Generic[Item, Result]):
    """An item's work succeeded."""

    item: Item
    result: Result


@dataclass(frozen=True)
class Failed(Generic[Item]):
    """An item's work failed; the reason is one line."""

    item: Item
    reason: str


@dataclass(frozen=True)
class Limits:
    """What an item may cost.

    Parameters
    ----------
    retries
        How often an item is tried again after a failure that may be transient: a dead worker, an
        error of the machine. Errors of the item itself (`CandidateError`) are not retried.
    timeout
        Seconds an item may take, from its start in a worker; None for no limit.
    """

    retries: int = 1
    timeout: float | None = None


class Engine(Protocol):
    """Runs work on items."""

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], limits: Limits
    ) -> Generator[Done[Item, Result] | Failed[Item], None, None]:
        """Yield one outcome per item, in the order in which they finish.

        Closing the generator early stops the work.
        """
        ...


class SerialEngine:
    """One item after the other, in this process."""

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], limits: Limits
    ) -> Generator[Done[Item, Result] | Failed[Item], None, None]:
        """Yield one outcome per item, in their order."""
        if limits.timeout is not None:
            raise InputError(
                "candidate_timeout needs worker processes: the engine 'serial' cannot stop a fit"
            )
        threads = ThreadpoolController()
        for item in items:
            with threads.limit(limits=1):  # so that every engine computes the same
                outcome = _attempt(work, item, limits.retries)
            yield outcome


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
    ) -> Generator[Done[Item, Result] | Failed[Item], None, None]:
        """Yield one outcome per item, in the order in which they finish."""
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
                yield from cast("Iterator[Done[Item, Result] | Failed[Item]]", run.outcomes())
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


class _LokyPool:
    def __init__(self, workers: int, work: bytes) -> None:
        from joblib.externals.loky.backend.context import get_context
        from joblib.externals.loky.process_executor import ProcessPoolExecutor

        self._executor = ProcessPoolExecutor(
            max_workers=workers,
            context=get_context("loky"),
            initializer=_start_worker,
            initargs=(work, os.getpid()),
            env=dict.fromkeys(
                ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"),
                "1",
            ),
        )

    @property
    def executor(self) -> Executor:
        return self._executor

    def kill(self) -> None:
        self._executor.shutdown(wait=True, kill_workers=True)


def loky_engine(jobs: int) -> PoolEngine:
    """Worker processes on this machine.

    Parameters
    ----------
    jobs
        Number of processes; 0 for one per core.
    """
    from joblib import cpu_count

    return PoolEngine(jobs or cpu_count(), _LokyPool)


def make_engine(name: str, jobs: int = 0) -> Engine:
    """Make an engine by its name: ``loky`` or ``serial``.

    Raises
    ------
    InputError
        If there is no such engine or ``jobs`` is negative.
    """
    if jobs < 0:
        raise InputError(f"jobs {jobs} must be 0 (one per core) or a number of processes")
    if name == "serial":
        return SerialEngine()
    if name == "loky":
        return loky_engine(jobs)
    raise InputError(f"engine {name!r} is unknown; choose one of loky, serial")


def _attempt(
    work: Callable[[Item], Result], item: Item, retries: int
) -> Done[Item, Result] | Failed[Item]:
    while True:
        try:
            return Done(item, work(item))
        except CandidateError as error:
            return Failed(item, str(error))
        except Exception as error:  # noqa: BLE001 - an item must not end the others
            # What the candidate itself does wrong is a CandidateError; this is the machine.
            if retries <= 0:
                return Failed(item, f"{type(error).__name__}: {' '.join(str(error).split())}")
            retries -= 1


@dataclass(frozen=True)
class _Try:
    """An item on its way, with how often a worker died of it, possibly."""

    item: object
    number: int
    deaths: int = 0


@dataclass(frozen=True)
class _Report:
    """What a worker says of one item of a chunk."""

    outcome: Done[object, object] | Failed[object]
    seconds: float


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
        self._in_flight: dict[Future[list[_Report]], list[_Try]] = {}
        self._pool: Pool | None = None
        self._item_seconds = _CHUNK_SECONDS

    def outcomes(self) -> Iterator[Done[object, object] | Failed[object]]:
        while self._waiting or self._suspects or self._in_flight:
            try:
                self._submit()
            except BrokenExecutor:
                yield from self._after_death()
                continue
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
                _run_chunk,
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


_held_work: Callable[[object], object] | None = None


def _start_worker(work: bytes, parent: int) -> None:
    """Hold the work, once per worker; end with the process that started it."""
    global _held_work  # noqa: PLW0603 - an initializer has no other place to leave things
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _held_work = pickle.loads(work)  # noqa: S301 - from our own process
    threadpool_limits(1)  # of the libraries that the work has just loaded


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _run_chunk(
    items: Sequence[object], numbers: Sequence[int], retries: int, marks: str | None
) -> list[_Report]:
    if _held_work is None:
        raise RuntimeError("the worker was not initialised")
    reports: list[_Report] = []
    for item, number in zip(items, numbers, strict=True):
        if marks is not None:
            Path(marks, str(number)).touch()
        started = time.perf_counter()
        outcome = _attempt(_held_work, item, retries)
        reports.append(_Report(outcome, time.perf_counter() - started))
    return reports
