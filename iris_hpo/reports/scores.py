"""The content of figures as arrays, labels and scales; nothing is drawn here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from iris_hpo.known_rules import RULES
from iris_hpo.selection.choosing import TOLERANCE
from iris_hpo.selection.rules import Selection
from iris_hpo.space.absent import ABSENT, Absent
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.space.values import Value
from iris_hpo.text import counted

Floats = NDArray[np.float64]

MAX_ANNOTATED: Final = 15
"""Largest number of rows or columns for which a heat map can show the score in each cell."""

LARGEST: Final = 1e150  # scores beyond are drawn there: sums of their squares would overflow
_SPARSE: Final = 8
_MAX_POWER: Final = 3.0
_MAX_DECIMALS: Final = 5
_MAX_LABEL: Final = 30


@dataclass(frozen=True)
class Levels:
    """The values that an axis takes, in order.

    Attributes
    ----------
    name
        Name of the axis.
    values
        Distinct values, sorted; `ABSENT` before all, if some candidates do not have the axis.
    codes
        Position in `values` of each candidate's value; shape (candidates,).
    """

    name: str
    values: tuple[Value | Absent, ...]
    codes: NDArray[np.intp]

    def __len__(self) -> int:
        """How many distinct values there are."""
        return len(self.values)

    @property
    def numbers(self) -> list[float]:
        """The values if all are numbers; otherwise an empty list."""
        numbers = [
            float(value)
            for value in self.values
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        ]
        return numbers if len(numbers) == len(self.values) else []


@dataclass(frozen=True)
class Series:
    """One kind of score for all candidates.

    Attributes
    ----------
    kind
        ``test``: the score on the test rows; ``cv``: the mean over the folds.
    title
        Title of a panel.
    scores
        Scores, shape (candidates,); NaN for a candidate without one.
    low, high
        Ends of the interval around each score, shape (candidates,); None if the kind has none.
    interval
        Description of the interval, for the legend.
    """

    kind: Literal["test", "cv"]
    title: str
    scores: Floats
    low: Floats | None = None
    high: Floats | None = None
    interval: str = ""

    @property
    def legend(self) -> str:
        """The title, with the description of the interval if there is one."""
        return self.title if self.low is None else f"{self.title}, {self.interval}"


@dataclass(frozen=True)
class Marks:
    """Which candidates are selected, shape (candidates,), and the position of the champion."""

    selected: NDArray[np.bool_]
    champion: int


@dataclass(frozen=True)
class ColorScale:
    """A mapping from scores to colours.

    Attributes
    ----------
    low, high
        Scores of the first and the last colour.
    power
        Power that is applied to the share of the way from low to high; above 1, good scores are
        easier to distinguish.
    clipped
        Whether some scores are below `low`; they share the first colour.
    sign
        -1 if the scores are turned, so that the greatest is the best; they are written as they are.
    """

    low: float
    high: float
    power: float = 1.0
    clipped: bool = False
    sign: float = 1.0


def varying_levels(selection: Selection, space: ParameterSpace) -> list[Levels]:
    """Collect the axes on which candidates differ, in the order of the space."""
    columns = zip(*(row.scored.candidate.values for row in selection.rows), strict=True)
    of_axes = [levels(axis, column) for axis, column in zip(space.axes, columns, strict=True)]
    return [axis_levels for axis_levels in of_axes if len(axis_levels) > 1]


def levels(axis: Axis, values: Sequence[Value | Absent]) -> Levels:
    """Collect the values of an axis over the candidates."""
    # By spelling, because 1, 1.0 and true are equal in Python.
    spelled = ["" if isinstance(each, Absent) else f"={axis.encode(each)}" for each in values]
    distinct = dict(zip(spelled, values, strict=True))
    present = (each for each in distinct.values() if not isinstance(each, Absent))
    ordered = (*[ABSENT] * ("" in distinct), *sorted(present, key=axis.sort_key))
    position = {
        "" if isinstance(each, Absent) else f"={axis.encode(each)}": index
        for index, each in enumerate(ordered)
    }
    return Levels(axis.name, ordered, np.array([position[text] for text in spelled], np.intp))


def scored_series(selection: Selection, scoring: str) -> list[Series]:
    """Collect the kinds of scores; the kind that ranks comes first."""
    evaluations = [row.scored.evaluation for row in selection.rows]
    test = np.clip([evaluation.score for evaluation in evaluations], -LARGEST, LARGEST)
    # An evaluation has the interval of the accuracy, whatever the scoring is.
    intervals = [evaluation.interval for evaluation in evaluations] if scoring == "accuracy" else []
    ends = np.array([(np.nan, np.nan) if pair is None else pair for pair in intervals])
    low, high = (ends[:, 0], ends[:, 1]) if np.isfinite(ends).any() else (None, None)
    title = scoring if RULES[selection.rule].scores_itself else "test score"
    series = [Series("test", title, test, low, high, "95 % interval")]

    folds = max(len(evaluation.fold_scores) for evaluation in evaluations)
    if folds:
        # One array for all: `cv_mean` and `cv_std` of 100,000 candidates take seconds.
        missing = (np.nan,) * folds
        fold_scores = np.array(
            [(evaluation.fold_scores + missing)[:folds] for evaluation in evaluations]
        )
        mean, std = fold_scores.mean(axis=1), fold_scores.std(axis=1)
        title = f"cross-validation mean ({counted(folds, 'fold')})"
        series.append(Series("cv", title, mean, mean - std, mean + std, "± standard deviation"))
    return series[::-1] if RULES[selection.rule].needs_folds else series


def marks_of(selection: Selection) -> Marks:
    """Collect the selected candidates and the champion."""
    return Marks(
        np.array([row.selected for row in selection.rows]),
        next(index for index, row in enumerate(selection.rows) if row.champion),
    )


def best_scores(y: Levels, x: Levels, scores: Floats) -> Floats:
    """Cross two axes: the best score of each combination, NaN where there is none.

    Returns
    -------
    array
        Shape (values of y, values of x).
    """
    best = np.full((len(y), len(x)), np.nan)
    np.fmax.at(best, (y.codes, x.codes), scores)
    return best


def shown_scores(y: Levels, x: Levels, scores: Floats) -> Floats:
    """All scores that a heat map of two axes shows, flat, with a NaN for each blank cell."""
    return scores if is_sparse(y, x) else best_scores(y, x, scores).ravel()


def is_sparse(y: Levels, x: Levels) -> bool:
    """Whether most cells would be blank, as with randomly drawn candidates."""
    cells = len(y) * len(x)
    return cells > MAX_ANNOTATED**2 and cells > _SPARSE * len(y.codes)


def most_influential(axes: Sequence[Levels], scores: Floats, count: int) -> list[Levels]:
    """Keep the axes whose values differ most in their mean score; the order stays."""

    def influence(axis: Levels) -> float:
        totals = np.bincount(axis.codes, weights=scores)
        return float(np.ptp(totals / np.bincount(axis.codes)))

    kept = sorted(range(len(axes)), key=lambda index: -influence(axes[index]))[:count]
    return [axes[index] for index in sorted(kept)]


def best_first(selection: Selection, series: Sequence[Series]) -> tuple[list[Series], float]:
    """Turn the scores if the least is the best; give them with the sign that turns them."""
    sign = -1.0 if selection.minimizes else 1.0
    return [replace(each, scores=sign * each.scores) for each in series], sign


def color_scale(scores: Floats, sign: float = 1.0) -> ColorScale:
    """Choose colours that distinguish the good scores.

    One bad corner of a grid would otherwise leave a single colour for all candidates of interest.
    The best quarter of the scores gets about the best quarter of the colours, and scores very far
    below share the first colour.
    """
    known = scores[np.isfinite(scores)]
    lowest, high = float(known.min()), float(known.max())
    if high - lowest <= TOLERANCE * max(1.0, abs(high)):  # they tie
        return ColorScale(high, high, sign=sign)
    upper = float(min(np.quantile(known, 0.75), known[known < high].max()))
    low = max(lowest, high - 40 * (high - upper))
    share = (upper - low) / (high - low)
    power = math.log(0.75) / math.log(share) if 0 < share < 1 else 1.0
    return ColorScale(low, high, min(max(power, 1.0), _MAX_POWER), low > lowest, sign)


def score_format(scores: Floats) -> str:
    """Choose a format specification in which scores of this size and spread look different."""
    known = scores[np.isfinite(scores)]
    # The better half decides: a bad corner may be larger by orders of magnitude.
    better = known[known >= np.median(known)]
    size, spread = float(np.abs(better).max()), float(np.ptp(better))
    if size >= 1e5 or 0 < size < 1e-3:
        return ".2e"
    decimals = 3 if size <= 1 else max(0, 2 - math.floor(math.log10(size)))
    first = -math.floor(math.log10(spread)) if spread else 0  # decimal in which they differ
    if first <= _MAX_DECIMALS:
        decimals = max(decimals, min(first + 1, _MAX_DECIMALS))
    return f".{decimals}f"


def written(score: float, form: str) -> str:
    """Write a score by a format specification; a score of a million or more in short."""
    return f"{score:{form}}" if abs(score) < 1e6 else f"{score:.1e}"


def spaced(places: Sequence[float] | Floats, gap: float) -> list[int]:
    """Positions of ascending places that are at least ``gap`` apart, beginning with the last."""
    kept: list[int] = []
    for index in reversed(range(len(places))):
        if not kept or places[kept[-1]] - places[index] >= gap * (1 - 1e-9):
            kept.append(index)
    return kept[::-1]


def value_labels(values: Sequence[Value | Absent]) -> list[str]:
    """Write values in as few digits as keep them distinct; texts in at most 30 characters."""
    labels: list[str] = []
    for digits in (4, 6, 9, 17):
        labels = [_label(value, digits) for value in values]
        if len(set(labels)) == len(labels):
            return labels
    if {type(value) for value in values} == {int, float}:
        return [repr(value) for value in values]  # 1 and 1.0
    return labels


def _label(value: Value | Absent, digits: int) -> str:
    if isinstance(value, Absent):
        return "absent"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        value = repr(value)
    if isinstance(value, str):
        plain = value.isprintable() and value.strip() not in ("", "none", "absent")
        text, longest = value if plain else repr(value), min(5 * digits, _MAX_LABEL)
        return text if len(text) <= longest else f"{text[: longest - 1]}…"
    if 1 <= abs(value) < 1e6:
        # Whole digits are kept: 32768, not 3.277e4.
        digits = max(digits, len(str(int(abs(value)))))
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa
