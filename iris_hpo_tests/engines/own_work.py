"""Work for the tests of our own engines, in a module that worker processes can import."""

import math
import multiprocessing
import os
import resource
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from joblib.externals.loky import process_executor
from numpy.typing import NDArray

from iris_hpo.errors import CandidateError
from iris_hpo.testing.engine_work import PATIENCE_SECONDS, count_attempt, wait_for


def end_process(code: int) -> None:
    """End the worker with an exit code, or by a signal if that is negative."""
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(code)


def end_of_a_process(method: str | None) -> int | None:
    """Start a process in one of Python's ways; give its exit code."""
    context = multiprocessing.get_context(method)
    process = context.Process(target=int)  # type: ignore[attr-defined]
    process.start()
    process.join()
    return process.exitcode


def memory_victim(_: int) -> int:
    """How readily the kernel ends this worker where memory lacks."""
    return int(Path("/proc/self/oom_score_adj").read_text())


def work_in_company(task: tuple[Path, int]) -> int:
    """Leave a file named after the worker process, and take long; all but the first wait for two.

    Raises
    ------
    CandidateError
        If no second process ever came.
    """
    folder, number = task
    (folder / str(os.getpid())).touch()
    time.sleep(0.4)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while number and len(list(folder.iterdir())) < 2:
        if time.monotonic() > deadline:
            raise CandidateError("no second process came")
        time.sleep(0.01)
    return os.getpid()


def meet(signs: tuple[Path, Path]) -> int:
    """Show that this item has begun, and wait until the other one has."""
    own, other = signs
    own.touch()
    wait_for(other)
    return os.getpid()


class DyingOnce:
    """Work in which the item ``deadly`` kills its worker at its first attempt.

    The others wait for its second. In a worker the work takes its time to arrive.
    """

    def __init__(self, deadly: Path, start_seconds: float = 0, death_seconds: float = 0) -> None:
        self.deadly = deadly
        self.start_seconds = start_seconds
        self.death_seconds = death_seconds

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        time.sleep(self.start_seconds)

    def __call__(self, log: Path) -> str:
        first = count_attempt(log) == 1
        if log != self.deadly:
            wait_for(self.deadly.with_suffix(".again"))
        elif first:
            time.sleep(self.death_seconds)
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            self.deadly.with_suffix(".again").touch()
        return log.name


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DiesOnArrival:
    """Work that no worker survives, while the process that sends it does."""

    def __init__(self) -> None:
        self.sender = os.getpid()

    def __setstate__(self, state: dict[str, object]) -> None:
        if os.getpid() != state["sender"]:
            die()

    def __call__(self, item: int) -> int:
        return item


def note_process_and_wait(task: tuple[Path, Path]) -> int:
    """Leave a file named after the worker process, and wait for another."""
    folder, sign = task
    (folder / f"pid-{os.getpid()}").touch()
    wait_for(sign)
    return os.getpid()


def stop_itself(note: Path) -> str:
    """Note the worker process, and freeze it; once it goes on, wait no more."""
    note.write_text(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGSTOP)
    return "went on"


class CountArrivals:
    """Work that leaves a file wherever it is unpickled, and takes as many seconds as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __setstate__(self, state: dict[str, Path]) -> None:
        self.__dict__.update(state)
        (self.folder / f"{os.getpid()}-{time.monotonic_ns()}").touch()

    def __call__(self, seconds: float) -> int:
        time.sleep(seconds)
        return os.getpid()


class Unprepared:
    """Work that no worker can do."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def prepare(self) -> None:
        raise OSError(self.reason)

    def __call__(self, item: int) -> int:
        return item


@dataclass(frozen=True)
class MemoryOfRows:
    """Work that tells where its rows are: in a mapped file, or in memory of the worker's own."""

    rows: NDArray[np.float64]

    def __call__(self, _: object) -> str:
        self.rows[0] += 1  # what a worker writes is its own
        owner: Any = self.rows
        while isinstance(owner, np.ndarray):
            owner = owner.base
        return type(owner.obj if isinstance(owner, memoryview) else owner).__name__


def wait_for_a_child(note: Path) -> int:
    """Wait for a process that ignores SIGTERM, and note its id."""
    child = subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 60; sleep 60"])
    note.write_text(str(child.pid))
    return child.wait()


def die_beside_a_child(note: Path) -> None:
    """End the worker by a signal, but not a child that holds all of its pipes; note its id."""
    child = subprocess.Popen(["sleep", "60"], close_fds=False)
    note.write_text(str(child.pid))
    os.kill(os.getpid(), signal.SIGALRM)


def die_beside_a_child_elsewhere(process: int, note: Path) -> int:
    """Do so in every other process than this one, and give its id."""
    if os.getpid() != process:
        die_beside_a_child(note)
    return process


def end_within_the_answer(number: int) -> None:
    """Let the worker stop or end by a signal when half of the answer is sent."""

    def send_half(connection: Connection, content: bytes) -> None:
        os.write(connection.fileno(), content[: len(content) // 2])
        os.kill(os.getpid(), number)

    Connection._send = send_half  # type: ignore[attr-defined]


def leave_company(note: Path | None) -> int:
    """Leave a thread and a child in a worker that then seems to leak, and so ends."""
    if note is not None:
        threading.Thread(target=time.sleep, args=(60,)).start()
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
        child.start()
        note.write_text(str(child.pid))
        limits = {"_MAX_MEMORY_LEAK_SIZE": -math.inf, "_MEMORY_LEAK_CHECK_DELAY": -1}
        vars(process_executor).update(limits)
    return os.getpid()


def leave_files_open(share: float) -> int:
    """Open files until a share of all that this process may open is taken."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    while os.open(os.devnull, os.O_RDONLY) < share * most - 1:
        pass
    return os.getpid()
