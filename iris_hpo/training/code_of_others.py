"""Code of others in this process: its failures are its candidate's, its copies end."""

import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from os import getpid  # a call may replace the function of `os`
from typing import Final

from iris_hpo.errors import CandidateError, InputError
from iris_hpo.text import one_line

_STEERING: Final = frozenset(("_pytest", "dagster", "iris_hpo"))
"""Packages whose own errors beside `Exception` steer the run, and pass the code of others."""


@contextmanager
def own_failure(what: str) -> Generator[None]:
    """Turn what the block raises into the candidate's failure; ``what`` names the block.

    That includes SystemExit and every other BaseException of others, and KeyboardInterrupt where
    no terminal can have sent it.

    Raises
    ------
    CandidateError
        The reason in one line.
    """
    try:
        with without_copies():
            yield
    except (CandidateError, InputError):
        raise
    except BaseException as error:
        if steers(error):
            raise
        raise CandidateError(f"{what} failed: {describe(error)}") from error


def describe(error: BaseException) -> str:
    """Write an error in one line."""
    message = one_line(error)[:500]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


@contextmanager
def without_copies() -> Generator[None]:
    """End a process that the block forks off, when it leaves the block.

    It would go on as this process does: record results, and select.
    """
    process = getpid()
    try:
        yield
    finally:
        if getpid() != process:
            error = sys.exception()
            os._exit(1 if error and getattr(error, "code", 1) else 0)


def steers(error: BaseException) -> bool:
    """Whether an error is for the run, and not the failure of a candidate."""
    if isinstance(error, KeyboardInterrupt):
        return _may_be_ctrl_c(error)
    packages = {str(kind.__module__).partition(".")[0] for kind in type(error).__mro__}
    return not isinstance(error, Exception) and not packages.isdisjoint(_STEERING)


def _may_be_ctrl_c(error: KeyboardInterrupt) -> bool:
    """Whether a terminal may have sent an interrupt, and not the estimator."""
    if type(error) is not KeyboardInterrupt:  # our own, for the user's
        return True
    if threading.current_thread() is not threading.main_thread():
        return False
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return False
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ()) if hasattr(signal, "SIGHUP") else ()
    return signal.SIGINT not in blocked
