"""Who is told how a run goes: the run's log by default, a progress bar under the command."""

import time
from dataclasses import dataclass
from typing import Protocol

import dagster as dg


@dataclass
class Counts:
    """How far a run is."""

    total: int
    trained: int = 0
    reused: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        """Candidates with an outcome."""
        return self.trained + self.reused + self.failed

    def __str__(self) -> str:
        return f"{self.trained} trained, {self.reused} reused, {self.failed} failed"


class Progress(Protocol):
    """Is told at the start, with nothing done, and whenever outcomes came."""

    def __call__(self, context: dg.AssetExecutionContext, counts: Counts) -> None:
        """Take note of the counts."""
        ...


class LogProgress:
    """One line in the run's log every few seconds, not one per candidate."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._started = self._said = time.monotonic()

    def __call__(self, context: dg.AssetExecutionContext, counts: Counts) -> None:
        """Log the counts and the time left, now and then."""
        now = time.monotonic()
        if not counts.done:
            self._started = self._said = now
        if now - self._said < self._seconds or counts.done >= counts.total:
            return
        self._said = now
        left = (now - self._started) / counts.done * (counts.total - counts.done)
        context.log.info(f"{counts.done} of {counts.total} candidates: {counts}; {left:.0f} s left")
