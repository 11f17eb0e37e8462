"""What runs in a worker process: it holds the work, and does it item by item.

A worker imports this module before anything else; what it costs delays every start.
"""

import os
import pickle
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from iris_hpo.search.engines.interface import Done, Failed, attempt


@dataclass(frozen=True)
class Report:
    """What a worker says of one item of a chunk."""

    outcome: Done[object, object] | Failed[object]
    seconds: float


_held_work: Callable[[object], object] | None = None


def start_worker(work: bytes, parent: int) -> None:
    """Hold the work, once per worker; end with the process that started it."""
    global _held_work  # noqa: PLW0603 - an initializer has no other place to leave things
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _held_work = pickle.loads(work)  # noqa: S301 - from our own process
    threadpool_limits(1)  # of the libraries that the work has just loaded


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def run_chunk(
    items: Sequence[object], numbers: Sequence[int], retries: int, marks: str | None
) -> list[Report]:
    """Do the held work for some items; with ``marks``, touch a file there when an item starts."""
    if _held_work is None:
        raise RuntimeError("the worker was not initialised")
    reports: list[Report] = []
    for item, number in zip(items, numbers, strict=True):
        if marks is not None:
            Path(marks, str(number)).touch()
        started = time.perf_counter()
        outcome = attempt(_held_work, item, retries)
        reports.append(Report(outcome, time.perf_counter() - started))
    return reports
