"""`LokyProcess`: one worker process of loky, with the thread that sends and receives for it."""

import os
import signal
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, TypeVarTuple

from iris_hpo.engines.worker import ONE_THREAD, start_worker
from iris_hpo.interrupts import held, out_of_reach

Arguments = TypeVarTuple("Arguments")
Answer = TypeVar("Answer")

LOOK_SECONDS: Final = 2.0
"""Time after which `LokyProcess.notice_end` is worth a call."""
_NOTICE_SECONDS: Final = 1.0
"""Time in which loky usually notices the end of its process."""


class LokyProcess:
    """A worker process.

    Attributes
    ----------
    end
        How the process ended, as loky's errors write it, if loky could not notice it.
    """

    end = ""

    def __init__(self) -> None:
        from multiprocessing import resource_tracker

        from joblib.externals.loky.backend.context import get_context
        from joblib.externals.loky.process_executor import ProcessPoolExecutor

        _expect_ends()
        # It is about a process that leaks and is replaced; as an error it would end loky's thread.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
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

    def call(self, function: Callable[[*Arguments], Answer], *arguments: *Arguments) -> Answer:
        """Call a function in the process, and wait for what it returns."""
        future = self.begin(function, *arguments)
        while not wait([future], LOOK_SECONDS).done:
            self.notice_end()
        return future.result()

    @property
    def is_deaf(self) -> bool:
        """Whether no answer can come: loky's thread for answers ended, as it could start none."""
        thread = getattr(self._executor, "_executor_manager_thread", None)
        return thread is not None and not (thread.is_alive() or self._last.done())

    def notice_end(self) -> None:
        """Fail what the process was given, if it has ended and loky cannot notice that.

        Loky waits for the end of pipes. A process that the worker has left holds them too, and a
        part of an answer has no end.
        """
        processes = {**self._processes}
        has_ended = processes and not any(process.is_alive() for process in processes.values())
        if has_ended and not wait([self._last], _NOTICE_SECONDS).done:
            from joblib.externals.loky.backend.utils import get_exitcodes_terminated_worker

            self.end = get_exitcodes_terminated_worker(processes)
            self._hang_up()

    def _hang_up(self) -> None:
        """End loky's wait for an answer, wherever it is: the answers end here."""
        if not hasattr(os, "fork"):  # pipes of Windows are no descriptors
            return
        answers: Any = vars(self._executor)["_result_queue"]
        with suppress(OSError), Path(os.devnull).open() as nothing:  # loky may have closed them
            os.set_blocking(answers._writer.fileno(), False)  # noqa: SLF001
            os.dup2(nothing.fileno(), answers._reader.fileno(), inheritable=False)  # noqa: SLF001
            answers._writer.send_bytes(b"")  # noqa: SLF001 - it may wait for the pipe as it was

    @property
    def _processes(self) -> dict[int, Any]:
        """The process, by its id; empty before the start and after the end."""
        return getattr(self._executor, "_processes", None) or {}

    def kill(self) -> None:
        """End the process."""
        processes = [*self._processes.values()]
        self._hang_up()  # a stopped process may be within an answer
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
