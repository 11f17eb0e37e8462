"""The arithmetic of comparisons: repetitions, ratios, goals, and the check of equal scores."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from benchmarks.contestants.problem import Score

CV_TOLERANCE: Final = 1e-12

Figures = dict[str, float]
"""Figures of one execution of a contestant, by name: ``seconds``, ``peak_mb``, and others."""

Candidate = tuple[float, float]


class ScoresDifferError(Exception):
    """Two contestants computed different scores; their times cannot be compared."""


@dataclass(frozen=True)
class Ran:
    """One execution of a contestant: its figures, and its scores if there are any."""

    figures: Figures
    scores: Sequence[Score] = ()


@dataclass
class Results:
    """The executions of a work: per contestant, in the order of repetitions."""

    runs: dict[str, list[Ran]] = field(default_factory=dict[str, list[Ran]])

    def add(self, contestant: str, ran: Ran) -> None:
        """Add an execution, after its scores were compared with those of the other contestants.

        Raises
        ------
        ScoresDifferError
            If a score differs from that of an earlier contestant.
        """
        for other, earlier in self.runs.items():
            check_scores(other, earlier[0].scores, contestant, ran.scores)
        self.runs.setdefault(contestant, []).append(ran)

    def values(self, contestant: str, figure: str) -> list[float]:
        """A figure of every repetition."""
        return [ran.figures[figure] for ran in self.runs[contestant]]


@dataclass(frozen=True)
class Spread:
    """Median, least and greatest value of several repetitions."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of values."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Goal:
    """A goal for a value: at most a limit, or exactly the limit."""

    limit: float
    exact: bool = False

    def is_met(self, value: float) -> bool:
        """Whether a value reaches the goal."""
        return value == self.limit if self.exact else value <= self.limit

    def __str__(self) -> str:
        return f"{'exactly' if self.exact else '≤'} {round(self.limit, 2):g}"


def compare(
    ours: Sequence[float], theirs: Sequence[float], how: Callable[[float, float], float]
) -> Spread:
    """Compare two contestants: their medians, and the spread over the repetitions.

    Repetitions alternate and are compared in pairs, so that slow phases of the machine cancel out.
    A single repetition is compared with each of the other contestant's.
    """
    if len(theirs) == 1:
        theirs = [*theirs] * len(ours)
    pairs = [how(our, their) for our, their in zip(ours, theirs, strict=True)]
    return Spread(
        how(statistics.median(ours), statistics.median(theirs)),
        min(pairs),
        max(pairs),
    )


def check_scores(
    name: str, scores: Sequence[Score], other_name: str, other_scores: Sequence[Score]
) -> None:
    """Check that two contestants computed the same scores for the candidates that both have.

    Raises
    ------
    ScoresDifferError
        If scores differ, or if neither has all candidates of the other.
    """
    if not scores or not other_scores:
        return
    first, second = _by_candidate(name, scores), _by_candidate(other_name, other_scores)
    common = first.keys() & second.keys()
    if len(common) < min(len(first), len(second)):
        raise ScoresDifferError(
            f"{name} has {len(first)} candidates and {other_name} {len(second)}, but they share "
            f"only {len(common)}"
        )
    for candidate in sorted(common):
        one, two = first[candidate], second[candidate]
        if one.correct != two.correct or not _is_close(one.cv_mean, two.cv_mean):
            raise ScoresDifferError(f"scores differ: {name} has {one}, {other_name} has {two}")


def number(value: float) -> str:
    """Write a number with two or three digits, to which repetitions agree."""
    for least, decimals in ((100, 0), (10, 1), (0.1, 2)):
        if abs(value) >= least:
            return f"{value:,.{decimals}f}"
    return f"{value:.3f}"


def _by_candidate(name: str, scores: Sequence[Score]) -> Mapping[Candidate, Score]:
    candidates = sorted((score.c, score.gamma) for score in scores)
    for one, next_one in pairwise(candidates):
        if one == next_one:
            raise ScoresDifferError(f"{name} has the candidate {one} twice")
    return {(score.c, score.gamma): score for score in scores}


def _is_close(one: float | None, two: float | None) -> bool:
    if one is None or two is None:
        return one is two
    return abs(one - two) <= CV_TOLERANCE
