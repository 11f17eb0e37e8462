"""Score candidates by another metric, from their predictions, without training them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from iris_hpo.data.dataset import Task
from iris_hpo.errors import InputError
from iris_hpo.selection.evidence import Evidence
from iris_hpo.selection.pooling import build_pool
from iris_hpo.selection.row_metrics import LOG_LOSS, ROW_METRICS
from iris_hpo.training.evaluation import Evaluation

_OTHER_NAMES: Final = {"macro_f1": "f1_macro"}
"""Columns of the leaderboard that scikit-learn's scorings name otherwise."""


def scoring_of(metric: str, task: Task) -> str:
    """Name the scoring of a metric; errors are negative there, as greater is better.

    Raises
    ------
    InputError
        If candidates cannot be chosen by it.
    """
    for name in (metric, _OTHER_NAMES.get(metric, ""), f"neg_{metric}"):
        if name in ROW_METRICS[task]:
            return name
    raise InputError(
        f"metric {metric!r}: choose one of {', '.join(ROW_METRICS[task])}", field=("metric",)
    )


def rescore(
    evaluations: Sequence[Evaluation], evidence: Evidence, scoring: str, metric: str
) -> list[Evaluation]:
    """Score by another metric.

    Parameters
    ----------
    scoring
        The search's scoring.
    metric
        Name of the other scoring, as `scoring_of` gives it.

    Returns
    -------
    list of Evaluation
        The same with the metric's scores; the score of the search's own scoring is one of the
        metrics.

    Raises
    ------
    InputError
        If the predictions do not give the metric.
    """
    if metric == scoring:
        return list(evaluations)
    pool = build_pool(evaluations, evidence, metric, with_test=True)
    if pool is None:
        raise InputError(_missing(metric), field=("metric",))
    everyone = slice(0, len(evaluations))
    counts = np.ones((1, pool.size))
    *folds, test = (
        pool.score_together(rows, counts, everyone)[0] for rows in (*pool.folds, pool.test)
    )
    if not all(np.isfinite(scores).all() for scores in (*folds, test)):
        raise InputError(
            f"metric {metric!r} is not defined on every fold; choose another", field=("metric",)
        )
    return [
        replace(
            evaluation,
            score=float(test[at]),
            fold_scores=tuple(float(scores[at]) for scores in folds),
            metrics={scoring: evaluation.score, **evaluation.metrics},
        )
        for at, evaluation in enumerate(evaluations)
    ]


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
