"""Temporary files of a store: how writers name them, and which ones were left by killed writers."""

import os
import re
import socket
import time
import uuid
from functools import cache
from pathlib import Path
from typing import Final

from iris_hpo.processes import is_alive, place_of_processes
from iris_hpo.store.digests import digest_of

FOLDER: Final = ".temporary"

_NAME: Final = re.compile(
    r"(?:([0-9a-f]{12})-)?(\d+)-[0-9a-f]{32}-\d+|probe-[0-9a-f]{32}", re.ASCII
)
"""The place where the process id is valid, which earlier versions did not write, and the process
id."""
_LONGEST_WRITE_SECONDS: Final = 86_400


def new_names(count: int) -> list[str]:
    """Names within a store for files that this process writes together."""
    common = f"{FOLDER}/{machine()}-{os.getpid()}-{uuid.uuid4().hex}"
    return [f"{common}-{number}" for number in range(count)]


def probe_name() -> str:
    """Name within a store for a file that is empty and never read; a sweep takes it."""
    return f"{FOLDER}/probe-{uuid.uuid4().hex}"


def is_left(path: Path) -> bool:
    """Whether a file was left behind by a writer.

    Whether a writer on another machine or in another container is alive is unknown, so its file
    counts as left when it is a day old.
    """
    parts = _NAME.fullmatch(path.name)
    if not parts:
        return False
    written_at, process = parts.groups()
    if process is None:  # a probe
        return True
    if written_at == machine() and not is_alive(int(process)):
        return True
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:  # its writer has just moved the file away
        return False
    return age > _LONGEST_WRITE_SECONDS


@cache
def machine() -> str:
    """Short digest of where this process id is valid; of the host name if that is unknown."""
    return digest_of((place_of_processes() or socket.gethostname()).encode())[:12]
