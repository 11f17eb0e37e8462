"""Temporary files: their names, and which of them nobody writes any more.

A folder may be shared by machines, and a process id has a meaning on its own machine only.
"""

import hashlib
import os
import re
import socket
import time
import uuid
from functools import cache
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(
    r"(?:(?:([0-9a-f]{16})-)?(\d+)-[0-9a-f]{32}-\d+|probe-[0-9a-f]{32})", re.ASCII
)
"""The names of our temporary files; the parts are the machine and the process."""
_OLD_SECONDS: Final = 24 * 3600
"""Age from which on no other machine is still writing a file."""


def new_name() -> str:
    """Name a temporary file; the caller adds a hyphen and a number."""
    return f"{machine()}-{os.getpid()}-{uuid.uuid4().hex}"


def is_left_behind(path: Path) -> bool:
    """Whether a file is one of ours whose writer has ended.

    The writer is looked for on this machine. What another one has written, and what does not say
    who has, counts as left behind when it is a day old.
    """
    ours = _NAME.fullmatch(path.name)
    if ours is None:
        return False
    if ours[1] == machine():
        return not is_alive(int(ours[2]))
    try:
        return time.time() - path.lstat().st_mtime > _OLD_SECONDS
    except FileNotFoundError:  # its writer has just moved it to its place
        return False


@cache
def machine() -> str:
    """Identify where process ids have a meaning: this boot of this machine, and its namespace."""
    place = [socket.gethostname()]
    try:
        place.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        place.append(os.readlink("/proc/self/ns/pid"))  # noqa: PTH115 - it is no path
    except OSError:  # no Linux
        pass
    return hashlib.sha256(" ".join(place).encode()).hexdigest()[:16]


def is_alive(process: int) -> bool:
    """Whether a process of this machine exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # no Linux, or it has just ended
        return True
    return state != "Z"  # it has ended, and whoever started it does not look
