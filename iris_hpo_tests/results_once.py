"""Results that are equal in many tests, and are made once in the tests' own process.

The figure of an equal selection and the learning curve of an equal champion.
"""

import pickle
import warnings
from dataclasses import replace
from typing import Any

import pytest

from iris_hpo.reports import figure as figures
from iris_hpo.selection.rules import Selection
from iris_hpo.training import final_fits
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.learning_curve import LearningCurve
from iris_hpo.training.search_objective import SearchObjective


def draw_once(patch: pytest.MonkeyPatch) -> None:
    """Keep figures by all that they show.

    Tests of the figures import the function that draws.
    """
    draw = figures.draw_selection
    kept: dict[bytes, bytes] = {}

    def draw_selection(selection: Selection) -> bytes:
        shown = pickle.dumps(_shown(selection))
        if shown not in kept:
            kept[shown] = draw(selection)
        return kept[shown]

    patch.setattr(figures, "draw_selection", draw_selection)


def fit_curves_once(patch: pytest.MonkeyPatch) -> None:
    """Keep learning curves by all that decides them, if their fits gave no warning.

    Those of a project's own code are fitted again: its tests watch what it does. Tests of the
    curves import the function that fits.
    """
    fit = final_fits.fit_learning_curve
    kept: dict[bytes, LearningCurve] = {}

    def fit_learning_curve(
        objective: SearchObjective, model: object, *others: Any, **named: Any
    ) -> LearningCurve | None:
        if not isinstance(objective, EstimatorObjective) or objective.code:
            return fit(objective, model, *others, **named)
        key = pickle.dumps((objective, others, named))
        if key in kept:
            return kept[key]
        with warnings.catch_warnings(record=True) as caught:
            curve = fit(objective, model, *others, **named)
        for each in caught:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
        if curve is not None and not caught:  # None may be what a test has done to the fits
            kept[key] = curve
        return curve

    patch.setattr(final_fits, "fit_learning_curve", fit_learning_curve)


def _shown(selection: Selection) -> Selection:
    """The selection without what a figure does not show: times, and each row's predictions."""
    rows = [
        replace(row, scored=replace(row.scored, evaluation=_shown_scores(row.scored.evaluation)))
        for row in selection.rows
    ]
    return replace(selection, rows=tuple(rows), proposals={})


def _shown_scores(evaluation: Evaluation) -> Evaluation:
    return replace(evaluation, seconds=0.0, predictions=None)
