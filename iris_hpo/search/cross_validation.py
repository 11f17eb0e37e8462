"""Cross-validation of candidates, all on the same folds.

An estimator that works on a kernel spends most of its time on computing it, and the kernel depends
on some of its parameters only: an SVM's on gamma, not on C. Where an estimator takes its kernel
precomputed, candidates that differ in other parameters share one matrix, and each fold works on
blocks of it, as scikit-learn's own searches do for ``kernel="precomputed"``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from iris_hpo.search.bounds import Bounds, digest_of_fit
from iris_hpo.search.dataset import Target
from iris_hpo.search.estimators import Estimator, Recipe, unfitted
from iris_hpo.search.evaluation import Examples
from iris_hpo.search.fitting import fit, score
from iris_hpo.search.space import Value

SHARED_BYTES: Final = 256 * 2**20
"""Most memory, per worker, for a shared kernel; larger data is cross-validated row by row."""

KERNEL_PARAMETERS: Final = ("kernel", "gamma", "degree", "coef0")
"""What a kernel may depend on, of an estimator's parameters."""

_KERNEL: Final = "kernel"
_PRECOMPUTED: Final = "precomputed"

_KernelFunction = Callable[..., NDArray[np.float64]]


@dataclass(frozen=True)
class Kernel:
    """A kernel function of ``sklearn.metrics.pairwise`` with its arguments."""

    name: str
    arguments: tuple[tuple[str, float], ...]


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
        self._kept: tuple[Kernel, list[_Fold]] | None = None
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
        estimator = self._recipe.build(parameters)
        known = self._bounds.known(estimator)
        if known is not None:
            return known
        digests, scores = zip(*self._fits(estimator), strict=True)
        self._bounds.note(estimator, digests, scores)
        return scores

    def _fits(self, estimator: Estimator) -> Iterator[tuple[str, float]]:
        from sklearn import config_context

        kernel = shared_kernel(estimator)
        blocks = self._blocks(kernel) if kernel else None
        for number, fold in enumerate(blocks or self._slices(), start=1):
            one = unfitted(estimator)
            if blocks:
                one.set_params(**{_KERNEL: _PRECOMPUTED})
            with config_context(skip_parameter_validation=True):  # fitting the model did that
                fit(one, fold.fit_features, fold.fit_target)
                found = score(one, self._scoring, fold.features, fold.target, f"fold {number}")
            yield digest_of_fit(one), found

    def _slices(self) -> Iterator[_Fold]:
        features, target = self._examples.features, self._examples.target
        for fitted, validated in self._examples.folds:
            yield _Fold(features[fitted], target[fitted], features[validated], target[validated])

    def _blocks(self, kernel: Kernel) -> list[_Fold] | None:
        """The folds of a kernel; None if it takes too much memory, or has overflowed."""
        if self._kept is not None and self._kept[0] == kernel:
            return self._kept[1]
        self._kept = None  # not two at a time
        features, target = self._examples.features, self._target()
        if len(features) ** 2 * 8 * len(self._examples.folds) > SHARED_BYTES:
            return None
        from sklearn.metrics.pairwise import PAIRWISE_KERNEL_FUNCTIONS

        compute = cast("_KernelFunction", PAIRWISE_KERNEL_FUNCTIONS[kernel.name])
        with np.errstate(over="ignore", invalid="ignore"):
            matrix = compute(features, **dict(kernel.arguments))
        if not np.isfinite(matrix).all():
            return None
        folds = [
            _Fold(
                matrix[np.ix_(fitted, fitted)],
                target[fitted],
                matrix[np.ix_(validated, fitted)],
                target[validated],
            )
            for fitted, validated in self._examples.folds
        ]
        self._kept = kernel, folds
        return folds

    def _target(self) -> Target:
        """The labels, as numbers where only their equality counts: those are quicker to check."""
        if self._scoring == "accuracy":
            return np.unique(self._examples.target, return_inverse=True)[1]
        return self._examples.target


def kernel_order(parameters: Mapping[str, Value]) -> str:
    """An order in which candidates that may share a kernel follow each other."""
    return repr([parameters.get(name) for name in KERNEL_PARAMETERS])


def shared_kernel(estimator: Estimator) -> Kernel | None:
    """The kernel that an estimator computes, if it can take it precomputed.

    None if it has none, or if the kernel depends on the rows of a fold, as ``gamma="scale"`` does.
    """
    from sklearn.metrics.pairwise import KERNEL_PARAMS
    from sklearn.utils import get_tags

    parameters = estimator.get_params()
    name = parameters.get(_KERNEL, None)
    if not isinstance(name, str) or name not in KERNEL_PARAMS:
        return None
    arguments = [
        (argument, value)
        for argument in sorted(KERNEL_PARAMS[name])
        if isinstance(value := parameters.get(argument), (int, float))
    ]
    if len(arguments) < len(KERNEL_PARAMS[name]):
        return None
    precomputed = unfitted(estimator)
    precomputed.set_params(**{_KERNEL: _PRECOMPUTED})
    return Kernel(name, tuple(arguments)) if get_tags(precomputed).input_tags.pairwise else None
