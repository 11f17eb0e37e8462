"""The domain's errors: mistakes that the user can correct, and failures of a candidate.

    InputError           an input cannot be used; one message
      WholeRunError      every candidate would fail by it; ends the run
      AwayError          a server is away for now
      NotInstalledError  a part needs a package that is not installed
    EndOfCommandError    the instance's storage cannot be used
    CandidateError       one candidate cannot be trained or scored

Errors of stored files are in `iris_hpo.store.digests`.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from iris_hpo.text import readable


class InputError(ValueError):
    """An input of the user cannot be used.

    The message is complete by itself: it names the file, line and value if there are any, and says
    what to do. Callers show the message alone, without a traceback.

    Parameters
    ----------
    message
        Message for the user. It passes `iris_hpo.text.readable`, because names, values and labels
        in it come from files.
    field
        Place of the cause in a search's description, for example ``("axes", 1, "symbol")``.
    """

    def __init__(self, message: str, *, field: Sequence[str | int] = ()) -> None:
        super().__init__(readable(message))
        self.field = tuple(field)


class WholeRunError(InputError):
    """A problem that every candidate would meet, such as a full disk.

    The run ends with one message, instead of failing one candidate after the other.
    """


class AwayError(InputError):
    """A server that the run needs is away for now."""


class NotInstalledError(InputError):
    """A part needs a package that is not installed; the message says what to install."""


class EndOfCommandError(BaseException):
    """What the instance's storage lacks; raised in the main thread of a command.

    It is no `Exception`, as Dagster catches those of a storage and goes on.
    """


class CandidateError(Exception):
    """A candidate cannot be trained or scored; a retry would fail in the same way.

    Parameters
    ----------
    message
        Message for the user. It passes `iris_hpo.text.readable`, because it may quote an estimator.
    """

    def __init__(self, message: str) -> None:
        super().__init__(readable(message))


@contextmanager
def at_field(*place: str | int) -> Generator[None]:
    """Add to an `InputError` of the block the place of its cause in a search's description."""
    try:
        yield
    except InputError as error:
        error.field = (*place, *error.field)
        raise
