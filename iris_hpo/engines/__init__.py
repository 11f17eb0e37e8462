"""Engines: do the same work on many items, and give each outcome as it finishes.

An engine isolates items from each other: an exception, a dead worker or an endless computation
fails its own item and no other. Engines know nothing of searches and candidates.
"""

import logging
import os
from functools import cache
from importlib.util import find_spec
from typing import cast

from iris_hpo.engines.draws import draw
from iris_hpo.engines.interface import (
    Chunk,
    Done,
    Engine,
    Failed,
    Limits,
    Report,
    Supply,
    Workers,
    do_chunk,
    load_work,
)
from iris_hpo.engines.loky import (
    LokyEngine,
    apart,
    end_spare,
    keep_one,
    obstacle,
    start_ahead,
    start_process,
)
from iris_hpo.engines.serial import SerialEngine
from iris_hpo.engines.workers_engine import WorkersEngine
from iris_hpo.errors import InputError
from iris_hpo.machine import lack_of_address_space
from iris_hpo.parts import Part, make_part
from iris_hpo.run_settings import DASK, ENGINES, LOKY, SERIAL
from iris_hpo.text import readable

__all__ = [
    "ENGINES",
    "Chunk",
    "Done",
    "Engine",
    "Failed",
    "Limits",
    "LokyEngine",
    "Report",
    "SerialEngine",
    "Supply",
    "Workers",
    "WorkersEngine",
    "apart",
    "check_engine",
    "default_engine",
    "do_chunk",
    "draw",
    "end_spare",
    "engine_names",
    "keep_one",
    "load_work",
    "make_engine",
    "start_ahead",
    "start_process",
]


_log = logging.getLogger(__name__)


def default_engine() -> str:
    """``dask`` where IRIS_HPO_DASK_ADDRESS names a scheduler, else ``loky``."""
    return DASK if os.environ.get("IRIS_HPO_DASK_ADDRESS") else LOKY


def engine_names(own: Part | None = None) -> tuple[str, ...]:
    """Name the engines that a run can choose: the short names, and the search's own."""
    return (*ENGINES, own.use) if own and own.use not in ENGINES else tuple(ENGINES)


def check_engine(part: Part) -> None:
    """Refuse an engine that is unknown or cannot be made.

    Raises
    ------
    InputError
        If the engine is unknown, cannot be made, or has settings and is one of `ENGINES`.
    """
    if part.use not in ENGINES:
        make_part(part, ENGINES, "engine", "map")
    elif part.settings:
        raise InputError(
            f"the engine {part.use} has no settings here; a run has them", field=("settings",)
        )


def make_engine(
    name: str,
    jobs: int = 0,
    dask_address: str | None = None,
    timeout: float | None = None,
    own: Part | None = None,
) -> Engine:
    """Make an engine by its name.

    If no worker processes can be started, ``loky`` becomes ``serial``, and one line says so.

    Parameters
    ----------
    name
        One of `ENGINES`, or the import path of the search's own engine.
    jobs
        Number of processes on this machine; 0 for one per core.
    dask_address
        The scheduler's address; IRIS_HPO_DASK_ADDRESS by default.
    timeout
        Seconds that an item may take; None for no limit.
    own
        The search's own engine.

    Raises
    ------
    InputError
        If there is no such engine, or it cannot be made with these settings or on this machine.
    """
    _check_processes(jobs)
    if own and name == own.use and name not in ENGINES:
        return cast("Engine", make_part(own, ENGINES, "engine", "map"))
    if name == LOKY:
        reason = obstacle()
        if not reason:
            return LokyEngine(jobs)
        name = SERIAL
        if timeout is None:
            _say_once(
                f"iris-hpo: no worker processes can be started ({reason}): candidates are trained "
                f"one after the other, as by the engine {SERIAL}"
            )
    if name == SERIAL:
        engine = SerialEngine()
        engine.check_timeout(timeout)
        return engine
    if name == DASK:
        return _dask_engine(jobs, dask_address or os.environ.get("IRIS_HPO_DASK_ADDRESS"))
    raise InputError(f"engine {name!r} is unknown; choose one of {', '.join(engine_names(own))}")


def _check_processes(jobs: int) -> None:
    if jobs < 0:
        raise InputError(f"jobs {jobs} must be 0 (one per core) or a number of processes")
    if reason := lack_of_address_space():
        raise InputError(reason)


@cache
def _say_once(text: str) -> None:
    _log.warning(readable(text))


def _dask_engine(jobs: int, address: str | None) -> Engine:
    if not address:
        raise InputError(
            "the engine 'dask' needs the address of a scheduler, such as tcp://host:8786: give "
            "dask_address, or set IRIS_HPO_DASK_ADDRESS"
        )
    if jobs:
        raise InputError(f"jobs {jobs}: the engine 'dask' uses the workers that the cluster has")
    if find_spec("distributed") is None:
        raise InputError("the engine 'dask' needs Dask; pip install 'iris_hpo[dask]'")
    from iris_hpo.engines.dask import DaskEngine

    return DaskEngine(address)
