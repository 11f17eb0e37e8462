"""Train and score one candidate by an objective: time, warnings, and what is a failure."""

import math
import numbers
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, cast

import numpy as np

from iris_hpo.data.split import Examples
from iris_hpo.errors import CandidateError
from iris_hpo.process_end import no_exit
from iris_hpo.space.values import Value
from iris_hpo.text import counted
from iris_hpo.training import CallingObjective, Kept, Objective
from iris_hpo.training.code_of_others import own_failure
from iris_hpo.training.fitting import counted_warnings, refuse_non_finite
from iris_hpo.training.kept_process import kept_process
from iris_hpo.training.metric_names import CV_MEAN_OF, check_metric
from iris_hpo.training.metrics import wilson_interval
from iris_hpo.training.predictions import Predictions
from iris_hpo.training.shared_generators import seeded
from iris_hpo.training.svm_kernel import count_support_vectors

_REAL: Final = (numbers.Real, Decimal)
_LARGEST_OF_FOLD: Final = 1e150


@dataclass(frozen=True)
class Training:
    """A model and what its training showed.

    Attributes
    ----------
    beside
        What is stored beside the model, by the suffix of its file.
    iterations
        Number of iterations of a model that stops early.
    """

    model: object
    seconds: float
    support_vectors: int | None
    convergence_warnings: int
    beside: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    iterations: int | None = None


@dataclass(frozen=True)
class Evaluation:
    """How well a candidate does.

    Attributes
    ----------
    score
        The search's scoring on the test rows; greater is better.
    metrics
        Other metrics on the test rows, by name; the same names for every candidate.
    fold_metrics
        Those of the metrics that were computed for the folds too: a value for each fold.
    correct, total
        Number of test rows predicted right, and of all; None where that has no meaning.
    interval
        Wilson's 95 % interval of the accuracy, from the counts; None without them.
    fold_scores
        The scoring on each fold's validation rows; empty without folds.
    seconds, convergence_warnings
        What scoring took, and how often scikit-learn warned of it; not for an objective to say.
    predictions
        What the models predict for the rows of the scores; None if that is not kept.
    """

    score: float
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    correct: int | None = None
    total: int | None = None
    interval: tuple[float, float] | None = None
    fold_scores: tuple[float, ...] = ()
    seconds: float = 0.0
    convergence_warnings: int = 0
    predictions: Predictions | None = None
    fold_metrics: Mapping[str, tuple[float, ...]] = field(
        default_factory=dict[str, tuple[float, ...]]
    )


def train(objective: Objective, parameters: Mapping[str, Value], examples: Examples) -> Training:
    """Train a candidate on the training rows.

    Raises
    ------
    CandidateError
        If the objective fails.
    """
    started = time.perf_counter()
    kept = Kept(None)
    with at_work(objective, parameters, "training") as warned:
        if isinstance(objective, CallingObjective):
            kept = objective.call(parameters, examples)
        else:
            weights = examples.roles.weight
            weighted = () if weights is None else (weights,)
            rows = examples.features, examples.target
            kept = Kept(objective.train(parameters, *rows, *weighted))
        support_vectors = count_support_vectors(kept.model)
    return Training(
        kept.model,
        time.perf_counter() - started,
        support_vectors,
        warned.count,
        kept.beside,
        kept.iterations,
    )


def evaluate(
    objective: Objective, model: object, parameters: Mapping[str, Value], examples: Examples
) -> Evaluation:
    """Score a model on the test rows, and its parameters on the folds.

    Raises
    ------
    CandidateError
        If the objective fails, or gives something else than finite numbers.
    """
    started = time.perf_counter()
    with at_work(objective, parameters, "scoring") as warned:
        evaluation = _checked(objective.score(model, parameters, examples), len(examples.folds))
    return replace(
        evaluation,
        seconds=time.perf_counter() - started,
        convergence_warnings=warned.count,
    )


