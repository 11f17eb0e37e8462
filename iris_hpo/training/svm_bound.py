"""Skip the fits of an SVM for values of C that cannot change it.

C is only the bound of the dual coefficients (Chang and Lin, 2011, LIBSVM, equation 2). From some C
on none reaches it, and every larger C gives the same fit, bit by bit. Two values of C with the same
fits prove that; then the results of larger ones are known.
"""

import hashlib
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from iris_hpo.training.estimators import Estimator
from iris_hpo.training.svm_kernel import is_svm

Result = TypeVar("Result")

_BOUND: Final = "C"

_STATUS: Final = "fit_status_"
"""The attribute with LIBSVM's status: 0 if the fit converged."""

_NO_PROBABILITIES: Final = (None, False, "deprecated")
"""Settings of ``probability`` without fits on parts of the rows: those could reach the bound."""


@dataclass(frozen=True)
class _Case(Generic[Result]):
    """The fits under one bound, and their result; ``others`` are all other parameters."""

    others: str
    bound: float
    digests: Sequence[str]
    result: Result


class Bounds(Generic[Result]):
    """Knows the C from which on every larger one gives the same fits.

    Only the last fits are remembered: values of C should follow each other, the smaller ones
    first.
    """

    def __init__(self) -> None:
        self._last: _Case[Result] | None = None
        self._is_enough = False

    def known(self, estimator: Estimator) -> Result | None:
        """Return the result of a smaller C if this estimator's is the same; None if not known."""
        last, described = self._last, _describe(estimator)
        if last is None or not self._is_enough or described is None:
            return None
        others, bound = described
        return last.result if last.others == others and last.bound < bound else None

    def note(self, estimator: Estimator, digests: Sequence[str], result: Result) -> None:
        """Remember an estimator's fits, by their `digest_of_fit`, and their result."""
        last, described = self._last, _describe(estimator)
        self._last = _Case(*described, digests, result) if described and all(digests) else None
        self._is_enough = (
            last is not None
            and self._last is not None
            and last.others == self._last.others
            and last.bound < self._last.bound
            and last.digests == self._last.digests
        )


def digest_of_fit(fitted: Estimator) -> str:
    """Return a digest that equal fits share; empty if the fit may not be compared."""
    if not is_svm(fitted) or getattr(fitted, _STATUS) != 0:  # or did not converge
        return ""
    parameters = fitted.get_params()
    learnt = {name: value for name, value in vars(fitted).items() if name not in parameters}
    return hashlib.sha256(pickle.dumps(learnt)).hexdigest()


def _describe(estimator: Estimator) -> tuple[str, float] | None:
    """Return the other parameters and the bound; None if C may be more than a bound, or is none."""
    if not is_svm(estimator):  # a subclass may use C elsewhere
        return None
    parameters = estimator.get_params()
    bound = parameters.pop(_BOUND, None)
    if not isinstance(bound, (int, float)):
        return None
    if parameters.get("probability") not in _NO_PROBABILITIES:
        return None
    return repr(sorted(parameters.items())), bound
