"""How much each axis matters for the score of a candidate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from iris_hpo.reports.scores import Floats

ENOUGH: Final = 30
"""Number of candidates from which importances are computed."""

_EXPLAINED: Final = 0.3
_MOST: Final = 2000
_TREES: Final = 60
_REPEATS: Final = 5


@dataclass(frozen=True)
class Importance:
    """How much the axes matter.

    Attributes
    ----------
    shares
        Share of each axis; they sum to 1. Empty if they cannot be given.
    sentence
        What the shares are, or why there are none.
    """

    shares: tuple[float, ...]
    sentence: str


def importance(places: Sequence[Floats], scores: Floats) -> Importance:
    """Measure by how much shuffling an axis worsens a forest's prediction of the score.

    The forest predicts the rank of the scores, so that a few very bad candidates do not decide. It
    sees interactions of axes, unlike the means per value.

    Parameters
    ----------
    places
        Place of each candidate on each axis that varies.
    scores
        The score of each candidate.
    """
    known = np.flatnonzero(np.isfinite(scores))
    needed = max(ENOUGH, 10 * len(places))
    if len(places) < 2:
        return Importance((), "only one axis varies")
    if len(known) < needed:
        return Importance((), f"{len(known)} scores are too few; from {needed} on it is shown")
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    if len(known) > _MOST:
        known = np.random.default_rng(0).choice(known, _MOST, replace=False)
    features = np.column_stack([column[known] for column in places])
    _, ranks = np.unique(scores[known], return_inverse=True)
    target = np.searchsorted(np.sort(ranks), ranks) / len(ranks)
    if not np.ptp(target):
        return Importance((), "all scores are equal")
    forest = RandomForestRegressor(_TREES, min_samples_leaf=2, oob_score=True, random_state=0)
    explained = float(forest.fit(features, target).oob_score_)
    if explained < _EXPLAINED:
        return Importance(
            (),
            f"the axes explain too little of the scores ({max(explained, 0):.0%}) to compare them",
        )
    worse: Any = permutation_importance(
        forest, features, target, n_repeats=_REPEATS, random_state=0
    )
    gains = np.maximum(worse["importances_mean"], 0)
    shares = gains / gains.sum() if gains.any() else gains
    return Importance(
        tuple(shares.tolist()),
        "How much worse a random forest predicts the scores when the values of an axis are "
        f"shuffled, as a share of all axes; the forest explains {explained:.0%} of the scores' "
        "order.",
    )
