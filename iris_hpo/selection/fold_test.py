"""Whether folds disagree: a test of more errors in some folds than chance explains."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Target, Task
from iris_hpo.selection.estimates import Evidence
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.predictions import Column

DRAWS: Final = 9_999
"""Number of random distributions of the errors over the folds."""


@dataclass(frozen=True)
class FoldTest:
    """The errors of one candidate, by fold.

    Attributes
    ----------
    shares
        Share of each fold's validation rows that are errors.
    p_value
        Share of random distributions of the same errors that are at least as uneven.
    """

    shares: tuple[float, ...]
    p_value: float


def examine_folds(evaluation: Evaluation, evidence: Evidence) -> FoldTest | None:
    """Test whether a candidate's folds disagree; None without predictions of two folds."""
    predictions = evaluation.predictions
    if predictions is None or len(predictions.folds) < 2:
        return None
    rows = np.concatenate([np.asarray(fold) for fold in evidence.folds])
    errors = find_errors(evidence.task, evidence.target[rows], np.concatenate(predictions.folds))
    ends = np.cumsum([len(fold) for fold in predictions.folds])[:-1]
    return compare_folds(np.split(errors, ends), len(evidence.folds_by_repeat or (None,)))


def find_errors(task: Task, target: Target, predicted: Column) -> NDArray[np.bool_]:
    """Find the errors among out-of-fold predictions of all folds together.

    Returns
    -------
    array of bool, shape (rows,)
        Rows whose class is not predicted; in regression, rows whose absolute error is larger than
        the median absolute error, as in Mood's median test (Mood, 1950, Introduction to the Theory
        of Statistics, section 16.5).
    """
    if task == "classification":
        return np.asarray(target != predicted)
    distances = np.abs(np.asarray(target, np.float64) - np.asarray(predicted, np.float64))
    return distances > np.median(distances)


def compare_folds(errors: Sequence[NDArray[np.bool_]], repeats: int = 1) -> FoldTest:
    """Test whether errors are spread over the folds as by chance.

    Pearson's chi-square statistic, with a p-value from random tables of the same margins (Hope,
    1968, A simplified Monte Carlo significance test procedure, Journal of the Royal Statistical
    Society B 30, 582-598), because the approximation by the chi-square distribution needs more
    errors per fold than a good model makes. Within each repeat of the folds, the rows of all its
    folds are exchangeable; statistics of the repeats are added up.

    Parameters
    ----------
    errors
        For each fold, which of its validation rows are errors; the folds of each repeat in turn.
    repeats
        Number of times that the rows were divided into folds.
    """
    counts = np.array([np.count_nonzero(fold) for fold in errors], np.int64)
    sizes = np.array([len(fold) for fold in errors], np.int64)
    random = np.random.default_rng(0)
    observed, drawn = 0.0, np.zeros(DRAWS)
    for division in np.array_split(np.arange(len(sizes)), repeats):
        rows, total = sizes[division], int(counts[division].sum())
        draws = random.multivariate_hypergeometric(rows, total, DRAWS)
        observed += float(_unevenness(counts[division], rows))
        drawn += _unevenness(draws, rows)
    # Rounding must not make a table less even than itself.
    as_uneven = np.count_nonzero(drawn >= observed - 1e-9)
    return FoldTest(tuple((counts / sizes).tolist()), (1 + int(as_uneven)) / (1 + DRAWS))


def _unevenness(counts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Pearson's statistic up to a factor that depends on the margins alone."""
    expected = sizes * (counts.sum(axis=-1, keepdims=True) / sizes.sum())
    return np.sum((counts - expected) ** 2 / sizes, axis=-1)
