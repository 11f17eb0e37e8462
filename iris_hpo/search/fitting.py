"""One fit and one score: what an estimator refuses, or cannot tell, is the candidate's failure."""

import math
import warnings
from typing import Self

from iris_hpo.search.dataset import Features, Target
from iris_hpo.search.errors import CandidateError
from iris_hpo.search.estimators import Estimator
from iris_hpo.search.metrics import count_correct


def fit(estimator: Estimator, features: Features, target: Target) -> None:
    """Fit an estimator.

    Raises
    ------
    CandidateError
        If it refuses.
    """
    from sklearn import config_context

    try:
        with config_context(assume_finite=True):  # it was checked when the data was read
            estimator.fit(features, target)
    except Exception as error:
        raise CandidateError(f"fitting failed: {describe(error)}") from error


def score(
    estimator: Estimator, scoring: str, features: Features, target: Target, rows: str
) -> float:
    """Score a fitted estimator on rows; ``rows`` names them in messages.

    Raises
    ------
    CandidateError
        If it cannot be scored, or its score is not finite.
    """
    from sklearn.metrics import get_scorer

    try:
        if scoring == "accuracy":  # a count; the scorer takes as long as a small fit
            found = count_correct(target, estimator.predict(features)) / len(target)
        else:
            found = float(get_scorer(scoring)(estimator, features, target))
    except Exception as error:
        raise CandidateError(f"scoring on the {rows} rows failed: {describe(error)}") from error
    refuse_non_finite(found, f"{scoring} on the {rows} rows")
    return found


def refuse_non_finite(value: float, what: str) -> None:
    """Refuse infinity and not-a-number as a score.

    Raises
    ------
    CandidateError
        That names what is not finite.
    """
    if not math.isfinite(value):
        raise CandidateError(f"{what} is {value}, which is no score")


def describe(error: Exception) -> str:
    """An estimator's error in one line."""
    said = " ".join(str(error).split())[:500]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


class counted_warnings:  # noqa: N801 - used as a function
    """Count convergence warnings instead of spraying one line per candidate into the log."""

    count = 0

    def __enter__(self) -> Self:
        from sklearn.exceptions import ConvergenceWarning

        self._counted = ConvergenceWarning
        self._catching = warnings.catch_warnings(record=True)
        self._caught = self._catching.__enter__()
        warnings.simplefilter("always", ConvergenceWarning)
        return self

    def __exit__(self, *details: object) -> None:
        self._catching.__exit__(None, None, None)
        for caught in self._caught or ():
            if issubclass(caught.category, self._counted):
                self.count += 1
            else:
                warnings.warn_explicit(
                    caught.message, caught.category, caught.filename, caught.lineno
                )
