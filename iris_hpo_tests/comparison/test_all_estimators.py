"""Every estimator of scikit-learn: scores and models of a search are scikit-learn's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.utils import all_estimators

from iris_hpo.data.dataset import Task
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo_tests.comparison.sides import Parameters, Search, compare, examples_of, quiet

LOGISTIC = {"estimator": "sklearn.linear_model.LogisticRegression"}
RIDGE = {"estimator": "sklearn.linear_model.Ridge", "settings": {"alpha": 0.5}}
TREE = {"estimator": "sklearn.tree.DecisionTreeClassifier", "settings": {"max_depth": 2}}

SETTINGS: dict[str, dict[str, Any]] = {
    # Meta-estimators with a simple one inside.
    "FixedThresholdClassifier": {"estimator": LOGISTIC},
    "OneVsOneClassifier": {"estimator": LOGISTIC},
    "OneVsRestClassifier": {"estimator": LOGISTIC},
    "OutputCodeClassifier": {"estimator": LOGISTIC},
    "SelfTrainingClassifier": {"estimator": LOGISTIC},
    "StackingClassifier": {"estimators": [("one", LOGISTIC), ("two", TREE)], "cv": 2},
    "StackingRegressor": {"estimators": [("one", RIDGE)], "cv": 2},
    "TransformedTargetRegressor": {"regressor": RIDGE},
    "TunedThresholdClassifierCV": {"estimator": LOGISTIC, "cv": 2},
    "VotingClassifier": {"estimators": [("one", LOGISTIC), ("two", TREE)]},
    "VotingRegressor": {"estimators": [("one", RIDGE)]},
    # Fewer steps, and what the data needs.
    **{
        f"{name}{kind}": {"n_estimators": 5}
        for name in ("AdaBoost", "Bagging", "ExtraTrees", "GradientBoosting", "RandomForest")
        for kind in ("Classifier", "Regressor")
    },
    **{f"HistGradientBoosting{kind}": {"max_iter": 5} for kind in ("Classifier", "Regressor")},
    **{f"MLP{kind}": {"max_iter": 20} for kind in ("Classifier", "Regressor")},
    **{f"RadiusNeighbors{kind}": {"radius": 20.0} for kind in ("Classifier", "Regressor")},
    "CalibratedClassifierCV": {"estimator": LOGISTIC, "cv": 2},
    "CCA": {"n_components": 1},
    "PLSCanonical": {"n_components": 1},
    "CategoricalNB": {"min_categories": 40},
    "LogisticRegressionCV": {"Cs": 2, "cv": 2, "max_iter": 50},
    "NuSVC": {"nu": 0.2},
    "TheilSenRegressor": {"max_subpopulation": 50},
    **{f"{name}CV": {"cv": 2} for name in ("ElasticNet", "Lasso")},
}

TWO_TARGETS = "needs several targets, and a search has one"
REFUSED = {
    "ClassifierChain": TWO_TARGETS,
    "MultiOutputClassifier": TWO_TARGETS,
    "MultiOutputRegressor": TWO_TARGETS,
    "RegressorChain": TWO_TARGETS,
    "MultiTaskElasticNet": TWO_TARGETS,
    "MultiTaskElasticNetCV": TWO_TARGETS,
    "MultiTaskLasso": TWO_TARGETS,
    "MultiTaskLassoCV": TWO_TARGETS,
    "IsotonicRegression": "needs a single feature",
    "SelfTrainingClassifier": "refuses labels that are texts",
}
"""What cannot be fitted to the data, and why."""

SETTINGS |= {name: {"estimator": LOGISTIC} for name in REFUSED if name.endswith("fier")}
SETTINGS |= {"ClassifierChain": {"estimator": LOGISTIC}}
SETTINGS |= {name: {"estimator": RIDGE} for name in ("MultiOutputRegressor", "RegressorChain")}
SCORINGS = {"classification": "f1_macro", "regression": "neg_mean_absolute_error"}
COPY_FLAGS = ("copy", "copy_X", "copy_X_train")


def examples_for(task: Task) -> Any:
    """44 training rows in 2 folds; features are small counts, which every estimator accepts."""
    if task == "classification":
        features, numbers = make_classification(60, 5, flip_y=0.1, random_state=4)
        target = np.array(["no", "yes"])[numbers]
    else:
        features, values, *_ = make_regression(60, 5, noise=20.0, random_state=4)
        target = 1 + values - values.min()  # some losses take positive numbers only
    counts = np.floor(3 * (features - features.min()))
    return examples_of(counts, target, 16, task, folds=2)


def search_of(name: str, kind: type, task: Task) -> Search:
    """Two candidates with the defaults, and between them one that works in place, if it can."""
    path = f"{kind.__module__}.{kind.__name__}"
    recipe = Recipe((Step(path, SETTINGS.get(name, {})),))
    flags = [flag for flag in COPY_FLAGS if flag in kind._get_param_names()]
    candidates: Sequence[Parameters] = [{}, *({flag: False} for flag in flags), {}]
    return Search(recipe, SCORINGS[task], task, examples_for(task), candidates)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "task"), [("classifier", "classification"), ("regressor", "regression")]
)
def test_every_estimator_is_fitted_and_scored_as_by_scikit_learn(
    kind: str, task: Task, tmp_path: Path
) -> None:
    found: dict[str, list[str]] = {}
    refused: set[str] = set()
    with quiet():
        names = dict(all_estimators(type_filter=kind))
    for name, estimator in names.items():
        search = search_of(name, estimator, task)
        differences, expected = compare(search, tmp_path / name)
        if differences:
            found[name] = differences
        if any(outcome.scores is None for outcome in expected):
            refused.add(name)

    assert found == {}
    assert refused == REFUSED.keys() & names.keys(), "what scikit-learn refuses is listed"
    assert len(names) > 40
