"""The objective of estimators that stop early.

Each fit of a fold stops where rows that are carved out of its own rows show no better score. The
stored model is fitted to all training rows, and the champion to all rows, with the median of these
numbers of iterations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median_high
from typing import cast

from iris_hpo.data.dataset import Features, Target
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.split import Examples
from iris_hpo.data.splitters import Rows
from iris_hpo.space.values import Value
from iris_hpo.training import Kept
from iris_hpo.training.early_stopping import EarlyStopping
from iris_hpo.training.estimator_objective import BASELINES, EstimatorObjective
from iris_hpo.training.estimators import Estimator, Recipe
from iris_hpo.training.fitting import build, fit
from iris_hpo.training.row_weights import Weights
from iris_hpo.training.stopped_folds import StoppedFolds
from iris_hpo.training.stopping_fits import set_iterations


@dataclass(frozen=True)
class StoppedObjective(EstimatorObjective):
    """Fits an estimator as long as it becomes better.

    Parameters
    ----------
    stopping
        When a fit stops.
    is_ordered
        Whether the latest rows score the iterations.
    iterations
        How many a model takes; by default the median of the best numbers of the folds, or without
        folds the best number for the training rows.
    """

    stopping: EarlyStopping = field(kw_only=True)
    is_ordered: bool = field(default=False, kw_only=True)
    iterations: int | None = field(default=None, kw_only=True)

    def identity(self) -> Mapping[str, object]:
        """Return what decides a fitted estimator, as JSON."""
        return {**super().identity(), "early_stopping": self.stopping.identity()}

    def call(self, parameters: Mapping[str, Value], examples: Examples) -> Kept:
        """Find out the number of iterations, and fit a model with it to all training rows.

        Raises
        ------
        CandidateError
            If the estimator refuses.
        """
        iterations = self.iterations
        if iterations is None:
            iterations = median_high(self._cross_validation(examples).iterations(parameters))
        estimator = build(self.recipe, parameters, examples.target)
        set_iterations(estimator, iterations)
        weights = examples.roles.weight
        copied = None if weights is None else weights.copy()
        fit(estimator, examples.features.copy(), examples.target.copy(), copied)
        return Kept(estimator, iterations=iterations)

    def train(
        self,
        parameters: Mapping[str, Value],
        features: Features,
        target: Target,
        weights: Weights | None = None,
    ) -> Estimator:
        """Fit an estimator to training rows alone, without folds."""
        none = features[:0], target[:0]
        examples = Examples(features, target, *none, folds=(), roles=RowRoles(weight=weights))
        return cast("Estimator", self.call(parameters, examples).model)

    def references(self) -> Mapping[str, tuple[EstimatorObjective, Mapping[str, Value]]]:
        """Return what the champion is compared with; ``default`` stops early too."""
        recipe = Recipe((BASELINES[self.task],), self.recipe.seed)
        baseline = EstimatorObjective(recipe, self.scoring, self.task, self.all_scorings)
        return {"default": (self, {}), "baseline": (baseline, {})}

    def __getstate__(self) -> dict[str, object]:
        """All fields, without what candidates have shown."""
        own = ("stopping", "is_ordered", "iterations")
        return {**super().__getstate__(), **{name: getattr(self, name) for name in own}}

    def _cross_validation(self, examples: Examples) -> StoppedFolds:
        if not self._kept or self._kept[0][0] is not examples:
            folds = StoppedFolds(
                self.recipe, examples, self._scorings, self.stopping.rounds, self._carve
            )
            self._kept[:] = [(examples, folds)]
        return cast("StoppedFolds", self._kept[0][1])

    def _carve(self, target: Target, roles: RowRoles) -> tuple[Rows, Rows]:
        return self.stopping.carve(
            target,
            roles,
            self.recipe.seed,
            is_ordered=self.is_ordered,
            has_classes=self.task == "classification",
        )
