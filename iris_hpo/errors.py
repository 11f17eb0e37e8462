"""The errors of the domain: what the user can mend, and what a candidate does wrong itself."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from iris_hpo.text import readable


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is complete by itself: it names the file, the line and the value where there are
    such, and says what to do. Callers show it as it is, without a traceback.

    Parameters
    ----------
    message
        For the user. It is made `iris_hpo.text.readable`: names, values and labels in it come
        from files.
    field
        Where in a search's description the cause is, for example ``("axes", 1, "symbol")``.
    """

    def __init__(self, message: str, *, field: Sequence[str | int] = ()) -> None:
        super().__init__(readable(message))
        self.field = tuple(field)


class WholeRunError(InputError):
    """Something that every candidate would meet, such as a full disk.

    It ends the run, with one message, instead of failing one candidate after the other.
    """


class CandidateError(Exception):
    """A candidate cannot be trained or scored; its own failure, which a retry would repeat.

    Parameters
    ----------
    message
        For the user. It is made `iris_hpo.text.readable`: it may quote an estimator.
    """

    def __init__(self, message: str) -> None:
        super().__init__(readable(message))


@contextmanager
def at_field(*place: str | int) -> Generator[None]:
    """Say where in a search's description an `InputError` of the block has its cause."""
    try:
        yield
    except InputError as error:
        error.field = (*place, *error.field)
        raise
