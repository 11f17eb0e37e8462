"""How a candidate's predictions improve with more training rows: fits to parts of all rows.

Fits of cross-validation see fewer rows than the model that is delivered, so their scores are too
low for it. What follows from the predictions below is in `iris_hpo.selection.estimates`.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Final

import numpy as np

from iris_hpo.data.dataset import Target, Task
from iris_hpo.data.shuffled import make_folds
from iris_hpo.data.split import Examples
from iris_hpo.data.splitters import Fold, SplitSettings
from iris_hpo.errors import CandidateError
from iris_hpo.run_settings import CHEAP_NUMBERS
from iris_hpo.space.values import Value
from iris_hpo.training import Objective
from iris_hpo.training.evaluation import evaluate
from iris_hpo.training.predictions import Column

FEWER_FOLDS: Final = 2
MORE_FOLDS: Final = 5
"""Numbers of folds: models are fitted to a half, and to four fifths of all rows."""

CURVE_VERSION: Final = "1"
"""Part of a curve's fingerprint: raise it when the fits change."""

_STREAM: Final = 1991
"""Part of the seed, so that nothing else of the search has the same folds."""


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Out-of-fold predictions of all rows, the training rows first, then the test rows.

    Attributes
    ----------
    fewer, more
        By fits to a half, and to four fifths of all rows. One column for each repeat, of shape
        (rows,).
    """

    fewer: tuple[Column, ...]
    more: tuple[Column, ...]


def fit_learning_curve(
    objective: Objective,
    model: object,
    parameters: Mapping[str, Value],
    examples: Examples,
    settings: SplitSettings,
) -> LearningCurve | None:
    """Fit a candidate to parts of all rows, the training rows and the test rows together.

    Parameters
    ----------
    objective
        It must not have worked on other rows: what it keeps of them does not hold here.
    model
        A model of the candidate; objectives want one to score.
    settings
        Those of the search's split; groups and the order of rows are not accounted for.

    Returns
    -------
    LearningCurve or None
        None if there are too few rows, a fit to a part of the rows fails, or the objective gives no
        predictions.
    """
    together = examples.together()
    rows = len(together.target)
    if rows < 2 * MORE_FOLDS:
        return None
    is_cheap = together.features.size <= CHEAP_NUMBERS
    plan = [FEWER_FOLDS] * (5 if is_cheap else 2) + [MORE_FOLDS] * (3 if is_cheap else 1)
    folds = _folds(plan, together.target, settings, objective.task)
    with suppress(CandidateError):
        scored = replace(together, folds=tuple(fold for repeat in folds for fold in repeat))
        predictions = evaluate(objective, model, parameters, scored).predictions
        if predictions is not None:
            ends = accumulate(plan, initial=0)
            columns = [
                _column(repeat, predictions.folds[first:last], rows)
                for repeat, (first, last) in zip(folds, pairwise(ends), strict=True)
            ]
            number = plan.count(FEWER_FOLDS)
            return LearningCurve(tuple(columns[:number]), tuple(columns[number:]))
    return None


def _folds(
    plan: Sequence[int], target: Target, settings: SplitSettings, task: Task
) -> list[Sequence[Fold]]:
    """Make the folds of each repeat, of as many folds as planned."""
    seeds = np.random.SeedSequence([settings.seed, _STREAM]).generate_state(len(plan))
    return [
        make_folds(target, replace(settings, folds=number, seed=int(seed), repeats=1), task)
        for number, seed in zip(plan, seeds, strict=True)
    ]


def _column(folds: Sequence[Fold], predictions: Sequence[Column], rows: int) -> Column:
    """Put the predictions of the folds of a repeat in the order of the rows."""
    column = np.empty(rows, np.result_type(*predictions))
    for (_, validated), predicted in zip(folds, predictions, strict=True):
        column[validated] = predicted
    return column
