"""scikit-learn's own search, on the rows and folds that a search with the default seed uses."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, train_test_split

from iris_hpo_tests.projects import Row

SEED = 0

SEEDS_OF_REPEATS = (
    SEED,
    *(int(np.random.SeedSequence([SEED, repeat]).generate_state(1)[0]) for repeat in (1, 2)),
)

Scores = tuple[float, float, float]


def divided(estimator: BaseEstimator, target: Any) -> tuple[Any, Any]:
    """Training and test rows: scikit-learn's own, in the order of the file."""
    train, test = train_test_split(
        np.arange(len(target)),
        test_size=0.2,
        random_state=SEED,
        stratify=target if is_classifier(estimator) else None,
    )
    return np.sort(train), np.sort(test)


def grid_search(
    estimator: BaseEstimator,
    grid: Mapping[str, Sequence[Any]],
    features: Any,
    target: Any,
    *,
    scoring: str,
    folds: int = 5,
    repeats: int = 1,
) -> dict[tuple[Any, ...], Scores]:
    """Per candidate the score on the test rows, and mean and standard deviation over the folds.

    Candidates are in the order of the grid, the last axis running fastest.
    """
    train, test = divided(estimator, target)
    kind = StratifiedKFold if is_classifier(estimator) else KFold
    splits = [
        split
        for seed in SEEDS_OF_REPEATS[:repeats]
        for split in kind(folds, shuffle=True, random_state=seed).split(train, target[train])
    ]
    search = GridSearchCV(estimator, dict(grid), scoring=scoring, cv=splits, refit=False)
    search.fit(features[train], target[train])
    results = search.cv_results_
    found: dict[tuple[Any, ...], Scores] = {}
    for parameters, mean, std in zip(
        results["params"], results["mean_test_score"], results["std_test_score"], strict=True
    ):
        fitted = clone(estimator).set_params(**parameters).fit(features[train], target[train])
        score = get_scorer(scoring)(fitted, features[test], target[test])
        found[tuple(parameters[name] for name in grid)] = (float(score), float(mean), float(std))
    return {values: found[values] for values in itertools.product(*grid.values())}


def scores_of(row: Row) -> Scores:
    """The same three of a row of the leaderboard."""
    return float(row["score"]), float(row["cv_mean"]), float(row["cv_std"])
