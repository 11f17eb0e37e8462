"""Fits of a candidate that stop early, one for each fold: their iterations, and their scores."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from iris_hpo.data.dataset import Target
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.split import Examples
from iris_hpo.data.splitters import Rows as Positions
from iris_hpo.space.values import Value
from iris_hpo.training.cross_validation import CrossValidation, FoldScores, score_fold
from iris_hpo.training.estimators import Estimator, Recipe
from iris_hpo.training.fitting import build
from iris_hpo.training.row_weights import weights_of
from iris_hpo.training.scorers import Scorings
from iris_hpo.training.stopping_fits import Rows, fit_stopping

Carve = Callable[[Target, RowRoles], tuple[Positions, Positions]]
"""Divides the rows of a fit: rows to fit, and rows that score the iterations."""


class StoppedFolds(CrossValidation):
    """Fits candidates to the folds of the training rows, each as long as it becomes better.

    The fits of the last candidate are kept until they are scored: training and scoring a candidate
    fit each fold once.

    Parameters
    ----------
    recipe, scorings
        How to build and score.
    examples
        The training rows and their folds.
    rounds
        Number of iterations without a better score after which a fit stops.
    carve
        What divides the rows of each fit.
    """

    def __init__(
        self, recipe: Recipe, examples: Examples, scorings: Scorings, rounds: int, carve: Carve
    ) -> None:
        super().__init__(recipe, examples, scorings)
        self._rounds = rounds
        self._carve = carve
        self._last: tuple[Mapping[str, Value], Sequence[tuple[int, Estimator]]] | None = None

    def iterations(self, parameters: Mapping[str, Value]) -> Sequence[int]:
        """Return the best number of iterations of each fold; without folds, of all training rows.

        Raises
        ------
        CandidateError
            If the estimator refuses.
        """
        return [number for number, _ in self._fitted(parameters)]

    def scores(self, parameters: Mapping[str, Value]) -> FoldScores:
        """Score a candidate on every fold.

        Raises
        ------
        CandidateError
            If the estimator refuses, or a score is not finite.
        """
        if not self._examples.folds:
            return FoldScores()
        fitted = self._fitted(parameters)
        self._last = None  # the models of folds can be large
        return FoldScores(
            tuple(
                score_fold(estimator, self._scorings, self._examples, number)
                for number, (_, estimator) in enumerate(fitted)
            )
        )

    def _fitted(self, parameters: Mapping[str, Value]) -> Sequence[tuple[int, Estimator]]:
        if self._last is None or self._last[0] != parameters:
            self._last = None  # not two candidates at a time
            every = np.arange(len(self._examples.target))
            fits = [fitted for fitted, _ in self._examples.folds] or [every]
            self._last = dict(parameters), [self._fit(parameters, rows) for rows in fits]
        return self._last[1]

    def _fit(self, parameters: Mapping[str, Value], rows: Positions) -> tuple[int, Estimator]:
        """Fit to some training rows, without those of them that are carved out."""
        target = self._examples.target
        fitted, evaluation = self._carve(target[rows], self._examples.roles.take(rows))
        estimator = build(self._recipe, parameters, target)
        parts = (self._rows(rows[fitted]), self._rows(rows[evaluation]))
        return fit_stopping(estimator, *parts, self._rounds), estimator

    def _rows(self, positions: Positions) -> Rows:
        """Copies of some training rows."""
        examples = self._examples
        weights = weights_of(examples.roles.weight, positions)
        return Rows(examples.features[positions], examples.target[positions], weights)
