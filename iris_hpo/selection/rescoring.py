"""Score candidates by another metric, from what is stored of them, without training them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from iris_hpo.data.dataset import Task
from iris_hpo.errors import InputError
from iris_hpo.selection.evidence import Evidence
from iris_hpo.selection.pool import Pool
from iris_hpo.selection.pooling import build_pool
from iris_hpo.selection.row_metrics import LOG_LOSS, ROW_METRICS
from iris_hpo.training.evaluation import Evaluation

_OTHER_NAMES: Final = {"macro_f1": "f1_macro"}
"""Columns of the leaderboard that scikit-learn's scorings name otherwise."""


def scoring_of(metric: str, task: Task, scorings: Sequence[str] = ()) -> str:
    """Name the scoring of a metric; errors are negative there, as greater is better.

    Parameters
    ----------
    scorings
        Names of the search's own scorings.

    Raises
    ------
    InputError
        If candidates cannot be chosen by it.
    """
    known = dict.fromkeys([*scorings, *ROW_METRICS[task]])
    for name in (metric, _OTHER_NAMES.get(metric, ""), f"neg_{metric}"):
        if name in known:
            return name
    raise InputError(f"metric {metric!r}: choose one of {', '.join(known)}", field=("metric",))


def rescore(
    evaluations: Sequence[Evaluation],
    evidence: Evidence,
    scoring: str,
    metric: str,
    pool: Pool | None = None,
) -> list[Evaluation]:
    """Score by another metric.

    Parameters
    ----------
    pool
        Their predictions, if they were put together before.
    scoring
        The search's scoring.
    metric
        Name of the other scoring, as `scoring_of` gives it.

    Returns
    -------
    list of Evaluation
        With the metric's scores; that of the search's own scoring is one of the metrics.

    Raises
    ------
    InputError
        If the predictions do not give the metric.
    """
    if metric == scoring:
        return list(evaluations)
    if all(metric in one.metrics and _has_folds(one, metric) for one in evaluations):
        return [
            _by_metric(one, scoring, one.metrics[metric], one.fold_metrics.get(metric, ()))
            for one in evaluations
        ]
    pool = pool or build_pool(evaluations, evidence, metric, with_test=True)
    if pool is None:
        raise InputError(_missing(metric), field=("metric",))
    everyone = slice(0, len(evaluations))
    counts, parts = np.ones((1, pool.size)), (*pool.folds, pool.test)
    *folds, test = (pool.score_together(rows, counts, everyone)[0] for rows in parts)
    if not all(np.isfinite(scores).all() for scores in (*folds, test)):
        raise InputError(
            f"metric {metric!r} is not defined on every fold; choose another", field=("metric",)
        )
    return [
        _by_metric(evaluation, scoring, float(test[at]), tuple(float(one[at]) for one in folds))
        for at, evaluation in enumerate(evaluations)
    ]


def _has_folds(evaluation: Evaluation, metric: str) -> bool:
    return len(evaluation.fold_metrics.get(metric, ())) == len(evaluation.fold_scores)


def _by_metric(
    evaluation: Evaluation, scoring: str, score: float, fold_scores: tuple[float, ...]
) -> Evaluation:
    """Put the scores of a metric in the place of those of the search's scoring."""
    return replace(
        evaluation,
        score=score,
        fold_scores=fold_scores,
        metrics={scoring: evaluation.score, **evaluation.metrics},
        fold_metrics={scoring: evaluation.fold_scores, **evaluation.fold_metrics},
    )


def _missing(metric: str) -> str:
    reason = "candidates have no predictions of the training rows"
    if metric == LOG_LOSS:
        reason = "probabilities are kept only if the search's scoring needs them"
    elif metric == "f1":
        reason += ", or it is not known which of the classes is the positive one"
    return (
        f"metric {metric!r} cannot be computed: {reason}; choose another metric, or train again "
        "with folds and force"
    )
