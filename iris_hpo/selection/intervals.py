"""Intervals: from the scores of draws, and from the scores of folds."""

import math
from typing import Final

import numpy as np

from iris_hpo.selection.choosing import Scores

STRETCH: Final = 1.1
"""How much farther from the mean than the percentiles of the draws the interval reaches.

Drawing rows does not show how much the score varies with the rows that the model was trained on.
"""


_SHARES: Final = (
    *("accuracy", "average_precision", "balanced_accuracy", "f1", "jaccard", "precision"),
    *("recall", "roc_auc", "top_k"),
)
"""How the names of scorings begin that lie between 0 and 1."""


def within_limits(scoring: str, interval: tuple[float, float, float]) -> tuple[float, float, float]:
    """Cut an interval where no score of a scoring can lie."""
    if "." in scoring:  # a function of a user's own
        return interval
    lowest = 0.0 if scoring.startswith(_SHARES) else -math.inf
    if scoring.startswith(_SHARES) or scoring == "r2":
        highest = 1.0
    else:
        highest = 0.0 if scoring.startswith("neg_") else math.inf
    value, low, high = (min(max(end, lowest), highest) for end in interval)
    return value, low, high


def percentile_interval(
    draws: Scores, perfect: float | None = None, stretch: float = STRETCH
) -> tuple[float, float, float]:
    """Mean of draws with a 95 % interval.

    Parameters
    ----------
    draws
        Scores, shape (draws,).
    perfect
        The score without any error, if errors are compared by their ratio: the mean and the
        interval are then those of the logarithm of the error.
    stretch
        How much farther than the percentiles the interval reaches.

    Returns
    -------
    value, low, high
    """
    if perfect is None or not (draws < perfect).all():
        mean = float(draws.mean())
        low, high = np.percentile(draws, [2.5, 97.5])
        return mean, mean + stretch * float(low - mean), mean + stretch * float(high - mean)
    value, low, high = (
        perfect - float(np.exp(-logarithm))
        for logarithm in percentile_interval(-np.log(perfect - draws), stretch=stretch)
    )
    return value, low, high


def corrected_t_interval(fold_scores: Scores, ratio: float) -> tuple[float, float, float]:
    """Mean over folds with the corrected resampled t interval, 95 %.

    Nadeau, C., Bengio, Y. (2003), Inference for the generalization error, Machine Learning 52,
    239-281.

    Parameters
    ----------
    fold_scores
        At least two, of all repeats.
    ratio
        Number of validation rows of a fold, divided by the number of its training rows.

    Returns
    -------
    value, low, high
    """
    from scipy.special import stdtrit

    number = len(fold_scores)
    mean = float(fold_scores.mean())
    error = float(np.sqrt((1 / number + ratio) * fold_scores.var(ddof=1)))
    half = float(stdtrit(number - 1, 0.975)) * error
    return mean, mean - half, mean + half
