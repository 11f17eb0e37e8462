"""The end of this process, which the code of others does not bring about."""

import atexit
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import cache, wraps
from os import getpid  # a call may replace the function of `os`
from typing import Any, Final

_ENDS: Final = ("_exit", "execv", "execve")
"""Functions of `os` that end this process without clean-up, or replace it."""

_end_at_once: Final = os._exit
_guarded: list[tuple[int, int]] = []
"""The process and the thread of each block of `no_exit`."""


@contextmanager
def no_exit() -> Generator[None]:
    """Raise SystemExit where the block would end this process by `os._exit`, or replace it.

    A command would end without a word, and with exit code 0. A process that the block forks off
    really ends, as those of `multiprocessing` do.
    """
    for name in _ENDS:
        end = getattr(os, name)
        if not hasattr(end, "is_refusal"):
            setattr(os, name, _refusal(name, end))
    block = getpid(), threading.get_ident()
    _guarded.append(block)
    try:
        yield
    finally:
        _guarded.remove(block)


def _refusal(name: str, end: Callable[..., object]) -> Callable[..., object]:
    """Make what replaces a function of `os` from the first block on; outside, it does the same.

    Another thread of the process ends it, as only that is sure, but never with exit code 0.
    """

    @wraps(end)
    def refuse(*given: Any, **named: Any) -> object:
        process, thread = getpid(), threading.get_ident()
        argument = next(iter((*given, *named.values())), None)
        if (process, thread) in _guarded:
            raise SystemExit(f"os.{name}({argument!r})")
        if process in dict(_guarded) and (name != "_exit" or argument == 0):
            _write(f"a thread has ended the process by os.{name}({argument!r})")
            _end_at_once(2)
        return end(*given, **named)

    refuse.is_refusal = True  # type: ignore[attr-defined]
    return refuse


@cache
def refuse_exit() -> None:
    """End this process with exit code 2 if compiled code calls C's `exit` in a block of `no_exit`.

    Until Python ends, which calls it too.
    """
    import ctypes

    try:
        c = ctypes.CDLL(None)
        begin, end = c["__cxa_atexit"], c["__cxa_finalize"]
    except (AttributeError, OSError, TypeError):  # Windows has no such functions
        return
    library = ctypes.create_string_buffer(1)  # its address is the name of what is registered
    noted = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_on_exit)
    name = ctypes.c_void_p(ctypes.addressof(library))
    _kept.append((library, noted))
    begin(noted, None, name)
    atexit.register(end, name)


_kept: list[object] = []
"""What compiled code refers to."""


def _on_exit(_: object) -> None:
    if getpid() in dict(_guarded):
        _write("compiled code has ended the process by exit")
        _end_at_once(2)


def _write(text: str) -> None:
    with suppress(OSError):
        os.write(2, f"iris-hpo: {text}\n".encode(errors="backslashreplace"))
