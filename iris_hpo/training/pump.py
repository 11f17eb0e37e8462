"""Bounds what this process, its compiled code and its children write to descriptors 1 and 2.

While a call lasts, the two are pipes, and another process (`pump_process`) passes on the beginning
of what comes out of them.
"""

import atexit
import io
import os
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from ctypes import CDLL, c_void_p
from typing import Final

from iris_hpo.interrupts import held, out_of_reach
from iris_hpo.training import pump_process
from iris_hpo.training.pump_process import BEGIN, CUT, END

_DESCRIPTORS: Final = (1, 2)


class Output:
    """What a call writes.

    Attributes
    ----------
    is_cut
        Whether something was left out; it is known when the call has ended.
    """

    is_cut = False


class _Pump:
    """The other process, as this one sees it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls = 0
        self._before: tuple[int, ...] = ()
        self._control: socket.socket | None = None
        self._owner = 0

    def begin(self) -> bool:
        """Begin a call; False if the machine lacks what that takes.

        Calls that overlap, in several threads, are bounded as one.
        """
        with self._lock:
            if not self._calls and not self._divert():
                return False
            self._calls += 1
        return True

    def end(self) -> bool:
        """End a call; True if something was left out."""
        with self._lock:
            self._calls -= 1
            if not self._calls:
                _flush()
                for descriptor, file in zip(_DESCRIPTORS, self._before, strict=True):
                    os.dup2(file, descriptor)
                    os.close(file)
            return self._ask()

    def _divert(self) -> bool:
        _flush()
        for _ in range(2):  # the process may have been killed since the last call
            try:
                self._put_pipes()
            except OSError:
                self.close()
            else:
                return True
        return False

    def _put_pipes(self) -> None:
        with ExitStack() as files:
            pipes = [os.pipe() for _ in _DESCRIPTORS]
            for descriptor in sum(pipes, ()):
                files.callback(os.close, descriptor)
            readers = [reader for reader, _ in pipes]
            socket.send_fds(self._reach(), [BEGIN], [*readers, *_DESCRIPTORS])
            self._before = tuple(map(os.dup, _DESCRIPTORS))
            for descriptor, (_, writer) in zip(_DESCRIPTORS, pipes, strict=True):
                os.dup2(writer, descriptor)

    def _reach(self) -> socket.socket:
        """The way to the process, which is started for the first call."""
        if self._control is None or self._owner != os.getpid():  # this one was forked
            self.close()
            self._control, self._owner = _start(), os.getpid()
        return self._control

    def _ask(self) -> bool:
        answer = b""
        try:
            if self._control is not None:
                self._control.sendall(END)
                answer = self._control.recv(1)
        except OSError:
            pass  # it was killed
        finally:
            if not answer:
                self.close()
        return answer == CUT

    def close(self) -> None:
        """Let the process end."""
        if self._control is not None:
            self._control.close()
            self._control = None


def _start() -> socket.socket:
    """Start the process; it ends when this one has, and all that still writes."""
    own, its = socket.socketpair()
    with its, out_of_reach(), ExitStack() as on_failure:
        on_failure.callback(own.close)
        os.posix_spawn(
            sys.executable,
            (sys.executable, "-I", "-S", pump_process.__file__),
            os.environ,
            file_actions=(
                (os.POSIX_SPAWN_DUP2, its.fileno(), 0),
                *((os.POSIX_SPAWN_OPEN, each, os.devnull, os.O_WRONLY, 0) for each in _DESCRIPTORS),
            ),
        )
        on_failure.pop_all()
    return own


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or there is none
            stream.flush()
    with suppress(OSError, ValueError, AttributeError):  # C's standard output has another name
        library = CDLL(None)
        library.fflush(c_void_p.in_dll(library, "stdout"))


def is_bounded(stream: object) -> bool:
    """Whether a stream writes to one of the descriptors, and nowhere else."""
    try:
        return isinstance(stream, io.TextIOWrapper) and stream.fileno() in _DESCRIPTORS
    except (OSError, ValueError):  # it has none
        return False


_pump: Final = _Pump()
atexit.register(_pump.close)


@contextmanager
def bounded_descriptors() -> Generator[Output]:
    """Bound what is written to descriptors 1 and 2 in the block."""
    output, has_begun = Output(), False
    try:
        with held():
            has_begun = _pump.begin()
        yield output
    finally:
        if has_begun:
            with held():
                output.is_cut |= _pump.end()
