"""Scoring predictions: the metrics that every candidate gets beside the search's own scoring."""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Target, Task

METRICS_VERSION: Final = "1"
"""Part of a score's fingerprint: raise it when a metric changes."""

_Z_95: Final = NormalDist().inv_cdf(0.975)


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """95 % confidence interval of a proportion.

    Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22, 209-212.

    Returns
    -------
    low, high
        Within 0 and 1; exactly 0 if nothing is correct, exactly 1 if everything is.
    """
    share = correct / total
    z2 = _Z_95**2 / total
    centre = (share + z2 / 2) / (1 + z2)
    half = _Z_95 * math.sqrt(share * (1 - share) / total + z2 / (4 * total)) / (1 + z2)
    # At the ends the formula gives 0 and 1, but rounding would leave the share outside.
    low = 0.0 if correct == 0 else centre - half
    high = 1.0 if correct == total else centre + half
    return low, high


def count_correct(target: Target, predicted: NDArray[np.generic]) -> int:
    """Count the rows whose label was predicted."""
    return int(np.count_nonzero(target == predicted))


def measure(task: Task, target: Target, predicted: NDArray[np.generic]) -> Mapping[str, float]:
    """Compute the metrics of a task.

    Parameters
    ----------
    target, predicted
        Shape (rows,).

    Returns
    -------
    mapping
        For classification ``accuracy``, ``balanced_accuracy`` and ``macro_f1``; for regression
        ``r2``, ``mean_absolute_error`` and ``root_mean_squared_error``, all as scikit-learn
        defines them.
    """
    if task == "classification":
        return _classification(target, predicted)
    return _regression(target, predicted)


def _classification(target: Target, predicted: NDArray[np.generic]) -> Mapping[str, float]:
    # From one confusion matrix: scikit-learn's functions check and count anew each, several
    # milliseconds a candidate, as long as a small fit.
    classes, codes = np.unique(np.concatenate([target, predicted]), return_inverse=True)
    size, rows = len(classes), len(target)
    matrix = np.bincount(codes[:rows] * size + codes[rows:], minlength=size * size)
    matrix = matrix.reshape(size, size)
    hits, actual, claimed = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    recall = hits[actual > 0] / actual[actual > 0]
    return {
        "accuracy": float(hits.sum() / rows),
        "balanced_accuracy": float(recall.mean()),
        "macro_f1": float(np.mean(2 * hits / (actual + claimed))),
    }


def _regression(target: Target, predicted: NDArray[np.generic]) -> Mapping[str, float]:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    return {
        "r2": float(r2_score(target, predicted)),
        "mean_absolute_error": float(mean_absolute_error(target, predicted)),
        "root_mean_squared_error": float(root_mean_squared_error(target, predicted)),
    }
