"""The rules that choose the best: pure functions from scored candidates to a selection.

All ties are kept. The champion is one of them; the choice depends neither on the order of work, nor
on the order of the folds, nor on rounding. Stored files of a selection are in `champion` and
`leaderboard`.
"""

import math
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from iris_hpo.errors import InputError
from iris_hpo.run_settings import RULES
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.space.values import Value
from iris_hpo.training.evaluation import Evaluation, cv_mean, cv_std

TOLERANCE: Final = 1e-9
"""Relative difference up to which scores tie. Counted scores (accuracy) tie only if their whole
numbers are equal."""


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
        1 for the best. Ties share a rank, and the next rank counts them, as in scikit-learn's
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
    space, scoring, rule
        The space that was searched, the name of the scoring, and the rule that chose.
    rows
        Every scored candidate, best first.
    edges
        Axis name and ``lowest`` or ``highest`` for each axis at whose end the champion is: better
        candidates may lie beyond.
    """

    space: ParameterSpace
    scoring: str
    rule: str
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


def select(scored: Sequence[Scored], space: ParameterSpace, scoring: str, rule: str) -> Selection:
    """Rank candidates and choose the best.

    Parameters
    ----------
    scored
        Scored candidates, at least one.
    rule
        ``test_score``: the best score on the test rows; the champion of a tie has the best
        cross-validation mean. ``cv``: the best cross-validation mean. ``one_standard_error``:
        all candidates within one standard error of the best cross-validation mean, and the
        simplest of them is the champion, after Breiman et al. (1984), Classification and
        Regression Trees, section 3.4.3. The first axis decides which candidate is simpler, then
        the second, and so on; each axis says which end of its scale is simple. Among equally
        simple candidates the better mean wins. Remaining ties go to the first in the order of the
        space: smaller C, then smaller gamma, as in libsvm's ``grid.py``.

    Raises
    ------
    InputError
        If the rule needs cross-validation and a candidate has none, or needs to know which
        candidate is simpler and an axis does not say so.
    """
    if not scored:
        raise ValueError("there is no scored candidate to select from")
    for entry in scored:
        _check_folds(entry, rule, space)
    primary = _cv_score if RULES[rule].needs_folds else _test_score(scoring)
    ranks, cv_ranks = _ranks(scored, primary), _ranks(scored, _cv_score)

    def place(entry: Scored) -> tuple[int, int, Any]:
        # If cross-validation ranks, the test score breaks no tie, so it stays an honest estimate.
        key = entry.candidate.key
        return ranks[key], cv_ranks[key], space.order(entry.candidate)

    ordered = sorted(scored, key=place)
    champion = ordered[0]
    keys = {key for key, rank in ranks.items() if rank == 1}
    if RULES[rule].takes_simplest:
        keys, champion = _within_one_standard_error(ordered, keys, space)
    rows = tuple(
        Ranked(ranks[key := entry.candidate.key], entry, key in keys, entry is champion)
        for entry in ordered
    )
    edges = _edges(champion.candidate, [entry.candidate for entry in scored], space)
    return Selection(space, scoring, rule, rows, edges)


def _check_folds(entry: Scored, rule: str, space: ParameterSpace) -> None:
    folds = len(entry.evaluation.fold_scores)
    if rule in RULES and RULES[rule].needs_folds and not folds:
        raise InputError(
            f"rule {rule!r} ranks by cross-validation, and {entry.candidate.key} has no fold "
            "scores; choose the rule test_score, or set folds to at least 2"
        )
    check_rule(rule, folds, space)


def _test_score(scoring: str) -> Callable[[Scored], float]:
    """Return the function that ranks by test score.

    For accuracy it counts correct rows: equal counts tie exactly, without rounding by a division.
    """

    def score(entry: Scored) -> float:
        if scoring == "accuracy" and entry.evaluation.correct is not None:
            return entry.evaluation.correct
        return entry.evaluation.score

    return score


def _cv_score(entry: Scored) -> float:
    """Mean over folds, by an exact sum that does not depend on the order of the folds."""
    scores = entry.evaluation.fold_scores
    return math.fsum(scores) / len(scores) if scores else -math.inf


def _standard_error(entry: Scored) -> float:
    """Standard error of the mean: sample deviation divided by the root of the number of folds."""
    scores, mean = entry.evaluation.fold_scores, _cv_score(entry)
    squares = math.fsum((score - mean) ** 2 for score in scores)
    return math.sqrt(squares / (len(scores) - 1) / len(scores)) if len(scores) > 1 else 0.0


def _within_one_standard_error(
    ordered: Sequence[Scored], best: Set[str], space: ParameterSpace
) -> tuple[Set[str], Scored]:
    """Keys of the candidates within one standard error of the best, and the simplest of them."""

    def simplicity(entry: Scored) -> Any:
        return space.simplicity(entry.candidate)  # `min` takes the first of equally simple ones

    # Equal means may have different errors; the simplest of the best candidates gives the margin.
    leader = min((entry for entry in ordered if entry.candidate.key in best), key=simplicity)
    tolerance = _tolerance([_cv_score(entry) for entry in ordered])
    threshold = _cv_score(leader) - _standard_error(leader) - tolerance(_cv_score(leader))
    close = [
        entry for entry in ordered if entry.candidate.key in best or _cv_score(entry) >= threshold
    ]
    return {entry.candidate.key for entry in close}, min(close, key=simplicity)


def _tolerance(scores: Sequence[float]) -> Callable[[float], float]:
    """Return the function from a score to how far below it another score may lie and still tie."""
    # The other scores give the magnitude near a score of 0; small scores differ by little.
    floor = min(1.0, max((abs(score) for score in scores if math.isfinite(score)), default=0.0))
    return lambda score: TOLERANCE * max(abs(score), floor) if math.isfinite(score) else 0.0


def _ranks(scored: Sequence[Scored], score: Callable[[Scored], float]) -> dict[str, int]:
    """Rank candidates by a score; give the rank of each key, which ties share."""
    scores = {entry.candidate.key: score(entry) for entry in scored}
    tolerance = _tolerance(list(scores.values()))
    ranks: dict[str, int] = {}
    leader, rank = math.inf, 0
    for index, (key, value) in enumerate(sorted(scores.items(), key=lambda item: -item[1])):
        if value < leader - tolerance(leader) or not index:
            leader, rank = value, index + 1
        ranks[key] = rank
    return ranks


def _edges(
    champion: Candidate, candidates: Sequence[Candidate], space: ParameterSpace
) -> tuple[tuple[str, str], ...]:
    edges: list[tuple[str, str]] = []
    for index, axis in enumerate(space.axes):
        if not axis.is_numeric:
            continue
        distinct_values = {candidate.values[index] for candidate in candidates}
        numbers = [value for value in distinct_values if _is_number(value)]
        value = champion.values[index]
        if len(numbers) < 2 or not _is_number(value):
            continue
        if value == min(numbers):
            edges.append((axis.name, "lowest"))
        elif value == max(numbers):
            edges.append((axis.name, "highest"))
    return tuple(edges)


def _is_number(value: Value) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_rule(rule: str, folds: int, space: ParameterSpace) -> str:
    """Return the rule if it can be followed.

    Raises
    ------
    InputError
        If the rule is unknown, needs cross-validation and there is none, or needs to know which
        end of an axis is simple.
    """
    if rule not in RULES:
        raise InputError(
            f"rule {rule!r} is unknown; choose one of {', '.join(RULES)}", field=("rule",)
        )
    if RULES[rule].needs_folds and not folds:
        raise InputError(
            f"rule {rule!r} ranks by cross-validation; set folds to at least 2", field=("rule",)
        )
    if RULES[rule].takes_simplest:
        space.check_simplicity()
    return rule
