"""What a machine lacks: room on its disk, memory, open files, processes, permission.

Such an error can come from any line, and is no mistake of the line. This module imports little, as
a process that lacks something may be unable to import more.
"""

import errno
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from iris_hpo.text import one_line

_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
_ADVICE: Final = {
    **dict.fromkeys(_ROOM, "make room"),
    errno.EFBIG: "raise the largest size of a file (ulimit -f)",
    errno.EROFS: "make it writable",
    errno.EACCES: "give the user of this process permission to read and write it",
    errno.EMFILE: "raise the number of open files (ulimit -n)",
    errno.ENFILE: "close what has many files open",
    errno.EAGAIN: "raise the number of processes (ulimit -u), or end some",
    errno.ENOMEM: "free memory",
    errno.EIO: "see to the disk",
}
_WITHOUT_NUMBER: Final = {"can't start new thread": errno.EAGAIN, "map segment": errno.ENOMEM}
"""Texts of errors that have no number: of threads, and of imports."""
_PROBE: Final = bytes(64 * 1024)
_ADDRESS_SPACE: Final = 1 << 30
"""Bytes of address space that a process needs at least; with 700,000 kB one stood still."""

_THREADS: Final = 64
"""Largest number of threads that OpenBLAS starts, as it is built for NumPy and SciPy."""


def lack(error: BaseException) -> str | None:
    """Name what the machine lacks, and what to do.

    Returns
    -------
    str or None
        None if neither the error nor a cause names a lack.
    """
    for each in _chain(error):
        if isinstance(each, FileNotFoundError) and not _has_current_folder():
            return "the current folder has been removed or moved; change to the project's folder"
        number, place = _number(each), getattr(each, "filename", None)
        if number in _ADVICE and (place or number != errno.EACCES):
            return f"{os.strerror(number)}{f': {place}' if place else ''}; {_ADVICE[number]}"
    return None


def lack_of_temporary_room(error: BaseException) -> str | None:
    """Find out whether work failed because temporary files cannot be written now.

    Work that has used up the room itself, and has given the room back, is to blame.

    Returns
    -------
    str or None
        What to do; None if the error has other causes, or temporary files can be written again.
    """
    if not any(isinstance(each, OSError) or _names_full_disk(each) for each in _chain(error)):
        return None
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
        with tempfile.NamedTemporaryFile() as file:  # it would find no folder without a descriptor
            file.write(_PROBE)
            file.flush()
    except OSError as refusal:
        if refusal.errno == errno.EMFILE:  # the work has left files open
            return None
        return (
            f"temporary files cannot be written in {tempfile.tempdir or 'any folder'}: "
            f"{refusal.strerror}; make room there, or set TMPDIR to another folder, then run the "
            "search again: finished candidates are kept"
        )
    return None


def lack_of_address_space() -> str | None:
    """Find out whether libraries of numbers could stand still when they are loaded.

    OpenBLAS asks for its memory again and again where it gets none, and then no signal is handled.

    Returns
    -------
    str or None
        What to do; None if there is room.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return None
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY or most >= _ADDRESS_SPACE:
        return None
    return (
        f"the memory of a process is limited to {most // 1024:,} kB (ulimit -v), and libraries of "
        f"numbers need more to be loaded; allow {_ADDRESS_SPACE // 1024:,} kB at least"
    )


def limit_threads() -> None:
    """Let libraries of numbers start no threads if they could not, as few processes are allowed.

    OpenBLAS would then interrupt this process, as Ctrl-C does.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    most, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if most == resource.RLIM_INFINITY:
        return
    end = threading.Event()
    try:
        for _ in range(min(os.cpu_count() or 1, _THREADS)):
            threading.Thread(target=end.wait, daemon=True).start()
    except RuntimeError:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
    finally:
        end.set()


def _names_full_disk(error: BaseException) -> bool:
    """Whether an error quotes the message of a program or library whose disk was full."""
    return os.strerror(errno.ENOSPC) in one_line(error)


def _number(error: BaseException) -> int:
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    if isinstance(error, OSError):
        return error.errno or 0
    text = one_line(error)
    return next((number for part, number in _WITHOUT_NUMBER.items() if part in text), 0)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _has_current_folder() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True
