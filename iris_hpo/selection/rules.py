"""From scored candidates to a selection, by a rule.

All ties are kept. The champion is one of them; the choice depends neither on the order of work, nor
on the order of the folds, nor on rounding. How a rule chooses is in `choosing`; stored files of a
selection are in `champion` and `leaderboard`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from iris_hpo.errors import InputError
from iris_hpo.known_rules import DEFAULT_SHARE, RULES, Rule
from iris_hpo.selection.choosing import Standings, choose, tie_ranks
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.training.evaluation import Evaluation, cv_mean, cv_std


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
    within
        The share of the best mean that the rule ``within`` allows.
    expectation
        What is expected of the champion, in one line for reports; empty before it is estimated.
    minimizes
        Whether the least score is the best.
    proposals
        Which sampler proposed a candidate, and when, by the candidate's key; what files list is not
        among them.
    """

    space: ParameterSpace
    scoring: str
    rule: str
    rows: tuple[Ranked, ...]
    edges: tuple[tuple[str, str], ...]
    within: float = DEFAULT_SHARE
    expectation: str = ""
    minimizes: bool = False
    proposals: Mapping[str, Mapping[str, str | int]] = field(
        default_factory=dict[str, Mapping[str, str | int]]
    )

    @property
    def selected(self) -> tuple[Scored, ...]:
        """All candidates that share the best place."""
        return tuple(row.scored for row in self.rows if row.selected)

    @property
    def champion(self) -> Scored:
        """The one selected candidate that represents the others."""
        return next(row.scored for row in self.rows if row.champion)


def select(
    scored: Sequence[Scored],
    space: ParameterSpace,
    scoring: str,
    rule: str,
    *,
    within: float = DEFAULT_SHARE,
    repeats: int = 1,
    minimizes: bool = False,
) -> Selection:
    """Rank candidates and choose the best.

    Parameters
    ----------
    scored
        Scored candidates, at least one.
    rule
        ``test_score``: the best score on the test rows; the champion of a tie has the best mean.
        ``own_score``: the best score of an objective that scores itself. ``cv``: the best
        cross-validation mean. ``one_standard_error``: all within one standard error of the best
        mean; the simplest is the champion (Breiman et al. (1984), Classification and Regression
        Trees, section 3.4.3). ``within``: the same, within a share of the best mean. The first axis
        decides which is simpler, then the second, and so on; then the mean, then the space's order.
    within
        The share of the best mean for the rule ``within``, such as 0.01.
    repeats
        How often the folds validate each training row: the standard error counts one repeat.
    minimizes
        Whether the least score is the best.

    Raises
    ------
    InputError
        If a candidate has no fold scores, or an axis no simple end, and the rule needs them.
    """
    _check(scored, rule, space)
    scored = sorted(scored, key=lambda one: space.order(one.candidate))
    standings = _standings(scored, space, scoring, RULES[rule], within, repeats)
    standings = standings.turned(minimizes=minimizes)
    (selected,), (champion,) = choose(RULES[rule], standings)
    primary = standings.mean if RULES[rule].needs_folds else standings.test
    (ranks,), (cv_ranks,) = tie_ranks(primary), tie_ranks(standings.mean)
    # If cross-validation ranks, the test score breaks no tie, so it stays an honest estimate.
    ordered = np.lexsort((cv_ranks, ranks))
    rows = tuple(
        Ranked(int(ranks[at]), scored[at], bool(selected[at]), bool(at == champion))
        for at in ordered.tolist()
    )
    edges = _edges(scored[champion].candidate, [entry.candidate for entry in scored], space)
    return Selection(space, scoring, rule, rows, edges, within, minimizes=minimizes)


def _check(scored: Sequence[Scored], rule: str, space: ParameterSpace) -> None:
    if not scored:
        raise ValueError("there is no scored candidate to select from")
    for entry in scored:
        _check_folds(entry, rule, space)


def _check_folds(entry: Scored, rule: str, space: ParameterSpace) -> None:
    folds = len(entry.evaluation.fold_scores)
    if rule in RULES and RULES[rule].needs_folds and not folds:
        raise InputError(
            f"rule {rule!r} ranks by cross-validation, and {entry.candidate.key} has no fold "
            "scores; choose the rule test_score, or set folds to at least 2"
        )
    check_rule(rule, folds, space)


def _standings(
    scored: Sequence[Scored],
    space: ParameterSpace,
    scoring: str,
    rule: Rule,
    within: float,
    repeats: int,
) -> Standings:
    """What the candidates scored, exactly: by counts, and by sums that no order changes."""
    means = [_cv_score(entry) for entry in scored]
    errors = None
    if rule.needs_error:
        errors = [
            _standard_error(entry, mean, repeats) for entry, mean in zip(scored, means, strict=True)
        ]
    return Standings(
        np.array([[test_score(entry, scoring) for entry in scored]], dtype=float),
        np.array([means]),
        None if errors is None else np.array([errors]),
        simplicity_ranks([entry.candidate for entry in scored], space, rule),
        within,
    )


def simplicity_ranks(
    candidates: Sequence[Candidate], space: ParameterSpace, rule: Rule
) -> NDArray[np.intp]:
    """Rank candidates by simplicity, the simplest first; all are equal if the rule needs no rank.

    Those that are equally simple tie.
    """
    if not rule.takes_simplest:
        return np.zeros(len(candidates), dtype=np.intp)
    keys = [space.simplicity(candidate) for candidate in candidates]
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    return np.array([places[key] for key in keys], dtype=np.intp)


def test_score(entry: Scored, scoring: str) -> float:
    """Score on the test rows; for accuracy the number of correct rows.

    Equal counts tie exactly, without rounding by a division.
    """
    if scoring == "accuracy" and entry.evaluation.correct is not None:
        return entry.evaluation.correct
    return entry.evaluation.score


def _cv_score(entry: Scored) -> float:
    """Mean over folds, by an exact sum that does not depend on the order of the folds."""
    scores = entry.evaluation.fold_scores
    return math.fsum(scores) / len(scores) if scores else -math.inf


def _standard_error(entry: Scored, mean: float, repeats: int) -> float:
    """Standard error of the mean: sample deviation divided by the root of the number of folds.

    The folds of one repeat are counted: more repeats score the same rows again.
    """
    scores = entry.evaluation.fold_scores
    if len(scores) < 2:
        return 0.0
    squares = math.fsum((score - mean) ** 2 for score in scores)
    return math.sqrt(squares / (len(scores) - 1) / (len(scores) / repeats))


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


def drop_limits(selection: Selection, limits: Mapping[str, tuple[float, float]]) -> Selection:
    """Drop the edges at which the champion has the last number that an axis can have.

    Parameters
    ----------
    limits
        The lowest and the highest number that can be tried, by the name of each axis with an edge.
    """
    names = (axis.name for axis in selection.space.axes)
    values = dict(zip(names, selection.champion.candidate.values, strict=True))
    edges = tuple((axis, end) for axis, end in selection.edges if values[axis] not in limits[axis])
    return replace(selection, edges=edges)


def _is_number(value: object) -> TypeGuard[float]:
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
        space.check_simplicity(rule)
    return rule
