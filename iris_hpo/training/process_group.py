"""Run a program so that all of its processes end: with it, with its time limit, with its worker.

The program is born in a process group whose leader is a small shell. The shell waits for the end of
a pipe that the worker holds; if the worker is killed, the shell kills the group.
"""

import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GRACE_SECONDS: Final = 2.0
"""Time between the request to end and the end by force."""

_WARDEN: Final = 'trap "" TERM INT HUP QUIT; read -r _; kill -KILL 0'
_LOOK_SECONDS: Final = 0.1
_PIPE: Final = 1 << 16
_PART: Final = 1 << 18
"""Number of bytes kept of the begin, and of the end, of an output."""


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes
    ----------
    code
        The exit code; negative for the signal that ended it.
    seconds
        How long it took.
    output, errors
        The end of its standard output and of its standard error.
    log
        Both together as they came; of a long one, begin and end.
    in_time
        Whether it ended by itself.
    """

    code: int
    seconds: float
    output: bytes
    errors: bytes
    log: bytes
    in_time: bool


class Recording:
    """The begin and the end of an output, whatever its length."""

    def __init__(self) -> None:
        self._begin = bytearray()
        self._end: deque[bytes] = deque()
        self._kept = 0
        self._left_out = 0

    def add(self, content: bytes) -> None:
        """Add what came."""
        room = _PART - len(self._begin)
        self._begin += content[:room]
        if rest := content[room:]:
            self._end.append(rest)
            self._kept += len(rest)
            while self._kept - len(self._end[0]) >= _PART:
                dropped = len(self._end.popleft())
                self._kept -= dropped
                self._left_out += dropped

    @property
    def content(self) -> bytes:
        """What is kept, with a line where something is left out."""
        note = f"\n... {self._left_out} bytes left out ...\n".encode() if self._left_out else b""
        return bytes(self._begin) + note + b"".join(self._end)

    @property
    def end(self) -> bytes:
        """The end."""
        return b"".join(self._end) if self._left_out else bytes(self._begin) + b"".join(self._end)


@contextmanager
def process_group() -> Generator[int]:
    """Make a process group; all that is in it ends with the block, or with this process."""
    with subprocess.Popen(  # noqa: S603 - a fixed text
        ("/bin/sh", "-c", _WARDEN),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    ) as warden:
        try:
            yield warden.pid
        finally:
            _signal(warden.pid, signal.SIGKILL)


def run_program(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], limit: float | None
) -> Ended:
    """Run a program until it ends, or for ``limit`` seconds; no process of its group remains.

    Raises
    ------
    OSError
        If it cannot be started.
    """
    with process_group() as group:
        started = time.monotonic()
        with subprocess.Popen(  # noqa: S603 - the project's own program
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=group,
        ) as process:
            try:
                return _follow(process, group, started, limit)
            finally:
                _end(process, group, signal.SIGKILL)


def _follow(
    process: subprocess.Popen[bytes], group: int, started: float, limit: float | None
) -> Ended:
    output, errors, log = Recording(), Recording(), Recording()
    ends_at = None if limit is None else started + limit
    killed_at: float | None = None
    in_time = True
    with selectors.DefaultSelector() as pipes, _watching(process, pipes):
        for pipe, recording in ((process.stdout, output), (process.stderr, errors)):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                pipes.register(pipe, selectors.EVENT_READ, recording)
        while pipes.get_map() or process.poll() is None:
            _read(pipes, log)
            now = time.monotonic()
            if process.poll() is not None and killed_at is None:
                _signal(group, signal.SIGKILL)  # what it has left behind holds the pipes
                killed_at = now
            if killed_at is not None and now > killed_at + 1:
                break  # a process that has left the group holds the pipes
            if ends_at is not None and now > ends_at:
                if in_time:
                    _end(process, group, signal.SIGTERM)
                    in_time, ends_at = False, now + GRACE_SECONDS
                else:
                    _end(process, group, signal.SIGKILL)
                    ends_at = None
        seconds = time.monotonic() - started
    return Ended(process.wait(), seconds, output.end, errors.end, log.content, in_time)


@contextmanager
def _watching(process: subprocess.Popen[bytes], pipes: selectors.BaseSelector) -> Generator[None]:
    """Let a selector notice at once when a process ends, where the system can."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not Linux, or an old one
        yield
        return
    pipes.register(descriptor, selectors.EVENT_READ)
    try:
        yield
    finally:
        os.close(descriptor)


def _read(pipes: selectors.BaseSelector, log: Recording) -> None:
    if not pipes.get_map():
        time.sleep(_LOOK_SECONDS / 100)
        return
    for key, _ in pipes.select(_LOOK_SECONDS):
        if key.data is None:  # the program has ended
            pipes.unregister(key.fileobj)
            continue
        try:
            content = os.read(key.fd, _PIPE)
        except BlockingIOError:
            continue
        if content:
            key.data.add(content)
            log.add(content)
        else:
            pipes.unregister(key.fileobj)


def _end(process: subprocess.Popen[bytes], group: int, number: signal.Signals) -> None:
    """Signal the group, and the program itself if it has left the group."""
    _signal(group, number)
    process.send_signal(number)


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
