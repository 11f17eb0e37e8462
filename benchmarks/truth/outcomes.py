"""What is reported of a champion beside what is true, and the averages over data sets."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

POINTS: Final = 100
"""A score of 1 in points, the unit of the tables."""


@dataclass(frozen=True)
class Outcome:
    """What is reported of a rule's champion on one data set; every field is a score.

    Attributes
    ----------
    generator, rule
        Names.
    truth
        The delivered model's score on the fresh rows.
    raw
        The score that the rule chose by: on the test rows, or the mean over folds.
    value, low, high
        The estimate and its 95 % interval.
    wilson
        Width of Wilson's interval on the test rows; None for numbers.
    grid_search
        True score of GridSearchCV's champion.
    """

    generator: str
    rule: str
    truth: float
    raw: float
    value: float
    low: float
    high: float
    wilson: float | None
    grid_search: float

    @property
    def is_covered(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low <= self.truth <= self.high


@dataclass(frozen=True)
class Nested:
    """Nested cross-validation on one data set.

    Attributes
    ----------
    generator
        Its name.
    mean
        Mean score over the outer folds.
    plain, corrected
        Half the width of the t interval over the outer folds; and of the corrected resampled t
        interval, which accounts for the rows that the folds' models share.
    truth
        True score of a champion of the same search that was trained on the same rows.
    """

    generator: str
    mean: float
    plain: float
    corrected: float
    truth: float

    def holds(self, half: float) -> bool:
        """Whether an interval about the mean holds the truth."""
        return abs(self.truth - self.mean) <= half


@dataclass(frozen=True)
class Mean:
    """A mean in points, and its standard error."""

    value: float
    error: float

    @classmethod
    def of(cls, scores: Sequence[float]) -> "Mean":
        """Average scores or differences of scores."""
        error = statistics.stdev(scores) / math.sqrt(len(scores)) if len(scores) > 1 else math.nan
        return cls(POINTS * statistics.fmean(scores), POINTS * error)

    def __str__(self) -> str:
        return f"{self.value:+.1f} ± {self.error:.1f}"


@dataclass(frozen=True)
class Average:
    """The outcomes of a rule on the data sets of a generator.

    Attributes
    ----------
    bias, raw_bias
        Mean of what is reported minus what is true: of the estimate, and of the score that the
        rule chose by.
    covered
        In how many of 100 data sets the interval holds the truth.
    width, wilson, nested, nested_plain
        Mean widths of the intervals, in points; None where there is none. ``nested`` is the
        corrected one.
    gain
        True score of the champion minus that of GridSearchCV's.
    truth
        Mean true score, in points.
    """

    generator: str
    rule: str
    sets: int
    bias: Mean
    raw_bias: Mean
    covered: float
    width: float
    wilson: float | None
    nested: float | None
    nested_plain: float | None
    gain: Mean
    truth: float


def average(outcomes: Sequence[Outcome], nested: Sequence[Nested]) -> list[Average]:
    """Average over the data sets of each generator, by rule, in the order of the outcomes."""
    names = dict.fromkeys((outcome.generator, outcome.rule) for outcome in outcomes)
    return [
        _average(
            [outcome for outcome in outcomes if (outcome.generator, outcome.rule) == name],
            [one for one in nested if one.generator == name[0]],
        )
        for name in names
    ]


def _average(outcomes: Sequence[Outcome], nested: Sequence[Nested]) -> Average:
    return Average(
        outcomes[0].generator,
        outcomes[0].rule,
        len(outcomes),
        Mean.of([outcome.value - outcome.truth for outcome in outcomes]),
        Mean.of([outcome.raw - outcome.truth for outcome in outcomes]),
        100 * statistics.fmean(outcome.is_covered for outcome in outcomes),
        POINTS * statistics.fmean(outcome.high - outcome.low for outcome in outcomes),
        _mean_or_none(outcome.wilson for outcome in outcomes if outcome.wilson is not None),
        _mean_or_none(2 * one.corrected for one in nested),
        _mean_or_none(2 * one.plain for one in nested),
        Mean.of([outcome.truth - outcome.grid_search for outcome in outcomes]),
        POINTS * statistics.fmean(outcome.truth for outcome in outcomes),
    )


def _mean_or_none(scores: Iterable[float]) -> float | None:
    given = list(scores)
    return POINTS * statistics.fmean(given) if given else None
