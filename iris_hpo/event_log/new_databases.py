"""The databases of a new instance, each put in its place when it is complete.

Dagster makes a database in several steps. A process that opens it in between takes it for one of an
earlier version, and marks it so: with two versions, nobody can open it again. `dg dev` and a
command that start at once on a new instance would do that.
"""

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import LAST_KNOWN_STAMPED_SQLITE_ALEMBIC_REVISION
from filelock import FileLock
from sqlalchemy.exc import SQLAlchemyError

from iris_hpo.waiting import say

Make = Callable[[str], object]
"""Makes a database in a folder."""

_QUIET_SECONDS = 5.0
"""Time since the last change of a database after which nobody is making it."""
_LOOK_SECONDS: Final = 0.05

_ENDS: Final = ("", "-wal", "-journal")
"""A log without its database is what is left of a deleted one: SQLite would apply it to a database
that is put beside it, and removes it if it makes the database itself."""

_RUNS: Final = "runs.db"
_SCHEDULES: Final = "schedules.db"
_INDEX: Final = "index.db"


def open_instance(home: Path) -> dg.DagsterInstance:
    """Open the instance of DAGSTER_HOME; other callers wait until its databases are made.

    Parameters
    ----------
    home
        The folder of the instance, as DAGSTER_HOME has it.
    """
    with FileLock(home / ".opening.lock"):
        settle_databases(home)
        return dg.DagsterInstance.get()


def settle_databases(home: Path) -> None:
    """Make the databases of runs, schedules and events, or wait for the process that makes them.

    The event log of one run is made by Dagster. Databases on a server are left alone.

    Parameters
    ----------
    home
        The folder of the instance.
    """
    history = home / "history"
    usual = (history / _RUNS, history / "runs" / _INDEX, home / "schedules" / _SCHEDULES)
    if all(len(_versions(file) or ()) == 1 for file in usual):
        return
    for file, make in _databases(home):
        if not any(os.path.lexists(f"{file}{end}") for end in _ENDS):
            _make(file, make)
        _wait_for(file)
        _put_right(file)


def _databases(home: Path) -> Iterator[tuple[Path, Make]]:
    """The databases in files; none if the settings of the instance cannot be used."""
    try:
        ref = InstanceRef.from_dir(str(home))
    except Exception:  # noqa: BLE001 - Dagster says what is wrong when it opens the instance
        return
    kinds: tuple[tuple[str, str, Make, object], ...] = (
        (_RUNS, "SqliteRunStorage", SqliteRunStorage.from_local, ref.run_storage_data),
        (_INDEX, "SqliteEventLogStorage", SqliteEventLogStorage, ref.event_storage_data),
        (
            _SCHEDULES,
            "SqliteScheduleStorage",
            SqliteScheduleStorage.from_local,
            ref.schedule_storage_data,
        ),
    )
    for name, class_name, make, data in kinds:
        settings = getattr(data, "config_dict", {})
        folder = settings.get("base_dir")
        if getattr(data, "class_name", "") == class_name and isinstance(folder, str):
            yield Path(folder, name), make
        elif settings.get("dagster_home") == {"env": "DAGSTER_HOME"}:  # `KeptSqliteEventLog`
            yield home / "history" / "runs" / name, make


def _make(file: Path, make: Make) -> None:
    """Make a database elsewhere, and put it in its place if none is there by then."""
    folder = file.with_name(f".new_{file.stem}")
    with suppress(OSError, SQLAlchemyError):  # Dagster makes it then, or says what is wrong
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(str(folder))
        os.link(folder / file.name, file)
    shutil.rmtree(folder, ignore_errors=True)


def _wait_for(file: Path) -> None:
    """Wait until a database that another process is making is complete."""
    with suppress(OSError):
        while _versions(file) == [] and abs(time.time() - file.stat().st_mtime) < _QUIET_SECONDS:
            time.sleep(_LOOK_SECONDS)


def _put_right(file: Path) -> None:
    """Remove the earlier one of two versions that processes of Dagster have marked a database with.

    Only a process that has made all tables marks it with the other one.
    """
    versions = _versions(file) or ()
    if len(versions) == 2 and LAST_KNOWN_STAMPED_SQLITE_ALEMBIC_REVISION in versions:
        with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(
                "DELETE FROM alembic_version WHERE version_num = ?",
                [LAST_KNOWN_STAMPED_SQLITE_ALEMBIC_REVISION],
            )
            say(f"{file} was made by two processes at once, and marked twice: put right")


def _versions(file: Path) -> list[str] | None:
    """The versions that a database is marked with: none while it is made, None if it is damaged."""
    if not file.is_file():
        return None
    place = f"{file.absolute().as_uri()}?mode=rw"  # one that only reads would leave files beside it
    try:
        with closing(sqlite3.connect(place, uri=True, timeout=1)) as connection:
            rows = connection.execute("SELECT version_num FROM alembic_version")
            return [str(version) for (version,) in rows]
    except sqlite3.OperationalError:  # it has no such table yet, or is locked
        return []
    except sqlite3.Error:
        return None
