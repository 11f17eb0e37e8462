"""What runs in a worker process: chunks of items, with the work that they are for.

A worker imports this module before anything else; what it costs delays every start.
"""

import importlib
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from threadpoolctl import threadpool_limits

from iris_hpo.engines.interface import Chunk, Report, do_chunk, load_work

ONE_THREAD: Final[dict[str, str]] = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"), "1"
)
"""What libraries that are still to be loaded read."""


_held: tuple[str, Callable[[object], object]] | None = None


def start_worker(parent: int) -> None:
    """End with the process that started this one."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def import_modules(names: Sequence[str]) -> None:
    """Import what work is going to need, while there is none."""
    for name in names:
        importlib.import_module(name)


def adopt_path(path: Sequence[str]) -> None:
    """Import from where the driver imports, which may have learnt that since this worker began."""
    sys.path[:] = path


def run_chunk(work: str, chunk: Chunk) -> list[Report]:
    """Do the items of a chunk.

    Parameters
    ----------
    work
        The file with the pickled work, which is read once. If the chunk is timed, a file named by
        its number is made beside it when the first item starts.
    """
    do = _hold(work)
    if chunk.is_timed and chunk.items:
        Path(work).with_name(str(chunk.number)).touch()
    return do_chunk(do, chunk)


def _hold(path: str) -> Callable[[object], object]:
    global _held  # noqa: PLW0603 - a worker has no other place to keep things between chunks
    if _held is None or _held[0] != path:
        _held = path, load_work(Path(path).read_bytes())
        threadpool_limits(1)  # of the libraries that are loaded by now
    return _held[1]
