"""End a command with one message where the instance's storage cannot be used.

Dagster catches every `Exception` of a storage while a run goes on, prints it, and goes on. So what
ends the command is no `Exception`, and becomes one where the command began.
"""

import errno
import logging
import os
import sqlite3
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
import sqlalchemy.event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import StatementError

from iris_hpo.errors import EndOfCommandError, InputError
from iris_hpo.event_log.locked import seconds_locked, share_wait

WAITS: Final = "iris_hpo_waits"
"""Execution option of an engine: for how many seconds it waits for a file that is locked."""

_DAMAGED: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_ADVICE: Final = {
    "SQLITE_FULL": "make room",
    "SQLITE_READONLY": "make it writable",
    "SQLITE_CANTOPEN": "make it writable, or raise the number of open files (ulimit -n)",
    "SQLITE_IOERR": "see to the disk, or raise the largest size of a file (ulimit -f)",
}
_LOST: Final = {
    "runs.db": "the list of past runs is lost, and results are kept",
    "schedules.db": "sensors begin again, and results are kept",
    "index.db": "without a copy every candidate is trained again",
}
"""What is lost with a file of the instance."""

_homes: list[str] = []


@contextmanager
def one_message(home: str) -> Generator[None]:
    """End the block at once, with one error, if its instance's storage cannot be used.

    Raises
    ------
    InputError
        If a server stays away, or a file of the folder ``home`` is damaged, or its disk is full.
    """
    if not sqlalchemy.event.contains(sa.Engine, "handle_error", _handle):
        sqlalchemy.event.listen(sa.Engine, "handle_error", _handle)
        sqlalchemy.event.listen(sa.Engine, "do_connect", _connect)
    pools = logging.getLogger("sqlalchemy.pool")  # it logs an interrupt with its traceback
    level = pools.level
    pools.setLevel(logging.CRITICAL)
    _homes.append(home)
    try:
        yield
    except EndOfCommandError as error:
        raise InputError(str(error)) from None
    finally:
        _homes.pop()
        pools.setLevel(level)


def _connect(
    dialect: Any, _record: object, arguments: Sequence[Any], settings: dict[str, Any]
) -> None:
    """Let Dagster's own storages wait for a locked file as the kept event log does."""
    if dialect.name == "sqlite" and _homes:
        share_wait(_homes[-1], arguments, settings)


def ends_command() -> bool:
    """Whether a command works, in this thread."""
    return bool(_homes) and threading.current_thread() is threading.main_thread()


def _handle(context: ExceptionContext) -> BaseException | None:
    """Return what replaces an error of a database; None for errors that others can handle.

    Those get the file as a note.
    """
    error, engine = context.original_exception, context.engine
    if ends_command() and isinstance(context.sqlalchemy_exception, StatementError):
        _leave_out_sql(context.sqlalchemy_exception)  # Dagster prints the message of some
    if not isinstance(error, sqlite3.Error) or engine is None or not ends_command():
        return None
    home, file = _homes[-1], Path(engine.url.database or "")
    if not file.is_relative_to(home):
        return None
    waited = engine.get_execution_options().get(WAITS) or seconds_locked(str(file))
    explained = _explain(file, error, waited)
    if explained is None:
        error.add_note(str(file))
        return None
    return EndOfCommandError(_message(home, file, explained))


def removed_while_open(file: Path) -> BaseException:
    """Make the error of a database that was removed, or replaced, while this process used it."""
    problem = "it was removed or replaced while it was in use"
    if not ends_command():
        return InputError(f"{file}: {problem}")
    advice = f"restore a copy if there is one ({_LOST[file.name]})"
    return EndOfCommandError(_message(_homes[-1], file, f"{problem}; {advice}"))


def _message(home: str, file: Path, explained: str) -> str:
    return (
        f"the Dagster instance of DAGSTER_HOME {home} cannot be used: {file}: {explained}, "
        "then run the search again: finished candidates are kept"
    )


def _leave_out_sql(error: StatementError) -> None:
    error.statement = error.params = error.code = None


def _explain(file: Path, error: sqlite3.Error, waited: float | None) -> str | None:
    """Say what is wrong with a file, and what to do; None if it is nothing of the file."""
    name = getattr(error, "sqlite_errorname", "")
    if problem := _problem_of_place(file):
        return problem
    if name.startswith(_DAMAGED):
        lost = _LOST.get(file.name, "the log of one run is lost, and results are kept")
        return f"{error}; restore a copy, or move it away with its -wal and -shm ({lost})"
    if waited and name.startswith("SQLITE_BUSY"):
        return f"another process has locked it for {waited:g} s; end that process"
    advice = next((advice for code, advice in _ADVICE.items() if name.startswith(code)), None)
    if advice and _is_full(file.parent):
        return f"{os.strerror(errno.ENOSPC)}; make room"
    temporary = _temporary_folder()
    if advice and temporary and _is_full(temporary):
        return (
            f"{error}: there is no room for SQLite's temporary files in {temporary}; make room "
            "there, or set TMPDIR to another folder"
        )
    return f"{error}; {advice}" if advice else None


def _problem_of_place(file: Path) -> str | None:
    try:
        if os.path.lexists(file) and not file.is_file():
            return "it is no file; move it away"
        if not file.parent.is_dir():
            return "its folder was removed; restore a copy if there is one"
    except PermissionError as error:
        return f"{error.strerror}; give the user of this process permission to read and write it"
    return None


def _temporary_folder() -> Path | None:
    """Return the folder in which SQLite writes temporary files, by its documentation."""
    given = (os.environ.get(name) for name in ("SQLITE_TMPDIR", "TMPDIR"))
    for folder in (*given, "/var/tmp", "/usr/tmp", "/tmp"):  # noqa: S108 - SQLite's choice
        if folder and Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return Path(folder)
    return None


def _is_full(folder: Path) -> bool:
    """Whether a disk has no room, or can hold no more files."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return not disk.f_bavail or (disk.f_files > 0 and not disk.f_favail)
