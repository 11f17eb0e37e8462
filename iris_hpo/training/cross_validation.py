"""Cross-validation of candidates, all on the same folds.

A fold is what scikit-learn makes of it: an estimator built like the model, fitted to a copy of the
fold's rows, and scored on a copy of the others. An SVM spends much of its time on its kernel, which
depends on gamma and not on C. Candidates with one gamma share it where the fits are provably the
same (`svm_kernel`), and each fold works on blocks of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Target
from iris_hpo.data.split import Examples
from iris_hpo.space.values import Value
from iris_hpo.training.estimators import Estimator, Recipe
from iris_hpo.training.fitting import build, fit, score
from iris_hpo.training.svm_bound import Bounds, digest_of_fit
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
"""What a kernel may depend on, of an estimator's parameters."""


@dataclass(frozen=True)
class _Fold:
    """What is fitted and what is scored: rows of features, or of a kernel."""

    fit_features: NDArray[np.float64]
    fit_target: Target
    features: NDArray[np.float64]
    target: Target


class CrossValidation:
    """Scores candidates on the folds of the training rows.

    What the last candidate shares with others is kept: they should follow each other, in the
    `kernel_order`.

    Parameters
    ----------
    recipe, scoring
        How to build and judge.
    examples
        The training rows and their folds.
    """

    def __init__(self, recipe: Recipe, examples: Examples, scoring: str) -> None:
        self._recipe = recipe
        self._examples = examples
        self._scoring = scoring
        self._kept: tuple[float, tuple[SharedKernel, list[_Fold]] | None] | None = None
        self._bounds = Bounds[tuple[float, ...]]()

    def scores(self, parameters: Mapping[str, Value]) -> tuple[float, ...]:
        """Fit and score a candidate on every fold.

        Raises
        ------
        CandidateError
            If the estimator refuses, or a score is not finite.
        """
        if not self._examples.folds:
            return ()
        estimator = build(self._recipe, parameters, self._examples.target)
        known = self._bounds.known(estimator)
        if known is not None:
            return known
        digests, scores = zip(*self._fits(estimator, parameters), strict=True)
        self._bounds.note(estimator, digests, scores)
        return scores

    def _fits(
        self, estimator: Estimator, parameters: Mapping[str, Value]
    ) -> Iterator[tuple[str, float]]:
        from sklearn import config_context

        gamma = shared_gamma(estimator, self._scoring)
        shared = self._shared(gamma) if gamma else None
        for number in range(len(self._examples.folds)):
            with config_context(skip_parameter_validation=True):  # fitting the model did that
                found = self._on_blocks(*shared, number, parameters) if shared else None
                yield found or self._on_rows(number, parameters)

    def _on_rows(self, number: int, parameters: Mapping[str, Value]) -> tuple[str, float]:
        fold = self._rows(number)
        estimator = build(self._recipe, parameters, self._examples.target)
        fit(estimator, fold.fit_features, fold.fit_target)
        return digest_of_fit(estimator), self._score(estimator, fold, number)

    def _on_blocks(
        self,
        kernel: SharedKernel,
        folds: list[_Fold],
        number: int,
        parameters: Mapping[str, Value],
    ) -> tuple[str, float] | None:
        """Fit and score on blocks of the kernel; None if its last bits might decide."""
        fold = folds[number]
        estimator = build(self._recipe, parameters, self._examples.target)
        if names_labels(estimator):
            rows = self._rows(number)
            fold = _Fold(fold.fit_features, rows.fit_target, fold.features, rows.target)
        estimator.set_params(kernel="precomputed")
        if is_classifier(estimator):
            estimator.set_params(decision_function_shape="ovo")
        fit(estimator, fold.fit_features, fold.fit_target)
        if is_classifier(estimator) and not decides_clearly(estimator, fold.features, kernel.error):
            return None
        return digest_of_fit(estimator), self._score(estimator, fold, number)

    def _score(self, estimator: Estimator, fold: _Fold, number: int) -> float:
        return score(estimator, self._scoring, fold.features, fold.target, f"fold {number + 1}")

    def _rows(self, number: int) -> _Fold:
        """The rows of a fold, as copies: a fit may change them."""
        features, target = self._examples.features, self._examples.target
        fitted, validated = self._examples.folds[number]
        return _Fold(features[fitted], target[fitted], features[validated], target[validated])

    def _shared(self, gamma: float) -> tuple[SharedKernel, list[_Fold]] | None:
        """The folds of a kernel; None if it cannot be shared, or takes too much memory."""
        if self._kept is None or self._kept[0] != gamma:
            self._kept = None  # not two at a time
            self._kept = gamma, self._blocks(gamma)
        return self._kept[1]

    def _blocks(self, gamma: float) -> tuple[SharedKernel, list[_Fold]] | None:
        features, target = self._examples.features, self._target()
        too_large = len(features) ** 2 * 8 * len(self._examples.folds) > SHARED_BYTES
        if too_large or features.size < SHARED_NUMBERS:
            return None
        kernel = compute_kernel(features, gamma)
        if kernel is None:
            return None
        return kernel, [
            _Fold(
                kernel.matrix[np.ix_(fitted, fitted)],
                target[fitted],
                kernel.matrix[np.ix_(validated, fitted)],
                target[validated],
            )
            for fitted, validated in self._examples.folds
        ]

    def _target(self) -> Target:
        """The labels, as numbers where only their equality counts: those are quicker to check."""
        if self._scoring == "accuracy":
            return np.unique(self._examples.target, return_inverse=True)[1]
        return self._examples.target


def kernel_order(parameters: Mapping[str, Value]) -> str:
    """An order in which candidates that may share a kernel follow each other."""
    return repr([parameters.get(name) for name in KERNEL_PARAMETERS])