@contextmanager
def at_work(
    objective: Objective, parameters: Mapping[str, Value], what: str
) -> Generator[counted_warnings]:
    """Let an objective work on a candidate: it owns its failures, and leaves no traces."""
    with counted_warnings() as warned, ExitStack() as undone:
        # Scikit-learn has its seeds and leaves no traces, and its fits may be shorter than a look.
        if getattr(objective, "calls_others", True):
            undone.enter_context(seeded(getattr(objective, "seed", 0), parameters))
            undone.enter_context(no_exit())
            undone.enter_context(kept_process())
        with own_failure(what):
            yield warned


def cv_mean(fold_scores: Sequence[float]) -> float | None:
    """Mean over folds, as ``mean_test_score`` of scikit-learn's searches."""
    return float(np.mean(fold_scores)) if fold_scores else None


def cv_std(fold_scores: Sequence[float]) -> float | None:
    """Standard deviation over folds, as ``std_test_score`` of scikit-learn's searches."""
    return float(np.std(fold_scores)) if fold_scores else None


def _checked(given: object, folds: int) -> Evaluation:
    """What an objective gave, as plain numbers.

    Raises
    ------
    CandidateError, ValueError, TypeError
        If it is no evaluation.
    """
    if not isinstance(given, Evaluation):
        raise TypeError(f"score gave {_kind(given)}; it has to give an Evaluation")
    metrics = dict(given.metrics)
    for name in metrics:
        check_metric(name)
    fold_scores = tuple(given.fold_scores)
    if len(fold_scores) not in (0, folds):
        scores = counted(len(fold_scores), "fold score")
        raise ValueError(f"score gave {scores} for {counted(folds, 'fold')}")
    correct, total = given.correct, given.total
    if not (correct is total is None or _are_counts(correct, total)):
        raise ValueError(f"{correct!r} of {total!r} rows cannot be right")
    return Evaluation(
        score=checked_number(given.score, "the score on the test rows"),
        metrics={name: checked_number(value, name) for name, value in metrics.items()},
        correct=None if correct is None else int(correct),
        total=None if total is None else int(total),
        interval=None if correct is None or total is None else wilson_interval(correct, total),
        fold_scores=tuple(
            _fold_score(value, f"the score of fold {at}") for at, value in enumerate(fold_scores, 1)
        ),
        predictions=given.predictions,
        fold_metrics=_fold_metrics(given, folds),
    )


def _fold_metrics(given: Evaluation, folds: int) -> Mapping[str, tuple[float, ...]]:
    """Check the metrics of folds."""
    checked: dict[str, tuple[float, ...]] = {}
    for name, values in given.fold_metrics.items():
        if f"{CV_MEAN_OF}{name}" in given.metrics:
            raise ValueError(
                f"a metric cannot be named {CV_MEAN_OF + name!r}, as the mean of {name!r} over the "
                "folds is; give it another name"
            )
        if name not in {*given.metrics} or len(values) != folds:
            counts = counted(len(values), "fold score")
            raise ValueError(f"{name} has {counts} for {counted(folds, 'fold')}")
        checked[name] = tuple(checked_number(value, f"{name} of a fold") for value in values)
    return checked


def checked_number(value: object, what: str) -> float:
    """Return a finite number, 0 without a sign; ``what`` names it.

    Raises
    ------
    TypeError
        If it is no number.
    CandidateError
        If it is not finite.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, _REAL):
        raise TypeError(f"{what} is {_kind(value)}, which is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    refuse_non_finite(number, what)
    return number + 0.0  # no -0.0


def _fold_score(value: object, what: str) -> float:
    """Return a number whose square can be summed, as a standard error needs it."""
    number = checked_number(value, what)
    if abs(number) > _LARGEST_OF_FOLD:
        raise CandidateError(
            f"{what} is {number:.3g}; folds are compared by a standard error, which needs scores "
            f"within {_LARGEST_OF_FOLD:g}"
        )
    return number


def _are_counts(correct: object, total: object) -> bool:
    whole = isinstance(correct, numbers.Integral) and isinstance(total, numbers.Integral)
    return whole and 0 <= cast("int", correct) <= cast("int", total) > 0


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
