"""Limits of the numbers of an axis: beyond which there is nothing to try.

Here belongs what an axis and scikit-learn's estimators state; whether a champion is at a limit is
in `iris_hpo.selection.rules`.
"""

import math
from collections.abc import Iterator, Mapping
from numbers import Integral
from typing import Any

from iris_hpo.space.axes import Axis
from iris_hpo.space.values import NUMBERS
from iris_hpo.training.estimators import Recipe

Limits = tuple[float, float]
"""The lowest and the highest number that may be tried; infinite where no number is the last one,
as above an open end: between 0 and any number there is another one."""


def limits_of(axis: Axis, recipe: Recipe | None) -> Limits:
    """Return the limits of an axis; those of its parameter count if an estimator is tuned."""
    intervals = list(_intervals(recipe, axis.parameter)) if recipe else []
    limits = [
        _limits(intervals, is_whole=kind == "int", is_positive=axis.positive)
        for kind in axis.types
        if kind in NUMBERS
    ]
    return (
        min((low for low, _ in limits), default=-math.inf),
        max((high for _, high in limits), default=math.inf),
    )


def _intervals(recipe: Recipe, parameter: str) -> Iterator[Any]:
    """Find what scikit-learn's own class allows of numbers; other classes may check otherwise."""
    path, _, name = parameter.rpartition("__")
    estimator: Any = recipe.build()
    owner = estimator.get_params().get(path) if path else estimator
    if type(owner).__module__.partition(".")[0] != "sklearn":
        return
    constraints: Mapping[str, Any] = getattr(owner, "_parameter_constraints", {})
    stated = constraints.get(name, ())
    if isinstance(stated, (list, tuple)):
        yield from (one for one in stated if type(one).__name__ == "Interval")


def _limits(intervals: list[Any], *, is_whole: bool, is_positive: bool) -> Limits:
    ends = [
        _ends(interval, is_whole=is_whole)
        for interval in intervals
        if interval.type.__name__ != ("RealNotInt" if is_whole else Integral.__name__)
    ]
    low = min((low for low, _ in ends), default=-math.inf)
    high = max((high for _, high in ends), default=math.inf)
    return (max(low, 1) if is_whole and is_positive else low), high


def _ends(interval: Any, *, is_whole: bool) -> Limits:
    """Return the numbers at the ends of an interval that are within it."""
    low = -math.inf if interval.left is None else float(interval.left)
    high = math.inf if interval.right is None else float(interval.right)
    has_low, has_high = (interval.closed in (side, "both") for side in ("left", "right"))
    if is_whole and math.isfinite(low):
        low, has_low = (math.ceil(low) if has_low else math.floor(low) + 1), True
    if is_whole and math.isfinite(high):
        high, has_high = (math.floor(high) if has_high else math.ceil(high) - 1), True
    return low if has_low else -math.inf, high if has_high else math.inf
