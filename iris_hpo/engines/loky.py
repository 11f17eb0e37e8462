"""Worker processes on this machine, by joblib's loky."""

import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future
from functools import cache
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from iris_hpo.engines.dispatch import PoolEngine
from iris_hpo.engines.worker import (
    ONE_THREAD,
    Chunk,
    Report,
    adopt_path,
    import_modules,
    run_chunk,
    start_worker,
)
from iris_hpo.interrupts import out_of_reach

Arguments = TypeVarTuple("Arguments")
Answer = TypeVar("Answer")


class _LokyWorker:
    """One process."""

    def __init__(self) -> None:
        from multiprocessing import resource_tracker

        from joblib.externals.loky.backend.context import get_context
        from joblib.externals.loky.process_executor import ProcessPoolExecutor

        with out_of_reach():
            resource_tracker.ensure_running()  # else later, and that would unblock the signal
            self._executor = ProcessPoolExecutor(
                max_workers=1,
                context=get_context("loky"),
                initializer=start_worker,
                initargs=(os.getpid(),),
                env=ONE_THREAD,
            )

    def submit(self, chunk: Chunk) -> Future[list[Report]]:
        return self.begin(run_chunk, chunk)

    def begin(
        self, function: Callable[[*Arguments], Answer], *arguments: *Arguments
    ) -> Future[Answer]:
        with out_of_reach():  # the first one starts the process
            return self._executor.submit(function, *arguments)

    def kill(self) -> None:
        _expect_ends()
        self._executor.shutdown(wait=True, kill_workers=True)


@cache
def _expect_ends() -> None:
    """Let nothing be printed of loky's threads from now on: what they were sending is given up."""
    before = threading.excepthook

    def report(failure: threading.ExceptHookArgs) -> None:
        frame = failure.exc_traceback
        while frame is not None:
            if "/joblib/externals/loky/" in Path(frame.tb_frame.f_code.co_filename).as_posix():
                return
            frame = frame.tb_next
        before(failure)

    threading.excepthook = report


@cache
def obstacle() -> str:
    """Why no worker processes can be started on this machine; empty if they can."""
    import multiprocessing

    try:
        multiprocessing.get_context("fork").Lock()  # a semaphore, as each worker has several
    except (ImportError, OSError) as error:
        os.environ["JOBLIB_MULTIPROCESSING"] = "0"  # else it warns of the same
        return f"semaphores cannot be made: {getattr(error, 'strerror', None) or error}"
    except ValueError:  # an operating system without fork has no such folder
        pass
    return ""


_spare: list[_LokyWorker] = []
"""Workers that were started ahead."""


def loky_engine(jobs: int) -> PoolEngine:
    """Worker processes on this machine.

    Parameters
    ----------
    jobs
        Most processes; 0 for one per core.
    """
    from joblib import cpu_count

    return PoolEngine(jobs or cpu_count(), _take_worker, lambda: len(_spare))


def start_ahead(workers: int = 1, jobs: int = 1, *, modules: Sequence[str] = ()) -> None:
    """Start workers before there is work, and let them import what work needs.

    The next engine takes them. While they start, this process can do something else.

    Parameters
    ----------
    workers
        How many there should be, with those that were started before.
    jobs
        Most of them, as of the engine.
    modules
        What they import.
    """
    if obstacle():
        return
    from joblib import cpu_count

    while len(_spare) < min(workers, jobs or cpu_count()):
        worker = _LokyWorker()
        worker.begin(import_modules, modules)
        _spare.append(worker)


def apart(function: Callable[[*Arguments], Answer], *arguments: *Arguments) -> Answer:
    """Call a function in a worker that was started ahead; in this process if there is none.

    So this process need not import what only the function needs.
    """
    if not _spare:
        return function(*arguments)
    try:
        return _spare[0].begin(function, *arguments).result()
    except BrokenExecutor:
        end_spare()
        return function(*arguments)


def end_spare() -> None:
    """End the workers that were started ahead and that nobody has taken."""
    while _spare:
        _spare.pop().kill()


def _take_worker() -> _LokyWorker:
    while _spare:
        worker = _spare.pop(0)  # the one that is ready first
        try:
            worker.begin(adopt_path, list(sys.path))
        except BrokenExecutor:  # it has died meanwhile
            worker.kill()
        else:
            return worker
    return _LokyWorker()
