"""Build the pool of rows from evaluations, where they have predictions that allow it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.selection.choosing import Scores
from iris_hpo.selection.draws import Units
from iris_hpo.selection.evidence import Curve, Evidence
from iris_hpo.selection.pool import Pool, ScoredRows
from iris_hpo.selection.row_metrics import LOG_LOSS, RowMetric, log_losses, row_metric
from iris_hpo.selection.votes import PROBABILITIES, VOTES
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.predictions import Column, Predictions

_AGREEMENT: Final = 1e-6
"""Relative difference up to which a score is the one that predictions give."""


def labels_of(evidence: Evidence) -> Column:
    """List the classes, sorted; empty if numbers are predicted."""
    if evidence.task == "regression":
        return np.array([])
    return np.unique(np.concatenate([evidence.target, evidence.test_target]))


def build_pool(
    evaluations: Sequence[Evaluation], evidence: Evidence, scoring: str, *, with_test: bool
) -> Pool | None:
    """Put the predictions of candidates for the same rows side by side.

    Returns
    -------
    pool
        None if predictions are missing, or the scoring does not follow from sums over rows.
    """
    metric = row_metric(scoring, evidence.task, labels_of(evidence), evidence.positive)
    predictions = [evaluation.predictions for evaluation in evaluations]
    if metric is None or not evidence.repeats:
        return None
    rows = [*evidence.folds, np.arange(len(evidence.test_target))]
    columns = _columns([one for one in predictions if one is not None], evidence, scoring)
    if columns is None or columns.shape != (sum(map(len, rows)), len(evaluations)):
        return None
    ends = np.cumsum([len(one) for one in rows])
    training = len(evidence.target)
    positions = [*evidence.folds, training + rows[-1]]
    truth = _encoded(np.concatenate([evidence.target, evidence.test_target]), evidence)
    weights = evidence.all_weights
    scored = [
        ScoredRows(
            at,
            truth[at],
            columns[end - len(at) : end],
            None if weights is None else weights[at],
        )
        for at, end in zip(positions, ends, strict=True)
    ]
    vote = PROBABILITIES if scoring == LOG_LOSS else VOTES[evidence.task]
    return Pool(metric, scored[:-1], scored[-1], evidence.repeats, with_test, vote)


def with_references(
    pool: Pool,
    references: Sequence[Evaluation],
    evidence: Evidence,
    scoring: str,
    *,
    with_test: bool,
) -> Pool | None:
    """Put references beside the candidates of a pool; None as in `build_pool`."""
    pool = replace(pool, with_test=with_test)
    if not references:
        return pool
    others = build_pool(references, evidence, scoring, with_test=with_test)
    if others is None:
        return None
    *folds, test = (
        replace(own, columns=np.concatenate([own.columns, other.columns], axis=1))
        for own, other in zip((*pool.folds, pool.test), (*others.folds, others.test), strict=True)
    )
    return replace(pool, folds=folds, test=test)


def agrees(pool: Pool, evaluations: Sequence[Evaluation]) -> bool:
    """Whether the scores of candidates are those that their predictions give."""
    counts = np.ones((1, int(pool.test.rows[-1]) + 1))
    everyone = slice(0, len(evaluations))
    for at, fold in enumerate([*pool.folds, pool.test]):
        (scores,) = pool.score_together(fold, counts, everyone)
        given = [one.fold_scores[at] if at < len(pool.folds) else one.score for one in evaluations]
        if not np.allclose(scores, given, rtol=_AGREEMENT, atol=1e-12):
            return False
    return True


def units_of(evidence: Evidence, *, with_test: bool) -> Units:
    """Determine what is drawn: rows, or whole groups; each draw needs every class."""
    parts = [(evidence.target, evidence.groups)]
    if with_test:
        parts.append((evidence.test_target, evidence.test_groups))
    target = np.concatenate([target for target, _ in parts])
    is_training = np.arange(len(target)) < len(evidence.target)
    kinds = is_training[:, None]
    if evidence.task == "classification":
        kinds = np.column_stack([kinds, target[:, None] == np.unique(target)])
    groups = [labels for _, labels in parts if labels is not None]
    if not groups:
        return Units(np.arange(len(target)), kinds)
    return Units(np.unique(np.concatenate(groups), return_inverse=True)[1], kinds)


def additions(pool: Pool, evidence: Evidence, curve: Curve) -> Sequence[Scores]:
    """What each row adds to the sums of the champion, as it is trained on more rows than here.

    The error of a model falls with the number s of its training rows like a + b / s. For each row,
    b follows from the predictions of the curve.

    Returns
    -------
    list of arrays
        For each sum of the metric, shape (rows of the pool,).
    """
    truth = _encoded(np.concatenate([evidence.target, evidence.test_target]), evidence)
    everyone = len(truth)
    fewer_rows, more_rows = (share * everyone for share in curve.fits.shares)
    weights = 1.0 if evidence.all_weights is None else evidence.all_weights
    gained = 1 / _rows_fitted(evidence, everyone) - 1 / curve.rows
    share = weights * gained / (1 / fewer_rows - 1 / more_rows)
    fewer, more = (
        _per_row(pool.metric, truth, _encoded(np.stack([*columns], axis=1), evidence))
        for columns in (curve.fits.fewer, curve.fits.more)
    )
    return [(-share * (few - many))[: pool.size] for few, many in zip(fewer, more, strict=True)]


def _rows_fitted(evidence: Evidence, everyone: int) -> Scores:
    """Number of rows that the model which predicts a row was fitted to. Shape (everyone,).

    It is the harmonic mean over repeats. Folds of whole groups differ; those of rows by one row.
    """
    training = len(evidence.target)
    numbers = np.full(everyone, float(training))
    if evidence.groups is None:
        numbers[:training] -= np.mean([len(rows) for rows in evidence.folds])
        return numbers
    reciprocals = np.zeros(training)
    for rows in evidence.folds:
        reciprocals[rows] += 1 / (training - len(rows))
    numbers[:training] = (evidence.repeats or 1) / reciprocals
    return numbers


def _per_row(metric: RowMetric, truth: NDArray[Any], columns: NDArray[Any]) -> Sequence[Scores]:
    """What each row adds to each sum, the mean over the columns."""
    results: list[Scores] = []
    for rows, part in metric.parts(truth, columns):
        values = np.zeros(len(truth))
        values[rows] = part.mean(axis=1)
        results.append(values)
    return results


def _columns(
    predictions: Sequence[Predictions], evidence: Evidence, scoring: str
) -> NDArray[Any] | None:
    """What is kept of each candidate for all folds and the test rows; None if it cannot be."""
    if not predictions:
        return None
    try:
        if scoring == LOG_LOSS:
            return np.stack([_losses(one, evidence) for one in predictions], axis=1)
        stacked = np.stack([np.concatenate([*one.folds, one.test]) for one in predictions], axis=1)
        return _encoded(stacked, evidence)
    except (ValueError, KeyError, IndexError):  # predictions of other rows
        return None


def _losses(predictions: Predictions, evidence: Evidence) -> Scores:
    if predictions.test_outputs is None:
        raise KeyError("predict_proba")
    outputs = [*predictions.fold_outputs, predictions.test_outputs]
    targets = [*(evidence.target[rows] for rows in evidence.folds), evidence.test_target]
    return np.concatenate(
        [log_losses(truth, one) for truth, one in zip(targets, outputs, strict=True)]
    )


def _encoded(values: NDArray[Any], evidence: Evidence) -> NDArray[Any]:
    """Codes of classes, with one more for what is none; or numbers, less the mean of the target."""
    if evidence.task == "regression":
        return values.astype(np.float64) - evidence.target.astype(np.float64).mean()
    labels = labels_of(evidence)
    if values.dtype.kind != labels.dtype.kind:
        raise ValueError("predictions are no classes")
    codes = np.searchsorted(labels, values)
    known = labels[np.minimum(codes, len(labels) - 1)] == values
    return np.where(known, codes, len(labels)).astype(np.int32)
