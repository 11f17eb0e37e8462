"""Process ids: on which machine they are valid, and whether their processes are alive."""

import os
import socket
import time
from functools import cache
from pathlib import Path
from typing import Final

_BOOT: Final = "/proc/sys/kernel/random/boot_id"


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
        return False
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
