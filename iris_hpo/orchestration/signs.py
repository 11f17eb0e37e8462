"""Signs of life: the process that executes a run, and its heartbeat.

They are stored with the instance, so that every process on every machine that uses the instance can
read them. What follows from them is in `iris_hpo.orchestration.turns`.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import dagster as dg

from iris_hpo.processes import place_of_processes, start_of

PATIENCE_SECONDS = 40.0
"""Time for which a heartbeat may stop: the machine may be busy, or a fit block other threads."""

UNMARKED_SECONDS = 180.0
"""Time for which a slot may be held without a sign of life: a step's container may be starting.

If the process that starts the step is not on this machine, it has died, or the step begins soon."""

_LONGEST_LOOK: Final = 15.0
"""Largest time between two looks that is counted. A longer one means that the waiting process was
suspended too, or that the database was away, so that the run could show no sign."""


@dataclass(frozen=True)
class Sign:
    """The last sign of life of a run.

    Attributes
    ----------
    process
        Id of the process.
    host
        Name of its machine.
    place
        Where the process id is valid; empty if unknown.
    started
        Start time of the process, in ticks since the boot.
    beat
        Heartbeat, which grows while the process works on the run; 0 when the work has ended.
    """

    process: int
    host: str
    place: str
    started: str
    beat: int

    def lives(self) -> bool | None:
        """Whether the process is alive; None if that cannot be known on this machine."""
        if not self.place or self.place != place_of_processes():
            return None
        try:
            start = start_of(self.process)
            if start is None:
                os.kill(self.process, 0)  # another user's process may only be hidden
        except ProcessLookupError:
            return False
        except OSError:
            return None
        return start == self.started

    def has_left(self) -> bool:
        """Whether its process has died after its work; the run may go on in another process."""
        return not self.beat and self.lives() is False


def own_sign(beat: int) -> Sign:
    """Make a sign of life of this process."""
    place, process = place_of_processes(), os.getpid()
    started = (start_of(process) if place else None) or ""
    return Sign(process, socket.gethostname(), place if started else "", started, beat)


def write_sign(instance: dg.DagsterInstance, run_id: str, sign: Sign) -> None:
    """Store a run's sign of life with the instance."""
    instance.daemon_cursor_storage.set_cursor_values({_key(run_id): json.dumps(vars(sign))})


def read_signs(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> dict[str, Sign]:
    """Read the signs of life of runs; runs without one are left out."""
    keys = {_key(run_id): run_id for run_id in run_ids}
    stored = instance.daemon_cursor_storage.get_cursor_values(set(keys)) if keys else {}
    return {keys[key]: Sign(**json.loads(value)) for key, value in stored.items()}


def _key(run_id: str) -> str:
    return f"iris_hpo/sign_of_life/{run_id}"


class Watch:
    """Measures how long runs have shown the same sign, on this process's clock.

    Parameters
    ----------
    clock
        Returns seconds that never go backwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[Sign | None, float, float]] = {}

    def silence(self, run_id: str, sign: Sign | None) -> float:
        """Note the present sign of a run; return the seconds for which it has not changed."""
        now = self._clock()
        with self._lock:
            before, silent, looked = self._seen.get(run_id, (sign, 0.0, now))
            silent = silent + min(now - looked, _LONGEST_LOOK) if before == sign else 0.0
            self._seen[run_id] = sign, silent, now
        return silent

    def forget(self, run_ids: Iterable[str]) -> None:
        """Forget runs."""
        with self._lock:
            for run_id in run_ids:
                self._seen.pop(run_id, None)


def why_dead(
    sign: Sign | None, silence: float, *, finished: bool, orphaned: bool = False
) -> str | None:
    """Reason why a run counts as dead; None while it may be alive.

    Parameters
    ----------
    silence
        Seconds for which the run has shown this sign, as `Watch` counts them.
    finished
        Whether the run has ended, and only its slot is still held.
    orphaned
        Whether the process that executes the run, or launches its steps, is not on this machine.
    """
    lives = sign.lives() if sign else None
    if sign and lives is False and (sign.beat or orphaned):
        return "its process has died"
    if sign and sign.beat and lives:
        return None
    soon = finished or (sign.beat if sign else orphaned)
    patience = PATIENCE_SECONDS if soon else UNMARKED_SECONDS
    return f"no sign of life for {silence:.0f} s" if silence >= patience else None
