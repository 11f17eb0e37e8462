"""A journal of Optuna: a file with a step of a study in each line.

Optuna appends steps one by one. An export appends all of its steps at once, so that a full disk, an
interrupt or another program meets a journal with the whole study, or as it was.
"""

import json
import os
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from iris_hpo.errors import InputError
from iris_hpo.exports.places import check_file
from iris_hpo.files import memory_bytes, open_regular
from iris_hpo.interrupts import held

_STEP: Final = b'{"op_code":'
"""How each line of a journal begins, as Optuna writes it."""

_GRACE_SECONDS: Final = 30
"""Age from which a lock is that of a stopped program, as for Optuna."""
_PATIENCE_SECONDS: Final = 5.0
"""Time to wait for a younger lock: a program that works has it for moments."""


@contextmanager
def open_journal(place: str) -> Generator[Any]:
    """Open a journal as a storage of Optuna, while other programs wait.

    What is written to the storage is appended at the end of the block; after an error nothing is.

    Raises
    ------
    InputError
        If the file is no journal, has an unfinished line, or is locked by a program that was
        stopped.
    OSError
        If it cannot be read or written.
    """
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileSymlinkLock

    check_file(place)
    path = os.path.abspath(place)  # noqa: PTH100 - the lock is a link to it, links in it stay
    _await_lock(Path(f"{path}.lock"))
    with held():
        lock = JournalFileSymlinkLock(path)
        lock.acquire()
        try:
            steps = _Steps(_read(place))
            try:
                storage = JournalStorage(steps)  # pyright: ignore[reportArgumentType]
            except Exception as error:  # a line without a field fails by what Python says of it
                raise _no_journal(place, "its lines are no steps of a study") from error
            yield storage
            if steps.new:
                _append(path, steps.new)
        finally:
            with suppress(RuntimeError):  # another program took it for that of a stopped one
                lock.release()


class _Steps:
    """Steps in memory, as the backend of a storage."""

    def __init__(self, steps: list[dict[str, Any]]) -> None:
        self._steps = steps
        self.new: list[dict[str, Any]] = []

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        yield from self._steps[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self.new += logs
        self._steps += json.loads(json.dumps(logs))  # as they will be read


def _await_lock(lock: Path) -> None:
    """Wait for a program that writes, and remove the lock of one that was stopped.

    Optuna itself waits for half a minute, with warnings, or without end if the lock leads nowhere.
    """
    first, until = _status(lock), time.monotonic() + _PATIENCE_SECONDS
    while first and _status(lock) == first:
        if time.time() - first[1] > _GRACE_SECONDS:
            lock.unlink(missing_ok=True)
        elif time.monotonic() > until:
            raise InputError(
                f"{lock}: a program writes the journal, or was stopped while it did; if none does, "
                f"remove that file, or export again in {_GRACE_SECONDS} seconds"
            )
        else:
            time.sleep(0.05)


def _status(lock: Path) -> tuple[int, float] | None:
    """Number and time of a lock; None without one."""
    try:
        status = lock.lstat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime


def _append(path: str, steps: list[dict[str, Any]]) -> None:
    """Append steps by Optuna; on a full disk, leave the journal as it was."""
    from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

    class Locked(JournalFileSymlinkLock):
        def acquire(self) -> bool:
            return True

        def release(self) -> None:
            pass

    size = os.path.getsize(path) if os.path.exists(path) else None  # noqa: PTH110, PTH202
    try:
        JournalFileBackend(path, Locked(path)).append_logs(steps)
    except BaseException:
        with suppress(OSError):
            if size is None:
                os.unlink(path)  # noqa: PTH108
            else:
                os.truncate(path, size)
        raise


def _read(place: str) -> list[dict[str, Any]]:
    """Read the steps of a journal, and refuse what is none: Optuna would append to any text.

    What is appended to an unfinished line makes the whole journal unreadable.
    """
    steps: list[dict[str, Any]] = []
    with suppress(FileNotFoundError), open_regular(place, memory_bytes()) as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n") and (number > 1 or line.startswith(_STEP)):
                raise InputError(
                    f"{place}: line {number}, the last, is unfinished: a program still writes it, "
                    "or was stopped; if none does, remove that line, or give another file"
                )
            try:
                step = json.loads(line)
            except (ValueError, RecursionError):
                step = None
            if not isinstance(step, dict) or "op_code" not in step:
                raise _no_journal(place, f"line {number} is no step of a study")
            steps.append(step)
    return steps


def _no_journal(place: str, reason: str) -> InputError:
    return InputError(f"{place} is no journal of Optuna: {reason}; give another file")
