"""The engine ``loky``: worker processes on this machine, and workers that are started ahead.

Code that runs in a worker is in `worker`.
"""

import os
import re
import sys
import threading
from collections.abc import Callable, Collection, Generator, Sequence, Set
from concurrent.futures import BrokenExecutor, Future
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from iris_hpo.engines.interface import UNKNOWN_CAUSE, Chunk, Limits, Report, Workers
from iris_hpo.engines.leftovers import temporary_folder
from iris_hpo.engines.loky_process import LOOK_SECONDS, Answer, Arguments, LokyProcess
from iris_hpo.engines.shared_work import pack
from iris_hpo.engines.worker import (
    adopt_path,
    import_modules,
    run_chunk,
)
from iris_hpo.engines.workers_engine import WorkersEngine
from iris_hpo.errors import InputError
from iris_hpo.interrupts import held
from iris_hpo.machine import lack

_SEMAPHORES: Final = 16
"""Number of semaphores that must be free: a worker has fewer."""
_EXIT: Final = re.compile(r"\{(\w+)\((-?\d+)\)\}")
"""The exit code of a worker, as loky's errors name it: its name, and its number."""

_START_SECONDS: Final = 1.0
"""Start time of a worker: if the remaining work takes less, no further worker is started."""


@cache
def obstacle() -> str:
    """Reason why no worker processes can be started on this machine; empty if they can."""
    import multiprocessing

    try:
        context = multiprocessing.get_context("fork")
        _ = [context.Lock() for _ in range(_SEMAPHORES)]
    except (ImportError, OSError) as error:
        os.environ["JOBLIB_MULTIPROCESSING"] = "0"  # otherwise joblib warns of the same
        return f"semaphores cannot be made: {getattr(error, 'strerror', None) or error}"
    except ValueError:  # an operating system without fork has no /dev/shm
        pass
    return ""


def _cores() -> int:
    """Number of cores for worker processes."""
    from joblib import cpu_count

    try:
        return cpu_count()
    except ValueError as error:
        name = "LOKY_MAX_CPU_COUNT"
        raise InputError(
            f"{name} {os.environ.get(name, '')!r} must be a number of processes"
        ) from error


_spare: list[LokyProcess] = []
"""Workers that were started ahead, or were left by an engine."""

_traces = ExitStack()
"""Holds the folder by which a later run finds their semaphores if this process is killed."""

_keeps = threading.Event()
"""Set if an engine leaves a worker to the next one."""


def start_ahead(workers: int = 1, jobs: int = 1, *, modules: Sequence[str] = ()) -> None:
    """Start workers before there is work, and let them import the modules that it needs.

    The next engine takes these workers. While they start, this process can do something else.

    Parameters
    ----------
    workers
        Number of workers wanted, including those that were started before.
    jobs
        Largest number of workers, as for the engine; 0 for one per core.
    modules
        Names of the modules to import.
    """
    if obstacle():
        return
    while len(_spare) < min(workers, jobs or _cores()):
        try:
            with held():  # a worker that is started can be ended from then on
                if not _spare:
                    _traces.enter_context(temporary_folder())
                worker = start_process()
                worker.begin(import_modules, modules)
                _spare.append(worker)
        except (OSError, RuntimeError) as error:
            if lack(error) is None:
                raise
            return  # the engine works with fewer, or says what is missing


def keep_one() -> None:
    """Let engines leave a worker to the next one when their work is done, until `end_spare`."""
    _keeps.set()


def apart(function: Callable[[*Arguments], Answer], *arguments: *Arguments) -> Answer:
    """Call a function in a worker that waits for work, or in this process without one.

    This process then need not import what only the function needs.
    """
    if not _spare:
        return function(*arguments)
    try:
        _spare[0].begin(adopt_path, list(sys.path))
        return _spare[0].call(function, *arguments)
    except BrokenExecutor:
        end_spare()
        return function(*arguments)


