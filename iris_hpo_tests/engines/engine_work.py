"""Work for the engines' tests, in a module of its own so that worker processes can import it."""

import os
import signal
import time
import warnings
from pathlib import Path
from threading import Lock

from threadpoolctl import threadpool_info

from iris_hpo.errors import CandidateError

PATIENCE_SECONDS = 60
"""Nothing waits longer: a test that fails must not hang."""


def square(number: int) -> int:
    return number * number


def do_as_told(word: str) -> str:
    """Do well, or fail by one's own fault, or by the machine's."""
    if word.startswith("wrong"):
        raise CandidateError(f"{word} is no candidate")
    if word.startswith("broken"):
        raise OSError("the disk\n  is full")
    return word.upper()


def warn(number: int) -> int:
    """Warn twice of the same, and fail if the number is odd."""
    warnings.simplefilter("always")
    for second in range(2):
        warnings.warn(f"[12:00:0{second}] old\n\x1b[31m news", FutureWarning, stacklevel=1)
    return do_as_told("wrong") if number % 2 else number  # type: ignore[return-value]


def fail_first(task: tuple[Path, int]) -> int:
    """Fail so many times by the machine's fault, then tell how many attempts it took."""
    log, failures = task
    attempts = _attempts(log)
    if attempts <= failures:
        raise OSError(f"attempt {attempts} failed")
    return attempts


def be_wrong(log: Path) -> None:
    _attempts(log)
    raise CandidateError("never any better")


def die_first(task: tuple[Path, int]) -> int:
    """Kill the worker process so many times, then tell how many attempts it took."""
    log, deaths = task
    attempts = _attempts(log)
    if attempts <= deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    return attempts


def wait_for(path: Path | None) -> str:
    """Wait until there is such a file."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while path is not None and not path.exists():
        if time.monotonic() > deadline:
            raise CandidateError(f"{path} never came")
        time.sleep(0.01)
    return "seen"


def tell_process_and_sleep(task: tuple[Path, float]) -> int:
    """Leave a file named after the worker process, and take so many seconds."""
    folder, seconds = task
    (folder / str(os.getpid())).touch()
    time.sleep(seconds)
    return os.getpid()


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


def hold_a_lock_if_odd(number: int) -> object:
    """Give what cannot leave the process for odd numbers."""
    return Lock() if number % 2 else number


def count_threads(_: int) -> int:
    import sklearn.utils._openmp_helpers  # noqa: F401 - its OpenMP is to be counted
    from numpy import linalg  # noqa: F401 - and its BLAS

    return max(pool["num_threads"] for pool in threadpool_info())


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
        first = _attempts(log) == 1
        if log != self.deadly:
            wait_for(self.deadly.with_suffix(".again"))
        elif first:
            time.sleep(self.death_seconds)
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            self.deadly.with_suffix(".again").touch()
        return log.name


def _attempts(log: Path) -> int:
    """Count this attempt; the file survives the process."""
    with log.open("ab") as file:
        file.write(b".")
    return log.stat().st_size


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


def tell_process_and_wait(task: tuple[Path, Path]) -> int:
    """Leave a file named after the worker process, and wait for another."""
    folder, sign = task
    (folder / f"pid-{os.getpid()}").touch()
    wait_for(sign)
    return os.getpid()


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
