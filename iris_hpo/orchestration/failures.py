"""How an error of the user becomes the failure of a run or a tick: its message, and no retry."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg

from iris_hpo.search.errors import InputError


@contextmanager
def user_errors() -> Generator[None]:
    """Turn an `InputError` into a `dagster.Failure` with the same message."""
    try:
        yield
    except InputError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
