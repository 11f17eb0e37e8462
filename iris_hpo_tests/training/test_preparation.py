"""Features of every kind, prepared within each fold: the same as scikit-learn's own pipeline."""

import math
import pickle
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd  # noqa: TID253
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from iris_hpo.data.split import Examples
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import evaluate, train

KINDS = ("number", "category", "number", "text", "date")
NEIGHBOURS = Step("sklearn.neighbors.KNeighborsClassifier")
FOREST = Step("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 5})
TREE = Step("sklearn.tree.DecisionTreeClassifier", {"max_depth": 4})
BOOSTING = Step("sklearn.ensemble.HistGradientBoostingClassifier", {"max_iter": 5})


def rows(number: int, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    features = np.empty((number, 5), dtype=object)
    features[:, 0] = draw.normal(size=number).tolist()
    features[:, 1] = draw.choice(["red", "blue", "green", ""], number).tolist()
    features[:, 2] = [math.nan if n % 4 == 0 else float(n % 7) for n in range(number)]
    features[:, 3] = [f"word {'ab'[n % 2]} {n % 50}" for n in range(number)]
    features[:, 4] = [math.nan if n % 9 == 0 else 15_340.0 + n for n in range(number)]
    return features


def examples(used: int, target: np.ndarray, folds: object) -> Examples:
    features = rows(len(target))[:, :used]
    return Examples(features, target, features[:20], target[:20], folds)


def objective(step: Step, used: int, task: str = "classification") -> EstimatorObjective:
    scoring = "accuracy" if task == "classification" else "r2"
    return EstimatorObjective(Recipe((step,), 0, KINDS[:used]), scoring, task)


LABELS = np.array(["a", "b", "b"] * 30)
FOLDS = tuple(StratifiedKFold(3).split(LABELS, LABELS))


def by_hand(estimator: object, numbers: object) -> object:
    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=2, sparse_output=False
    )
    parts = [("categories", encoder, [1]), ("numbers", numbers, [0, 2])]
    return make_pipeline(ColumnTransformer(parts, sparse_threshold=0), estimator)


def test_scores_are_those_of_scikit_learns_own_pipeline_on_the_same_folds() -> None:
    data = examples(3, LABELS, FOLDS)
    found = objective(NEIGHBOURS, 3)
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    pipeline = by_hand(KNeighborsClassifier(), imputer)

    evaluation = evaluate(found, train(found, {}, data).model, {}, data)

    wanted = cross_val_score(pipeline, data.features, LABELS, cv=FOLDS)
    assert evaluation.fold_scores == tuple(wanted)
    fitted = pipeline.fit(data.features, LABELS)
    assert evaluation.score == fitted.score(data.test_features, data.test_target)


def test_an_estimator_that_takes_missing_values_gets_them() -> None:
    data = examples(3, LABELS, FOLDS)
    found = objective(TREE, 3)
    pipeline = by_hand(DecisionTreeClassifier(max_depth=4, random_state=0), "passthrough")

    evaluation = evaluate(found, train(found, {}, data).model, {}, data)

    assert evaluation.fold_scores == tuple(
        cross_val_score(pipeline, data.features, LABELS, cv=FOLDS)
    )


@pytest.mark.parametrize("kinds", [KINDS[:2], KINDS[:3], ("category",)])
def test_an_estimator_that_takes_categories_gets_them(kinds: tuple[str, ...]) -> None:
    """A frame with categories gives the same scores: scikit-learn's own way."""
    at = [KINDS.index(kind) for kind in kinds[:1]] if len(kinds) == 1 else [*range(len(kinds))]
    data = replace(examples(3, LABELS, FOLDS), features=rows(90)[:, at])
    data = replace(data, test_features=data.features[:20])
    recipe = EstimatorObjective(Recipe((BOOSTING,), 0, kinds), "accuracy", "classification")
    frame = pd.DataFrame(data.features)
    for column, kind in enumerate(kinds):
        frame[column] = frame[column].astype("category" if kind == "category" else float)
    boosting = HistGradientBoostingClassifier(max_iter=5, random_state=0)

    model: Any = train(recipe, {}, data).model
    evaluation = evaluate(recipe, model, {}, data)

    assert evaluation.fold_scores == tuple(cross_val_score(boosting, frame, LABELS, cv=FOLDS))
    new = data.features[:1].copy()
    new[0, kinds.index("category")] = "violet"
    assert model.predict(new)[0] in {"a", "b"}


def test_categories_that_a_user_has_named_stay() -> None:
    step = Step(BOOSTING.estimator, {"max_iter": 5, "categorical_features": [0]})

    model: Any = train(objective(step, 3), {}, examples(3, LABELS, FOLDS)).model

    assert model[-1].categorical_features == [0]


MISSING = [(kind, ("", math.nan)[kind not in ("category", "text")]) for kind in KINDS]


@pytest.mark.parametrize(("kind", "missing"), MISSING)
@pytest.mark.parametrize("step", [FOREST, BOOSTING], ids=["forest", "boosting"])
def test_values_of_each_kind_may_be_missing_in_training_and_in_prediction(
    step: Step, kind: str, missing: float | str
) -> None:
    at = KINDS.index(kind)
    data = examples(5, LABELS, FOLDS)
    data.features[::3, at] = missing
    some = train(objective(step, 5), {}, data).model
    new = rows(4, seed=1)
    new[:2, at] = missing

    assert set(some.predict(new)) <= {"a", "b"}
    if step == FOREST and kind != "text":  # boosting fails, and a warning is raised for texts
        data.features[:, at] = missing
        none = train(objective(step, 5), {}, data).model
        assert set(none.predict(new)) <= {"a", "b"}


def test_axes_and_class_weights_reach_the_estimator() -> None:
    step = Step(FOREST.estimator, {"class_weight": {"a": 5, "b": 1}})
    data = examples(3, LABELS, FOLDS)

    model = train(objective(step, 3), {"n_estimators": 7}, data).model

    assert len(model[-1].estimators_) == 7
    assert model[-1].class_weight == {"a": 5, "b": 1}


def test_texts_and_dates_are_prepared_and_new_values_predicted() -> None:
    target = np.arange(90) % 2 + np.sin(np.arange(90) / 58)
    data = examples(5, target, tuple(KFold(3).split(target)))
    found = objective(Step("sklearn.linear_model.Ridge"), 5, "regression")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = train(found, {}, data).model
        evaluation = evaluate(found, model, {}, data)
        new = np.array([[math.nan, "violet", math.nan, "", math.nan]], dtype=object)
        predicted = pickle.loads(pickle.dumps(model)).predict(new)

    assert min(evaluation.fold_scores) > 0.5, "the text and the date say the target"
    assert predicted.shape == (1,)
    assert np.isfinite(predicted).all()
    assert isinstance(model[-1], Ridge)


def test_complete_numbers_are_not_prepared() -> None:
    recipe = Recipe((FOREST,))

    assert type(recipe.prepared(recipe.build())) is RandomForestClassifier
    assert "prepare" not in recipe.identity()


@pytest.mark.parametrize("kinds", [KINDS[:2], KINDS[:3]])
def test_the_kinds_decide_the_model(kinds: tuple[str, ...]) -> None:
    identity = Recipe((FOREST,), 0, kinds).identity()

    assert identity["prepare"] == [2, *kinds]
    assert pickle.loads(pickle.dumps(Recipe((FOREST,), 0, kinds))).kinds == kinds
