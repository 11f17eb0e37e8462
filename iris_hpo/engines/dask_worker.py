"""Functions that run in a Dask worker: describe it, hold the work of a run, do chunks of items.

A worker's process lives longer than a run, and may work for several runs. So the work is held under
the run's token, and released when the run ends.
"""

import math
import multiprocessing
import os
import pickle
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any, Final

from threadpoolctl import threadpool_limits

from iris_hpo.engines.interface import Failed, Limits, Report, attempt, in_one_line
from iris_hpo.engines.shared_work import unpack, unpack_from
from iris_hpo.engines.worker import ONE_THREAD

Work = Callable[[object], object]

_PACKAGES: Final = ("iris_hpo", "numpy", "scikit-learn")
_MOST_HELD: Final = 16
"""Largest number of works held. A killed run cannot release its work; newer ones push it out."""
_LOOK_SECONDS: Final = 0.1
_SENDING_SECONDS: Final = 0.005
"""Time for a message to leave: another thread sends it, which a fit in compiled code may block."""

_held: dict[str, Work] = {}
_released: deque[str] = deque(maxlen=64)
_pause_fractions: list[float] = []
"""The worker's own fraction of memory at which it pauses, while another one is in force."""
_thread = threading.local()


class WorkLostError(Exception):
    """The worker does not hold this work: its process has been replaced since the work was sent."""


@dataclass(frozen=True)
class Facts:
    """Properties of a worker that decide whether it can do the work, and how it gets the work.

    Attributes
    ----------
    sees_work
        Whether the worker is on the driver's machine, and may read the file with the work.
    """

    versions: dict[str, str]
    threads: int
    has_nanny: bool
    sees_work: bool


def versions() -> dict[str, str]:
    """Versions that must be the same on all machines for results to be the same."""
    return {"python": python_version(), **{name: version(name) for name in _PACKAGES}}


def machine_id() -> str:
    """Identify this machine until its next start; empty if it has no such number."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def describe(work: str, machine: str, dask_worker: Any) -> Facts:
    """Describe this worker, and let it work with little free memory.

    Parameters
    ----------
    work
        Path of the file with the work on the driver's machine. A folder that several machines
        share is not enough: where the file is removed, a mapped one may be lost.
    machine
        The driver's machine.
    """
    sees_work = bool(machine) and machine == machine_id() and os.access(work, os.R_OK)
    _do_not_pause(dask_worker.memory_manager)
    return Facts(versions(), dask_worker.state.nthreads, dask_worker.nanny is not None, sees_work)


def _do_not_pause(memory: Any) -> None:
    """Let a worker start tasks however full its memory is, until its nanny ends it for that.

    A worker that pauses, at 80 % by default, starts no task until memory is free again. What
    candidates have left there may stay, so the run would wait without end.
    """
    if memory.memory_pause_fraction not in (False, math.inf):
        _pause_fractions[:] = [memory.memory_pause_fraction]
        memory.memory_pause_fraction = math.inf


def objection_to(facts: object, limits: Limits) -> str:
    """Reason why a worker cannot be used; empty if it can."""
    if not isinstance(facts, Facts):
        reason = " ".join(str(facts).split())
        return f"cannot say what it is ({reason}); install the same packages everywhere"
    other = [
        f"{name} {facts.versions.get(name)}, not {own}"
        for name, own in versions().items()
        if facts.versions.get(name) != own
    ]
    if other:
        return f"has {' and '.join(other)}; install the same versions everywhere"
    if facts.threads != 1:
        return f"has {facts.threads} threads; start it with --nthreads 1, and more of them"
    if limits.timeout and not facts.has_nanny:
        return "has no nanny, so candidate_timeout could not end a fit; start it with --nanny"
    return ""


def hold_work(token: str, content: bytes | str) -> None:
    """Unpickle and hold the work of a run; let the work prepare, which checks this machine.

    Parameters
    ----------
    content
        The packed work, or the path of the file with it, which is mapped: its arrays are in memory
        once for all workers of a machine.
    """
    while len(_held) >= _MOST_HELD:
        _held.pop(next(iter(_held)), None)
    multiprocessing.current_process().daemon = False  # its nanny's children may start no others
    os.environ.update(ONE_THREAD)  # a worker without a nanny has the environment of its shell
    if isinstance(content, str):
        work: Any = unpack(Path(content))
    else:
        work = unpack_from(bytearray(content))  # arrays of bytes would be read-only
    prepare = getattr(work, "prepare", None)
    if prepare is not None:
        prepare()
    if token not in _released:
        _held[token] = work


def release_work(token: str, dask_worker: Any = None) -> None:
    """Release the work of a run; a chunk in progress ends after its present item."""
    _released.append(token)  # `hold_work` may be loading the work at this moment
    _held.pop(token, None)
    if dask_worker is not None and _pause_fractions and not _held:
        dask_worker.memory_manager.memory_pause_fraction = _pause_fractions.pop()


def run_chunk(
    token: str, content: bytes, retries: int, starts: tuple[str, int] | None
) -> Sequence[bytes]:
    """Do the held work for pickled items; return a pickled report for each.

    Parameters
    ----------
    starts
        Topic and message to send when the first item starts.
    """
    if token not in _held:
        raise WorkLostError
    if getattr(_thread, "limited_for", None) != token:
        # OpenMP limits one thread, and the limit reaches only libraries that are loaded.
        threadpool_limits(1)
        _thread.limited_for = token
    if starts is not None:
        from distributed import get_worker

        get_worker().log_event(*starts)
        time.sleep(_SENDING_SECONDS)
    reports: list[bytes] = []
    for item in pickle.loads(content):  # noqa: S301 - from our own driver
        work = _held.get(token)
        if work is None:
            break
        reports.append(_report(work, item, retries))
    return reports


def _report(work: Work, item: object, retries: int) -> bytes:
    started = time.perf_counter()
    outcome = attempt(work, item, retries)
    seconds = time.perf_counter() - started
    try:
        return pickle.dumps(Report(outcome, seconds))
    except Exception as error:  # noqa: BLE001 - pickling a result may raise anything
        return pickle.dumps(Report(Failed(item, in_one_line(error)), seconds))


def end_children_of(dask_worker: Any) -> None:
    """In a nanny whose worker is about to be killed: what the worker started ends with it."""
    psutil = import_module("psutil")
    worker = psutil.Process(dask_worker.pid)
    children = worker.children(recursive=True)  # later they are no longer known as its own
    if children:
        threading.Thread(target=_kill_after, args=(psutil, worker, children), daemon=True).start()


def _kill_after(psutil: Any, worker: Any, children: Iterable[Any]) -> None:
    """Kill processes once another one has ended, which is left to its parent to wait for."""
    with suppress(psutil.Error):
        while worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE:
            time.sleep(_LOOK_SECONDS)
    for child in children:
        with suppress(psutil.Error):
            child.kill()
