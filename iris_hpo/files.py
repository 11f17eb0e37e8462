"""Open files that another user or program may have placed, and remove folders.

A named pipe never ends, reading a device has unknown effects, and a sparse file of gigabytes takes
no room on the disk but all of the memory. So only regular files of a plausible size are read.
"""

import errno
import itertools
import os
import shutil
import stat
import uuid
from collections.abc import Sequence
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Final

MEBIBYTE: Final = 1 << 20

_KINDS: Final = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def open_regular(path: Path | str, limit: int) -> BufferedReader:
    """Open a file for reading; never wait for a writer.

    Parameters
    ----------
    limit
        Largest size in bytes that is plausible.

    Raises
    ------
    OSError
        If the file cannot be opened, is not regular, or is too large; ``strerror`` says which.
    """
    _check(os.stat(path), path, limit)  # noqa: PTH116 - before opening: that alone can move a tape
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    try:
        _check(os.fstat(number), path, limit)  # it may have been replaced since
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def read_regular(path: Path | str, limit: int) -> bytes:
    """Read a whole file.

    Raises
    ------
    OSError
        If the file cannot be opened, is not regular, or is too large; ``strerror`` says which.
    """
    with open_regular(path, limit) as file:
        return file.read(os.fstat(file.fileno()).st_size)


def remove_folder(folder: Path) -> None:
    """Remove a folder and all that is in it, however deep; what cannot be removed stays."""
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.is_dir() and not folder.is_symlink():
        with suppress(OSError):
            _flatten(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _flatten(folder: Path) -> None:
    """Move all folders below a folder to its top: neither depth nor length of a path matters."""
    common, number, places = uuid.uuid4().hex, itertools.count(), [folder]
    while places:
        with os.scandir(places.pop()) as entries:
            inner = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        places += [Path(path).rename(folder / f"{common}-{next(number)}") for path in inner]


def memory_bytes() -> int:
    """Memory of this machine in bytes; no larger file can be loaded."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _check(status: os.stat_result, path: Path | str, limit: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder, not a file", str(path))
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, not a regular file", str(path))
    if status.st_size > limit:
        raise _too_large(path, status.st_size, limit)


def _too_large(path: Path | str, size: int, limit: int) -> OSError:
    problem = f"its {size} bytes are more than the {limit} that are plausible"
    return OSError(errno.EFBIG, problem, str(path))


def stamps_of(folder: Path) -> Sequence[object]:
    """Names, times, sizes and inodes of the files of a folder, which change when one is edited.

    They decide only whether this process reads the files again. An edit during the reading itself
    may change none of them; the next command sees it.
    """
    try:
        with os.scandir(folder) as entries:
            files = [(entry.name, entry.stat()) for entry in entries]
    except OSError:  # reading the folder gives the reason
        return ()
    return sorted(
        (name, status.st_mtime_ns, status.st_size, status.st_ino) for name, status in files
    )
