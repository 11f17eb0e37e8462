"""The columns of a page: one value per candidate, in the order of the leaderboard."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from iris_hpo.known_rules import RULES
from iris_hpo.reports.page_facts import PageFacts
from iris_hpo.reports.scores import LARGEST, Floats, Levels, levels, spaced, value_labels
from iris_hpo.selection.leaderboard import metrics_of, proposal_of
from iris_hpo.space.absent import ABSENT, Absent
from iris_hpo.space.values import Value
from iris_hpo.text import clean

STATES: Final = ("", "as good", "selected", "champion")
"""What a candidate is, by the codes of the column ``state``."""

_TICKS: Final = 9
"""Largest number of labels along an axis."""


@dataclass(frozen=True)
class PlacedAxis:
    """An axis on which candidates differ, with a place on its scale for each candidate.

    Attributes
    ----------
    levels
        The values that the axis takes.
    scale
        Place of each value on the axis: the number, its logarithm if that spreads the values more
        evenly, or the position among the values. `ABSENT` stands before the least number.
    is_number
        Whether all values are numbers, beside `ABSENT`.
    """

    levels: Levels
    scale: Floats
    is_number: bool

    @property
    def name(self) -> str:
        """Name of the axis."""
        return self.levels.name

    @property
    def numbers(self) -> Floats:
        """The values, if they are numbers; NaN for `ABSENT`."""
        return np.array(
            [each if isinstance(each, (int, float)) else math.nan for each in self.levels.values]
        )

    @property
    def places(self) -> Floats:
        """Place of each candidate."""
        return self.scale[self.levels.codes]

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of the scale, with room beside the first and the last value."""
        low, high = float(self.scale[0]), float(self.scale[-1])
        room = 0.05 * (high - low) if self.is_number else 0.5
        return low - room, high + room

    @cached_property
    def ticks(self) -> Mapping[float, str]:
        """Labels by their place on the scale."""
        return _ticks(self.scale, self.levels.values)

    @cached_property
    def level_ticks(self) -> Mapping[float, str]:
        """Labels by the position among the values."""
        return _ticks(np.arange(len(self.levels), dtype=float), self.levels.values)


class Columns:
    """The columns of a page, and the axes on which candidates differ."""

    def __init__(self, facts: PageFacts) -> None:
        self.facts = facts
        candidates = [facts.space.parse_key(str(row["candidate"])) for row in facts.rows]
        self.values = list(zip(*(candidate.values for candidate in candidates), strict=True))
        of_axes = [
            levels(axis, column) for axis, column in zip(facts.space.axes, self.values, strict=True)
        ]
        self.axes = [_placed(each) for each in of_axes if len(each) > 1]

    @property
    def by_folds(self) -> bool:
        """Whether the means over the folds rank the candidates."""
        return RULES[self.facts.rule].needs_folds

    @property
    def title(self) -> str:
        """Description of the score that ranks."""
        return RULES[self.facts.rule].title_of(clean(self.facts.scoring))

    @cached_property
    def ranking(self) -> Floats:
        """The score that ranks, of each candidate, as it is drawn."""
        scores = self.numbers("cv_mean" if self.by_folds else "score")
        return np.clip(scores, -LARGEST, LARGEST)

    @cached_property
    def keys(self) -> list[str]:
        """The keys of the candidates."""
        return [str(row["candidate"]) for row in self.facts.rows]

    @cached_property
    def state(self) -> NDArray[np.int8]:
        """Codes of `STATES`."""
        as_good = set(self.facts.as_good or ())
        return np.array(
            [
                3 if row["champion"] else 2 if row["selected"] else int(key in as_good)
                for key, row in zip(self.keys, self.facts.rows, strict=True)
            ],
            dtype=np.int8,
        )

    @cached_property
    def order(self) -> Floats:
        """Position of each candidate in the order of recording, from 1; NaN if unknown."""
        position = {key: at for at, key in enumerate(self.facts.order, start=1)}
        return np.array([position.get(key, math.nan) for key in self.keys])

    @cached_property
    def seconds(self) -> Floats:
        """Seconds of each candidate; NaN if unknown."""
        return np.array([self.facts.seconds.get(key, math.nan) for key in self.keys])

    @cached_property
    def metrics(self) -> list[str]:
        """Names of the other metrics."""
        return list(dict.fromkeys(name for row in self.facts.rows for name in metrics_of(row)))

    @cached_property
    def proposed(self) -> list[str]:
        """How a sampler proposed each candidate; empty if it proposed none."""
        texts = [
            f"{facts['sampler']}, after {facts['number']} candidates, with "
            f"{facts['results_known']} results known"
            if facts
            else "listed"
            for facts in map(proposal_of, self.facts.rows)
        ]
        return [] if {*texts} == {"listed"} else texts

    def numbers(self, name: str) -> Floats:
        """A column of numbers; NaN where there is none."""
        cells = (row.get(name) for row in self.facts.rows)
        return np.array([math.nan if cell is None else cast("float", cell) for cell in cells])

    def best_so_far(self) -> tuple[Floats, Floats]:
        """Return the order and the best score that was recorded until then."""
        known = np.isfinite(self.order)
        ordered = np.argsort(self.order[known], kind="stable")
        better = np.fmin if self.facts.minimizes else np.fmax
        return self.order[known][ordered], better.accumulate(self.ranking[known][ordered])


def _placed(axis: Levels) -> PlacedAxis:
    has_absent = ABSENT in axis.values
    present = replace(axis, values=axis.values[has_absent:])
    numbers = present.numbers
    if not numbers:
        return PlacedAxis(axis, np.arange(len(axis), dtype=float), is_number=False)
    middle = (numbers[0] + numbers[-1]) / 2
    is_wide = numbers[0] > 0 and numbers[-1] > 10 * numbers[0]
    is_skewed = float(np.median(numbers)) < middle / 2
    scale: Callable[[Sequence[float]], Floats] = np.log10 if is_wide and is_skewed else np.array
    places = scale(numbers)
    if has_absent:
        room = 0.15 * float(np.ptp(places)) or 1.0
        places = np.concatenate([[places[0] - room], places])
    return PlacedAxis(axis, places, is_number=True)


def _ticks(scale: Floats, values: Sequence[Value | Absent]) -> Mapping[float, str]:
    labels = value_labels(values)
    kept = spaced(scale, float(np.ptp(scale)) / _TICKS)
    return {float(scale[at]): clean(labels[at]) for at in kept}
