"""Functions that run in a loky worker process: start it, and do chunks of items.

A worker imports this module first, so every import here delays its start.
"""

import importlib
import math
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Final

from iris_hpo.engines.interface import Chunk, Report, do_chunk, loaded
from iris_hpo.engines.shared_work import unpack
from iris_hpo.errors import WholeRunError

ONE_THREAD: Final[dict[str, str]] = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"), "1"
)
"""Environment variables that limit the threads of libraries that are loaded later."""


_held: tuple[str, Callable[[object], object]] | None = None
_begun: Final = count()
"""Number of items that were begun here."""


_MEMORY_VICTIM: Final = 500
"""How readily the kernel ends a worker where memory lacks; 0 is usual, 1,000 the most."""

_SPARE_DESCRIPTORS: Final = 16
"""Number of descriptors that an item may need."""

_BEFORE_ALL: Final = 1000
"""Priority among the functions that `multiprocessing` calls when a process ends."""


def start_worker(parent: int) -> None:
    """Let this process start others as any does; end it with its parent, or first if memory lacks.

    Spawned processes would take over loky's way to start others, which they do not know. Once it
    takes no more work, it waits for nothing that a call has left: a thread, a child.
    """
    Finalize(None, os._exit, args=(1,), exitpriority=_BEFORE_ALL)
    multiprocessing.set_start_method(None, force=True)
    with suppress(OSError, ValueError):  # only Linux has it
        place = Path("/proc/self/oom_score_adj")
        place.write_text(str(max(int(place.read_text()), _MEMORY_VICTIM)))
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def import_modules(names: Sequence[str]) -> None:
    """Import modules that the work will need, while there is no work yet."""
    for name in names:
        importlib.import_module(name)


def adopt_path(path: Sequence[str]) -> None:
    """Use the driver's import path, which may have changed since this worker started."""
    sys.path[:] = path


def run_chunk(work: str, chunk: Chunk) -> list[Report]:
    """Do the items of a chunk.

    Parameters
    ----------
    work
        Path of the file with the packed work, which is read once. If the chunk is timed, a file
        named by its number is made beside it when the first item starts.

    Raises
    ------
    WholeRunError
        If these files cannot be used, as somebody has removed them.
    """
    do = _hold(work)
    if chunk.is_timed and chunk.items:
        with _files_of_run():
            Path(work).with_name(str(chunk.number)).touch()
    return do_chunk(partial(_do_with_room, do), chunk)


def _do_with_room(do: Callable[[object], object], item: object) -> object:
    """Do an item, unless earlier ones have left so many files open that another worker has to."""
    if next(_begun) and _free_descriptor() > _most_descriptors() - _SPARE_DESCRIPTORS:
        os._exit(1)
    return do(item)


def _free_descriptor() -> float:
    try:
        descriptor = os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return math.inf
    os.close(descriptor)
    return descriptor


def _most_descriptors() -> float:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return math.inf
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return math.inf if most == resource.RLIM_INFINITY else most


def _hold(path: str) -> Callable[[object], object]:
    global _held  # noqa: PLW0603 - a worker can keep the work between chunks only here
    if _held is None or _held[0] != path:
        with _files_of_run():
            work = unpack(Path(path))
        _held = path, loaded(work)
    return _held[1]


@contextmanager
def _files_of_run() -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise WholeRunError(
            f"the run's temporary file {error.filename} cannot be used: {error.strerror}; keep it "
            "while a run works, then run the search again: finished candidates are kept"
        ) from error
