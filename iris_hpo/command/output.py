"""Where the command prints: results to standard output, everything else to standard error.

Nothing else in `iris_hpo.command` prints. What is shown is clean: a text of others cannot steer the
terminal.
"""

import codecs
import errno
import io
import json
import math
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from iris_hpo.text import clean, readable

if TYPE_CHECKING:
    from rich.console import Console

_PIPE_WIDTH: Final = 500
_PLAIN_TEXT: Final = "iris_hpo.plain"
_SPELLED: Final = {"\u00b1": "+/-", "\u00d7": "x", "\u2026": "...", "\u2013": "-", "\u2501": "-"}

_results: TextIO | None = None
"""Standard output, while a command works and `sys.stdout` is standard error."""


class Command(click.Command):
    """A command whose standard output is for its results.

    What an estimator, a library or a definition prints goes to standard error.
    """

    def invoke(self, ctx: click.Context) -> Any:  # noqa: D102 - as its base class
        with _reserved():
            return super().invoke(ctx)


class Descriptor(io.FileIO):
    """A file descriptor whose writes do not fail when its reader is gone or its disk is full.

    So the work is finished and its results are kept, even if they cannot be printed.

    Attributes
    ----------
    failure
        Why something was not written.
    """

    failure: OSError | None = None

    def write(self, data: Any, /) -> int | None:  # noqa: D102 - as its base class
        if self.failure is None:
            try:
                return super().write(data)
            except OSError as error:
                self.failure = error
        return len(data)

    @property
    def problem(self) -> str | None:
        """The message for the user; None if nothing failed, or if the reader is gone."""
        # As after `head`, or `>&-`: another file may have got the closed descriptor's number.
        if self.failure is None or self.failure.errno in (errno.EPIPE, errno.EBADF):
            return None
        return f"standard output cannot be written: {self.failure.strerror}"


def take_stdout() -> Descriptor:
    """Keep standard output to the end of this process for what is written by `sys.stdout`.

    Its file descriptor becomes standard error: for C libraries, and for the processes that this
    one starts. What cannot be written to standard error is dropped, and the work goes on.
    """
    _fill_closed_descriptors()
    errors_to = io.BufferedWriter(Descriptor(2, "w", closefd=False))
    sys.stderr = io.TextIOWrapper(
        errors_to, sys.stderr.encoding, "backslashreplace", line_buffering=True
    )
    given: Any = sys.stdout
    encoding, errors = getattr(given, "encoding", "utf-8"), getattr(given, "errors", "strict")
    if errors in ("strict", "surrogateescape"):
        errors = _PLAIN_TEXT
    kept = Descriptor(os.dup(1), "w")
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(kept), encoding, errors, line_buffering=kept.isatty()
    )
    os.dup2(2, 1)
    return kept


def _fill_closed_descriptors() -> None:
    """Open what the shell has closed (``>&-``): the next file would become standard output.

    Python has no `sys.stderr` then, and what prints there, or takes it for standard output, fails.
    """
    number = os.open(os.devnull, os.O_RDWR)
    while number <= 2:
        number = os.dup(number)
    os.close(number)
    if getattr(sys, "stderr", None) is None:
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), errors="backslashreplace")


@contextmanager
def _reserved() -> Generator[None]:
    global _results  # noqa: PLW0603 - as `sys.stdout`, of which there is one
    before, _results = _results, sys.stdout
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _results = before


def results() -> TextIO:
    """Standard output."""
    return _results or sys.stdout


def show(text: str) -> None:
    """Print a line of the result."""
    click.echo(clean(text), file=results())


def show_json(value: object) -> None:
    """Print a result as one line of JSON; a number that JSON does not have becomes null."""
    show(json.dumps(_finite(value)))


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def complain(text: str) -> None:
    """Print a line that is no result: an error, a warning."""
    with suppress(OSError):  # standard error is full, and there is no other place
        click.echo(readable(text), err=True)


def make_console(*, quiet: bool = False, for_results: bool = True) -> "Console":
    """Make a console that fits the terminal, and does not break lines in a pipe.

    Parameters
    ----------
    for_results
        Print to standard output; otherwise to standard error.
    """
    from rich.console import Console

    file = results() if for_results else sys.stderr
    console = Console(file=file, quiet=quiet)
    if console.is_terminal:
        return console
    return Console(file=file, quiet=quiet, width=_PIPE_WIDTH)


def say(console: "Console", text: str) -> None:
    """Print a text on a console as it is, without line breaks and without markup."""
    console.print(readable(text), soft_wrap=True, highlight=False, markup=False)


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Write in plain letters what an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    spelled = (_SPELLED.get(one) or one.encode("unicode_escape").decode() for one in text)
    return "".join(spelled), error.end


codecs.register_error(_PLAIN_TEXT, _spell)
