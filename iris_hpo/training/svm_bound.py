"""Which values of an SVM's C need no fit of their own.

C is only the bound of the dual coefficients (Chang and Lin, 2011, LIBSVM, equation 2). From some C
on none reaches it, and every larger C gives the same fit, bit by bit. Two values of C with the same
fits show that this is so; then what larger ones find is known.
"""

import hashlib
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from iris_hpo.training.estimators import Estimator
from iris_hpo.training.svm_kernel import is_svm

Found = TypeVar("Found")

_BOUND: Final = "C"

_STATUS: Final = "fit_status_"
"""Of LIBSVM: 0 if it converged."""

_NO_PROBABILITIES: Final = (None, False, "deprecated")
"""Settings of ``probability`` without fits on parts of the rows: those could reach the bound."""


@dataclass(frozen=True)
class _Case(Generic[Found]):
    """Fits under one bound, and what came of them; ``others`` are all other parameters."""

    others: str
    bound: float
    digests: Sequence[str]
    found: Found


class Bounds(Generic[Found]):
    """Knows from which C on every larger one gives the same fits.

    It remembers the last ones only: values of C should follow each other, the smaller ones first.
    """

    def __init__(self) -> None:
        self._last: _Case[Found] | None = None
        self._is_enough = False

    def known(self, estimator: Estimator) -> Found | None:
        """What came of a smaller C, if the same comes of this estimator's."""
        last, described = self._last, _describe(estimator)
        if last is None or not self._is_enough or described is None:
            return None
        others, bound = described
        return last.found if last.others == others and last.bound < bound else None

    def note(self, estimator: Estimator, digests: Sequence[str], found: Found) -> None:
        """Take in an estimator's fits, by their `digest_of_fit`, and what came of them."""
        last, described = self._last, _describe(estimator)
        self._last = _Case(*described, digests, found) if described and all(digests) else None
        self._is_enough = (
            last is not None
            and self._last is not None
            and last.others == self._last.others
            and last.bound < self._last.bound
            and last.digests == self._last.digests
        )


def digest_of_fit(fitted: Estimator) -> str:
    """Equal for fits that took the same steps to the same end; empty if that is not known."""
    if not is_svm(fitted) or getattr(fitted, _STATUS) != 0:  # or did not converge
        return ""
    parameters = fitted.get_params()
    learnt = {name: value for name, value in vars(fitted).items() if name not in parameters}
    return hashlib.sha256(pickle.dumps(learnt)).hexdigest()


def _describe(estimator: Estimator) -> tuple[str, float] | None:
    """The other parameters and the bound; None if C may be more than a bound, or is none."""
    if not is_svm(estimator):  # a subclass may use C elsewhere
        return None
    parameters = estimator.get_params()
    bound = parameters.pop(_BOUND, None)
    if not isinstance(bound, (int, float)):
        return None
    if parameters.get("probability") not in _NO_PROBABILITIES:
        return None
    return repr(sorted(parameters.items())), bound