def end_spare() -> None:
    """End the workers that wait for work."""
    _keeps.clear()
    while _spare:
        _spare.pop().kill()
    _traces.close()


def _take_worker() -> LokyProcess:
    while _spare:
        worker = _spare.pop(0)  # the first to be ready
        try:
            worker.begin(adopt_path, list(sys.path))
        except BrokenExecutor:  # the worker has died by now
            worker.kill()
        else:
            return worker
    return start_process()


def start_process() -> LokyProcess:
    """Start a worker process; its method ``kill`` ends it."""
    worker = LokyProcess()
    try:
        worker.begin(adopt_path, list(sys.path))  # starts the process
    except BrokenExecutor:
        pass  # it is found out when it is given work
    except BaseException:
        worker.kill()
        raise
    return worker


class LokyEngine(WorkersEngine):
    """Spreads items over worker processes on this machine, and starts only as many as pay off.

    Parameters
    ----------
    jobs
        Largest number of processes; 0 for one per core.
    """

    def __init__(self, jobs: int = 0) -> None:
        self._jobs = jobs

    def dump(self, work: object) -> bytes:
        """Pickle the work for `unpack`, so that the workers share its arrays."""
        return pack(work)

    @contextmanager
    def open(self, work: bytes, limits: Limits) -> Generator["_LokyWorkers"]:  # noqa: ARG002
        """Open the workers of a run, which read its work from a file."""
        with temporary_folder() as folder:
            path = folder / "work"
            path.write_bytes(work)
            workers = _LokyWorkers(self._jobs or _cores(), path)
            try:
                yield workers
                if _keeps.is_set():
                    workers.spare_one()
            finally:
                workers.kill(list(workers.present()))


class _LokyWorkers(Workers[LokyProcess]):
    look_seconds = LOOK_SECONDS

    def __init__(self, most: int, work: Path) -> None:
        self.most = most
        self._work = work
        self._present: dict[LokyProcess, None] = {}  # in the order of their start

    def present(self) -> Set[LokyProcess]:
        for worker in self._present:
            worker.notice_end()
        if deaf := [worker for worker in self._present if worker.is_deaf]:
            self.kill(deaf)
            self.most = len(self._present)  # those that there are do the work
            if not self._present:
                raise InputError(
                    "a worker process cannot be given work, as no thread can be started; raise the "
                    "number of processes (ulimit -u), or end some, then run the search again: "
                    "finished candidates are kept"
                )
        return self._present.keys()

    def start_seconds(self) -> float:
        return 0.0 if _spare else _START_SECONDS

    def start(self) -> None:
        try:
            self._present[_take_worker()] = None
        except (OSError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and lack(error) is None:
                raise
            if self._present:  # those that there are do the work
                self.most = len(self._present)
                return
            raise InputError(
                f"a worker process cannot be started: {lack(error) or error} (it needs memory, "
                "threads, and room in /dev/shm); then run the search again: finished candidates "
                "are kept"
            ) from error

    def submit(self, worker: LokyProcess, chunk: Chunk) -> Future[list[Report]]:
        return worker.begin(run_chunk, str(self._work), chunk)

    def cause(self, worker: LokyProcess, error: BaseException | None) -> str:
        match = _EXIT.search(worker.end or str(error))
        if match is None or match[1] == "SIGKILL":
            return UNKNOWN_CAUSE  # an operating system without memory sends SIGKILL
        code = int(match[2])
        if code >= 0:
            return f"exit code {code}"
        return f"signal {-code}" if match[1] == "UNKNOWN" else match[1]

    def has_started(self, number: int) -> bool:
        return self._work.with_name(str(number)).exists()

    def spare_one(self) -> None:
        """Leave a worker to the next engine; the first is the one that surely has started."""
        if self._present and not _spare:
            worker = next(iter(self._present))
            del self._present[worker]
            _spare.append(worker)

    def kill(self, workers: Collection[LokyProcess]) -> None:
        for worker in workers:
            self._present.pop(worker, None)
            worker.kill()
