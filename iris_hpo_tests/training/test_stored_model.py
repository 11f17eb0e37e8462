"""A model that is not whole in its pickle is its candidate's failure, and is never a champion."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import r2_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from iris_hpo.data.split import Examples
from iris_hpo.errors import CandidateError
from iris_hpo.training.cards import load_model
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import evaluate, train
from iris_hpo.training.stored_model import store_and_load


class Forgetful(DecisionTreeClassifier):
    """Predicts by something that it does not pickle."""

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        self.is_fitted_here_ = True
        return super().fit(X, y, sample_weight)

    def predict(self, X):  # noqa: N803
        predicted = super().predict(X)
        if not getattr(self, "is_fitted_here_", False):
            predicted[: len(X) // 2] = "other"
        return predicted

    def __getstate__(self):
        return {name: each for name, each in vars(self).items() if name != "is_fitted_here_"}


class Unloadable(DecisionTreeClassifier):
    def __setstate__(self, state):
        raise RuntimeError("cannot be loaded")


class Unable(Forgetful):
    """Cannot predict once it was stored."""

    def predict(self, X):  # noqa: N803
        if not getattr(self, "is_fitted_here_", False):
            raise ValueError("not fitted")
        return super().predict(X)


class Counting(DecisionTreeRegressor):
    """Predicts otherwise at each call, as one that keeps its random numbers."""

    calls = 0

    def predict(self, X):  # noqa: N803
        self.calls += 1
        return super().predict(X) * self.calls


class Drawing(DecisionTreeRegressor):
    """Draws as it predicts, and counts its predictions."""

    calls = 0

    def predict(self, X):  # noqa: N803
        self.calls += 1
        return super().predict(X) + np.random.rand(len(X))


def stored(estimator: type, examples: Examples) -> tuple[bytes, Any]:
    recipe = Recipe((Step(f"{estimator.__module__}.{estimator.__name__}"),))
    objective = EstimatorObjective(recipe, "accuracy", "classification")
    model = train(objective, {"max_depth": 2}, examples).model
    return store_and_load(objective, model, {"max_depth": 2}, examples)


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (Forgetful, "its stored model predicts 15 test rows of 30 otherwise than before it was"),
        (Unloadable, "the stored model failed: RuntimeError: cannot be loaded"),
        (Unable, "the stored model failed: ValueError: not fitted"),
    ],
)
def test_a_model_that_is_not_whole_in_its_pickle_fails_its_candidate(
    iris_examples: Examples, estimator: type, reason: str
) -> None:
    with pytest.raises(CandidateError) as failure:
        stored(estimator, iris_examples)
    assert str(failure.value).startswith(reason)


def test_what_is_scored_was_stored_and_loaded(iris_examples: Examples) -> None:
    content, model = stored(Whole, iris_examples)
    assert model.was_loaded
    rows = iris_examples.test_features
    assert (load_model(content).predict(rows) == model.predict(rows)).all()


class Whole(DecisionTreeClassifier):
    was_loaded = False

    def __setstate__(self, state):
        super().__setstate__(state)
        self.was_loaded = True


def regressed(estimator: type, iris: Examples) -> tuple[EstimatorObjective, Any, Examples]:
    """A regressor that has learnt the number of each row, with its objective and the rows."""
    numbers = np.arange(120.0), np.arange(30.0)
    examples = Examples(iris.features, numbers[0], iris.test_features, numbers[1], ())
    recipe = Recipe((Step(f"{__name__}.{estimator.__name__}"),))
    objective = EstimatorObjective(recipe, "r2", "regression")
    return objective, train(objective, {}, examples).model, examples


def test_predictions_that_are_drawn_are_no_difference(iris_examples: Examples) -> None:
    objective, model, examples = regressed(Drawing, iris_examples)
    assert store_and_load(objective, model, {}, examples)


def test_the_first_predictions_are_scored(iris_examples: Examples) -> None:
    """As on the folds, and as those of the model that is handed out."""
    objective, model, examples = regressed(Counting, iris_examples)

    content, scored = store_and_load(objective, model, {}, examples)

    own = evaluate(objective, scored, {}, examples).score
    handed_out: Any = load_model(content)
    assert own == r2_score(examples.test_target, handed_out.predict(examples.test_features))
