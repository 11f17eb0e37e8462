"""Who is told how a run goes: the run's log by default, a progress bar under the command."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import dagster as dg

from iris_hpo.orchestration.presentation import log_line

_WARNINGS: Final = 20
"""Number of different warnings that are counted separately."""
_OTHERS: Final = "other warnings"


@dataclass
class Counts:
    """How far a run is, and which warnings its candidates gave how often."""

    total: int
    trained: int = 0
    reused: int = 0
    failed: int = 0
    warned: Counter[str] = field(default_factory=Counter[str])

    @property
    def done(self) -> int:
        """Candidates with an outcome."""
        return self.trained + self.reused + self.failed

    def add_warnings(self, warned: Mapping[str, int]) -> None:
        """Count warnings: each text, or as one of the others where there are many."""
        for text, times in warned.items():
            known = text in self.warned or len(self.warned) < _WARNINGS
            self.warned[text if known else _OTHERS] += times

    def warnings(self) -> list[str]:
        """Each warning once, in one line, with its number."""
        return [
            f"{text} ({times:,} times)" if times > 1 else text
            for text, times in self.warned.items()
        ]

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
        line = f"{counts.done} of {counts.total} candidates: {counts}; {left:.0f} s left"
        log_line(context.log, line)
