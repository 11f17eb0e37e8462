"""What users have today: GridSearchCV's champion, and nested cross-validation."""

import math
import statistics
from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.truth.generators import Sample
from benchmarks.truth.outcomes import Nested
from benchmarks.truth.search import Search, fit_all
from iris_hpo.data.split import Examples
from iris_hpo.selection.rules import Scored
from iris_hpo.spec import SearchSpec

FOLDS: Final = 5


def grid_search_champion(search: Search, folds: int = FOLDS) -> str:
    """Key of the candidate that GridSearchCV chooses on the same first 5 folds.

    ``iris_hpo_tests/benchmarks/test_truth.py`` compares with GridSearchCV itself; here the fold
    scores are there already. GridSearchCV refits to the training rows, as the candidate's model is.
    """
    return grid_search_choice(search.scored, folds).candidate.key


def grid_search_choice(scored: Sequence[Scored], folds: int = FOLDS) -> Scored:
    """Choose the first of the best means in the order of the grid, computed as GridSearchCV does.

    Parameters
    ----------
    scored
        Candidates in the order of the grid.
    """
    means = np.array([np.mean(entry.evaluation.fold_scores[:folds]) for entry in scored])
    # As `cv_results_["rank_test_score"]`: no tolerance, the first of the greatest.
    return scored[int(means.argmax())]


def nested_scores(
    spec: SearchSpec, sample: Sample, c: tuple[float, ...], gamma: tuple[float, ...], seed: int
) -> list[float]:
    """Score a whole grid search on outer folds of all rows, as scikit-learn's users do.

    The scores are those of ``cross_val_score`` of a GridSearchCV with the same folder, to which the
    tests compare them.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    folder = StratifiedKFold if spec.task == "classification" else KFold
    folds = folder(FOLDS, shuffle=True, random_state=seed)
    rows, target = sample.features, sample.target
    scores: list[float] = []
    for outer, judged in folds.split(rows, target):
        inner = tuple(folds.split(rows[outer], target[outer]))
        parts = Examples(rows[outer], target[outer], rows[judged], target[judged], inner)
        _, scored = fit_all(spec, parts, c, gamma)
        scores.append(grid_search_choice(scored).evaluation.score)
    return scores


def nested_intervals(generator: str, scores: Sequence[float], truth: float) -> Nested:
    """Compute the 95 % intervals of nested cross-validation from its outer folds.

    The corrected one is that of Nadeau, C., Bengio, Y. (2003), Inference for the generalization
    error, Machine Learning 52, 239-281; the plain one takes the folds for independent.
    """
    from scipy.stats import t

    number = len(scores)
    error = float(t.ppf(0.975, number - 1)) * statistics.stdev(scores)
    return Nested(
        generator,
        statistics.fmean(scores),
        plain=error * math.sqrt(1 / number),
        corrected=error * math.sqrt(1 / number + 1 / (number - 1)),
        truth=truth,
    )
