"""Wait for a PostgreSQL server that is away for a moment, such as during a restart.

New connections wait, also those of Dagster's own storages on the same database. What was being sent
when a connection broke is handled by the event log (`iris_hpo.event_log.postgres`).
"""

import math
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import sqlalchemy as sa
import sqlalchemy.event
from dagster._core.instance.ref import InstanceRef

from iris_hpo.errors import AwayError, EndOfCommandError, InputError
from iris_hpo.event_log.one_message import ends_command
from iris_hpo.event_log.waiting import say

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
        self._seconds = seconds
        self._place = place
        self._lock = threading.Lock()
        self._away_since: float | None = None

    def connect(self, attempt: Callable[[], Any], refusal: type[Exception]) -> Any:
        """Attempt to connect until the server answers; say once that this process waits.

        Raises
        ------
        PostgresAwayError
            If the server has been away for too long.
        """
        while True:
            try:
                connection = attempt()
            except refusal as error:
                away_seconds, was_away = self._look()
                if away_seconds >= self._seconds:
                    # Not the driver's own error, because Dagster would retry each time.
                    raise PostgresAwayError(
                        f"PostgreSQL has not answered for {self._seconds:g} s ({PATIENCE}): "
                        f"{' '.join(str(error).split())[:300]}; start the server, then run the "
                        "search again: finished candidates are kept"
                    ) from None
                if not was_away:
                    say(f"waiting up to {self._seconds:g} s for PostgreSQL at {self._place}")
                time.sleep(min(_RETRY_SECONDS, self._seconds))
            else:
                with self._lock:
                    self._away_since = None
                return connection

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


def wait_for_server(engine: sa.Engine) -> None:
    """Make this process's connections to the database of an engine wait for its server.

    Raises
    ------
    InputError
        If the environment variable is not a number of seconds.
    """
    _, settings = engine.dialect.create_connect_args(engine.url)
    # Neither has the password in it, unlike the URL.
    place = f"{settings.get('host') or 'localhost'}:{settings.get('port') or _PORT}"
    patience = Patience(_patience_seconds(), place)
    with _known_lock:
        if not sqlalchemy.event.contains(sa.Engine, "do_connect", _connect):
            sqlalchemy.event.listen(sa.Engine, "do_connect", _connect)
        _known.setdefault(_place(settings), patience)


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


def _connect(
    dialect: Any, _record: object, arguments: Sequence[Any], settings: Mapping[str, Any]
) -> Any:
    """Connect instead of SQLAlchemy; return None to leave the connection to SQLAlchemy."""
    patience = _known.get(_place(settings)) if dialect.name == "postgresql" else None
    if patience is None:
        return None
    try:
        return patience.connect(
            lambda: dialect.connect(*arguments, **settings), dialect.dbapi.OperationalError
        )
    except PostgresAwayError as error:
        if ends_command():
            raise EndOfCommandError(str(error)) from None
        raise
