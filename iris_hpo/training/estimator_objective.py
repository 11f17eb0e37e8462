"""The objective of scikit-learn estimators: fit, predict, score, cross-validate."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, cast

from iris_hpo.data.dataset import Features, Target, Task
from iris_hpo.data.split import Examples
from iris_hpo.space.values import Value
from iris_hpo.training.cross_validation import CrossValidation, FoldScores
from iris_hpo.training.estimators import Estimator, Recipe, Step
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.fitting import (
    RowScore,
    build,
    fit,
    own_failure,
    predict,
    refuse_non_finite,
    score,
)
from iris_hpo.training.metrics import count_correct, measure
from iris_hpo.training.origin import Origin
from iris_hpo.training.predictions import Predictions
from iris_hpo.training.scoring import check_classes
from iris_hpo.training.svm_bound import Bounds, digest_of_fit
from iris_hpo.training.svm_folds import kernel_order

BASELINES: Final[Mapping[Task, Step]] = {
    "classification": Step("sklearn.dummy.DummyClassifier", {"strategy": "prior"}),
    "regression": Step("sklearn.dummy.DummyRegressor", {"strategy": "mean"}),
}
"""Estimators that learn nothing from the features."""


@dataclass(frozen=True)
class EstimatorObjective:
    """Fits an estimator, and scores it by a scoring of scikit-learn and the task's metrics.

    Candidates should follow each other in the `order`: what one shares with the next is kept.

    Parameters
    ----------
    recipe
        How to build the estimator.
    scoring
        A name that scikit-learn knows.
    task
        What the estimator is for.
    """

    recipe: Recipe
    scoring: str
    task: Task

    @property
    def origin(self) -> Origin:
        """The code and the packages of the estimator."""
        return self.recipe

    def identity(self) -> Mapping[str, object]:
        """Return what decides a fitted estimator, as JSON."""
        return self.recipe.identity()

    def describe(self) -> str:
        """Name the estimator in a line, such as ``StandardScaler -> SVC``."""
        return self.recipe.describe()

    def load(self) -> None:
        """Import the estimator.

        Raises
        ------
        InputError
            If it cannot be built.
        """
        self.recipe.build()

    def order(self, parameters: Mapping[str, Value]) -> str:
        """Sort key by which candidates that may share work follow each other."""
        return kernel_order(parameters)

    def check_rows(self, examples: Examples) -> None:
        """Check that the scoring can judge the classes of the rows.

        Raises
        ------
        InputError
            Names the classes and what to write.
        """
        if self.task == "classification":
            check_classes(self.scoring, examples.target, examples.test_target)

    def train(
        self, parameters: Mapping[str, Value], features: Features, target: Target
    ) -> Estimator:
        """Fit an estimator to copies of the rows, or take what a smaller C of an SVM has shown.

        Raises
        ------
        CandidateError
            If the estimator refuses.
        """
        estimator = build(self.recipe, parameters, target)
        known = self._bounds.known(estimator)
        if known is None:
            fit(estimator, features.copy(), target.copy())
            self._bounds.note(estimator, [digest_of_fit(estimator)], estimator)
            return estimator
        same = copy(known)
        same.set_params(**estimator.get_params())
        return same

    def score(
        self, model: object, parameters: Mapping[str, Value], examples: Examples
    ) -> Evaluation:
        """Score a fitted estimator on the test rows, and its parameters by cross-validation.

        Raises
        ------
        CandidateError
            If the estimator refuses, or a score is not finite.
        """
        estimator, target = cast("Estimator", model), examples.test_target
        predicted = predict(estimator, examples.test_features.copy(), target)
        with own_failure("predicting"):
            metrics = dict(measure(self.task, target, predicted))  # refuses what is not finite
        # The metric is the scorer's own value; computing it once saves a prediction.
        if self.scoring in metrics:
            test = RowScore(metrics[self.scoring], predicted)
        else:
            rows = examples.test_features.copy()
            test = score(estimator, self.scoring, rows, target.copy(), "test")
        folds = self._cross_validation(examples).scores(parameters)
        for name, value in metrics.items():
            refuse_non_finite(value, f"{name} on the test rows")
        is_counted = self.task == "classification"
        return Evaluation(
            test.value,
            metrics,
            count_correct(target, predicted) if is_counted else None,
            len(target) if is_counted else None,
            fold_scores=folds.values,
            predictions=_predictions(test, folds),
        )

    def references(self) -> Mapping[str, tuple["EstimatorObjective", Mapping[str, Value]]]:
        """Return what the champion is compared with, by name: an objective and its parameters.

        ``default`` is the estimator with the settings of the search and without values of the axes;
        ``baseline`` predicts the most frequent class, or the mean.
        """
        baseline = replace(self, recipe=Recipe((BASELINES[self.task],), self.recipe.seed))
        return {"default": (self, {}), "baseline": (baseline, {})}

    def __getstate__(self) -> dict[str, object]:
        """All fields, without what candidates have shown."""
        return {"recipe": self.recipe, "scoring": self.scoring, "task": self.task}

    @cached_property
    def _bounds(self) -> Bounds[Estimator]:
        return Bounds()

    @cached_property
    def _kept(self) -> list[tuple[Examples, CrossValidation]]:
        return []

    def _cross_validation(self, examples: Examples) -> CrossValidation:
        if not self._kept or self._kept[0][0] is not examples:
            folds = CrossValidation(self.recipe, examples, self.scoring)
            self._kept[:] = [(examples, folds)]
        return self._kept[0][1]


def _predictions(test: RowScore, folds: FoldScores) -> Predictions | None:
    """What the scores were computed from; None if one cannot be computed from it again."""
    columns = [fold.predicted for fold in folds.folds if fold.predicted is not None]
    if test.predicted is None or len(columns) < len(folds.folds):
        return None
    outputs = [fold.outputs for fold in folds.folds if fold.outputs is not None]
    return Predictions(tuple(columns), test.predicted, tuple(outputs), test.outputs)
