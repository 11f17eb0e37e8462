"""Cross-validation of candidates, all on the same folds.

An estimator that works on a kernel spends most of its time on computing it, and the kernel depends
on some of its parameters only: an SVM's on gamma, not on C. Where an estimator takes its kernel
precomputed, candidates that differ in other parameters share one matrix, and each fold works on
blocks of it, as scikit-learn's own searches do for ``kernel="precomputed"``.

And an SVM's C is only the bound of its dual coefficients (Chang and Lin, 2011, LIBSVM, equation 2).
From some C on none reaches it, and every larger C gives the same model, bit by bit. Two values of C
with the same fits show that this is so; then the scores of larger ones are known.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from iris_hpo.search.dataset import Target
from iris_hpo.search.estimators import Estimator, Recipe, unfitted
from iris_hpo.search.evaluation import Examples
from iris_hpo.search.fitting import fit, score
from iris_hpo.search.space import Value

SHARED_BYTES: Final = 256 * 2**20
"""Most memory, per worker, for a shared kernel; larger data is cross-validated row by row."""

KERNEL_PARAMETERS: Final = ("kernel", "gamma", "degree", "coef0")
"""What a kernel may depend on, of an estimator's parameters."""

_BOUND: Final = "C"
_FITTED: Final = ("dual_coef_", "intercept_", "support_", "n_iter_", "fit_status_")
"""What the fit of an SVM found, and how many steps it took."""

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


@dataclass(frozen=True)
class _Fits:
    """The fits of a candidate on all folds: what they were made with and found, and their scores.

    Attributes
    ----------
    others, bound
        The estimator's parameters: all but the bound of the dual coefficients, and the bound.
    digest
        Equal for fits that took the same steps to the same end; empty if that is not known.
    """

    others: str
    bound: float
    digest: str
    scores: tuple[float, ...]


class _Bounds:
    """Knows from which bound on every larger one gives the same fits."""

    def __init__(self) -> None:
        self._last: _Fits | None = None
        self._enough: _Fits | None = None

    def known_scores(self, others: str, bound: float) -> tuple[float, ...] | None:
        """The scores under a bound, if they are those of a smaller one."""
        enough = self._enough
        if enough is not None and enough.others == others and enough.bound < bound:
            return enough.scores
        return None

    def note(self, fits: _Fits) -> None:
        """Compare fits with those under the bound before."""
        last, self._last, self._enough = self._last, fits, None
        if last is not None and fits.digest and last.bound < fits.bound:
            same = (last.others, last.digest) == (fits.others, fits.digest)
            self._enough = fits if same else None


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
        self._bounds = _Bounds()

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
        kernel = shared_kernel(estimator)
        blocks = self._blocks(kernel) if kernel else None
        if blocks is None:
            return tuple(found for _, found in self._fits(estimator, self._slices()))
        others = estimator.get_params()
        bound = others.pop(_BOUND, None)
        estimator.set_params(**{_KERNEL: _PRECOMPUTED})
        if not isinstance(bound, (int, float)):
            return tuple(found for _, found in self._fits(estimator, blocks))
        described = repr(sorted(others.items()))
        known = self._bounds.known_scores(described, bound)
        if known is not None:
            return known
        fitted, scores = zip(*self._fits(estimator, blocks), strict=True)
        self._bounds.note(_Fits(described, bound, _digest_of_fits(fitted), scores))
        return scores

    def _fits(
        self, estimator: Estimator, folds: Iterable[_Fold]
    ) -> Iterator[tuple[Estimator, float]]:
        from sklearn import config_context

        for number, fold in enumerate(folds, start=1):
            one = unfitted(estimator)
            with config_context(skip_parameter_validation=True):  # fitting the model did that
                fit(one, fold.fit_features, fold.fit_target)
                found = score(one, self._scoring, fold.features, fold.target, f"fold {number}")
            yield one, found

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


def _digest_of_fits(estimators: Iterable[Estimator]) -> str:
    digest = hashlib.sha256()
    for estimator in estimators:
        found = [getattr(estimator, name, None) for name in _FITTED]
        if any(value is None for value in found) or found[-1] != 0:  # it did not converge
            return ""
        for value in found:
            digest.update(np.asarray(value).tobytes())
    return digest.hexdigest()


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
