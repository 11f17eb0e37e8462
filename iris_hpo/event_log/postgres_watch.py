"""Notice a PostgreSQL server that hangs: it takes statements and never answers.

Such as a server that is stopped, or whose machine has gone without a word. A call to it would wait
without end. One thread of the process looks at the calls under way. If one takes long, and the
server answers no new connection either, the thread shuts the connection down, and the call fails.
"""

import math
import os
import socket
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from iris_hpo.waiting import QUIET_SECONDS

_LOOK_SECONDS: Final = 1.0
_PROBE_SECONDS: Final = 2
"""The shortest that the client library of PostgreSQL takes."""


class Server(Protocol):
    """What is known of a server, shared by its connections."""

    @property
    def seconds(self) -> float:
        """Longest time that it may be away."""
        ...

    def is_away(self, since: float) -> None:
        """Note that it has not answered since a moment of the monotonic clock."""
        ...

    def has_answered(self) -> None:
        """Note that it answers."""
        ...

    def give_up(self, reason: str) -> BaseException:
        """Make the error that says that it has been away for too long."""
        ...


@dataclass(eq=False)
class _Call:
    """A call under way; while a connection is being made there is none."""

    server: Server
    connection: "WatchedConnection | None"
    began: float
    is_away: bool = False
    is_cut: bool = False


class Watch:
    """The calls under way in this process, and the thread that looks at them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: set[_Call] = set()
        self._thread: threading.Thread | None = None

    @contextmanager
    def call(self, server: Server, connection: "WatchedConnection | None") -> Generator[None]:
        """Watch the block, which waits for the server."""
        call = _Call(server, connection, time.monotonic())
        with self._lock:
            self._calls.add(call)
            if self._thread is None or not self._thread.is_alive():  # not after a fork
                self._thread = threading.Thread(target=self._look_on, daemon=True)
                self._thread.start()
        try:
            yield
        except psycopg2.Error:
            if call.is_cut:
                raise server.give_up("a statement has had no answer") from None
            raise
        else:
            if call.is_away:
                server.has_answered()
        finally:
            with self._lock:
                self._calls.discard(call)

    def _look_on(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            self._look()

    def _look(self) -> None:
        now = time.monotonic()
        with self._lock:
            late = [call for call in self._calls if now - call.began >= QUIET_SECONDS]
        for call in late:
            if call.connection is not None and call.connection.server_answers():
                call.began = time.monotonic()  # the statement takes its time
                continue
            with self._lock:
                if call not in self._calls:
                    continue
                call.is_away = True
                call.server.is_away(call.began)
                if call.connection and time.monotonic() - call.began >= call.server.seconds:
                    call.is_cut = True
                    _shut_down(call.connection)


def _shut_down(connection: Connection) -> None:
    """Make the call on a connection fail, which another thread waits for."""
    with (
        suppress(OSError, psycopg2.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as end,
    ):
        end.shutdown(socket.SHUT_RDWR)


watch = Watch()


class WatchedCursor(Cursor):
    """A cursor whose statements are watched."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - the driver's name
        """Execute a statement."""
        with self._watched():
            super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        """Execute a statement for each of some rows."""
        with self._watched():
            super().executemany(query, vars_list)

    def _watched(self) -> AbstractContextManager[None]:
        connection = cast("WatchedConnection", self.connection)
        return watch.call(connection.server, connection)


class WatchedConnection(Connection):
    """A connection whose calls are watched."""

    server: Server
    place: tuple[Sequence[Any], Mapping[str, Any]]
    """How it was made."""

    def commit(self) -> None:
        """End the transaction."""
        with watch.call(self.server, self):
            super().commit()

    def rollback(self) -> None:
        """Undo the transaction."""
        with watch.call(self.server, self):
            super().rollback()

    def server_answers(self) -> bool:
        """Whether the server answers a new connection, if only by a refusal of its own."""
        arguments, settings = self.place
        probe = {**settings, "connect_timeout": _PROBE_SECONDS, "connection_factory": None}
        try:
            psycopg2.connect(*arguments, **probe).close()
        except psycopg2.OperationalError as error:
            return "FATAL: " in str(error)
        return True


def connect(
    server: Server,
    seconds: float,
    make: Callable[..., Any],
    arguments: Sequence[Any],
    settings: Mapping[str, Any],
) -> Any:
    """Connect to a server within some seconds, by a connection that is watched.

    Parameters
    ----------
    make
        Makes a connection, as `psycopg2.connect` does.
    """
    limit = {"connect_timeout": max(_PROBE_SECONDS, math.ceil(seconds) + 1)}
    watched = {"connection_factory": WatchedConnection, "cursor_factory": WatchedCursor}
    with watch.call(server, None):
        connection = make(*arguments, **{**limit, **settings, **watched})
    connection.server, connection.place = server, (arguments, settings)
    return connection
