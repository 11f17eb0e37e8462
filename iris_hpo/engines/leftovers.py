"""What a killed run leaves on its machine: a folder, and semaphores. The next run removes them.

Each run locks a file in its folder as long as it lives. Whether an owner is dead is what the
operating system knows of that lock, not a process id, which another process may have by now.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

_PREFIX: Final = "iris_hpo-"
_OWNER: Final = "owner.lock"
_PROCESS: Final = "process"
_SEMAPHORES: Final = Path("/dev/shm")  # noqa: S108 - where Linux has them
_YOUNG_SECONDS: Final = 60
"""A folder may have its file but not the lock yet."""


@contextmanager
def temporary_folder() -> Generator[Path]:
    """A folder of this run; those of killed runs are removed."""
    sweep()
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as made:
        folder = Path(made)
        (folder / _PROCESS).write_text(str(os.getpid()))
        with FileLock(folder / _OWNER):
            yield folder


def sweep() -> None:
    """Remove the folders of runs of this user that have died."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError, Timeout):  # somebody else removes it, or it is not ours
            if _is_left(folder):
                with FileLock(folder / _OWNER, timeout=0):
                    _remove_semaphores((folder / _PROCESS).read_text())
                    shutil.rmtree(folder)


def _remove_semaphores(process: str) -> None:
    """Remove what loky has made in a process, by names that begin with the process id."""
    if not process.isdigit() or Path("/proc", process).exists():
        return
    for semaphore in _SEMAPHORES.glob(f"sem.loky-{process}-*"):
        if semaphore.lstat().st_uid == os.getuid():
            semaphore.unlink()


def _is_left(folder: Path) -> bool:
    found = folder.lstat()
    return (
        folder.is_dir()
        and not folder.is_symlink()
        and found.st_uid == os.getuid()
        and time.time() - found.st_mtime > _YOUNG_SECONDS
        and (folder / _OWNER).is_file()
    )
