"""`LokyProcess`: one worker process of loky, with the thread that sends and receives for it."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

from iris_hpo.engines.worker import ONE_THREAD, start_worker
from iris_hpo.interrupts import held, out_of_reach

Arguments = TypeVarTuple("Arguments")
Answer = TypeVar("Answer")


class LokyProcess:
    """A worker process."""

    def __init__(self) -> None:
        from multiprocessing import resource_tracker

        from joblib.externals.loky.backend.context import get_context
        from joblib.externals.loky.process_executor import ProcessPoolExecutor

        _expect_ends()
        self._last: Future[Any] = Future()
        with out_of_reach():
            resource_tracker.ensure_running()  # started later, it would unblock the signal
            self._executor = ProcessPoolExecutor(
                max_workers=1,
                context=get_context("loky"),
                initializer=start_worker,
                initargs=(os.getpid(),),
                env=ONE_THREAD,
            )

    def begin(
        self, function: Callable[[*Arguments], Answer], *arguments: *Arguments
    ) -> Future[Answer]:
        """Call a function in the process, after those that it was given before."""
        with held(), out_of_reach():  # the first call starts the process
            future = self._last = self._executor.submit(function, *arguments)
        return future

    @property
    def is_deaf(self) -> bool:
        """Whether no answer can come: loky's thread for answers ended, as it could start none."""
        thread = getattr(self._executor, "_executor_manager_thread", None)
        return thread is not None and not (thread.is_alive() or self._last.done())

    def kill(self) -> None:
        """End the process."""
        processes = [*(getattr(self._executor, "_processes", None) or {}).values()]
        with suppress(RuntimeError):  # the thread could not be started
            self._executor.shutdown(wait=True, kill_workers=True)
        for process in processes:
            if process.is_alive():  # the same thread would have ended it
                os.kill(process.pid, signal.SIGKILL)
                process.join()


@cache
def _expect_ends() -> None:
    """Print no errors of loky's threads from now on: what they were sending is given up."""
    before = threading.excepthook

    def report(failure: threading.ExceptHookArgs) -> None:
        frame = failure.exc_traceback
        while frame is not None:
            if "/joblib/externals/loky/" in Path(frame.tb_frame.f_code.co_filename).as_posix():
                return
            frame = frame.tb_next
        before(failure)

    threading.excepthook = report
