"""Processes: where an id has a meaning, and whether one lives."""

import os
import socket
import time
from functools import cache
from pathlib import Path
from typing import Final

_BOOT: Final = "/proc/sys/kernel/random/boot_id"


@cache
def place_of_processes() -> str:
    """Where process ids have a meaning: this boot of this machine, and its namespace of processes.

    Empty where it cannot be known, as on macOS.
    """
    try:
        boot = Path(_BOOT).read_text().strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115
    except OSError:
        return ""


def _read_status(process: int) -> list[str]:
    """The kernel's account of a process from its state on (proc(5), ``stat``, field 3)."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def start_of(process: int) -> str | None:
    """When a process was started, in the kernel's ticks since the boot; None if it has ended."""
    try:
        fields = _read_status(process)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def is_here(process: int, since: float) -> bool:
    """Whether this machine has a process of this id that was started before a point in time.

    Parameters
    ----------
    since
        Seconds since the epoch.
    """
    try:
        ticks = start_of(process)
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return True  # it cannot be known
    if ticks is None:
        return False
    start = time.time() - uptime + int(ticks) / os.sysconf("SC_CLK_TCK")
    return start < since + 1


def is_stopped(process: int) -> bool:
    """Whether a process of this machine is held by SIGSTOP or Ctrl-Z; False where it is unknown."""
    try:
        return _read_status(process)[0] == "T"
    except OSError:
        return False


def is_alive(process: int) -> bool:
    """Whether a process of this machine exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = _read_status(process)[0]
    except OSError:  # no Linux, or it has just ended
        return True
    return state != "Z"  # it has ended, and its parent has not collected it
