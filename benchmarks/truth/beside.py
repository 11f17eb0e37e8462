"""What users have today: GridSearchCV's champion, and nested cross-validation."""

import math
import statistics
from collections.abc import Sequence
from typing import Final, cast

import numpy as np

from benchmarks.truth.generators import Sample
from benchmarks.truth.outcomes import Nested
from benchmarks.truth.search import Search
from iris_hpo.spec import SearchSpec

FOLDS: Final = 5


def grid_search_champion(search: Search, folds: int = FOLDS) -> str:
    """Key of the candidate that GridSearchCV chooses on the same first 5 folds.

    It is the first of the best means in the order of the grid, computed as GridSearchCV does.
    ``iris_hpo_tests/benchmarks/test_truth.py`` compares with GridSearchCV itself; here the fold
    scores are there already. GridSearchCV refits to the training rows, as the candidate's model is.
    """
    space = search.spec.space
    entries = sorted(search.scored, key=lambda entry: space.order(entry.candidate))
    means = np.array([np.mean(entry.evaluation.fold_scores[:folds]) for entry in entries])
    # As `cv_results_["rank_test_score"]`: no tolerance, the first of the greatest.
    return entries[int(means.argmax())].candidate.key


def nested_scores(
    spec: SearchSpec, sample: Sample, grid: Sequence[Sequence[float]], seed: int
) -> list[float]:
    """Score a whole grid search on outer folds of all rows, as scikit-learn's users do."""
    from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score

    folder = StratifiedKFold if spec.task == "classification" else KFold
    folds = folder(FOLDS, shuffle=True, random_state=seed)
    values = dict(zip((axis.parameter for axis in spec.axes), grid, strict=True))
    search = GridSearchCV(spec.recipe().build(), values, scoring=spec.scorings.name, cv=folds)
    rows = sample.features, sample.target
    given = cross_val_score(search, *rows, scoring=spec.scorings.name, cv=folds)
    return cast("list[float]", given.tolist())


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
