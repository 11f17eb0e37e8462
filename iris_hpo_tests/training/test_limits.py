"""The lowest and the highest number of an axis that may be tried."""

import math
from typing import Any

import pytest

from iris_hpo.space.axes import Axis
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.limits import limits_of

FOREST = "sklearn.ensemble.RandomForestClassifier"
NEIGHBOURS = "sklearn.neighbors.KNeighborsClassifier"
NET = "sklearn.linear_model.ElasticNet"


@pytest.mark.parametrize(
    ("estimator", "parameter", "kind", "limits"),
    [
        (FOREST, "min_samples_leaf", "int", (1, math.inf)),
        (FOREST, "min_samples_split", "int", (2, math.inf)),
        (FOREST, "max_depth", "int", (1, math.inf)),
        (FOREST, "max_features", "int", (1, math.inf)),
        # A share is more than 0, so there is no smallest one.
        (FOREST, "max_features", "float", (-math.inf, 1)),
        (FOREST, "max_features", ("int", "float"), (-math.inf, math.inf)),
        (FOREST, "class_weight", "str", (-math.inf, math.inf)),
        (NEIGHBOURS, "n_neighbors", "int", (1, math.inf)),
        (NET, "l1_ratio", "float", (0, 1)),
        (NET, "alpha", "float", (0, math.inf)),
        ("sklearn.svm.SVC", "C", "float", (-math.inf, math.inf)),
        ("sklearn.svm.SVC", "C", "int", (1, math.inf)),
    ],
)
def test_scikit_learn_states_what_a_parameter_may_be(
    estimator: str, parameter: str, kind: Any, limits: tuple[float, float]
) -> None:
    axis = Axis(parameter, "A", type=kind)

    assert limits_of(axis, Recipe((Step(estimator),))) == limits


def test_the_limits_of_a_step_and_of_a_nested_estimator_are_found() -> None:
    bagging = Step(
        "sklearn.ensemble.BaggingClassifier",
        {"estimator": {"estimator": "sklearn.tree.DecisionTreeClassifier"}},
    )
    recipe = Recipe((Step("sklearn.preprocessing.StandardScaler"), bagging))
    axis = Axis("depth", "D", parameter=f"{recipe.steps[1].name}__estimator__max_depth", type="int")

    assert limits_of(axis, recipe) == (1, math.inf)


def test_without_a_statement_only_a_positive_whole_number_has_a_limit() -> None:
    for recipe in (None, Recipe((Step("lightgbm.LGBMClassifier"),))):
        assert limits_of(Axis("num_leaves", "L", type="int"), recipe)[0] == -math.inf
        assert limits_of(Axis("num_leaves", "L", type="int", positive=True), recipe)[0] == 1
        assert limits_of(Axis("num_leaves", "L", positive=True), recipe)[0] == -math.inf
