"""Choosing the best: pure functions from scored candidates to a selection.

All ties are kept. The champion is one of them, by a rule that never depends on the order of work.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from iris_hpo.search.evaluation import Evaluation, cv_mean, cv_std
from iris_hpo.search.space import Candidate, ParameterSpace
from iris_hpo.search.spec import Rule, check_rule

TOLERANCE: Final = 1e-9
"""Scores this close, relative to the larger of 1 and the best's magnitude, tie. Counted scores
(accuracy) tie by their integers alone."""


@dataclass(frozen=True)
class Scored:
    """A candidate with its evaluation."""

    candidate: Candidate
    evaluation: Evaluation

    @property
    def cv_mean(self) -> float | None:
        """Mean score over folds."""
        return cv_mean(self.evaluation.fold_scores)

    @property
    def cv_std(self) -> float | None:
        """Standard deviation over folds, ``ddof=0``."""
        return cv_std(self.evaluation.fold_scores)


@dataclass(frozen=True)
class Ranked:
    """A row of the leaderboard.

    Attributes
    ----------
    rank
        1 for the best; ties share a rank and the next rank counts them, as scikit-learn's
        ``rank_test_score``.
    """

    rank: int
    scored: Scored
    selected: bool
    champion: bool


@dataclass(frozen=True)
class Selection:
    """The outcome of a search.

    Attributes
    ----------
    rows
        Every scored candidate, best first.
    edges
        Axis name and ``lowest`` or ``highest`` for each axis on whose end the champion lies:
        better candidates may lie beyond.
    """

    rule: Rule
    rows: tuple[Ranked, ...]
    edges: tuple[tuple[str, str], ...]

    @property
    def selected(self) -> tuple[Scored, ...]:
        """All candidates that share the best place."""
        return tuple(row.scored for row in self.rows if row.selected)

    @property
    def champion(self) -> Scored:
        """The one selected candidate that represents the others."""
        return next(row.scored for row in self.rows if row.champion)


def select(scored: Sequence[Scored], space: ParameterSpace, scoring: str, rule: Rule) -> Selection:
    """Rank candidates and choose the best.

    Parameters
    ----------
    scored
        At least one.
    rule
        ``test_score``: the best score on the test rows; the champion of a tie has the best
        cross-validation mean. ``cv``: the best cross-validation mean. ``one_standard_error``:
        whatever lies within one standard error of the best cross-validation mean, the champion
        being the first in the order of the space (for an SVM the smallest C, the smoothest
        model), after Breiman et al. (1984), Classification and Regression Trees, section 3.4.3.
        Remaining ties go to the first in the order of the space: smaller C, then smaller gamma,
        as libsvm's ``grid.py`` does.

    Raises
    ------
    InputError
        If the rule needs cross-validation and a candidate has none.
    """
    if not scored:
        raise ValueError("there is no scored candidate to select from")
    for one in scored:
        check_rule(rule, len(one.evaluation.fold_scores))
    primary = _test_score(scoring) if rule == "test_score" else _cv_score
    # Where cross-validation ranks, the test score breaks no tie: it stays an honest estimate.
    ordered = sorted(
        scored, key=lambda one: (-primary(one), -_cv_score(one), space.order(one.candidate))
    )
    best = ordered[0]
    margin = _standard_error(best) if rule == "one_standard_error" else 0.0
    threshold = primary(best) - margin - _tolerance(primary(best))
    selected = [one for one in ordered if primary(one) >= threshold]
    champion = _champion(selected, space, rule)
    ranks = _ranks([primary(one) for one in ordered])
    keys = {one.candidate.key for one in selected}
    return Selection(
        rule,
        tuple(
            Ranked(rank, one, one.candidate.key in keys, one is champion)
            for rank, one in zip(ranks, ordered, strict=True)
        ),
        _edges(champion.candidate, [one.candidate for one in scored], space),
    )


def _test_score(scoring: str) -> Callable[[Scored], float]:
    """Whole numbers for accuracy: equal counts tie exactly, whatever division made of them."""

    def score(one: Scored) -> float:
        if scoring == "accuracy" and one.evaluation.correct is not None:
            return one.evaluation.correct
        return one.evaluation.score

    return score


def _cv_score(one: Scored) -> float:
    mean = one.cv_mean
    return -math.inf if mean is None else mean


def _standard_error(one: Scored) -> float:
    """Of the mean over folds: the sample standard deviation divided by the root of the folds."""
    std, folds = one.cv_std, len(one.evaluation.fold_scores)
    return 0.0 if std is None else std / math.sqrt(folds - 1)


def _tolerance(best: float) -> float:
    return TOLERANCE * max(1.0, abs(best))


def _champion(selected: Sequence[Scored], space: ParameterSpace, rule: Rule) -> Scored:
    if rule == "one_standard_error":
        return min(selected, key=lambda one: space.order(one.candidate))
    best = max(_cv_score(one) for one in selected)
    # Without folds every mean is -inf, and -inf >= -inf - tolerance holds.
    close = [one for one in selected if _cv_score(one) >= best - _tolerance(best)]
    return min(close, key=lambda one: space.order(one.candidate))


def _ranks(scores: Sequence[float]) -> list[int]:
    ranks: list[int] = []
    leader = scores[0]
    for index, score in enumerate(scores):
        tied = index > 0 and score >= leader - _tolerance(leader)
        if not tied:
            leader = score
        ranks.append(ranks[-1] if tied else index + 1)
    return ranks


def _edges(
    champion: Candidate, candidates: Sequence[Candidate], space: ParameterSpace
) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for index, axis in enumerate(space.axes):
        if not axis.is_numeric:
            continue
        numbers = [
            value
            for value in {candidate.values[index] for candidate in candidates}
            if isinstance(value, (int, float))
        ]
        value = champion.values[index]
        if len(numbers) < 2 or not isinstance(value, (int, float)):
            continue
        if value == min(numbers):
            found.append((axis.name, "lowest"))
        elif value == max(numbers):
            found.append((axis.name, "highest"))
    return tuple(found)
