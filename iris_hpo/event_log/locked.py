"""Wait for a SQLite file that another process has locked: say so, and give up once.

SQLite waits for a lock at each statement without a word. A run that cannot store a candidate stores
its failure and its end next, so that its waits would add up.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Self, TypeVar, cast

from iris_hpo.waiting import QUIET_SECONDS, say

_BUSY: Final = "SQLITE_BUSY"
_SQLITES_SECONDS: Final = 5.0
"""Time for which Python's `sqlite3` waits by default."""

Result = TypeVar("Result")


class LockedFile:
    """Tracks for how long other processes have locked a file; shared by its connections.

    Parameters
    ----------
    file
        Path of the file, for the line that says that a wait begins.
    seconds
        Longest time to wait, in all.
    clock
        Returns seconds that never go backwards.
    """

    def __init__(
        self, file: str, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file = file
        self.seconds = seconds
        self._clock = clock
        self._mutex = threading.Lock()
        self._since: float | None = None
        self._refused = 0.0
        self.slice_seconds = min(QUIET_SECONDS, seconds)
        """Time for which SQLite itself waits; then the statement is tried again."""

    def wait(self, connection: sqlite3.Connection, attempt: Callable[[], Result]) -> Result:
        """Attempt a statement until the file is free, or has been locked for too long.

        Raises
        ------
        sqlite3.OperationalError
            If the statement fails, or the file stays locked.
        """
        given_up = self.is_given_up()
        if given_up:
            _let_wait(connection, 0)
        try:
            while True:
                began = self._clock()
                try:
                    result = attempt()
                except sqlite3.OperationalError as error:
                    if getattr(error, "sqlite_errorname", "") != _BUSY or not self._goes_on(began):
                        raise
                else:
                    if self._since is not None and connection.in_transaction:  # it could write
                        self._since = None
                    return result
        finally:
            if given_up:
                _let_wait(connection, self.slice_seconds)

    def is_given_up(self) -> bool:
        """Whether the file has been locked for too long; after a pause it is waited for again."""
        with self._mutex:
            now = self._clock()
            if self._since is not None and now - self._refused > self.seconds:
                self._since = None
            return self._since is not None and now - self._since >= self.seconds

    def _goes_on(self, began: float) -> bool:
        """Note that the file was locked during an attempt; say it once; whether to try again."""
        with self._mutex:
            now = self._refused = self._clock()
            if self._since is None:
                if now - began < self.slice_seconds / 2:  # SQLite saw that waiting is no use
                    return False
                self._since = began
                if self.slice_seconds < self.seconds:
                    say(
                        f"waiting up to {self.seconds:g} s for {self._file}, which another "
                        "process has locked"
                    )
            return now - self._since < self.seconds


def _let_wait(connection: sqlite3.Connection, seconds: float) -> None:
    """Set for how long SQLite itself waits for a lock."""
    sqlite3.Cursor(connection).execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


class _Cursor(sqlite3.Cursor):
    """A cursor of a connection that waits."""

    def execute(self, *arguments: Any) -> Self:
        """Execute a statement when the file is free."""
        run = super().execute
        return self._wait(lambda: run(*arguments))

    def executemany(self, sql: str, rows: Iterable[Any], /) -> Self:
        """Execute a statement for rows; the first row gets the lock, and the others have it."""
        run, kept = super().executemany, list(rows)
        return self._wait(lambda: run(sql, kept))

    def _wait(self, attempt: Callable[[], Self]) -> Self:
        connection = cast("_Connection", self.connection)
        return connection.lock.wait(connection, attempt)


class _Connection(sqlite3.Connection):
    """A connection whose statements wait as its `lock` says."""

    lock: LockedFile

    def cursor(self, factory: Any = _Cursor) -> Any:
        """Make a cursor that waits."""
        return super().cursor(factory)


def waiting_settings(file: str, seconds: float) -> dict[str, Any]:
    """Settings of `sqlite3.connect` for connections to a file that wait together."""
    return _settings(LockedFile(file, seconds))


def _settings(lock: LockedFile) -> dict[str, Any]:
    factory = type("WaitingConnection", (_Connection,), {"lock": lock})
    return {"timeout": lock.slice_seconds, "factory": factory}


_shared: dict[str, LockedFile] = {}


def share_wait(home: str, arguments: Sequence[Any], settings: dict[str, Any]) -> None:
    """Make a connection to a file of a folder wait together with others to the same file.

    Parameters
    ----------
    arguments, settings
        Arguments of `sqlite3.connect`; the settings are changed.
    """
    file = str(arguments[0]) if arguments else ""
    if "factory" not in settings and Path(file).is_relative_to(home):
        seconds = settings.get("timeout", _SQLITES_SECONDS)
        settings.update(_settings(_shared.setdefault(file, LockedFile(file, seconds))))


def seconds_locked(file: str) -> float | None:
    """Seconds after which a file was given up by connections that share a wait; None if not."""
    lock = _shared.get(file)
    return lock.seconds if lock and lock.is_given_up() else None
