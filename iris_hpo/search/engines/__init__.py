"""Engines: run the same work on many items, and give each outcome as it finishes.

An engine isolates items from each other. An exception, a dead worker or an endless computation
costs its own item and nothing else.
"""

from iris_hpo.search.engines.interface import Done, Engine, Failed, Limits
from iris_hpo.search.engines.loky import apart, end_spare, loky_engine, start_ahead
from iris_hpo.search.engines.serial import SerialEngine
from iris_hpo.search.errors import InputError

__all__ = [
    "Done",
    "Engine",
    "Failed",
    "Limits",
    "SerialEngine",
    "apart",
    "end_spare",
    "loky_engine",
    "make_engine",
    "start_ahead",
]


def make_engine(name: str, jobs: int = 0) -> Engine:
    """Make an engine by its name: ``loky`` or ``serial``.

    Raises
    ------
    InputError
        If there is no such engine or ``jobs`` is negative.
    """
    if jobs < 0:
        raise InputError(f"jobs {jobs} must be 0 (one per core) or a number of processes")
    if name == "serial":
        return SerialEngine()
    if name == "loky":
        return loky_engine(jobs)
    raise InputError(f"engine {name!r} is unknown; choose one of loky, serial")
