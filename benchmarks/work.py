"""The class `Work`: contestants on one problem, and how they are compared."""

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.compare import Goal, Ran, Results, Spread, compare

OURS: Final = "iris_hpo"
"""The contestant that the others are compared with."""

# Names of figures; those of `Measurement` first.
WALL: Final = "seconds"
CPU: Final = "cpu_seconds"
MEMORY: Final = "peak_mb"
DRIVER: Final = "driver_mb"
WHOLE: Final = "whole"
"""Seconds for all candidates, extrapolated if only a part was run."""
COMMAND: Final = "command"
"""Seconds that ``iris-hpo run`` reports: without its start."""
EACH: Final = "each_ms"
"""Milliseconds per candidate."""
COMMAND_EACH: Final = "command_each_ms"
TRAINED: Final = "trained"
WORK: Final = "work"
"""Seconds of all fits and scores, from the candidates' cards."""
WORK_EACH: Final = "work_each_ms"
"""The same in milliseconds per candidate."""

Step = Callable[[Path], Ran]


@dataclass(frozen=True)
class Row:
    """A comparison of two contestants of a work.

    Attributes
    ----------
    text
        Description of the comparison.
    ours, theirs
        Contestant and figure. Without ``theirs``, ``ours`` is judged by itself.
    goal
        None if the comparison is shown for information.
    how
        Ratio or difference.
    """

    text: str
    ours: tuple[str, str]
    theirs: tuple[str, str] | None = None
    goal: Goal | None = None
    how: Callable[[float, float], float] = operator.truediv

    def judge(self, results: Results) -> tuple[Spread, bool | None]:
        """Compute the row, and whether its goal is met; None if it has no goal."""
        ours = results.values(*self.ours)
        if self.theirs is None:
            value = Spread.of(ours)
        else:
            value = compare(ours, results.values(*self.theirs), self.how)
        return value, None if self.goal is None else self.goal.is_met(value.median)


@dataclass(frozen=True)
class Work:
    """Contestants on one problem, and how they are compared.

    Attributes
    ----------
    once
        Contestants that are so slow that they run in the first repetition alone.
    """

    name: str
    repetitions: int
    steps: dict[str, Step]
    rows: tuple[Row, ...]
    once: tuple[str, ...] = ()

    def without(self, *contestants: str) -> "Work":
        """Return the work without some contestants and the rows that compare them."""
        steps = {name: step for name, step in self.steps.items() if name not in contestants}
        rows = [
            row
            for row in self.rows
            if not {row.ours[0], *(row.theirs or ())[:1]}.intersection(contestants)
        ]
        return replace(self, steps=steps, rows=tuple(rows))
