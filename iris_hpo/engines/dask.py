"""The engine ``dask``: workers of a Dask cluster on any machines, which may come and go.

Each chunk is sent to a worker that is chosen here, not by the scheduler. So the items in flight on
a worker that dies are known, and the scheduler's own retries play no part. Each worker gets the
work, which holds the data, once before its first chunk; also a worker that joins late or replaces
a dead one. Code that runs in a worker is in `dask_worker`.
"""

import logging
import pickle
import time
import uuid
from collections.abc import Collection, Generator, Set
from concurrent.futures import BrokenExecutor, CancelledError, Future, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from iris_hpo.engines import dask_client
from iris_hpo.engines.dask_client import connected
from iris_hpo.engines.dask_cluster import DaskCluster
from iris_hpo.engines.dask_worker import (
    Facts,
    WorkLostError,
    describe,
    end_children_of,
    hold_work,
    machine_id,
    objection_to,
    release_work,
    run_chunk,
)
from iris_hpo.engines.interface import UNKNOWN_CAUSE, Chunk, Limits, Report, Workers
from iris_hpo.engines.leftovers import temporary_folder
from iris_hpo.engines.shared_work import pack
from iris_hpo.engines.workers_engine import WorkersEngine
from iris_hpo.errors import InputError
from iris_hpo.text import readable

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

_LOOK_SECONDS: Final = 0.5
_WORKERLESS_SECONDS: Final = 60.0
_GRACE_SECONDS: Final = 5.0
"""Longest wait for workers or nannies, which may be frozen, before they or the run end."""

_log = logging.getLogger(__name__)


