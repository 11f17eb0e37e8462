"""Wait for object storage: say so once, and give up when nothing has moved for too long.

The client libraries try a request again without a word, and wait without end for a server that
takes no more of an upload. Here what moves on the connections of the process is looked at twice a
second, so that an upload or a download that takes its time is not cut.
"""

import asyncio
import math
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import wait
from functools import cache
from typing import Any, Final

from iris_hpo import interrupts
from iris_hpo.waiting import QUIET_SECONDS, say

_LOOK_SECONDS: Final = 0.5
_LIVELY_BYTES: Final = 64 * 1024
"""What moves in `QUIET_SECONDS` if the server does not only fail again and again."""
_BUFFERED_SECONDS: Final = 1.0
"""Time within which the buffers of a connection take what they can hold, though no server reads."""


class SilentError(Exception):
    """Nothing has moved for too long."""


class _Traffic:
    """What has moved on the connections of this process."""

    size = 0
    at = -math.inf

    def note(self, size: int) -> None:
        self.size += size
        self.at = time.monotonic()


_traffic = _Traffic()


class CountedSocket(socket.socket):
    """A connection that counts what is received, and what is sent after the buffers are full."""

    _asked_at: float | None = None

    def recv(self, *arguments: Any) -> bytes:
        """Receive bytes."""
        content = super().recv(*arguments)
        self._has_received(len(content))
        return content

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive bytes into a buffer."""
        size = super().recv_into(buffer, nbytes, flags)
        self._has_received(size)
        return size

    def send(self, *arguments: Any) -> int:
        """Send bytes."""
        size = super().send(*arguments)
        self._has_sent(size)
        return size

    def sendmsg(self, *arguments: Any) -> int:
        """Send bytes of several buffers."""
        size = super().sendmsg(*arguments)
        self._has_sent(size)
        return size

    def _has_received(self, size: int) -> None:
        self._asked_at = None
        if size:
            _traffic.note(size)

    def _has_sent(self, size: int) -> None:
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
        elif now - self._asked_at > _BUFFERED_SECONDS:
            _traffic.note(size)


def make_socket(address: tuple[Any, ...]) -> socket.socket:
    """Make the socket of a connection; ``address`` is one of `socket.getaddrinfo`."""
    return CountedSocket(*address[:3])


class Patience:
    """Waits for the requests of this process to one place.

    Parameters
    ----------
    place
        What the line names that says that a wait begins.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._said_at = -math.inf
        self._given_up_at = -math.inf

    def result(
        self,
        request: Callable[[], Coroutine[Any, Any, Any]],
        loop: asyncio.AbstractEventLoop,
        limit: float,
    ) -> Any:
        """Wait for a request that is made in another thread.

        Parameters
        ----------
        limit
            Longest time in seconds in which nothing moves.

        Raises
        ------
        SilentError
            If nothing has moved for that time, or for another request just before: one command
            would wait again and again.
        """
        if time.monotonic() - self._given_up_at < QUIET_SECONDS:
            raise self._silent(limit)
        task = asyncio.run_coroutine_threadsafe(request(), loop)
        try:
            self._look_on(task, limit)
            return task.result()
        finally:
            task.cancel()  # no effect on one that is done

    def _look_on(self, task: Any, limit: float) -> None:
        began = since = time.monotonic()
        size = _traffic.size
        while not wait([task], _LOOK_SECONDS).done:
            if threading.current_thread() is not threading.main_thread():
                _check_interrupt()
            now = time.monotonic()
            if _traffic.size - size >= _LIVELY_BYTES:
                since, size = now, _traffic.size
            elif now - since >= QUIET_SECONDS:
                self._say(limit)
            if now - max(began, _traffic.at) >= limit:
                self._given_up_at = now
                raise self._silent(limit)

    def _say(self, seconds: float) -> None:
        """Say that the wait begins; not again while one wait may follow the other."""
        with self._lock:
            now = time.monotonic()
            if now - self._said_at < 2 * max(seconds, QUIET_SECONDS):
                return
            self._said_at = now
        longest = f" up to {seconds:g} s" if math.isfinite(seconds) else ""
        say(f"waiting{longest} for an answer of {self._place}, which is slow or away")

    def _silent(self, seconds: float) -> SilentError:
        return SilentError(f"no answer for {seconds:g} s")


def _check_interrupt() -> None:
    """Raise an interrupt that the main thread has received, which waits for this one."""
    if interrupts.received() is not None:
        raise interrupts.Interrupt


@cache
def patience_of(place: str) -> Patience:
    """What waits for all requests of this process to a place."""
    return Patience(place)
