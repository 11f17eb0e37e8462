"""How a rule chooses: one function for the real selection and for the draws of a bootstrap.

What the rules are is in `iris_hpo.known_rules`; how scores become a selection, in `rules`.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.known_rules import Rule

TOLERANCE: Final = 1e-9
"""Relative difference up to which scores tie. Counted scores (accuracy) tie only if their whole
numbers are equal."""

Scores = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Standings:
    """What the candidates scored, in one or many draws; candidates in the order of the space.

    Attributes
    ----------
    test, mean
        Score on the test rows, and mean over the folds (``-inf`` without folds). Shape (draws,
        candidates).
    error
        Standard error of the mean, of the same shape; None if the rule has another margin.
    simplicity
        Rank of each candidate by simplicity; equal where neither is simpler. Shape (candidates,).
    share
        The share of the best mean within which the rule ``within`` selects.
    """

    test: Scores
    mean: Scores
    error: Scores | None
    simplicity: NDArray[np.intp]
    share: float

    def turned(self, *, minimizes: bool) -> "Standings":
        """The same with the least test score as the greatest, if the least is the best."""
        return replace(self, test=-self.test) if minimizes else self


@np.errstate(over="ignore")
def choose(rule: Rule, standings: Standings) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Choose in each draw.

    Returns
    -------
    selected
        Whether a candidate shares the best place. Shape (draws, candidates).
    champion
        Position of the one that represents the selected. Shape (draws,).
    """
    primary = standings.mean if rule.needs_folds else standings.test
    best = _ties_with(primary, primary.max(axis=1, keepdims=True))
    if rule.takes_simplest:
        return _simplest(standings, best)
    if rule.needs_folds:
        return best, best.argmax(axis=1)
    return best, _first(best, standings.mean)


@np.errstate(over="ignore")
def tie_ranks(scores: Scores) -> NDArray[np.intp]:
    """Rank scores within each draw, 1 for the greatest; ties share a rank.

    A score ties with the greatest score of its tie, not with its neighbour.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    descending = np.take_along_axis(scores, order, axis=1)
    margins = _tolerance(scores, descending)
    places = np.arange(1, scores.shape[1] + 1)
    begins = np.ones(scores.shape, dtype=bool)
    begins[:, 1:] = descending[:, 1:] < descending[:, :-1] - margins[:, :-1]
    places_of_ties = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
    leaders = np.take_along_axis(descending - margins, places_of_ties - 1, axis=1)
    for draw in np.flatnonzero((descending < leaders).any(axis=1)):  # a long chain of near ties
        places_of_ties[draw] = _chain(descending[draw], margins[draw])
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, places_of_ties, axis=1)
    return ranks


def _chain(descending: Scores, margins: Scores) -> list[int]:
    ranks: list[int] = []
    leader = 0
    for place, score in enumerate(descending):
        if score < descending[leader] - margins[leader]:
            leader = place
        ranks.append(leader + 1)
    return ranks


def _simplest(
    standings: Standings, best: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Select what is close to the best, and take the simplest of it."""
    mean, simplicity = standings.mean, standings.simplicity
    # Equal means may have different errors; the simplest of the best candidates gives the margin.
    leader = _lowest(best, simplicity)[:, None]
    leading = np.take_along_axis(mean, leader, axis=1)
    if standings.error is None:
        margin = standings.share * np.abs(leading)
    else:
        margin = np.take_along_axis(standings.error, leader, axis=1)
    close = best | _ties_with(mean, leading - margin, leading)
    if len(np.unique(simplicity)) == len(simplicity):
        return close, _lowest(close, simplicity)
    champion = _lowest(close, simplicity)[:, None]
    as_simple = close & (simplicity == simplicity[champion])
    return close, _first(as_simple, mean)


def _first(eligible: NDArray[np.bool_], mean: Scores) -> NDArray[np.intp]:
    """Position of the eligible candidate with the best mean, the first of a tie."""
    if (eligible.sum(axis=1) == 1).all():
        return eligible.argmax(axis=1)
    return _lowest(eligible, tie_ranks(mean))


def _lowest(eligible: NDArray[np.bool_], ranks: NDArray[np.intp]) -> NDArray[np.intp]:
    """Position of the eligible candidate with the lowest rank, the first of a tie."""
    return np.where(eligible, ranks, np.iinfo(np.intp).max).argmin(axis=1)


def _ties_with(scores: Scores, level: Scores, leading: Scores | None = None) -> NDArray[np.bool_]:
    """Whether scores reach a level; the score that leads decides the tolerance."""
    return scores >= level - _tolerance(scores, level if leading is None else leading)


def _tolerance(scores: Scores, leading: Scores) -> Scores:
    """How far below a score another one of the draw may lie and still tie."""
    # The other scores give the magnitude near a score of 0; small scores differ by little.
    magnitude = np.where(np.isfinite(scores), np.abs(scores), 0.0).max(axis=1, keepdims=True)
    size = np.maximum(np.abs(leading), np.minimum(1.0, magnitude))
    return np.where(np.isfinite(leading), TOLERANCE * size, 0.0)
