"""Code of others in this process: its failures are its candidate's, its traces are undone."""

import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any

from iris_hpo.errors import CandidateError, InputError


@contextmanager
def own_failure(what: str) -> Generator[None]:
    """Turn what the block raises into the candidate's failure; ``what`` names the block.

    That includes SystemExit, and KeyboardInterrupt where no terminal can have sent it.

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
    except (Exception, SystemExit, GeneratorExit) as error:
        raise CandidateError(f"{what} failed: {describe(error)}") from error
    except KeyboardInterrupt as error:
        if _may_be_ctrl_c(error):
            raise
        raise CandidateError(f"{what} failed: {describe(error)}") from error


def describe(error: BaseException) -> str:
    """Write an error in one line."""
    message = " ".join(str(error).split())[:500]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


@contextmanager
def kept_process() -> Generator[None]:
    """Undo what the block does to this process: its umask, the limits it lowers, its output.

    What comes later has to write files that can be read, and to print.
    """
    with ExitStack() as undone:
        umask = os.umask(0o077)
        os.umask(umask)
        undone.callback(os.umask, umask)
        undone.enter_context(_kept_limits())
        for name in ("stdout", "stderr"):
            undone.callback(_restore_stream, name, getattr(sys, name, None))
        yield


@contextmanager
def without_copies() -> Generator[None]:
    """End a process that the block forks off, when it leaves the block.

    It would go on as this process does: record results, and select.
    """
    process = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != process:
            error = sys.exception()
            os._exit(1 if error and getattr(error, "code", 1) else 0)


@contextmanager
def _kept_limits() -> Generator[None]:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        yield
        return
    kinds: list[int] = [getattr(resource, name) for name in dir(resource) if "RLIMIT_" in name]
    before = {kind: resource.getrlimit(kind) for kind in kinds}
    try:
        yield
    finally:
        unlimited = resource.RLIM_INFINITY
        for kind, (soft, _) in before.items():
            now, most = resource.getrlimit(kind)
            if now != unlimited and (soft == unlimited or now < soft):
                is_free = most == unlimited or most >= soft != unlimited
                resource.setrlimit(kind, (soft if is_free else most, most))


def _restore_stream(name: str, stream: Any) -> None:
    if not hasattr(sys, name):
        setattr(sys, name, stream)


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
