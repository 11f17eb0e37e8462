"""What a call of others' code leaves in this process, and the end of the process in spite of it."""

import atexit
import os
import sys
import sysconfig
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final
from weakref import WeakSet

from iris_hpo.text import readable

_PATIENCE_SECONDS: Final = 5.0
"""How long the end of the process waits for what was left."""

_LIBRARIES: Final = tuple(
    f"{folder}{os.sep}" for folder in (sysconfig.get_path("stdlib"), Path(__file__).parent)
)

_threads: WeakSet[threading.Thread] = WeakSet()
_functions: list[int] = []
"""How many functions each block has registered with `atexit`."""


@contextmanager
def noted(*, warns: bool = True) -> Generator[None]:
    """Note what the block leaves: threads, and functions registered with `atexit`.

    Parameters
    ----------
    warns
        Whether to warn of a thread that still runs code of the project.
    """
    registered: Callable[[], int] = vars(atexit)["_ncallbacks"]
    threads, functions = threading.enumerate(), registered()
    try:
        yield
    finally:
        if registered() > functions:
            _functions.append(registered() - functions)
        if threading.enumerate() != threads:
            for thread in {*threading.enumerate()} - {*threads} - {*_threads}:
                _threads.add(thread)
                if warns:
                    _warn_of(thread)


def _warn_of(thread: threading.Thread) -> None:
    running: Mapping[int, FrameType] = vars(sys)["_current_frames"]()
    frames = _frames(running.get(thread.ident or 0))
    codes = [frame.f_code for frame in frames if _is_of_project(frame.f_code.co_filename)]
    if codes:
        with suppress(UserWarning):  # the block may have made it an error
            warnings.warn_explicit(
                f"{codes[-1].co_name} still runs in a thread after the call that has started it: "
                "what it does can change the results of later candidates",
                UserWarning,
                codes[-1].co_filename,
                codes[-1].co_firstlineno,
            )


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_of_project(file: str) -> bool:
    is_installed = {"site-packages", "dist-packages"} & {*Path(file).parts}
    return not (is_installed or file.startswith(("<", *_LIBRARIES)))


def end_soon(code: int) -> None:
    """Let this process end soon, with an exit code, whatever was left in it."""
    if _functions or _names():
        with suppress(RuntimeError):  # no more threads
            threading.Thread(target=_end, args=(code,), daemon=True).start()


def _end(code: int) -> None:
    time.sleep(_PATIENCE_SECONDS)
    names = ", ".join(_names())
    left = f"the thread {names}" if names else "a function registered with atexit"
    with suppress(OSError):
        text = f"iris-hpo: the command ends without waiting for what a call has left: {left}"
        os.write(2, f"{readable(text)}\n".encode(errors="backslashreplace"))
    os._exit(code)


def _names() -> list[str]:
    """Names of the threads that Python would wait for."""
    left = [thread for thread in _threads if thread.is_alive() and not thread.daemon]
    return sorted(thread.name for thread in left)
