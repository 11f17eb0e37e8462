"""Turns that commands on one instance take, and what they say while they wait."""

import os
import re
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from iris_hpo.errors import InputError
from iris_hpo.files import MEBIBYTE, read_regular
from iris_hpo.orchestration.record import last_event
from iris_hpo.orchestration.study import Study
from iris_hpo.processes import stopped_note

_REASON_LENGTH: Final = 300
_LOOK_SECONDS: Final = 2.0
"""Time between two looks at the command that is waited for: it may be stopped, or another one."""
_PROCESS: Final = re.compile(r"process (\d+)", re.ASCII)


@contextmanager
def turn(study: Study, say: Callable[[str], None]) -> Generator[int | None]:
    """Wait until no other ``iris-hpo run`` of this search works on this instance.

    The pool of a search keeps single steps apart, so that the command, the UI and the sensors can
    be used together. Two commands may have different settings, and take turns as a whole.

    Yields
    ------
    int or None
        Last event before the wait; None if there was none to wait for.
    """
    since: list[int | None] = []

    def waits(line: str) -> None:
        if not since:
            since.append(last_event(study.instance))
        say(line)

    with _turn(study.spec.name or "search", "another iris-hpo run of this search", waits):
        yield since[0] if since else None


@contextmanager
def turn_to_export(say: Callable[[str], None]) -> Generator[None]:
    """Wait until no other ``iris-hpo export`` on this instance writes for another tool.

    Two that write to one place would both make its tables, and both write each candidate.
    """
    with _turn("iris-hpo-export", "another iris-hpo export", say):
        yield


@contextmanager
def _turn(name: str, other: str, say: Callable[[str], None]) -> Generator[None]:
    file = Path(os.environ["DAGSTER_HOME"], f".{name}.lock")
    holder = file.with_name(f".{name}.holder")  # waiting empties the lock's own file
    lock = FileLock(file)
    announced = ""
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_LOOK_SECONDS if announced else 0)
        except Timeout:
            held = f"{other}{_holder(holder)}"
            if held != announced:
                say(f"waiting for {held}; Ctrl-C ends the wait")
            announced = held
        except OSError as error:
            raise InputError(f"{file} cannot be written: {error.strerror}") from error
    try:
        with suppress(OSError):  # only a waiting command reads it
            holder.unlink(missing_ok=True)  # it may be a named pipe, which nobody reads
            holder.write_text(f" (process {os.getpid()}, since {time.strftime('%H:%M:%S')})")
        yield
    finally:
        lock.release()


def _holder(file: Path) -> str:
    """Name the process that holds the lock, for a message."""
    try:
        holder = read_regular(file, MEBIBYTE).decode(errors="replace")[:_REASON_LENGTH]
    except OSError:
        return ""
    process = _PROCESS.search(holder)
    return holder + (stopped_note(int(process[1])) if process else "")
