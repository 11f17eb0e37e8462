"""Where to look on an axis: a range of numbers, or listed values.

A domain maps the interval from 0 to 1 to its values, so that samplers can draw without knowing
types and scales. An axis reads what a user writes of its domain; see `axes`.
"""

import math
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cached_property
from typing import Final

from iris_hpo.space.values import Number, Value

DIGITS: Final = 6
"""Significant digits of a number that is drawn from a range, so that keys are short."""

MAX_STEPS: Final = 100_000
"""Largest number of steps of a range."""

_EXACT: Final = Context(prec=40)
_STEP_DIGITS: Final = 15  # hides the error of a step such as 10 ** 0.1


@dataclass(frozen=True)
class Range:
    """Numbers between two ends, both included.

    Attributes
    ----------
    low, high
        The ends.
    log
        Whether equal ratios, not equal differences, are equally far apart.
    whole
        Whether only whole numbers are values.
    """

    low: Number
    high: Number
    log: bool = False
    whole: bool = False

    is_ordered = True

    @property
    def size(self) -> int | None:
        """Number of values; None for real numbers."""
        return int(self.high - self.low) + 1 if self.whole else None

    def at(self, unit: float) -> Number:
        """Return the value at a place from 0 to 1, rounded to `DIGITS` digits or a whole number."""
        low, high = self._ends
        number = low + (high - low) * unit
        if self.log:
            number = math.exp(number)
        if self.whole:
            return min(max(math.floor(number + 0.5), int(self.low)), int(self.high))
        return self.rounded(number)

    def unit(self, value: Value) -> float:
        """Return the place of a number, from 0 to 1; the inverse of `at`, but for rounding."""
        low, high = self._ends
        number = float(value) if isinstance(value, (int, float)) else math.nan
        return min(max(((math.log(number) if self.log else number) - low) / (high - low), 0.0), 1.0)

    def covers(self, value: Value) -> bool:
        """Whether a value is one of the range."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return self.low <= value <= self.high

    def rounded(self, number: float) -> float:
        """Round a number, and keep it in the range; a narrow range far from 0 has more digits."""
        width, far = self.high - self.low, max(abs(self.low), abs(self.high))
        more = 0 if self.log else max(0, math.floor(math.log10(far / width)))
        short = float(f"{number:.{min(DIGITS + more, 17)}g}")
        return float(min(max(short, self.low), self.high))

    @cached_property
    def _ends(self) -> tuple[float, float]:
        half = 0.5 if self.whole else 0.0  # each whole number has the same share
        low, high = self.low - half, self.high + half
        return (math.log(low), math.log(high)) if self.log else (float(low), float(high))


@dataclass(frozen=True)
class Levels:
    """Listed values.

    Attributes
    ----------
    values
        Distinct values: numbers in order, or choices in any order.
    keys
        How each is spelled in keys: 1, 1.0 and true are equal in Python.
    """

    values: tuple[Value, ...]
    keys: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of values."""
        return len(self.values)

    @cached_property
    def is_ordered(self) -> bool:
        """Whether neighbours are alike, as with numbers."""
        return all(
            isinstance(value, (int, float)) and not isinstance(value, bool) for value in self.values
        )

    def at(self, unit: float) -> Value:
        """Return the value at a place from 0 to 1."""
        return self.values[min(int(unit * self.size), self.size - 1)]

    def index(self, key: str) -> int | None:
        """Return the index of a value by its spelling in keys; None if it is not listed."""
        return self._indices.get(key)

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {key: index for index, key in enumerate(self.keys)}


Domain = Range | Levels


def stepped(low: Number, high: Number, step: Number, *, log: bool) -> tuple[Number, ...]:
    """List the numbers from one end of a range on, in steps; on a log scale, step is a factor.

    The numbers are those that a person would write: 0.3 follows 0.2 by steps of 0.1.

    Raises
    ------
    ValueError
        If there are more than `MAX_STEPS`.
    """
    steps = math.log(high / low) / math.log(step) if log else (high - low) / step
    if steps > 1e9:
        raise ValueError(f"has more than 1,000,000,000 steps; {MAX_STEPS:,} is the limit")
    count = math.floor(steps * (1 + 1e-12) + 1e-9) + 1
    if count > MAX_STEPS:
        raise ValueError(f"has {count:,} steps; {MAX_STEPS:,} is the limit")
    first, exact_step = Decimal(repr(low)), Decimal(repr(step))
    numbers: list[Number] = []
    for index in range(count):
        exact = (
            _EXACT.multiply(first, _EXACT.power(exact_step, index))
            if log
            else _EXACT.add(first, _EXACT.multiply(exact_step, Decimal(index)))
        )
        number = float(f"{exact:.{_STEP_DIGITS}g}")
        numbers.append(min(number, high) if isinstance(low, float) else min(int(number), high))
    return tuple(numbers)
