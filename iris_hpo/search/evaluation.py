"""Training and scoring one candidate."""

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer

from iris_hpo.search.dataset import Features, Target, Task
from iris_hpo.search.errors import CandidateError
from iris_hpo.search.estimators import Estimator, Recipe
from iris_hpo.search.metrics import count_correct, measure, wilson_interval
from iris_hpo.search.space import Value
from iris_hpo.search.splitting import Rows


@dataclass(frozen=True)
class Examples:
    """The rows of a split, as workers hold them.

    Attributes
    ----------
    features, target
        Training rows: shapes (rows, features) and (rows,).
    test_features, test_target
        Test rows.
    folds
        Pairs of positions (fit, validate) within the training rows.
    """

    features: Features
    target: Target
    test_features: Features
    test_target: Target
    folds: Sequence[tuple[Rows, Rows]]


@dataclass(frozen=True)
class Training:
    """A fitted estimator and what its fit showed."""

    estimator: Estimator
    score: float
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
    recipe: Recipe, parameters: dict[str, Value], examples: Examples, scoring: str
) -> Training:
    """Fit a candidate on the training rows.

    Raises
    ------
    CandidateError
        If the estimator refuses, or its score on the training rows is not finite.
    """
    started = time.perf_counter()
    with _counted_warnings() as warned:
        estimator = _fit(recipe, parameters, examples.features, examples.target)
        score = _score(estimator, scoring, examples.features, examples.target, "training")
    return Training(
        estimator,
        score,
        time.perf_counter() - started,
        _support_vectors(estimator),
        warned.count,
    )


def evaluate(
    estimator: Estimator,
    recipe: Recipe,
    parameters: dict[str, Value],
    examples: Examples,
    scoring: str,
    task: Task,
) -> Evaluation:
    """Score a fitted estimator on the test rows, and its parameters by cross-validation.

    Cross-validation fits anew on the training rows only; the test rows stay unseen.

    Raises
    ------
    CandidateError
        If the estimator refuses, or a score is not finite.
    """
    started = time.perf_counter()
    target = examples.test_target
    with _counted_warnings() as warned:
        try:
            predicted = estimator.predict(examples.test_features)
        except Exception as error:
            raise CandidateError(f"predicting failed: {_describe(error)}") from error
        metrics = dict(measure(task, target, predicted))
        # The metric is the scorer's own value; computing it once saves a prediction.
        score = metrics.get(scoring)
        if score is None:
            score = _score(estimator, scoring, examples.test_features, target, "test")
        fold_scores = tuple(
            _score(
                _fit(recipe, parameters, examples.features[fit], examples.target[fit]),
                scoring,
                examples.features[validate],
                examples.target[validate],
                f"fold {number}",
            )
            for number, (fit, validate) in enumerate(examples.folds, start=1)
        )
    for name, value in metrics.items():
        _refuse_non_finite(value, f"{name} on the test rows")
    correct = count_correct(target, predicted) if task == "classification" else None
    total = len(target) if task == "classification" else None
    return Evaluation(
        score,
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


class _counted_warnings:  # noqa: N801 - used as a function
    """Count convergence warnings instead of spraying one line per candidate into the log."""

    count = 0

    def __enter__(self) -> Self:
        self._catching = warnings.catch_warnings(record=True)
        self._caught = self._catching.__enter__()
        warnings.simplefilter("always", ConvergenceWarning)
        return self

    def __exit__(self, *details: object) -> None:
        self._catching.__exit__(None, None, None)
        for caught in self._caught or ():
            if issubclass(caught.category, ConvergenceWarning):
                self.count += 1
            else:
                warnings.warn_explicit(
                    caught.message, caught.category, caught.filename, caught.lineno
                )


def _fit(
    recipe: Recipe, parameters: dict[str, Value], features: Features, target: Target
) -> Estimator:
    estimator = recipe.build(parameters)
    try:
        with config_context(assume_finite=True):  # it was checked when the data was read
            estimator.fit(features, target)
    except Exception as error:
        raise CandidateError(f"fitting failed: {_describe(error)}") from error
    return estimator


def _score(
    estimator: Estimator, scoring: str, features: Features, target: Target, rows: str
) -> float:
    try:
        if scoring == "accuracy":  # a count; the scorer takes as long as a small fit
            score = count_correct(target, estimator.predict(features)) / len(target)
        else:
            score = float(get_scorer(scoring)(estimator, features, target))
    except Exception as error:
        raise CandidateError(f"scoring on the {rows} rows failed: {_describe(error)}") from error
    _refuse_non_finite(score, f"{scoring} on the {rows} rows")
    return score


def _refuse_non_finite(value: float, what: str) -> None:
    if not math.isfinite(value):
        raise CandidateError(f"{what} is {value}, which is no score")


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"


def _support_vectors(estimator: Estimator) -> int | None:
    final = getattr(estimator, "steps", [(None, estimator)])[-1][1]
    counts = getattr(final, "n_support_", None)
    return None if counts is None else int(np.sum(counts))
