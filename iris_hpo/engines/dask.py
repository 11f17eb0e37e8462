"""The engine of a Dask cluster: workers on any machines, which may come and go.

Each chunk is sent to one worker, chosen here. So it is known what was in flight on a worker that
dies, and nothing depends on how often a scheduler tries by itself. A worker gets the work, which
holds the data, once, before its first chunk; also one that joins late, or takes a dead one's place.
"""

import asyncio
import concurrent.futures
import logging
import pickle
import time
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, cast

from iris_hpo.engines.dask_worker import (
    Facts,
    WorkLostError,
    describe,
    hold_work,
    release_work,
    run_chunk,
    versions,
)
from iris_hpo.engines.interface import Done, Failed, Item, Limits, Result
from iris_hpo.engines.tries import Pace, Shares, Try, judge, overdue
from iris_hpo.errors import InputError
from iris_hpo.text import readable

if TYPE_CHECKING:
    from distributed import Client, Future

_ANSWER_SECONDS: Final = 20.0
"""A scheduler that is silent for longer is taken for gone."""
_LOOK_SECONDS: Final = 0.5
_FETCH_SECONDS: Final = 2.0
_WORKERLESS_SECONDS: Final = 60.0

_log = logging.getLogger(__name__)


class DaskEngine:
    """Items spread over the workers of a Dask cluster.

    Workers have one thread each: what limits and catches warnings per process would not do so
    among threads.

    Parameters
    ----------
    address
        Of the scheduler, such as ``tcp://scheduler:8786``.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], limits: Limits
    ) -> Generator[Sequence[Done[Item, Result] | Failed[Item]], None, None]:
        """Yield one outcome per item, as they finish; those that come together in one sequence.

        Raises
        ------
        InputError
            If the scheduler does not answer or goes away, or a worker cannot do the work.
        """
        if not items:
            return
        waiting = Shares(Try(item, number) for number, item in enumerate(items))
        with _connected(self._address) as client:
            run = _DaskRun(client, self._address, pickle.dumps(work), limits, waiting)
            try:
                yield from cast(
                    "Iterator[Sequence[Done[Item, Result] | Failed[Item]]]", run.outcomes()
                )
            finally:
                run.stop()


class _SchedulerGoneError(Exception):
    """The scheduler does not answer any more."""


@dataclass
class _Worker:
    """A worker that holds the work, and what it was sent."""

    in_flight: dict["Future[Any]", list[Try]] = field(
        default_factory=dict["Future[Any]", list[Try]]
    )
    is_alone_with_suspect: bool = False

    def end(self, future: "Future[Any]") -> list[Try]:
        """Take back what was sent with a task that has ended."""
        self.is_alone_with_suspect = False
        return self.in_flight.pop(future)


class _DaskRun:
    """One call of `DaskEngine.map`."""

    def __init__(
        self, client: "Client", address: str, work: bytes, limits: Limits, waiting: Shares
    ) -> None:
        self._client: Any = client  # its types mix the blocking and the asynchronous interface
        self._address = address
        self._work = work
        self._limits = limits
        self._waiting = waiting
        self._token = uuid.uuid4().hex
        self._suspects: deque[Try] = deque()
        self._workers: dict[str, _Worker] = {}
        self._greeted: dict[Future[Any], str] = {}
        self._refused: dict[str, str] = {}
        self._first: set[str] | None = None
        self._finished: SimpleQueue[Future[Any]] = SimpleQueue()
        self._ended: list[Done[object, object] | Failed[object]] = []
        self._started: dict[str, float] = {}
        self._pace = Pace()
        self._looked = 0.0
        self._had_workers = time.monotonic()
        self._sent = 0
        self._is_gone = False

    def outcomes(self) -> Iterator[Sequence[Done[object, object] | Failed[object]]]:
        """Keep the workers busy and give what comes of it."""
        if self._limits.timeout:
            self._client.subscribe_topic(self._token, self._note_start)
        while self._waiting or self._suspects or any(w.in_flight for w in self._workers.values()):
            try:
                self._go_on()
            except (_SchedulerGoneError, OSError, RuntimeError) as error:
                if isinstance(error, RuntimeError) and self._client.status == "running":
                    raise
                self._is_gone = True
                raise InputError(
                    f"the Dask scheduler at {self._address} has gone away"
                    f"{_in_brackets(error)}; what is finished is kept: start it again, and run "
                    "again"
                ) from error
            finally:
                together, self._ended = self._ended, []
            if together:
                yield together

    def stop(self) -> None:
        """Take back what was sent."""
        if self._is_gone:
            return
        with suppress(OSError, RuntimeError):
            if self._client.status == "running":
                sent = [future for worker in self._workers.values() for future in worker.in_flight]
                self._client.cancel([*sent, *self._greeted])
                holders = [*self._workers, *self._greeted.values()]
                self._client.run(release_work, self._token, workers=holders, on_error="ignore")

    def _go_on(self) -> None:
        """Wait until something happens, and do what follows from it."""
        if self._client.status != "running":
            raise _SchedulerGoneError
        now = time.monotonic()
        if now - self._looked > _LOOK_SECONDS:
            self._looked = now
            self._look_at_workers()
        for address in list(self._workers):
            self._fill(address)
        with suppress(Empty):
            self._take(self._finished.get(timeout=_LOOK_SECONDS))
            while True:
                self._take(self._finished.get_nowait())
        if self._limits.timeout:
            self._end_overdue(self._limits.timeout)

    # Workers

    def _look_at_workers(self) -> None:
        """Let new workers in, and give those up that have gone."""
        present = self._present()
        for address in self._workers.keys() - present:
            self._lose(address)
        for future in [one for one, of in self._greeted.items() if of not in present]:
            del self._greeted[future]
            self._client.cancel([future])
        known = {*self._workers, *self._greeted.values(), *self._refused}
        new = sorted(present - known)
        if new:
            self._greet(new)
        if self._workers or self._greeted:
            self._had_workers = time.monotonic()
        elif time.monotonic() - self._had_workers > _WORKERLESS_SECONDS:
            raise InputError(
                f"the Dask scheduler at {self._address} has no worker for this"
                + "".join(f"; {refusal}" for refusal in list(self._refused.values())[:1])
                + f"; start some: dask worker {self._address} --nthreads 1"
            )

    def _present(self) -> set[str]:
        """The addresses of all workers."""
        asked: concurrent.futures.Future[dict[str, int]] = asyncio.run_coroutine_threadsafe(
            self._client.scheduler.ncores(), self._client.loop.asyncio_loop
        )
        end = time.monotonic() + _ANSWER_SECONDS
        while not concurrent.futures.wait([asked], timeout=_LOOK_SECONDS).done:
            if self._client.status != "running" or time.monotonic() > end:
                asked.cancel()
                raise _SchedulerGoneError
        return set(asked.result())

    def _greet(self, addresses: list[str]) -> None:
        """Ask workers what they are, and give the work to those that can do it."""
        if self._first is None:
            self._first = set(addresses)
        found = self._client.run(describe, workers=addresses, on_error="return")
        for address in addresses:
            facts = found.get(address)
            if isinstance(facts, OSError) or facts is None:
                continue  # gone again, or still starting: the next look will tell
            objection = _objection(facts, self._limits)
            if objection:
                self._refuse(address, objection)
                continue
            future = self._submit(address, hold_work, self._token, self._work)
            self._greeted[future] = address

    def _refuse(self, address: str, objection: str) -> None:
        """Do without a worker; without the whole run if it was there from the beginning."""
        message = readable(f"the Dask worker {address} {objection}")
        if self._first and address in self._first:
            raise InputError(message)
        _log.warning("%s; it gets no work", message)
        self._refused[address] = message

    def _lose(self, address: str) -> None:
        """Give a worker up that has died, and suspect what it was sent."""
        worker = self._workers.pop(address)
        self._waiting.free(address)
        self._client.cancel(list(worker.in_flight))
        lost = [one for tries in worker.in_flight.values() for one in tries]
        failed, suspects = judge(lost, self._limits.retries)
        self._ended += failed
        self._suspects.extend(suspects)

    # Work

    def _fill(self, address: str) -> None:
        """Keep a worker busy; suspects run alone."""
        worker = self._workers[address]
        if worker.is_alone_with_suspect:
            return
        if self._suspects:
            if not worker.in_flight:
                worker.is_alone_with_suspect = True
                self._send(address, [self._suspects.popleft()])
            return
        while self._waiting and len(worker.in_flight) < self._ahead():
            self._send(address, self._waiting.take(address, self._chunk_size()))

    def _ahead(self) -> int:
        """Chunks that a worker may have.

        A second one hides the way there and back. With a time limit none waits in a worker; nor
        near the end, where another worker could take it.
        """
        workers = len(self._workers) + len(self._greeted)
        plenty = len(self._waiting) > workers * self._chunk_size()
        return 2 if plenty and not self._limits.timeout else 1

    def _chunk_size(self) -> int:
        if self._limits.timeout:
            return 1
        return self._pace.chunk_size(len(self._waiting), len(self._workers))

    def _send(self, address: str, tries: list[Try]) -> None:
        future = self._submit(
            address,
            run_chunk,
            self._token,
            pickle.dumps([one.item for one in tries]),
            self._limits.retries,
            (self._token, self._next_key()) if self._limits.timeout else None,
        )
        self._workers[address].in_flight[future] = tries

    def _next_key(self) -> str:
        return f"iris_hpo-{self._token}-{self._sent}"

    def _submit(self, address: str, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        key = self._next_key()
        self._sent += 1
        future = self._client.submit(
            function,
            *arguments,
            key=key,
            workers=[address],
            allow_other_workers=False,
            pure=False,
        )
        future.add_done_callback(self._finished.put)
        return future

    def _take(self, future: "Future[Any]") -> None:
        """Take note of a task that has ended, unless it was given up before."""
        if future in self._greeted:
            self._take_greeting(future, self._greeted.pop(future))
            return
        for address, worker in self._workers.items():
            if future in worker.in_flight:
                self._take_chunk(future, address, worker)
                return

    def _take_greeting(self, future: "Future[Any]", address: str) -> None:
        error = _error_of(future)
        if error is None:
            if future.status == "finished":
                self._workers[address] = _Worker()
        elif not _is_death(error):
            self._refuse(address, f"cannot do the work: {' '.join(str(error).split())}")

    def _take_chunk(self, future: "Future[Any]", address: str, worker: _Worker) -> None:
        if future.status == "finished":
            try:
                reports = future.result(timeout=_FETCH_SECONDS)
            except TimeoutError:  # it may have died with the answer: look, before asking again
                self._looked = 0.0
                self._finished.put(future)
            else:
                self._take_reports(reports, address, worker.end(future))
        elif future.status == "error":
            error = _error_of(future)
            if error is None or _is_death(error):
                self._lose(address)
            else:
                self._after_lost_answer(worker.end(future), error)
        elif self._client.status == "running":  # somebody else has cancelled it
            self._lose(address)

    def _take_reports(self, reports: Sequence[bytes], address: str, tries: list[Try]) -> None:
        for content in reports:
            report = pickle.loads(content)  # noqa: S301 - from our own worker
            self._pace.note(report.seconds)
            self._ended.append(report.outcome)
        self._waiting.put_back(address, tries[len(reports) :])

    def _after_lost_answer(self, tries: list[Try], error: BaseException) -> None:
        """A chunk could not be received: find the item to blame."""
        if len(tries) > 1:
            self._suspects.extend(tries)
            return
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        self._ended.append(Failed(tries[0].item, reason))

    # Time

    def _note_start(self, event: tuple[float, str]) -> None:
        self._started[event[1]] = time.monotonic()

    def _end_overdue(self, timeout: float) -> None:
        now = time.monotonic()
        late: list[str] = []
        for address, worker in self._workers.items():
            for future, (one, *_) in list(worker.in_flight.items()):
                started = self._started.get(str(future.key), now)
                if not future.done() and now - started > timeout:
                    late.append(address)
                    self._ended.append(overdue(one, timeout))
                    self._client.cancel([future])
        for address in late:
            del self._workers[address]
            self._waiting.free(address)
        if late:
            # The process dies; what its nanny puts in its place is a new worker.
            with suppress(TimeoutError):
                self._client.restart_workers(late, timeout=_ANSWER_SECONDS, raise_for_error=False)


def _objection(facts: object, limits: Limits) -> str:
    """What speaks against a worker; empty for nothing."""
    if isinstance(facts, BaseException):
        reason = " ".join(str(facts).split())
        return f"cannot say what it is ({reason}); install the same packages everywhere"
    found = cast("Facts", facts)
    other = [
        f"{name} {found.versions.get(name)}, not {own}"
        for name, own in versions().items()
        if found.versions.get(name) != own
    ]
    if other:
        return f"has {' and '.join(other)}; install the same versions everywhere"
    if found.threads != 1:
        return f"has {found.threads} threads; start it with --nthreads 1, and more of them"
    if limits.timeout and not found.has_nanny:
        return "has no nanny, so candidate_timeout could not end a fit; start it with --nanny"
    return ""


def _error_of(future: "Future[Any]") -> BaseException | None:
    return cast("BaseException", future.exception()) if future.status == "error" else None


def _is_death(error: BaseException) -> bool:
    from distributed import KilledWorker

    return isinstance(error, (KilledWorker, WorkLostError))


@contextmanager
def _connected(address: str) -> "Generator[Client]":
    from distributed import Client
    from distributed.comm.addressing import get_address_host_port
    from distributed.versions import VersionMismatchWarning

    # It would tell on its own, in other words, what is raised here.
    for name in ("distributed", "distributed.client"):  # both have levels of their own
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        get_address_host_port(address)  # a client that fails by it is never closed
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VersionMismatchWarning)
            client = Client(address, timeout=_ANSWER_SECONDS, set_as_default=False, name="iris_hpo")
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at {address}{_in_brackets(error)}; start it, or mend the "
            "address (dask_address, IRIS_HPO_DASK_ADDRESS)"
        ) from error
    try:
        yield client
    finally:
        client.close(timeout=2)


def _in_brackets(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f" ({text})" if text else ""
