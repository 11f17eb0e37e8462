"""Cross-validation of an SVM on blocks of a kernel that candidates with one gamma share.

An SVM spends much of its time on its kernel, which depends on gamma and not on C. The kernel of all
training rows is computed once, where the fits are provably the same (`svm_kernel`), and each fold
works on blocks of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Target
from iris_hpo.data.split import Examples
from iris_hpo.space.values import Value
from iris_hpo.training.estimators import Estimator, Recipe
from iris_hpo.training.fitting import RowScore, build, fit, score
from iris_hpo.training.row_weights import Weights, weights_of
from iris_hpo.training.scorers import Scorings
from iris_hpo.training.svm_bound import digest_of_fit
from iris_hpo.training.svm_kernel import (
    SharedKernel,
    compute_kernel,
    decides_clearly,
    is_classifier,
    names_labels,
    shared_gamma,
)

SHARED_BYTES: Final = 256 * 2**20
"""Most memory, per worker, for a shared kernel; larger data is cross-validated row by row."""

SHARED_NUMBERS: Final = 5_000
"""Fewest numbers (rows times features) for which sharing a kernel saves time."""

KERNEL_PARAMETERS: Final = ("kernel", "gamma", "degree", "coef0")
"""The parameters of an estimator that a kernel may depend on."""


def kernel_order(parameters: Mapping[str, Value]) -> str:
    """Sort key by which candidates that may share a kernel follow each other."""
    return repr([parameters.get(name) for name in KERNEL_PARAMETERS])


@dataclass(frozen=True)
class _Blocks:
    """A fold's blocks of the kernel: to fit, and to score."""

    fit_kernel: NDArray[np.float64]
    fit_target: Target
    fit_weights: Weights | None
    kernel: NDArray[np.float64]
    target: Target
    weights: Weights | None


class SharedFolds:
    """Fits and scores an SVM on the folds of a shared kernel.

    The last kernel is kept: candidates should follow each other in the `kernel_order`.

    Parameters
    ----------
    recipe, scorings
        How to build and score.
    examples
        The training rows and their folds.
    """

    def __init__(self, recipe: Recipe, examples: Examples, scorings: Scorings) -> None:
        self._recipe = recipe
        self._examples = examples
        self._scorings = scorings
        self._kept: tuple[float, tuple[SharedKernel, list[_Blocks]] | None] | None = None

    def gamma(self, estimator: Estimator) -> float | None:
        """Return the gamma of the kernel; None if the estimator shares none."""
        return shared_gamma(estimator, self._scorings.names)

    def fit_and_score(
        self, gamma: float, number: int, parameters: Mapping[str, Value]
    ) -> tuple[str, RowScore] | None:
        """Fit and score one fold.

        Returns
        -------
        digest, score
            None if there is no such kernel, or if its last bits might decide a prediction.

        Raises
        ------
        CandidateError
            If the estimator refuses, or its score is not finite.
        """
        shared = self._shared(gamma)
        if shared is None:
            return None
        kernel, folds = shared
        blocks = folds[number]
        estimator = build(self._recipe, parameters, self._examples.target)
        if names_labels(estimator):
            fitted, validated = self._examples.folds[number]
            target = self._examples.target
            blocks = replace(blocks, fit_target=target[fitted], target=target[validated])
        estimator.set_params(kernel="precomputed")
        if is_classifier(estimator):
            estimator.set_params(decision_function_shape="ovo")
        fit(estimator, blocks.fit_kernel, blocks.fit_target, blocks.fit_weights)
        if is_classifier(estimator) and not decides_clearly(estimator, blocks.kernel, kernel.error):
            return None
        rows = f"fold {number + 1}"
        scored = score(
            estimator, self._scorings, blocks.kernel, blocks.target, rows, blocks.weights
        )
        if self._scores_codes and not names_labels(estimator) and scored.predicted is not None:
            codes = cast("NDArray[np.int64]", scored.predicted)
            scored = replace(scored, predicted=self._coded[0][codes])
        return digest_of_fit(estimator), scored

    def _shared(self, gamma: float) -> tuple[SharedKernel, list[_Blocks]] | None:
        """The folds of a kernel; None if it cannot be shared, or takes too much memory."""
        if self._kept is None or self._kept[0] != gamma:
            self._kept = None  # not two at a time
            self._kept = gamma, self._cut(gamma)
        return self._kept[1]

    def _cut(self, gamma: float) -> tuple[SharedKernel, list[_Blocks]] | None:
        features, target = self._examples.features, self._target()
        weights = self._examples.roles.weight
        too_large = len(features) ** 2 * 8 * len(self._examples.folds) > SHARED_BYTES
        if too_large or features.size < SHARED_NUMBERS:
            return None
        kernel = compute_kernel(features, gamma)
        if kernel is None:
            return None
        return kernel, [
            _Blocks(
                kernel.matrix[np.ix_(fitted, fitted)],
                target[fitted],
                weights_of(weights, fitted),
                kernel.matrix[np.ix_(validated, fitted)],
                target[validated],
                weights_of(weights, validated),
            )
            for fitted, validated in self._examples.folds
        ]

    def _target(self) -> Target:
        """The labels, as numbers where only their equality counts: those are quicker to check."""
        return self._coded[1] if self._scores_codes else self._examples.target

    @property
    def _scores_codes(self) -> bool:
        return self._scorings.names == ("accuracy",)

    @cached_property
    def _coded(self) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
        """The sorted classes, and the position of each label among them."""
        classes, codes = np.unique(self._examples.target, return_inverse=True)
        return classes, codes.astype(np.int64)
