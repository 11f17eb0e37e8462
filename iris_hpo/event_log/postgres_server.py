"""Wait for a PostgreSQL server that is away for a moment, such as during a restart.

New connections wait, also those of Dagster's own storages on the same database. What was being sent
when a connection broke is handled by the event log (`iris_hpo.event_log.postgres`).
"""

import math
import os
import re
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

import sqlalchemy as sa
import sqlalchemy.event
from dagster._core.instance.ref import InstanceRef

from iris_hpo.database_messages import advice_about_connection
from iris_hpo.errors import AwayError, EndOfCommandError, InputError
from iris_hpo.event_log.one_message import ends_command
from iris_hpo.waiting import QUIET_SECONDS, say

PATIENCE: Final = "IRIS_HPO_POSTGRES_PATIENCE"
"""Environment variable for the number of seconds that a server may be away; 60 by default."""

MANY_ATS: Final = (
    "the URL of PostgreSQL has an @ in its user name or password, or one too many; write %40"
)

_DEFAULT_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 0.5
_PORT: Final = 5432
_ONE_AT: Final = re.compile(r"[^@]*(@[^@?/]*(/[^@?]*)?(\?[^@]*(=.*)?)?)?", re.DOTALL)

_Place = tuple[object, ...]


class PostgresAwayError(AwayError):
    """The server has been away for too long; the message contains no SQL."""


class Patience:
    """Tracks how long a server has been away, and whether to go on waiting; shared by threads.

    Parameters
    ----------
    seconds
        Longest time that it may be away.
    place
        Host and port, for the line that says that a wait begins.
    """

    def __init__(self, seconds: float, place: str) -> None:
        self.seconds = seconds
        self._place = place
        self._lock = threading.Lock()
        self._away_since: float | None = None
        self._given_up = -math.inf, ""

    def connect(self, attempt: Callable[[], Any], refusal: type[Exception]) -> Any:
        """Attempt to connect until the server answers; say once that this process waits.

        Raises
        ------
        PostgresAwayError
            If the server has been away for too long.
        """
        given_up, reason = self._given_up
        if time.monotonic() - given_up < QUIET_SECONDS:
            raise self._error(reason)
        while True:
            try:
                connection = attempt()
            except refusal as error:
                away_seconds, was_away = self._look()
                if away_seconds >= self.seconds:
                    raise self.give_up(str(error)) from None
                if not was_away:
                    self._say()
                time.sleep(min(_RETRY_SECONDS, self.seconds))
            else:
                self.has_answered()
                return connection

    def connect_first(self, attempt: Callable[[], Any], refusal: type[Exception]) -> Any:
        """Attempt once to connect to a server that this process has not reached yet."""
        began = time.monotonic()
        try:
            connection = attempt()
        except refusal as error:
            if time.monotonic() - began < max(self.seconds, 1):
                raise
            raise self.give_up(str(error)) from None
        self.has_answered()
        return connection

    def give_up(self, reason: str) -> BaseException:
        """Make the error that the server has been away for too long.

        It is not the driver's own, because Dagster would retry each time. For some seconds, no
        connection is tried: a command that ends has more to record than a server that hangs lets
        it find out soon.
        """
        self._given_up = time.monotonic(), reason
        return self._error(reason)

    def _error(self, reason: str) -> BaseException:
        return (EndOfCommandError if ends_command() else PostgresAwayError)(
            f"PostgreSQL could not be used for {self.seconds:g} s ({PATIENCE}): "
            f"{' '.join(reason.split())[:300]}; {advice_about_connection(reason)}, then run the "
            "search again: finished candidates are kept"
        )

    def is_away(self, since: float) -> None:
        """Note that the server has not answered since a moment of the monotonic clock."""
        with self._lock:
            was_away = self._away_since is not None
            if self._away_since is None:
                self._away_since = since
        if not was_away:
            self._say()

    def has_answered(self) -> None:
        """Note that the server answers."""
        with self._lock:
            self._away_since = None

    def left(self) -> float:
        """Seconds for which the server may still be away."""
        with self._lock:
            since = self._away_since
        return self.seconds if since is None else self.seconds - (time.monotonic() - since)

    def _say(self) -> None:
        say(f"waiting up to {self.seconds:g} s for PostgreSQL at {self._place}")

    def _look(self) -> tuple[float, bool]:
        """Seconds for which the server has been away, and whether that was known before."""
        now = time.monotonic()
        with self._lock:
            was_away = self._away_since is not None
            if self._away_since is None:
                self._away_since = now
            return now - self._away_since, was_away


