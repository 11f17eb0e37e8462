"""Connect to a Dask scheduler, with one message if that fails."""

import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from iris_hpo.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

ANSWER_SECONDS: Final = 20.0
"""A scheduler that does not answer within this time counts as gone."""


@contextmanager
def connected(address: str) -> "Generator[Client]":
    """Connect to a scheduler.

    Raises
    ------
    InputError
        If no scheduler answers.
    """
    from distributed import Client
    from distributed.comm.addressing import get_address_host_port
    from distributed.versions import VersionMismatchWarning

    # Dask would log the errors that are raised here, in other words.
    for name in ("distributed", "distributed.client"):  # both have levels of their own
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        get_address_host_port(address)  # a client that fails at a wrong address is never closed
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VersionMismatchWarning)
            client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False, name="iris_hpo")
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at {address}{in_brackets(error)}; start it, or correct "
            "the address (dask_address, IRIS_HPO_DASK_ADDRESS)"
        ) from error
    try:
        yield client
    finally:
        client.close(timeout=2)


def in_brackets(error: BaseException) -> str:
    """Return the message of an error in brackets, after a space; empty without a message."""
    text = " ".join(str(error).split())
    return f" ({text})" if text else ""
