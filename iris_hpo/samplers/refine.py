"""The sampler `refine`: a grid first, then finer steps around the best; it needs no extra.

The way of the guide to LIBSVM (Hsu, Chang and Lin, 2003, *A practical guide to support vector
classification*, section 3.2): a coarse grid finds the region, a finer one the place in it.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard

from iris_hpo.errors import InputError
from iris_hpo.samplers import Observation
from iris_hpo.samplers.drawing import check_whole, domains_of, shown_keys
from iris_hpo.samplers.parameter_files import without_step
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.space.domains import DIGITS, Levels
from iris_hpo.space.values import Number, Value

MAX_CROSSED: Final = 2
"""Largest number of axes whose neighbours are crossed; of more, one axis changes at a time."""


@dataclass(frozen=True)
class RefineSampler:
    """Tries a grid, then the neighbours of the best candidate in ever smaller steps.

    Neighbours of the best are tried until none is better: along each axis the next values that were
    tried anywhere; where the best lies on the edge of its axis, a step further out; then, halfway
    to the next values. It ends when all steps around the best are as small as the bound.

    Parameters
    ----------
    halvings
        How often a step of the grid is halved: 3 for an eighth.
    seed
        Has no effect: nothing is drawn.
    """

    halvings: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole(halvings=self.halvings)

    def propose(
        self,
        space: ParameterSpace,
        observations: Sequence[Observation],
        running: Sequence[Candidate],
    ) -> Sequence[Candidate]:
        """List what is worth a try: the grid, then candidates around the best.

        ``()`` while a step is not finished.
        """
        shown = shown_keys(observations, running)
        if not shown:
            return tuple(space.grid(listed_values(space)))
        scored = [seen for seen in observations if seen.score is not None]
        if not scored:
            return ()
        best = max(scored, key=lambda seen: (seen.score or 0.0, -seen.number)).candidate
        tried = [*(seen.candidate for seen in observations), *running]
        steps = [
            _steps(axis, value, _numbers(tried, index), self.halvings)
            if _is_number(value := best.values[index])
            else _Steps()
            for index, axis in enumerate(space.axes)
        ]
        near = [_around(space, best, [each.next for each in steps])]
        if not running:
            near.append(_around(space, best, [each.halfway for each in steps]))
        for candidates in near:
            new = {each.key: each for each in candidates if each.key not in shown}
            if new:
                return tuple(new.values())
        return ()


@dataclass(frozen=True)
class _Steps:
    """Values beside one: the next that were tried, or a step further out; and those halfway."""

    next: tuple[Value, ...] = ()
    halfway: tuple[Value, ...] = ()


def listed_values(space: ParameterSpace) -> list[Sequence[Value]]:
    """Return the values of a grid, by axis.

    Raises
    ------
    InputError
        If an axis has a range without a step.
    """
    values: list[Sequence[Value]] = []
    for index, (axis, domain) in enumerate(zip(space.axes, domains_of(space), strict=True)):
        if not isinstance(domain, Levels):
            raise InputError(without_step(axis), field=("axes", index, "low"))
        values.append(domain.values)
    return values


def _steps(axis: Axis, value: Number, tried: Sequence[Number], halvings: int) -> _Steps:
    """Find the values beside a value.

    Parameters
    ----------
    tried
        The values of the axis that were tried, in order; the value is among them.
    """
    levels = axis.domain
    if not isinstance(levels, Levels) or levels.size < 2:
        return _Steps()
    grid = [float(each) for each in levels.values if isinstance(each, (int, float))]
    is_log = min(grid[0], tried[0]) > 0 and (axis.log or _is_geometric(grid))
    to: Callable[[float], float] = math.log if is_log else float
    back: Callable[[float], float] = math.exp if is_log else float
    widths = sorted(to(after) - to(before) for before, after in itertools.pairwise(grid))
    least = 0.9 * widths[len(widths) // 2] / 2**halvings  # 0.9: numbers are rounded
    at = tried.index(value)
    below = to(value) - to(tried[at - 1]) if at > 0 else None
    above = to(tried[at + 1]) - to(value) if at + 1 < len(tried) else None
    step = below or above or widths[len(widths) // 2]
    next_values = [
        tried[at - 1] if below else _number(axis, back, to(value) - step),
        tried[at + 1] if above else _number(axis, back, to(value) + step),
    ]
    halfway = [
        _number(axis, back, to(value) + sign * width / 2)
        for sign, width in ((-1, below), (1, above))
        if width is not None and width / 2 >= least
    ]
    return _Steps(_usable(axis, value, next_values), _usable(axis, value, halfway))


def _is_number(value: object) -> TypeGuard[Number]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _numbers(candidates: Sequence[Candidate], index: int) -> list[Number]:
    """List the numbers that candidates have on an axis, in order."""
    return sorted({value for each in candidates if _is_number(value := each.values[index])})


def _is_geometric(grid: Sequence[float]) -> bool:
    """Whether positive numbers are more evenly spaced by their ratios than by their differences."""

    def unevenness(numbers: Sequence[float]) -> float:
        widths = [after - before for before, after in itertools.pairwise(numbers)]
        return max(widths) / min(widths)

    return len(grid) > 2 and unevenness([math.log(each) for each in grid]) < unevenness(grid)


def _number(axis: Axis, back: Callable[[float], float], place: float) -> Number | None:
    try:
        number = float(f"{back(place):.{DIGITS}g}")
        return number if "float" in axis.types else round(number)
    except OverflowError:
        return None


def _usable(axis: Axis, value: Number, numbers: Sequence[Number | None]) -> tuple[Value, ...]:
    """Keep the numbers that differ, and that are in the range, if the axis has one."""
    low, high = axis.low, axis.high
    return tuple(
        number
        for number in numbers
        if number is not None
        and number != value
        and (not isinstance(low, (int, float)) or number >= low)
        and (not isinstance(high, (int, float)) or number <= high)
    )


def _around(
    space: ParameterSpace, best: Candidate, values: Sequence[Sequence[Value]]
) -> Iterator[Candidate]:
    """Make the candidates that have other values than the best on some axes."""
    choices = [(own, *others) for own, others in zip(best.values, values, strict=True)]
    points = itertools.product(*choices)
    if sum(map(bool, values)) > MAX_CROSSED:
        points = (
            (*best.values[:index], value, *best.values[index + 1 :])
            for index, others in enumerate(values)
            for value in others
        )
    for point in points:
        try:
            yield space.candidate(point)
        except ValueError:  # such as a number that is not positive
            continue
