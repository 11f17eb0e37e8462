"""The kernel of an SVM, computed once for all folds and for all candidates with one gamma.

LIBSVM keeps the kernel of a fit in single precision. A matrix that agrees with LIBSVM's own values
up to the last bits of double precision therefore gives the same fit, bit by bit, except where these
bits decide to which single-precision number a value is rounded. Those values, a handful in
millions, are computed again as LIBSVM computes them. An RBF kernel has a diagonal of exactly one,
so nothing else of the kernel enters a fit; other kernels have a diagonal in double precision, and
are not shared.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Features
from iris_hpo.training.estimators import Estimator

Row = NDArray[np.float64]

_SVMS: Final = ("SVC", "NuSVC", "SVR", "NuSVR")
"""Classes of ``sklearn.svm`` that work on a kernel; a subclass may do anything else with rows."""

_CLASSIFIERS: Final = ("SVC", "NuSVC")

_PREDICTION_SCORINGS: Final = frozenset(
    (
        "accuracy",
        "balanced_accuracy",
        "matthews_corrcoef",
        *(
            f"{name}{average}"
            for name in ("f1", "precision", "recall", "jaccard")
            for average in ("", "_macro", "_micro", "_weighted")
        ),
    )
)
"""Scorings that use predicted labels only. Others rank decision values, where a last bit may decide
about a tie."""

_NO_PROBABILITIES: Final = (None, False, "deprecated")
"""Settings of ``probability`` without a random division of the rows within the fit."""

_OPERATIONS: Final = 8
"""Rounding errors of a kernel value beside those of the scalar products, in units of the last
place."""


@dataclass(frozen=True)
class SharedKernel:
    """An RBF kernel of all training rows.

    Attributes
    ----------
    matrix
        Shape (rows, rows).
    error
        Bound of the relative difference between the matrix and LIBSVM's own values.
    """

    matrix: NDArray[np.float64]
    error: float


def shared_gamma(estimator: Estimator, scorings: Collection[str]) -> float | None:
    """Return the gamma of a kernel that may be shared under scorings; None if none may be.

    None also for a gamma that depends on the rows of a fold, as ``gamma="scale"`` does.
    """
    if not is_svm(estimator):
        return None
    parameters = estimator.get_params()
    gamma = parameters.get("gamma")
    if parameters.get("kernel") != "rbf" or not _is_positive(gamma):
        return None
    if parameters["max_iter"] != -1:  # a fit that is cut short is nowhere near unique
        return None
    if is_classifier(estimator):
        if not _PREDICTION_SCORINGS.issuperset(scorings) or parameters["break_ties"] is not False:
            return None
        if parameters["probability"] not in _NO_PROBABILITIES:
            return None
    return float(gamma)  # type: ignore[arg-type]


def is_svm(estimator: Estimator) -> bool:
    """Whether an estimator is exactly one of scikit-learn's SVMs with a kernel."""
    kind = type(estimator)
    return kind.__name__ in _SVMS and kind.__module__ == "sklearn.svm._classes"


def names_labels(estimator: Estimator) -> bool:
    """Whether a setting of an SVM names a label, so that labels must stay as they are."""
    return estimator.get_params().get("class_weight") not in (None, "balanced")


def compute_kernel(features: Features, gamma: float) -> SharedKernel | None:
    """Compute the kernel of rows.

    Returns
    -------
    SharedKernel or None
        None if values overflow, or if the rows lie so far from zero that rounding decides about
        too many of them.
    """
    from sklearn.metrics.pairwise import rbf_kernel

    with np.errstate(over="ignore", invalid="ignore"):
        matrix = rbf_kernel(features, gamma=gamma)
        largest = np.einsum("ij,ij->i", features, features).max()
        error = float(
            np.finfo(np.float64).eps
            * (_OPERATIONS + gamma * largest * (_OPERATIONS + 2 * features.shape[1]))
        )
    if not (np.isfinite(matrix).all() and error < np.finfo(np.float32).eps):
        return None
    low, high = ((matrix * (1 + sign * error)).astype(np.float32) for sign in (-1, 1))
    unsure = np.argwhere(low != high)
    if len(unsure) > len(features):
        return None
    _settle(matrix, unsure, features, gamma)
    return SharedKernel(matrix, error)


def decides_clearly(fitted: Estimator, rows: Features, error: float) -> bool:
    """Whether no prediction of a classifier depends on the last bits of a shared kernel.

    The classifier must have been fitted with ``decision_function_shape="ovo"``.
    """
    decisions = np.abs(fitted.decision_function(rows)).min()  # type: ignore[attr-defined]
    weights = np.abs(fitted.dual_coef_).sum()  # type: ignore[attr-defined]
    return bool(decisions > 2 * error * (weights + 1))


def count_support_vectors(model: object) -> int | None:
    """Count the support vectors of a fitted SVM, alone or at the end of a pipeline.

    Returns
    -------
    int or None
        None for any other model.
    """
    steps = getattr(model, "steps", None)
    final = steps[-1][-1] if isinstance(steps, list) and steps else model
    counts = getattr(final, "n_support_", None)
    return int(np.sum(counts)) if isinstance(counts, np.ndarray) else None


def is_classifier(estimator: Estimator) -> bool:
    """Whether one of the SVMs predicts labels."""
    return type(estimator).__name__ in _CLASSIFIERS


def _settle(
    matrix: NDArray[np.float64], unsure: NDArray[np.intp], features: Features, gamma: float
) -> None:
    """Compute some values with the BLAS and in the order of LIBSVM."""
    from scipy.linalg import get_blas_funcs

    ddot = cast("Callable[[Row, Row], float]", get_blas_funcs("dot", dtype=np.float64))
    for row, column in unsure:
        left, right = features[row], features[column]
        distance = ddot(left, left) + ddot(right, right) - 2 * ddot(left, right)
        matrix[row, column] = math.exp(-gamma * distance)


def _is_positive(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf
