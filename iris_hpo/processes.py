"""Process ids: where they are valid, whose processes are alive, and what killed ones have left."""

import hashlib
import os
import re
import socket
import time
import uuid
from functools import cache
from pathlib import Path
from typing import Final

_BOOT: Final = "/proc/sys/kernel/random/boot_id"
_MARK: Final = re.compile(r"(?:([0-9a-f]{12})-)?(\d+)-[0-9a-f]{32}", re.ASCII)
"""The place where the process id is valid, which earlier versions did not write, and the process
id."""
_LONGEST_WRITE_SECONDS: Final = 86_400


@cache
def place_of_processes() -> str:
    """Identify where process ids are valid: this boot of this machine, and its process namespace.

    Empty if unknown, as on macOS.
    """
    try:
        boot = Path(_BOOT).read_text().strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115
    except OSError:
        return ""


@cache
def machine() -> str:
    """Short digest of where this process id is valid; of the host name if that is unknown."""
    place = place_of_processes() or socket.gethostname()
    return hashlib.sha256(place.encode()).hexdigest()[:12]


def new_mark() -> str:
    """Make a part of a temporary file's name that shows its process, and is never made twice."""
    return f"{machine()}-{os.getpid()}-{uuid.uuid4().hex}"


def is_left(path: Path, mark: str) -> bool:
    """Whether a temporary file was left behind by its process.

    Whether a process on another machine or in another container is alive is unknown, so its file
    counts as left when it is a day old.

    Parameters
    ----------
    mark
        The part of its name that `new_mark` made; nothing is left with another one.
    """
    parts = _MARK.fullmatch(mark)
    if not parts:
        return False
    written_at, process = parts.groups()
    if written_at == machine() and not is_alive(int(process)):
        return True
    try:
        age = time.time() - path.lstat().st_mtime
    except OSError:  # its writer has just moved the file away
        return False
    return age > _LONGEST_WRITE_SECONDS


def _read_status(process: int) -> list[str]:
    """Fields of a process's ``stat`` file from its state on (proc(5), field 3)."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def start_of(process: int) -> str | None:
    """Start time of a process, in the kernel's ticks since the boot; None if it has ended."""
    try:
        fields = _read_status(process)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def is_here(process: int, since: float) -> bool:
    """Whether this machine has a process with this id that was started before a point in time.

    Parameters
    ----------
    since
        Seconds since the epoch.
    """
    try:
        ticks = start_of(process)
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return True  # unknown
    if ticks is None:
        return is_alive(process)  # another user's process may only be hidden
    start = time.time() - uptime + int(ticks) / os.sysconf("SC_CLK_TCK")
    return start < since + 1


def is_stopped(process: int) -> bool:
    """Whether a process of this machine is stopped by SIGSTOP or Ctrl-Z; False if unknown."""
    try:
        return _read_status(process)[0] == "T"
    except OSError:
        return False


def stopped_note(process: int) -> str:
    """What to do about a stopped process that others wait for; empty if it is not stopped."""
    if not is_stopped(process):
        return ""
    return (
        f", which is stopped: kill -CONT {process} lets it go on, kill -9 {process} ends it, and "
        "its work is taken over"
    )


def is_alive(process: int) -> bool:
    """Whether a process of this machine exists."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):  # no process has so large an id
        return False
    except PermissionError:
        return True
    try:
        state = _read_status(process)[0]
    except OSError:  # not Linux, or the process has just ended
        return True
    return state != "Z"  # a zombie: ended, but not yet collected by its parent
