"""Refuse folders of an instance that Dagster misreads, or whose ``dagster.yaml`` is not read."""

import glob
import os
from pathlib import Path
from typing import Final

from iris_hpo.errors import InputError
from iris_hpo.files import MEBIBYTE, read_regular

_MISREAD: Final = frozenset("?*[]")
"""Dagster reads the path of dagster.yaml as a pattern, and that of a database as an address."""
_ADVICE: Final = "rename the folder, or set DAGSTER_HOME to another"


def check_name(home: str) -> None:
    """Refuse a path for an instance that cannot work, before anything is written.

    Raises
    ------
    InputError
        If it has a character that Dagster misreads.
    """
    if misread := sorted(_MISREAD.intersection(home)):
        raise InputError(
            f"DAGSTER_HOME {home!r} contains {' and '.join(misread)}, which Dagster misreads in "
            f"the path of an instance; {_ADVICE}"
        )


def check_settings_file(home: str) -> None:
    """Refuse settings of an instance that are no text file: reading a named pipe never ends.

    Raises
    ------
    InputError
        If there is a ``dagster.yaml`` that cannot be read.
    """
    file = Path(home, "dagster.yaml")
    if not os.path.lexists(file):
        return
    try:
        read_regular(file, MEBIBYTE).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"no text in UTF-8 ({error})"
        advice = (
            "give the user of this process permission to read it"
            if isinstance(error, PermissionError)
            else "restore a copy, or that of a new project"
        )
        raise InputError(f"{file} cannot be read: {reason}; {advice}") from error


def check_settings_are_read(home: str) -> None:
    """Refuse to work on an instance whose settings Dagster has not read.

    Dagster gives no message: its telemetry is then on, and no pool limits its runs.

    Raises
    ------
    InputError
        If there is a ``dagster.yaml`` that Dagster cannot find.
    """
    file = Path(home, "dagster.yaml")
    if "[" in home and file.exists() and not glob.glob(str(file)):  # noqa: PTH207 - as Dagster does
        raise InputError(
            f"Dagster does not read {file}, because it takes the brackets in its path for a "
            f"pattern: telemetry is on, and runs are not kept apart; {_ADVICE}"
        )