_known: dict[_Place, Patience] = {}
_known_lock = threading.Lock()


_opening: list[None] = []
"""Is not empty while a command opens its instance."""


def wait_for_server(engine: sa.Engine) -> None:
    """Make this process's connections to the database of an engine wait for its server.

    Raises
    ------
    InputError
        If the environment variable is not a number of seconds.
    """
    _, settings = engine.dialect.create_connect_args(engine.url)
    _listen()
    with _known_lock:
        _known.setdefault(_place(settings), _patience(settings))


@contextmanager
def opening() -> Generator[None]:
    """Wait no longer than that for servers that the block connects to, also if they hang.

    A server that refuses the first connection of the process is not waited for.
    """
    _listen()
    _opening.append(None)
    try:
        yield
    finally:
        _opening.pop()


def _listen() -> None:
    with _known_lock:
        if not sqlalchemy.event.contains(sa.Engine, "do_connect", _connect):
            sqlalchemy.event.listen(sa.Engine, "do_connect", _connect)


def check_url(url: str) -> None:
    """Refuse a URL with an ``@`` in its password: a part of it would be read as the server's name.

    Raises
    ------
    InputError
        If the URL has an ``@`` too many; the message shows no part of the URL.
    """
    if not _ONE_AT.fullmatch(url.partition("://")[2]):
        raise InputError(MANY_ATS)


def has_broken_url(home: str) -> bool:
    """Whether the PostgreSQL URL has an ``@`` too many: errors may show a part of the password."""
    try:
        ref = InstanceRef.from_dir(home)
    except Exception:  # noqa: BLE001 - dagster.yaml is broken, which the error itself reports
        return False
    for storage in (ref.run_storage_data, ref.event_storage_data, ref.schedule_storage_data):
        url = storage.config_dict.get("postgres_url") if storage else None
        if isinstance(url, Mapping):
            url = os.environ.get(str(cast("Mapping[str, object]", url).get("env")))
        try:
            check_url(str(url or ""))
        except InputError:
            return True
    return False


def _patience_seconds() -> float:
    text = os.environ.get(PATIENCE, "")
    try:
        seconds = float(text) if text else _DEFAULT_SECONDS
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise InputError(f"{PATIENCE} is {text!r}; it must be a number of seconds, 0 or more")
    return seconds


def _place(settings: Mapping[str, object]) -> _Place:
    return tuple(settings.get(name) for name in ("host", "port", "dbname", "user"))


def _patience(settings: Mapping[str, object]) -> Patience:
    # Neither has the password in it, unlike the URL.
    place = f"{settings.get('host') or 'localhost'}:{settings.get('port') or _PORT}"
    return Patience(_patience_seconds(), place)


def _connect(
    dialect: Any, _record: object, arguments: Sequence[Any], settings: Mapping[str, Any]
) -> Any:
    """Connect instead of SQLAlchemy; return None to leave the connection to SQLAlchemy."""
    if (dialect.name, dialect.driver) != ("postgresql", "psycopg2"):
        return None
    known = _known.get(_place(settings))
    if known is None and not _opening:
        return None
    from iris_hpo.event_log.postgres_watch import connect

    patience = known or _patience(settings)

    def attempt() -> Any:
        return connect(patience, patience.left(), dialect.connect, arguments, settings)

    if known:
        return known.connect(attempt, dialect.dbapi.OperationalError)
    connection = patience.connect_first(attempt, dialect.dbapi.OperationalError)
    with _known_lock:
        _known.setdefault(_place(settings), patience)
    return connection
