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

from iris_hpo.data.dataset import Task
from iris_hpo.data.grouped import grouped_folds
from iris_hpo.data.shuffled import make_folds
from iris_hpo.data.split import Examples
from iris_hpo.data.splitters import Fold, SplitSettings
from iris_hpo.errors import CandidateError, InputError
from iris_hpo.run_settings import CHEAP_NUMBERS
from iris_hpo.space.values import Value
from iris_hpo.training import Objective
from iris_hpo.training.evaluation import evaluate
from iris_hpo.training.predictions import Column

FEWER_FOLDS: Final = 2
MORE_FOLDS: Final = 5
"""Numbers of folds: models are fitted to a half, and to four fifths of all rows."""

Shares = tuple[float, float]

SHARES: Final[Shares] = (1 / 2, 4 / 5)
"""The shares of all rows that models are fitted to, where any row may be left out."""

_LEAST_DIFFERENCE: Final = 0.4
"""How much the reciprocals of the shares differ at least, as groups may be too unequal to show how
predictions improve; by `SHARES`, they differ by 0.75."""

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
    shares
        The shares of all rows that these fits have seen, the harmonic mean over the rows.
    """

    fewer: tuple[Column, ...]
    more: tuple[Column, ...]
    shares: Shares = SHARES


def fit_learning_curve(
    objective: Objective,
    model: object,
    parameters: Mapping[str, Value],
    examples: Examples,
    settings: SplitSettings,
    *,
    grouped: bool = False,
) -> LearningCurve | None:
    """Fit a candidate to parts of all rows, the training rows and the test rows together.

    Parameters
    ----------
    objective
        It must not have worked on other rows: what it keeps of them does not hold here.
    model
        A model of the candidate; objectives want one to score.
    settings
        Those of the search's split; the order of rows is not accounted for.
    grouped
        Whether rows of a group are left out together, as by the splitter ``grouped``.

    Returns
    -------
    LearningCurve or None
        None if there are too few rows, groups cannot be divided or are too unequal, a fit to a part
        of the rows fails, or the objective gives no predictions.
    """
    together = examples.together()
    if (rows := len(together.target)) < 2 * MORE_FOLDS:
        return None
    plan = _plan(together)
    number, shares = plan.count(FEWER_FOLDS), SHARES
    with suppress(CandidateError, InputError):  # the latter from groups
        folds = _folds(plan, together, settings, objective.task, grouped=grouped)
        if grouped:
            shares = _share_seen(folds[:number], rows), _share_seen(folds[number:], rows)
            if 1 / shares[0] - 1 / shares[1] < _LEAST_DIFFERENCE:
                return None
        scored = replace(together, folds=tuple(fold for repeat in folds for fold in repeat))
        predictions = evaluate(objective, model, parameters, scored).predictions
        if predictions is not None:
            ends = accumulate(plan, initial=0)
            columns = [
                _column(repeat, predictions.folds[first:last], rows)
                for repeat, (first, last) in zip(folds, pairwise(ends), strict=True)
            ]
            return LearningCurve(tuple(columns[:number]), tuple(columns[number:]), shares)
    return None


def _plan(rows: Examples) -> list[int]:
    """Numbers of folds by repeat, the fewer folds first; more repeats where fits are cheap."""
    is_cheap = rows.features.size <= CHEAP_NUMBERS
    return [FEWER_FOLDS] * (5 if is_cheap else 2) + [MORE_FOLDS] * (3 if is_cheap else 1)


def _folds(
    plan: Sequence[int], rows: Examples, settings: SplitSettings, task: Task, *, grouped: bool
) -> list[Sequence[Fold]]:
    """Make the folds of each repeat, of as many folds as planned."""
    seeds = np.random.SeedSequence([settings.seed, _STREAM]).generate_state(len(plan))
    own = [
        replace(settings, folds=number, seed=int(seed), repeats=1)
        for number, seed in zip(plan, seeds, strict=True)
    ]
    groups = rows.roles.group if grouped else None
    if groups is None:
        return [make_folds(rows.target, one, task) for one in own]
    return [grouped_folds(rows.target, groups, one, task) for one in own]


def _share_seen(repeats: Sequence[Sequence[Fold]], rows: int) -> float:
    """The share of all rows that fits have seen, the harmonic mean over the rows they predict."""
    folds = [fold for repeat in repeats for fold in repeat]
    reciprocals = sum(len(validated) * rows / len(fitted) for fitted, validated in folds)
    return len(repeats) * rows / reciprocals


def _column(folds: Sequence[Fold], predictions: Sequence[Column], rows: int) -> Column:
    """Put the predictions of the folds of a repeat in the order of the rows."""
    column = np.empty(rows, np.result_type(*predictions))
    for (_, validated), predicted in zip(folds, predictions, strict=True):
        column[validated] = predicted
    return column
