"""Signs of life: which process executes a run, and that it still works on it.

They are kept with the instance, so that every process of every machine that uses it can read them.
What follows from them is in `iris_hpo.orchestration.turns`.
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
"""How long a beat may stand still: a busy machine, or a fit that lets no other thread run."""

UNMARKED_SECONDS = 180.0
"""How long a slot may be held without any sign of life: a step's container may be starting.

If the process that starts it is not on this machine, it is dead, or the step is soon at work."""

_LONGEST_LOOK: Final = 15.0
"""What the time between two looks counts at most: who waits was suspended too, or the database was
away, and the run could show nothing."""


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
        Where the process id has a meaning; empty if that is not known.
    started
        When the process was started, in ticks since the boot.
    beat
        Grows as long as the process works on the run; 0 when it has put the run down.
    """

    process: int
    host: str
    place: str
    started: str
    beat: int

    def lives(self) -> bool | None:
        """Whether the process lives; None if that cannot be known here."""
        if not self.place or self.place != place_of_processes():
            return None
        try:
            found = start_of(self.process)
            if found is None:
                os.kill(self.process, 0)  # it may only be hidden: of another user
        except ProcessLookupError:
            return False
        except OSError:
            return None
        return found == self.started


def own_sign(beat: int) -> Sign:
    """A sign of life of this process."""
    place, process = place_of_processes(), os.getpid()
    started = (start_of(process) if place else None) or ""
    return Sign(process, socket.gethostname(), place if started else "", started, beat)


def write_sign(instance: dg.DagsterInstance, run_id: str, sign: Sign) -> None:
    """Keep a run's sign of life with the instance."""
    instance.daemon_cursor_storage.set_cursor_values({_key(run_id): json.dumps(vars(sign))})


def read_signs(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> dict[str, Sign]:
    """Read the signs of life of runs; those that never showed any are left out."""
    keys = {_key(run_id): run_id for run_id in run_ids}
    found = instance.daemon_cursor_storage.get_cursor_values(set(keys)) if keys else {}
    return {keys[key]: Sign(**json.loads(value)) for key, value in found.items()}


def _key(run_id: str) -> str:
    return f"iris_hpo/sign_of_life/{run_id}"


class Watch:
    """How long runs have shown the same sign, on this process's clock.

    Parameters
    ----------
    clock
        Seconds that never run backwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[Sign | None, float, float]] = {}

    def silence(self, run_id: str, sign: Sign | None) -> float:
        """Note what a run shows now; give the seconds for which it has shown nothing else."""
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
    """Judge who holds a slot, or a run that has not ended; None while it may live.

    Parameters
    ----------
    silence
        Seconds for which it has shown this sign, as `Watch` counts them.
    finished
        Whether the run has ended: then it only has to let go.
    orphaned
        Whether the process that launches its steps is not on this machine.
    """
    lives = sign.lives() if sign else None
    if sign and sign.beat and lives is not None:
        return None if lives else "its process has died"
    soon = finished or (sign.beat if sign else orphaned)
    patience = PATIENCE_SECONDS if soon else UNMARKED_SECONDS
    return f"no sign of life for {silence:.0f} s" if silence >= patience else None
