"""Temporary files of a store: how writers name them, and which ones were left by killed writers."""

import re
import uuid
from pathlib import Path
from typing import Final

from iris_hpo import processes

FOLDER: Final = ".temporary"

_NAME: Final = re.compile(r"probe-[0-9a-f]{32}|(.+)-\d+", re.ASCII)
"""With the mark of the process, if it is no probe."""


def new_names(count: int) -> list[str]:
    """Names within a store for files that this process writes together."""
    mark = processes.new_mark()
    return [f"{FOLDER}/{mark}-{number}" for number in range(count)]


def probe_name() -> str:
    """Name within a store for a file that is empty and never read; a sweep takes it."""
    return f"{FOLDER}/probe-{uuid.uuid4().hex}"


def is_left(path: Path) -> bool:
    """Whether a file is a probe, or was left behind by a writer."""
    parts = _NAME.fullmatch(path.name)
    return parts is not None and (parts[1] is None or processes.is_left(path, parts[1]))
