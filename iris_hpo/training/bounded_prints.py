"""What a function prints, up to a bound: one that prints without end fills no disk.

Streams of Python that write elsewhere than to descriptors 1 and 2, as in a notebook, are bounded
here, and the descriptors by `pump`.
"""

import sys
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from typing import Any

from iris_hpo.training.pump import Output, bounded_descriptors, is_bounded
from iris_hpo.training.pump_process import LONGEST, NOTE


class BoundedStream:
    """A text stream that passes on what is written to it, up to a number of characters.

    Parameters
    ----------
    stream
        Where it goes.
    room
        Number of characters.
    """

    def __init__(self, stream: Any, room: int = LONGEST) -> None:
        self.stream = stream
        self._room: int | None = room

    def write(self, text: str) -> int:
        """Pass a text on; of one that is too long the begin, and a note once."""
        if self._room is None or len(text) <= self._room:
            self._room = None if self._room is None else self._room - len(text)
            self.stream.write(text)
        elif self._room >= 0:
            self.stream.write(f"{text[: self._room]}{NOTE}")
            self._room = -1
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts one after the other."""
        for line in lines:
            self.write(line)

    def release(self) -> None:
        """Pass on all that comes: the call has ended."""
        self._room = None

    @property
    def is_cut(self) -> bool:
        """Whether something was left out."""
        return self._room is not None and self._room < 0

    @property
    def is_released(self) -> bool:
        """Whether all that comes is passed on."""
        return self._room is None

    def __getattr__(self, name: str) -> Any:
        """Be as the stream in everything else."""
        return getattr(self.stream, name)


@contextmanager
def bounded_prints() -> Generator[Output]:
    """Bound what the block prints, its compiled code and its processes too."""
    with bounded_descriptors() as output, ExitStack() as streams:
        streams.enter_context(_bounded("stdout", output))
        streams.enter_context(_bounded("stderr", output))
        yield output


@contextmanager
def _bounded(name: str, output: Output) -> Generator[None]:
    before: Any = getattr(sys, name, None)
    while isinstance(before, BoundedStream) and before.is_released:  # of a call in another thread
        before = before.stream
    if before is None or is_bounded(before):
        yield
        return
    bounded = BoundedStream(before)
    setattr(sys, name, bounded)
    try:
        yield
    finally:
        output.is_cut |= bounded.is_cut
        bounded.release()
        if getattr(sys, name, bounded) is bounded:
            setattr(sys, name, before)
