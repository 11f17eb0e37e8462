"""Where samplers look on an axis, as Optuna describes it: for our samplers and for exports."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from iris_hpo.space.axes import Axis
from iris_hpo.space.domains import Levels, Range
from iris_hpo.space.ranges import numbers_of
from iris_hpo.space.values import Number

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_CLOSE: Final = 1e-8
"""Share of a step by which Optuna lets a number be off."""


def range_distribution(numbers: Range, step: Number | None = None) -> "BaseDistribution":
    """Describe a range of numbers, which ends on a step if it has steps."""
    from optuna.distributions import FloatDistribution, IntDistribution

    if numbers.whole:
        low, high = int(numbers.low), int(numbers.high)
        return IntDistribution(low, high, log=numbers.log, step=int(step or 1))
    return FloatDistribution(float(numbers.low), float(numbers.high), log=numbers.log, step=step)


def tried_distribution(axis: Axis, tried: Sequence[Number]) -> "BaseDistribution":
    """Describe the range of an axis, widened to the numbers that were tried outside of it.

    Steps are left out where a number that was tried is on none, and on a log scale, where Optuna
    has none.
    """
    low, high, step = numbers_of(axis)
    whole = "float" not in axis.types
    if step is not None and not axis.log and isinstance(axis.domain, Levels):
        last = axis.domain.values[-1]
        if isinstance(last, (int, float)) and _are_steps([*tried, last], low, last, step):
            return range_distribution(Range(low, last, whole=whole), step)
    low, high = min(low, *tried), max(high, *tried)
    return range_distribution(Range(low, high, axis.log and low > 0, whole))


def _are_steps(numbers: Sequence[Number], low: Number, last: Number, step: Number) -> bool:
    """Whether all numbers are steps of a range by Optuna's arithmetic, and the last exactly."""
    places = [(number - low) / step for number in numbers]
    return (
        all(low <= number <= last for number in numbers)
        and all(abs(place - round(place)) < _CLOSE for place in places)
        and (Decimal(str(last)) - Decimal(str(low))) % Decimal(str(step)) == 0
    )
