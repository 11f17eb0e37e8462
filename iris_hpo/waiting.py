"""What a process says, once, when a wait for a database or for object storage begins."""

import sys
from contextlib import suppress
from typing import Final

from iris_hpo.text import readable

QUIET_SECONDS: Final = 5.0
"""Time for which a server may be slow before a line says that a wait for it begins."""


def say(line: str) -> None:
    """Print a line on standard error: of the command, or into the log of a run or of the daemon."""
    with suppress(OSError, ValueError, AttributeError):  # it is full, closed, or there is none
        sys.stderr.write(f"iris-hpo: {readable(line)}\n")
        sys.stderr.flush()
