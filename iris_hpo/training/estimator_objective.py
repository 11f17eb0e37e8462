"""The objective of scikit-learn estimators: fit, predict, score, cross-validate."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, cast

from iris_hpo.data.dataset import Features, Target, Task
from iris_hpo.data.split import Examples
from iris_hpo.space.values import Value
from iris_hpo.training.code_of_others import own_failure
from iris_hpo.training.cross_validation import CrossValidation, FoldScores
from iris_hpo.training.estimators import Estimator, Recipe, Step
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.fitting import (
    RowScore,
    build,
    fit,
    predict,
    refuse_non_finite,
    score,
)
from iris_hpo.training.metrics import count_correct, measure
from iris_hpo.training.origin import Origin
from iris_hpo.training.predictions import Predictions
from iris_hpo.training.row_weights import Weights
from iris_hpo.training.scorers import Scorings, scorings_by_name
from iris_hpo.training.scoring import check_target
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
        The name of the scoring that decides.
    task
        What the estimator is for.
    all_scorings
        All scorings; by default the one that decides, which scikit-learn then knows by its name.
    """

    recipe: Recipe
    scoring: str
    task: Task
    all_scorings: Scorings | None = None

    @property
    def seed(self) -> int:
        """The search's seed."""
        return self.recipe.seed

    @property
    def calls_others(self) -> bool:
        """Whether the estimator or a scoring is code of others than scikit-learn."""
        return self.recipe.calls_others or self._scorings.calls_others

    @property
    def origin(self) -> Origin:
        """The code and the packages of the estimator."""
        return self.recipe

    @property
    def code(self) -> Mapping[str, str]:
        """Digests of the modules of the estimator and of the scorings that belong to no release."""
        return {**self._scorings.code, **self.recipe.code}

    def check_code(self) -> None:
        """Refuse to work with other code than the work was planned with.

        Raises
        ------
        WholeRunError
            If this process has loaded other code.
        """
        self.recipe.check_code()
        self._scorings.check_code()

    def scoring_identity(self) -> Mapping[str, object]:
        """Return what decides a score beside the name of the scoring, as JSON."""
        return self._scorings.identity()

    def identity(self) -> Mapping[str, object]:
        """Return what decides a fitted estimator, as JSON."""
        return self.recipe.identity()

    def describe(self) -> str:
        """Name the estimator in a line, such as ``StandardScaler -> SVC``."""
        return self.recipe.describe()

    def load(self) -> None:
        """Import the estimator and the functions that score it.

        Raises
        ------
        InputError
            If it cannot be built, or a function cannot be imported.
        """
        self.recipe.build()
        for scoring in self._scorings.all:
            scoring.scorer  # noqa: B018 - imports it

    def order(self, parameters: Mapping[str, Value]) -> str:
        """Sort key by which candidates that may share work follow each other."""
        return kernel_order(parameters)

    def check_rows(self, examples: Examples) -> None:
        """Check that the scorings can judge the target of the rows.

        Raises
        ------
        InputError
            Names the classes and what to write.
        """
        check_target(self._scorings, self.task, examples.target, examples.test_target)

    def train(
        self,
        parameters: Mapping[str, Value],
        features: Features,
        target: Target,
        weights: Weights | None = None,
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
            copied = None if weights is None else weights.copy()
            fit(estimator, features.copy(), target.copy(), copied)
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

        def score_folds() -> FoldScores:
            return self._cross_validation(examples).scores(parameters)

        estimator = cast("Estimator", model)
        return evaluate_fitted(estimator, self._scorings, self.task, examples, score_folds)

    def references(self) -> Mapping[str, tuple["EstimatorObjective", Mapping[str, Value]]]:
        """Return what the champion is compared with, by name: an objective and its parameters.

        ``default`` is the estimator with the settings of the search and without values of the axes;
        ``baseline`` predicts the most frequent class, or the mean.
        """
        baseline = replace(self, recipe=Recipe((BASELINES[self.task],), self.recipe.seed))
        return {"default": (self, {}), "baseline": (baseline, {})}

    def __getstate__(self) -> dict[str, object]:
        """All fields, without what candidates have shown."""
        state = {"recipe": self.recipe, "scoring": self.scoring, "task": self.task}
        return {**state, "all_scorings": self.all_scorings}

    @cached_property
    def _scorings(self) -> Scorings:
        return self.all_scorings or scorings_by_name(self.scoring)

    @cached_property
    def _bounds(self) -> Bounds[Estimator]:
        return Bounds()

    @cached_property
    def _kept(self) -> list[tuple[Examples, CrossValidation]]:
        return []

    def _cross_validation(self, examples: Examples) -> CrossValidation:
        if not self._kept or self._kept[0][0] is not examples:
            folds = CrossValidation(self.recipe, examples, self._scorings)
            self._kept[:] = [(examples, folds)]
        return self._kept[0][1]


def evaluate_fitted(
    estimator: Estimator,
    scorings: Scorings,
    task: Task,
    examples: Examples,
    score_folds: Callable[[], FoldScores],
) -> Evaluation:
    """Score a fitted estimator on the test rows, and then its parameters on the folds.

    Raises
    ------
    CandidateError
        If the estimator refuses, or a score is not finite.
    """
    target, weights = examples.test_target, examples.test_roles.weight
    predicted = predict(estimator, examples.test_features.copy(), target)
    with own_failure("predicting"):
        # refuses what is not finite
        metrics = dict(measure(task, target, predicted, weights))
    # The metric is the scorer's own value; computing it once saves a prediction. Weighted sums may
    # differ in the last bit.
    if scorings.name in metrics and not scorings.others and weights is None:
        test = RowScore(metrics[scorings.name], predicted)
    else:
        rows = examples.test_features.copy()
        test = score(estimator, scorings, rows, target.copy(), "test", weights)
    folds = score_folds()
    for name, value in metrics.items():
        refuse_non_finite(value, f"{name} on the test rows")
    is_counted = task == "classification" and weights is None
    return Evaluation(
        test.value,
        {**metrics, **test.others},
        count_correct(target, predicted) if is_counted else None,
        len(target) if is_counted else None,
        fold_scores=folds.values,
        fold_metrics=folds.others,
        predictions=_predictions(test, folds),
    )


def _predictions(test: RowScore, folds: FoldScores) -> Predictions | None:
    """What the scores were computed from; None if one cannot be computed from it again."""
    columns = [fold.predicted for fold in folds.folds if fold.predicted is not None]
    if test.predicted is None or len(columns) < len(folds.folds):
        return None
    outputs = [fold.outputs for fold in folds.folds if fold.outputs is not None]
    return Predictions(tuple(columns), test.predicted, tuple(outputs), test.outputs)
