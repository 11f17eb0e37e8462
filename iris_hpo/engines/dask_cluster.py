"""What the scheduler of a Dask cluster knows of its workers, and questions to single workers.

A worker may be frozen: it is there and does not answer. Nothing here waits for one without a limit.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Generator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from iris_hpo.engines import dask_client
from iris_hpo.engines.dask_client import in_brackets
from iris_hpo.errors import InputError
from iris_hpo.text import readable

if TYPE_CHECKING:
    from distributed import Client

_POLL_SECONDS: Final = 0.5
_WATCH_SECONDS: Final = 5.0
"""Time between two looks at the workers' signs of life, whose list is long in a large cluster."""
_SILENCE_SECONDS: Final = 30.0
"""Time without a sign of life after which one line says so; usual is a sign every few seconds."""

_log = logging.getLogger(__name__)


class _SchedulerGoneError(Exception):
    """The scheduler does not answer any more."""


class DaskCluster:
    """A cluster, through its scheduler.

    Attributes
    ----------
    is_gone
        Whether the scheduler has gone away.
    """

    def __init__(self, client: "Client", address: str) -> None:
        self._client: Any = client  # its types mix the blocking and the asynchronous interface
        self._address = address
        self._open: set[Future[Any]] = set()
        self._watched: float | None = None
        self._signs: dict[str, tuple[float, float]] = {}
        self._silent: set[str] = set()
        self._named: set[str] = set()
        self.is_gone = False

    @property
    def is_connected(self) -> bool:
        """Whether the client has a connection to the scheduler."""
        return self._client.status == "running"

    @contextmanager
    def connection(self) -> Generator[None]:
        """Turn errors of the client into one message if the scheduler has gone away."""
        reason: BaseException | None = None
        try:
            if self.is_connected:
                yield
                return
        except (_SchedulerGoneError, OSError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and self.is_connected:
                raise
            reason = error
        self.is_gone = True
        raise InputError(
            f"the Dask scheduler at {self._address} has gone away"
            f"{in_brackets(reason) if reason else ''}; what is finished is kept: start it again, "
            "and run again"
        ) from reason

    def addresses(self) -> set[str]:
        """The addresses of all workers of the cluster, frozen ones among them."""
        if self._watched is not None and time.monotonic() - self._watched < _WATCH_SECONDS:
            return set(self._answer(self._client.scheduler.ncores()))
        workers = self._answer(self._client.scheduler.identity())["workers"]
        self._watched = time.monotonic()
        self._note_signs({address: facts["last_seen"] for address, facts in workers.items()})
        return set(workers)

    def is_silent(self, worker: str) -> bool:
        """Whether a worker, which may have left since, had given no sign of life for long."""
        return worker in self._silent

    def background(self, work: "Coroutine[Any, Any, Any]") -> Future[Any]:
        """Run a coroutine in the client's loop, at most until `stop`."""
        started = asyncio.run_coroutine_threadsafe(work, self._client.loop.asyncio_loop)
        self._open.add(started)
        started.add_done_callback(self._open.discard)
        return started

    def ask(self, worker: str, function: Callable[..., object], *arguments: object) -> Future[Any]:
        """Call a function in a worker, beside its tasks; the answer may be an error."""

        async def answer() -> object:
            answers = await self._client.run(
                function, *arguments, workers=[worker], on_error="return"
            )
            return answers.get(worker)

        return self.background(answer())

    def call(
        self,
        function: Callable[..., object],
        *arguments: object,
        workers: Collection[str],
        seconds: float,
        nanny: bool = False,
    ) -> None:
        """Call a function in workers or their nannies; wait at most so long for the slowest."""

        async def call_all() -> None:
            await self._client.run(
                function, *arguments, workers=[*workers], nanny=nanny, on_error="ignore"
            )

        called = self.background(call_all())
        if wait([called], timeout=seconds).done:
            with suppress(KeyError):  # a worker that is gone already has no nanny
                called.result()

    def stop(self) -> None:
        """Give up all that has no answer yet."""
        for waiting in list(self._open):
            waiting.cancel()

    def _answer(self, question: "Coroutine[Any, Any, Any]") -> Any:
        """The scheduler's answer.

        Raises
        ------
        _SchedulerGoneError
            If there is none.
        """
        answer = self.background(question)
        end = time.monotonic() + dask_client.ANSWER_SECONDS
        while not wait([answer], timeout=_POLL_SECONDS).done:
            if not self.is_connected or time.monotonic() > end:
                answer.cancel()
                raise _SchedulerGoneError
        return answer.result()

    def _note_signs(self, signs: Mapping[str, float]) -> None:
        """Note the last sign of life of each worker, by the scheduler's clock, and when it came."""
        now = time.monotonic()
        self._signs = {
            worker: (sign, came if sign == before else now)
            for worker, sign in signs.items()
            for before, came in [self._signs.get(worker, (sign, now))]
        }
        for worker, (_, came) in self._signs.items():
            if now - came < _SILENCE_SECONDS:
                self._silent.discard(worker)
                continue
            self._silent.add(worker)
            if worker not in self._named:  # once: each of a thousand candidates may be silent
                self._named.add(worker)
                _log.warning("%s", readable(_silence_of(worker, now - came)))


def _silence_of(worker: str, seconds: float) -> str:
    since = datetime.now().astimezone() - timedelta(seconds=seconds)
    return (
        f"the Dask worker {worker} has not answered since {since:%H:%M:%S}: it is frozen or cut "
        "off, or compiled code keeps Python from answering; what it does is waited for until it "
        "answers, or until the scheduler ends it (distributed.scheduler.worker-ttl, by default "
        "after 5 minutes)"
    )
