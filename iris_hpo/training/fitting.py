"""Fit and score an estimator once; what it refuses is the failure of the candidate."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Features, Target
from iris_hpo.errors import CandidateError
from iris_hpo.space.values import Value
from iris_hpo.text import counted
from iris_hpo.training.class_weights import match_class_weights
from iris_hpo.training.code_of_others import own_failure
from iris_hpo.training.estimators import Estimator, Recipe
from iris_hpo.training.metrics import count_correct
from iris_hpo.training.predictions import Column, Outputs
from iris_hpo.training.row_weights import Weights, fit_arguments
from iris_hpo.training.scorers import Scoring, Scorings
from iris_hpo.training.scoring import score_by
from iris_hpo.training.svm_kernel import is_svm


def build(recipe: Recipe, parameters: Mapping[str, Value], target: Target) -> Estimator:
    """Build the unfitted estimator of a candidate, for its model or for a fold.

    Parameters
    ----------
    target
        The target of all training rows: it shows how the labels in settings are spelt.

    Raises
    ------
    CandidateError
        If the estimator refuses a parameter.
    """
    with own_failure("building"):
        estimator = recipe.build(parameters)
        match_class_weights(estimator, recipe.class_weights, target)
        for doubt in recipe.doubts(parameters):
            warnings.warn(doubt, stacklevel=1)  # one place: it is counted once
        return recipe.prepared(estimator)


def fit(
    estimator: Estimator, features: Features, target: Target, weights: Weights | None = None
) -> None:
    """Fit an estimator, which may change the rows.

    Parameters
    ----------
    weights
        How much each row counts; None if all count alike.

    Raises
    ------
    CandidateError
        If the estimator refuses.
    """
    from sklearn import config_context

    # Rows are finite: that was checked when the data was read. What the steps of a pipeline make
    # of them need not be.
    with own_failure("fitting"), config_context(assume_finite=is_svm(estimator)):
        estimator.fit(features, target, **fit_arguments(estimator, weights))


def predict(estimator: Estimator, features: Features, target: Target) -> NDArray[np.generic]:
    """Predict rows, which the estimator may change.

    Parameters
    ----------
    target
        What should be predicted.

    Returns
    -------
    ndarray of shape (rows,)
        Predictions of shape (rows, 1) are flattened; objects, as CatBoost gives, become texts.

    Raises
    ------
    CandidateError
        If the estimator refuses, or predicts something else than the target is.
    """
    with own_failure("predicting"):
        return _predictions(estimator, features, target)


@dataclass(frozen=True, eq=False)
class RowScore:
    """The score of a fitted estimator on rows, and what it was computed from.

    Attributes
    ----------
    predicted
        Predictions of the rows; None if `replayed_score` could not give the value again.
    outputs
        Probabilities or decision values, if a scoring needs them.
    others
        The values of the other scorings, by name.
    """

    value: float
    predicted: Column | None
    outputs: Outputs | None = None
    others: Mapping[str, float] = field(default_factory=dict[str, float])


def score(
    estimator: Estimator,
    scorings: Scorings,
    features: Features,
    target: Target,
    rows: str,
    weights: Weights | None = None,
) -> RowScore:
    """Score a fitted estimator on rows; ``rows`` names them in messages.

    The estimator may change the rows.

    Raises
    ------
    CandidateError
        If it cannot be scored, or a score is not finite.
    """
    with own_failure(f"scoring on the {rows} rows"):
        # A count; the scorer takes as long as a small fit.
        if scorings.names == ("accuracy",) and weights is None:
            predicted = _predictions(estimator, features, target)
            scored = RowScore(count_correct(target, predicted) / len(target), predicted)
        else:
            scored = _score_recorded(estimator, scorings, features, target, weights)
    for name, value in {scorings.name: scored.value, **scored.others}.items():
        refuse_non_finite(value, f"{name} on the {rows} rows")
    return scored


def replayed_score(
    scoring: str | Scoring,
    target: Target,
    predicted: Column,
    outputs: Outputs | None = None,
    weights: Weights | None = None,
) -> float:
    """Compute the score of rows from what was predicted for them.

    Parameters
    ----------
    scoring
        A name that scikit-learn knows, or a scoring that does not see the estimator itself.
    target, weights
        The true values of the rows, and how much each counts.
    predicted, outputs
        As `score` returned them.

    Returns
    -------
    float
        What `score` returned, bit by bit.
    """
    from iris_hpo.training.responses import replay

    if scoring == "accuracy" and weights is None:
        return count_correct(target, predicted) / len(target)
    features = np.zeros((len(target), 1))
    return score_by(scoring, replay(predicted, outputs), features, target, weights)


def refuse_non_finite(value: float, what: str) -> None:
    """Refuse infinity and not-a-number as a score.

    Raises
    ------
    CandidateError
        Names what is not finite.
    """
    if not isfinite(value):  # a call may have replaced `math.isfinite`
        raise CandidateError(f"{what} is {value}, which is no score")


def _score_recorded(
    estimator: Estimator,
    scorings: Scorings,
    features: Features,
    target: Target,
    weights: Weights | None,
) -> RowScore:
    from iris_hpo.training.responses import Recording

    recording = Recording(estimator)
    values: dict[str, float] = {}
    for scoring in scorings.all:
        scored = estimator if scoring.scorer.sees_model else cast("Estimator", recording)
        rows = features.copy() if scoring.scorer.sees_model else features
        values[scoring.name] = score_by(scoring, scored, rows, target, weights)
    value = values.pop(scorings.name)
    predicted = recording.predicted
    if predicted is None:
        predicted = _predictions(estimator, features.copy(), target)
    if not recording.has_outputs:
        return RowScore(value, predicted, others=values)
    outputs = recording.outputs()
    return RowScore(value, None if outputs is None else predicted, outputs, values)


def _predictions(estimator: Estimator, features: Features, target: Target) -> NDArray[np.generic]:
    predicted = np.array(estimator.predict(features))  # a copy: the estimator may use it again
    predicted = np.array(predicted.tolist()) if predicted.dtype.kind == "O" else predicted
    if predicted.shape == (len(target), 1):
        predicted = predicted.ravel()
    if predicted.shape != target.shape:
        raise ValueError(
            f"predictions of shape {predicted.shape} for {counted(len(target), 'row')}"
        )
    if _is_text(predicted) != _is_text(target):
        raise ValueError(
            f"it predicts {predicted[0]!s}, {_kind(predicted)}, where the target is "
            f"{_kind(target)}, such as {target[0]!s}"
        )
    return predicted


def _is_text(values: NDArray[np.generic]) -> bool:
    return values.dtype.kind in "US" or (values.dtype.kind == "O" and isinstance(values[0], str))


def _kind(values: NDArray[np.generic]) -> str:
    return "a text" if _is_text(values) else "a number"


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
