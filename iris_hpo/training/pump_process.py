"""Passes on what calls print, up to a bound: a process of its own, which `pump` starts.

A thread could not do this: compiled code that prints may keep Python's other threads from running.
This module imports little, so that the process starts soon.
"""

import os
import select
import socket
from typing import Final

LONGEST: Final = 1 << 20
"""Number of bytes of each stream of a call that are passed on."""

NOTE: Final = "\n... what it prints further is left out ...\n"

BEGIN: Final = b"+"
END: Final = b"-"
"""Messages to this process: a call begins, whose pipes, and the files to pass on to, come along;
the call has ended."""
CUT: Final = b"!"
WHOLE: Final = b"."
"""Answers to `END`: whether something was left out."""

_FULL_PIPE: Final = 1 << 20
"""Number of bytes that a pipe holds at most: a read of so many leaves nothing."""


class _Stream:
    """A stream of a call.

    Attributes
    ----------
    pipe, file
        Where its output comes from, and where it goes.
    room
        Number of bytes that are still passed on.
    is_cut
        Whether something was left out.
    is_read
        Whether the file could be written.
    """

    def __init__(self, pipe: int, file: int) -> None:
        os.set_blocking(pipe, False)
        self.pipe = pipe
        self.file = file
        self.room = LONGEST
        self.is_cut = False
        self.is_read = True

    def pass_on(self) -> bool:
        """Pass on what is there; False if nothing will come any more."""
        try:
            content = os.read(self.pipe, _FULL_PIPE)
        except BlockingIOError:
            return True
        if not self.is_cut:
            self._write(content[: self.room])
            if len(content) > self.room:
                self.is_cut = True
                self._write(NOTE.encode())
            self.room -= len(content)
        return bool(content)

    def _write(self, content: bytes) -> None:
        while content and self.is_read:
            try:
                content = content[os.write(self.file, content) :]
            except BlockingIOError:
                is_ready = select.poll()
                is_ready.register(self.file, select.POLLOUT)
                is_ready.poll()
            except OSError:  # nobody reads it, or its disk is full; the call goes on
                self.is_read = False

    def close(self) -> None:
        os.close(self.pipe)
        os.close(self.file)


class _Pump:
    """Follows messages, and passes streams on.

    Parameters
    ----------
    control
        Where messages come from.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._is_controlled = True
        self._call: list[_Stream] = []
        self._open: dict[int, _Stream] = {}
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def run(self) -> None:
        """Go on until nobody can send a message or write into a pipe."""
        while self._is_controlled or self._open:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._control.fileno():
                    self._follow()
                elif stream := self._open.get(descriptor):
                    self._pass_on(stream)

    def _follow(self) -> None:
        """Follow a message, or the end of all messages."""
        message, descriptors, _, _ = socket.recv_fds(self._control, 1, 4)
        if message == BEGIN:
            self._call = [*map(_Stream, descriptors[:2], descriptors[2:])]
            for stream in self._call:
                self._open[stream.pipe] = stream
                self._poll.register(stream.pipe, select.POLLIN)
        elif message == END:
            for stream in self._call:
                if self._open.get(stream.pipe) is stream:
                    self._pass_on(stream)
            self._control.sendall(CUT if any(each.is_cut for each in self._call) else WHOLE)
        else:
            self._poll.unregister(self._control)
            self._is_controlled = False

    def _pass_on(self, stream: _Stream) -> None:
        is_open = stream.pass_on()
        # A child that outlives the run must not write without end: a closed pipe ends it.
        is_useless = not self._is_controlled and (stream.is_cut or not stream.is_read)
        if not is_open or is_useless:
            del self._open[stream.pipe]
            self._poll.unregister(stream.pipe)
            stream.close()


if __name__ == "__main__":
    _Pump(socket.socket(fileno=0)).run()
