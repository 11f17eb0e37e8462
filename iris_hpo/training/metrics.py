"""Scoring predictions: the metrics that every candidate gets beside the search's own scoring."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any, Final

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


@dataclass(frozen=True)
class Predictions:
    """The true and the predicted values of the same rows, and how much each counts, (rows,)."""

    target: Target
    predicted: NDArray[np.generic]
    weights: NDArray[np.float64] | None = None

    @cached_property
    def counts(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Rows of each class: predicted as theirs, in all, and predicted as this class."""
        both = np.concatenate([self.target, self.predicted])
        classes, codes = np.unique(both, return_inverse=True)
        size, rows = len(classes), len(self.target)
        pairs = codes[:rows] * size + codes[rows:]
        matrix = np.bincount(pairs, self.weights, minlength=size * size)
        matrix = matrix.reshape(size, size)
        return np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)


def _accuracy(predictions: Predictions) -> float:
    hits, actual, _ = predictions.counts
    return float(hits.sum() / actual.sum())


def _balanced_accuracy(predictions: Predictions) -> float:
    hits, actual, _ = predictions.counts
    recall = hits[actual > 0] / actual[actual > 0]
    return float(recall.mean())


def _macro_f1(predictions: Predictions) -> float:
    hits, actual, claimed = predictions.counts
    return float(np.mean(2 * hits / (actual + claimed)))


def _of_scikit_learn(function: str) -> Callable[[Predictions], float]:
    def compute(predictions: Predictions) -> float:
        from sklearn import metrics

        values = predictions.target, predictions.predicted
        return float(getattr(metrics, function)(*values, sample_weight=predictions.weights))

    return compute


@dataclass(frozen=True)
class Metric:
    """A number that every candidate gets on the test rows."""

    name: str
    task: Task
    description: str
    compute: Callable[[Predictions], float]


# Those of classes come from one confusion matrix: scikit-learn's functions check and count again
# for each, several milliseconds a candidate, as long as a small fit.
METRICS: Final[Mapping[str, Metric]] = {
    metric.name: metric
    for metric in (
        Metric(
            "accuracy",
            "classification",
            "share of the rows whose class is predicted",
            _accuracy,
        ),
        Metric(
            "balanced_accuracy",
            "classification",
            "mean over the classes of the share of their rows whose class is predicted",
            _balanced_accuracy,
        ),
        Metric("macro_f1", "classification", "mean over the classes of the F1 score", _macro_f1),
        Metric(
            "r2",
            "regression",
            "coefficient of determination",
            _of_scikit_learn("r2_score"),
        ),
        Metric(
            "mean_absolute_error",
            "regression",
            "mean of the absolute errors",
            _of_scikit_learn("mean_absolute_error"),
        ),
        Metric(
            "root_mean_squared_error",
            "regression",
            "square root of the mean squared error",
            _of_scikit_learn("root_mean_squared_error"),
        ),
    )
}
"""The metrics by name, in the order of the leaderboard's columns; all as scikit-learn defines
them."""


def measure(
    task: Task,
    target: Target,
    predicted: NDArray[np.generic],
    weights: NDArray[np.float64] | None = None,
) -> Mapping[str, float]:
    """Compute the metrics of a task.

    Parameters
    ----------
    target, predicted, weights
        Shape (rows,); without weights, all rows count alike.

    Returns
    -------
    mapping
        The value of each of the task's `METRICS`, by name.
    """
    predictions = Predictions(target, predicted, weights)
    return {
        metric.name: metric.compute(predictions)
        for metric in METRICS.values()
        if metric.task == task
    }
