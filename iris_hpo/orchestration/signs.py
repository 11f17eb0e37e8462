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
from functools import cache
from pathlib import Path
from typing import Final

import dagster as dg

PATIENCE_SECONDS = 40.0
"""How long a beat may stand still: a busy machine, or a fit that lets no other thread run."""

UNMARKED_SECONDS = 180.0
"""How long a slot may be held without any sign of life: a step's container may be starting.

If the process that starts it is not on this machine, it is dead, or the step is soon at work."""

_LONGEST_LOOK: Final = 15.0
"""What the time between two looks counts at most: who waits was suspended too, or the database was
away, and the run could show nothing."""

_BOOT: Final = "/proc/sys/kernel/random/boot_id"


@cache
def _place() -> str:
    """Where process ids have a meaning: this boot of this machine, and its namespace of processes.

    Empty where it cannot be known, as on macOS: there beats alone decide.
    """
    try:
        boot = Path(_BOOT).read_text().strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115
    except OSError:
        return ""


def _started(process: int) -> str | None:
    """When a process was started, in the kernel's ticks since the boot; None if it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


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
        if not self.place or self.place != _place():
            return None
        try:
            found = _started(self.process)
            if found is None:
                os.kill(self.process, 0)  # it may only be hidden: of another user
        except ProcessLookupError:
            return False
        except OSError:
            return None
        return found == self.started


def is_here(process: int, since: float) -> bool:
    """Whether this machine has a process of this id that was started before a point in time.

    Parameters
    ----------
    since
        Seconds since the epoch.
    """
    try:
        ticks = _started(process)
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return True  # it cannot be known
    if ticks is None:
        return False
    started = time.time() - uptime + int(ticks) / os.sysconf("SC_CLK_TCK")
    return started < since + 1


def own_sign(beat: int) -> Sign:
    """A sign of life of this process."""
    place, process = _place(), os.getpid()
    started = (_started(process) if place else None) or ""
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
