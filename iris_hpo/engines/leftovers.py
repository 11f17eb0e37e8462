"""Temporary folders of runs, and the removal of folders and semaphores of killed runs.

Each run locks a file in its folder while it lives. The state of that lock shows whether the owner
is dead; a process id would not, because another process may have it by now.
"""

import os
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from iris_hpo.files import read_regular, remove_folder

_PREFIX: Final = "iris_hpo-"
_OWNER: Final = "owner.lock"
_PROCESS: Final = "process"
_SEMAPHORES: Final = Path("/dev/shm")  # noqa: S108 - the folder of semaphores in Linux
_PROCESSES: Final = Path("/proc")
_LONGEST: Final = 64
"""Number of bytes of a process id that is plausible."""
_YOUNG_SECONDS: Final = 60
_NEW_SECONDS: Final = 1
"""Age below which a folder stays, whose process may be alive or is not there: its file may exist
before it is locked, also by a process of another container."""


@contextmanager
def temporary_folder() -> Generator[Path]:
    """A temporary folder of this run; folders of killed runs are removed."""
    sweep()
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as made:
        folder = Path(made)
        (folder / _PROCESS).write_text(str(os.getpid()))
        with FileLock(folder / _OWNER):
            yield folder


def sweep() -> None:
    """Remove the folders of runs of this user that have died."""
    with suppress(FileNotFoundError):  # there is no folder for temporary files
        _sweep(Path(tempfile.gettempdir()))


def _sweep(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError, Timeout):  # another run removes it, or another user owns it
            if _is_left(folder):
                with FileLock(folder / _OWNER, timeout=0):
                    _remove_semaphores(_process_of(folder))
                    remove_folder(folder)


def _remove_semaphores(process: str) -> None:
    """Remove the semaphores that loky made in a process; their names begin with its id."""
    if _may_be_alive(process):
        return
    for semaphore in _SEMAPHORES.glob(f"sem.loky-{process}-*"):
        if semaphore.lstat().st_uid == os.getuid():
            semaphore.unlink()


def _is_left(folder: Path) -> bool:
    status = folder.lstat()
    return (
        folder.is_dir()
        and not folder.is_symlink()
        and status.st_uid == os.getuid()
        and (folder / _OWNER).is_file()
        and time.time() - status.st_mtime > _young_seconds(folder)
    )


def _young_seconds(folder: Path) -> int:
    process = _process_of(folder)
    return _YOUNG_SECONDS if _may_be_alive(process) else _NEW_SECONDS


def _process_of(folder: Path) -> str:
    return read_regular(folder / _PROCESS, _LONGEST).decode(errors="replace")


def _may_be_alive(process: str) -> bool:
    is_id = process.isascii() and process.isdigit()
    return not (is_id and _PROCESSES.is_dir()) or (_PROCESSES / process).exists()
