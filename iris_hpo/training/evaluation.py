"""Training and scoring one candidate."""

import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from iris_hpo.data.dataset import Task
from iris_hpo.data.split import Examples
from iris_hpo.space.values import Value
from iris_hpo.training.estimators import Estimator, Recipe
from iris_hpo.training.fitting import (
    build,
    counted_warnings,
    fit,
    own_failure,
    predict,
    refuse_non_finite,
    score,
)
from iris_hpo.training.metrics import count_correct, measure, wilson_interval
from iris_hpo.training.svm_bound import Bounds, digest_of_fit


@dataclass(frozen=True)
class Training:
    """A fitted estimator and what its fit showed."""

    estimator: Estimator
    seconds: float
    support_vectors: int | None
    convergence_warnings: int


@dataclass(frozen=True)
class Evaluation:
    """How well a candidate does.

    Attributes
    ----------
    score
        The search's scoring on the test rows; greater is better.
    metrics
        The task's metrics on the test rows.
    correct, total
        Test rows predicted right, and all; None for regression.
    interval
        Wilson's 95 % interval of the accuracy; None for regression.
    fold_scores
        The scoring on each fold's validation rows; empty without folds.
    """

    score: float
    metrics: dict[str, float]
    correct: int | None
    total: int | None
    interval: tuple[float, float] | None
    fold_scores: tuple[float, ...]
    seconds: float
    convergence_warnings: int


def train(
    recipe: Recipe,
    parameters: Mapping[str, Value],
    examples: Examples,
    bounds: Bounds[Estimator],
) -> Training:
    """Fit a candidate on the training rows.

    Parameters
    ----------
    bounds
        Knows what candidates before it have shown.

    Raises
    ------
    CandidateError
        If the estimator refuses.
    """
    started = time.perf_counter()
    with counted_warnings() as warned:
        estimator = build(recipe, parameters, examples.target)
        known = bounds.known(estimator)
        if known is None:
            fit(estimator, examples.features.copy(), examples.target.copy())
            bounds.note(estimator, [digest_of_fit(estimator)], estimator)
        else:
            asked, estimator = estimator, copy(known)
            estimator.set_params(**asked.get_params())
    return Training(
        estimator,
        time.perf_counter() - started,
        _support_vectors(estimator),
        warned.count,
    )


def evaluate(
    estimator: Estimator,
    cross_validate: Callable[[], tuple[float, ...]],
    examples: Examples,
    scoring: str,
    task: Task,
) -> Evaluation:
    """Score a fitted estimator on the test rows, and its parameters by cross-validation.

    Parameters
    ----------
    cross_validate
        Gives the scores of the folds. They are of the training rows only; the test rows stay
        unseen.

    Raises
    ------
    CandidateError
        If the estimator refuses, or a score is not finite.
    """
    started = time.perf_counter()
    target = examples.test_target
    with counted_warnings() as warned:
        predicted = predict(estimator, examples.test_features.copy(), target)
        with own_failure("predicting"):
            metrics = dict(measure(task, target, predicted))  # refuses what is not finite
        # The metric is the scorer's own value; computing it once saves a prediction.
        test_score = metrics.get(scoring)
        if test_score is None:
            rows = examples.test_features.copy()
            test_score = score(estimator, scoring, rows, target.copy(), "test")
        fold_scores = cross_validate()
    for name, value in metrics.items():
        refuse_non_finite(value, f"{name} on the test rows")
    correct = count_correct(target, predicted) if task == "classification" else None
    total = len(target) if task == "classification" else None
    return Evaluation(
        test_score,
        metrics,
        correct,
        total,
        None if correct is None or total is None else wilson_interval(correct, total),
        fold_scores,
        time.perf_counter() - started,
        warned.count,
    )


def cv_mean(fold_scores: Sequence[float]) -> float | None:
    """Mean over folds, as ``mean_test_score`` of scikit-learn's searches."""
    return float(np.mean(fold_scores)) if fold_scores else None


def cv_std(fold_scores: Sequence[float]) -> float | None:
    """Standard deviation over folds, as ``std_test_score`` of scikit-learn's searches."""
    return float(np.std(fold_scores)) if fold_scores else None


def _support_vectors(estimator: Estimator) -> int | None:
    final = getattr(estimator, "steps", [(None, estimator)])[-1][1]
    counts = getattr(final, "n_support_", None)
    return None if counts is None else int(np.sum(counts))