class DaskEngine(WorkersEngine):
    """Spreads items over the workers of a Dask cluster.

    Workers must have one thread each: limits of threads and caught warnings apply to a whole
    process, so several threads would disturb each other.

    Parameters
    ----------
    address
        The scheduler's address, such as ``tcp://scheduler:8786``.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def dump(self, work: object) -> bytes:
        """Pickle the work for `unpack`, so that workers on this machine share its arrays."""
        return pack(work)

    @contextmanager
    def open(self, work: bytes, limits: Limits) -> "Generator[_DaskWorkers]":
        """Open the workers of a run.

        Raises
        ------
        InputError
            If the scheduler does not answer or goes away, or a worker cannot do the work.
        """
        with connected(self._address) as client, temporary_folder() as folder:
            workers = _DaskWorkers(client, self._address, work, limits)
            workers.file = folder / "work"
            workers.file.write_bytes(work)
            try:
                yield workers
            finally:
                workers.close()


class _DaskWorkers(Workers[str]):
    """The workers of a cluster, by their addresses.

    Attributes
    ----------
    file
        The file with the work, which workers on this machine map instead of getting a copy.
    """

    file: Path
    look_seconds = _LOOK_SECONDS

    def __init__(self, client: "Client", address: str, work: bytes, limits: Limits) -> None:
        self._client: Any = client  # its types mix the blocking and the asynchronous interface
        self._cluster = DaskCluster(client, address)
        self._address = address
        self._work = work
        self._limits = limits
        self._token = uuid.uuid4().hex
        self._present: set[str] = set()
        self._near: set[str] = set()
        self._refused: dict[str, str] = {}
        self._questions: dict[str, Future[object]] = {}
        self._first: set[str] | None = None
        self._sent: dict[str, dict[Future[list[Report]], DaskFuture[Any]]] = {}
        self._started: set[int] = set()
        self._looked: float | None = None
        self._began = self._had_workers = time.monotonic()
        if limits.timeout:
            with self._cluster.connection():
                client.subscribe_topic(self._token, self._note_start)

    def present(self) -> Set[str]:
        with self._cluster.connection():
            now = time.monotonic()
            if self._looked is None or now - self._looked > _LOOK_SECONDS:
                self._looked = now
                self._look()
            self._take_answers()
        return self._present

    def submit(self, worker: str, chunk: Chunk) -> Future[list[Report]]:
        """Send a chunk; a chunk without items sends the work."""
        work = str(self.file) if worker in self._near else self._work
        function, arguments = hold_work, (self._token, work)
        if chunk.items:
            starts = (self._token, chunk.number) if chunk.is_timed else None
            content = pickle.dumps(chunk.items)
            function, arguments = run_chunk, (self._token, content, chunk.retries, starts)
        with self._cluster.connection():
            sent = self._client.submit(
                function,
                *arguments,
                key=f"iris_hpo-{self._token}-{chunk.number}",
                workers=[worker],
                allow_other_workers=False,
                pure=False,
            )
        answer: Future[list[Report]] = Future()
        self._sent.setdefault(worker, {})[answer] = sent
        self._cluster.background(self._settle(worker, answer, sent))
        return answer

    def has_started(self, number: int) -> bool:
        return number in self._started

    def kill(self, workers: Collection[str]) -> None:
        for worker in workers:
            self.lose(worker)
        with self._cluster.connection():
            self._cluster.call(end_children_of, workers=workers, seconds=_GRACE_SECONDS, nanny=True)
        # The processes die; their nannies start new workers in their place.
        with self._cluster.connection(), suppress(TimeoutError):
            self._client.restart_workers(
                list(workers), timeout=dask_client.ANSWER_SECONDS, raise_for_error=False
            )

    def lose(self, worker: str) -> None:
        self._present.discard(worker)
        sent = self._sent.pop(worker, {})
        with self._cluster.connection():
            self._client.cancel(list(sent.values()))

    def cause(self, worker: str, error: BaseException | None) -> str:  # noqa: ARG002
        if self._cluster.is_silent(worker):
            return "ended after a long silence: see worker-ttl in the documentation of Dask"
        return UNKNOWN_CAUSE

    def refuse(self, worker: str, error: BaseException) -> None:
        self._refuse(worker, f"cannot do the work: {' '.join(str(error).split())}")

    def close(self) -> None:
        """Cancel the chunks that were sent, and let workers release the work."""
        if self._cluster.is_gone:
            return
        with suppress(OSError, RuntimeError):
            if self._cluster.is_connected:
                tasks = [task for tasks in self._sent.values() for task in tasks.values()]
                self._client.cancel(tasks)
                self._cluster.call(
                    release_work, self._token, workers=list(self._sent), seconds=_GRACE_SECONDS
                )
        self._cluster.stop()

    def _look(self) -> None:
        """Update the present workers, and question new ones."""
        addresses = self._cluster.addresses()
        self._present &= addresses
        for address in self._questions.keys() - addresses:
            self._questions.pop(address).cancel()
        for address in addresses - self._present - self._refused.keys() - self._questions.keys():
            self._questions[address] = self._cluster.ask(
                address, describe, str(self.file), machine_id()
            )
        if self._first is None:
            self._first = set(addresses)
        if time.monotonic() - self._began > dask_client.ANSWER_SECONDS:
            self._first -= self._questions.keys()  # who answers so late has joined late
        if not self._present:
            wait(self._questions.values(), timeout=_LOOK_SECONDS)
            self._take_answers()
        if self._present:
            self._had_workers = time.monotonic()
        elif time.monotonic() - self._had_workers > _WORKERLESS_SECONDS:
            raise self._no_worker(addresses - self._refused.keys())

    def _no_worker(self, silent: Set[str]) -> InputError:
        message = f"the Dask scheduler at {self._address} has no worker for this"
        message += "".join(f"; {refusal}" for refusal in list(self._refused.values())[:1])
        others = "some"
        if silent:
            message += f"; of its workers {len(silent)} did not answer, such as {min(silent)}: "
            message += "frozen, or out of the scheduler's reach"
            others = "others"
        return InputError(f"{message}; start {others}: dask worker {self._address} --nthreads 1")

    def _take_answers(self) -> None:
        """Admit new workers that have answered and can do the work."""
        answered = [address for address, answer in self._questions.items() if answer.done()]
        for address in sorted(answered):
            answer = self._questions.pop(address)
            facts = answer.exception() or answer.result()
            if isinstance(facts, OSError) or facts is None:
                continue  # gone again, or still starting: the next look decides
            objection = objection_to(facts, self._limits)
            if objection:
                self._refuse(address, objection)
                continue
            self._present.add(address)
            if isinstance(facts, Facts) and facts.sees_work:
                self._near.add(address)

    def _refuse(self, address: str, objection: str) -> None:
        """Give a worker no work; end the run if the worker was there from the beginning."""
        message = readable(f"the Dask worker {address} {objection}")
        if self._first and address in self._first:
            raise InputError(message)
        _log.warning("%s; it gets no work", message)
        self._refused[address] = message
        self._present.discard(address)

    def _note_start(self, event: tuple[float, int]) -> None:
        self._started.add(event[1])

    async def _settle(
        self, worker: str, answer: Future[list[Report]], sent: "DaskFuture[Any]"
    ) -> None:
        """Pass on the answer of a task once it has ended."""
        from distributed import KilledWorker

        try:
            contents = await sent
            answer.set_result([pickle.loads(content) for content in contents or ()])  # noqa: S301 - our own
        except (KilledWorker, WorkLostError, CancelledError) as error:
            answer.set_exception(BrokenExecutor(str(error)))
        except Exception as error:  # noqa: BLE001 - a task or its pickling may raise anything
            if self._cluster.is_connected:  # else the next look reports the lost scheduler
                answer.set_exception(error)
        finally:
            # The cluster keeps a result as long as its future is held here.
            self._sent.get(worker, {}).pop(answer, None)
