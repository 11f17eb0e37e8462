"""Work for the tests of engines, in a module of its own: worker processes import it and no more.

Where a task is a path, the work logs its attempts there, a byte each.
"""

import importlib
import os
import signal
import time
import warnings
from pathlib import Path
from threading import Lock

from threadpoolctl import threadpool_info

from iris_hpo.errors import CandidateError, WholeRunError

PATIENCE_SECONDS = 60
"""Nothing waits longer: a test that fails must not hang."""


def square(number: int) -> int:
    """Do what takes no time."""
    return number * number


def do_as_word_says(word: str) -> str:
    """Return the word in capitals, or fail as it says: by its own fault, or by the machine's."""
    if word.startswith("wrong"):
        raise CandidateError(f"{word} is no candidate")
    if word.startswith("broken"):
        raise OSError("the disk\n  is full")
    return word.upper()


def warn(number: int) -> int:
    """Warn of the same twice, and fail if the number is odd."""
    warnings.simplefilter("always")
    for second in range(2):
        warnings.warn(f"[12:00:0{second}] old\n\x1b[31m news", FutureWarning, stacklevel=1)
    return do_as_word_says("wrong") if number % 2 else number  # type: ignore[return-value]


def end_the_run(_: int) -> None:
    """Fail by what all other items would fail by too."""
    raise WholeRunError("nothing can be written")


def fail_first(task: tuple[Path, int]) -> int:
    """Fail so many times by the machine's fault, then return the number of attempts."""
    log, failures = task
    attempts = count_attempt(log)
    if attempts <= failures:
        raise OSError(f"attempt {attempts} failed")
    return attempts


def be_wrong(log: Path) -> None:
    """Fail by the item's own fault."""
    count_attempt(log)
    raise CandidateError("never any better")


def die_first(task: tuple[Path, int]) -> int:
    """Kill the worker process so many times, then return the number of attempts."""
    log, deaths = task
    attempts = count_attempt(log)
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


def log_and_wait(task: tuple[Path | None, Path]) -> str:
    """Log the attempt, and wait until there is a file."""
    sign, log = task
    count_attempt(log)
    return wait_for(sign)


def note_process_and_sleep(task: tuple[Path, float]) -> int:
    """Leave a file named after the worker process, and take so many seconds."""
    folder, seconds = task
    (folder / str(os.getpid())).touch()
    time.sleep(seconds)
    return os.getpid()


def hold_a_lock_if_odd(number: int) -> object:
    """Return what cannot leave the process for odd numbers."""
    return Lock() if number % 2 else number


def count_threads(_: int) -> int:
    """Largest number of threads that a loaded library would use."""
    importlib.import_module("sklearn.utils._openmp_helpers")  # its OpenMP is to be counted
    importlib.import_module("numpy.linalg")  # and its BLAS

    return max(pool["num_threads"] for pool in threadpool_info())


def count_attempt(log: Path) -> int:
    """Log this attempt, in a file that survives the process; return the number of attempts."""
    with log.open("ab") as file:
        file.write(b".")
    return log.stat().st_size
