"""Searches drawn by a seed, with what could make a search differ from scikit-learn."""

from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np
from sklearn.datasets import make_classification, make_regression

from iris_hpo.data.split import Examples
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo_tests.comparison.sides import Search, examples_of

LABELS = (["no", "yes"], ["a", "b", "c"], ["1", "2"], [0, 1], [1, 2], [-1, 1], [2, 5, 9])
BY_PREDICTION = ("accuracy", "balanced_accuracy", "f1_macro")
BY_PROBABILITY = (*BY_PREDICTION, "neg_log_loss", "roc_auc_ovr")
FOR_NUMBERS = ("r2", "neg_mean_absolute_error")

_OWN = "iris_hpo_tests.comparison.own_estimators."
_SCALERS = ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler")

Axes = Mapping[str, list[Any]]
Drawn = tuple[Recipe, tuple[str, ...], Axes]

_SOME_BOUNDS = [0.1, 1.0, 30.0, 100.0]
_ALL_BOUNDS = [1.0, 100.0, 1e4, 1e6, 1e8]
"""Of dual coefficients: with a narrow kernel none reaches the last ones."""


def draw(seed: int) -> Search:
    """Draw a search; a few are worked on by worker processes."""
    random = Random(seed)
    large = random.random() < 0.25
    engine = "loky" if seed % 40 == 24 else "serial"
    if random.random() < 0.7:
        task, labels = "classification", random.choice(LABELS)
        examples = _labelled(random, labels, large)
        kinds = (_svc, _svc, _svc, _nu_svc, _own_svc, _scaled_svc, _weighted, _own_classifier)
        recipe, scorings, axes = random.choice(kinds)(random, labels)
    else:
        task, examples = "regression", _measured(random, large)
        kinds = (_svr, _svr, _copies, _copies, _scaled_copies, _own_regressor)
        recipe, scorings, axes = random.choice(kinds)(random, ())
    return Search(
        recipe, random.choice(scorings), task, examples, _candidates(random, axes), engine
    )


def _candidates(random: Random, axes: Axes) -> list[dict[str, Any]]:
    """Some points of the axes, in an order as drawn or sorted; one may come twice."""
    points: list[dict[str, Any]] = [{}]
    for name, values in axes.items():
        points = [{**point, name: value} for point in points for value in values]
    if random.random() < 0.5:
        random.shuffle(points)
    start = random.randrange(max(1, len(points) - 4))
    chosen = points[start : start + 5]
    return [*chosen, chosen[0]] if random.random() < 0.3 else chosen


def _labelled(random: Random, labels: Any, large: bool) -> Examples:  # noqa: FBT001
    features, numbers = make_classification(
        random.randint(60, 76) if large else random.randint(45, 76),
        100 if large else random.randint(4, 7),
        n_informative=4,
        n_redundant=0,
        n_classes=len(labels),
        n_clusters_per_class=1,
        weights=random.choice((None, [0.6, 0.2] if len(labels) > 2 else [0.6])),
        flip_y=random.choice((0.0, 0.2)),
        class_sep=random.choice((0.5, 1.5)),
        random_state=random.randrange(10**6),
    )
    return examples_of(
        features, np.array(labels)[numbers], 16 if not large else 9, "classification"
    )


def _measured(random: Random, large: bool) -> Examples:  # noqa: FBT001
    features, values, *_ = make_regression(
        random.randint(60, 76) if large else random.randint(45, 76),
        100 if large else random.randint(3, 7),
        n_informative=3,
        noise=random.choice((0.0, 5.0)),
        random_state=random.randrange(10**6),
    )
    features += random.choice((0.0, 10.0))
    return examples_of(features, values, 16 if not large else 9, "regression")


def _weights(random: Random, labels: Any) -> Any:
    """None, ``balanced``, or by label: all of them, or some."""
    every = {label: random.choice((0.5, 1.0, 20.0)) for label in labels}
    some = {labels[-1]: 20.0}
    return _accepted(random.choice((None, "balanced", every, every, some, some)), labels)


def _accepted(weights: Any, labels: Any) -> Any:
    """scikit-learn looks for the labels 1 and 2 where the weights are of the texts "1" and "2"."""
    return "balanced" if labels == ["1", "2"] and isinstance(weights, dict) else weights


def _kernel_axes(random: Random) -> dict[str, list[Any]]:
    if random.random() < 0.4:
        return {"gamma": random.choice(([2.0], [1.0, 4.0])), "C": _ALL_BOUNDS}
    gammas = random.choice(([0.001, 0.01], [0.02, 0.5], ["scale", 0.05], ["auto"], [0.05]))
    return {"gamma": gammas, "C": _SOME_BOUNDS}


def _svm_settings(random: Random) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if random.random() < 0.4:
        settings["kernel"] = random.choice(("linear", "poly", "sigmoid", "rbf"))
        if settings["kernel"] != "rbf":  # it would take minutes to converge under a large C
            settings["max_iter"] = 1_000
    if random.random() < 0.15:
        settings["max_iter"] = random.choice((3, 20, 10_000))
    if random.random() < 0.2:
        settings["shrinking"] = False
    if random.random() < 0.2:
        settings["tol"] = 0.1
    return settings


def _svc(random: Random, labels: Any, path: str = "sklearn.svm.SVC") -> Drawn:
    settings = _svm_settings(random) | {"class_weight": _weights(random, labels)}
    probable = random.random() < 0.25
    if probable:
        settings |= {"probability": True, "random_state": random.choice((None, 3))}
    if random.random() < 0.2:
        settings["decision_function_shape"] = "ovo"
    elif len(labels) > 2 and random.random() < 0.2:
        settings["break_ties"] = True
    scorings = BY_PROBABILITY if probable else BY_PREDICTION
    return _one(path, settings), scorings, _kernel_axes(random)


def _nu_svc(random: Random, labels: Any) -> Drawn:
    settings = {
        "class_weight": _accepted(random.choice((None, "balanced", {labels[-1]: 1.5})), labels)
    }
    axes = {"gamma": [0.01, 0.1], "nu": [0.05, 0.2, 0.4]}
    return _one("sklearn.svm.NuSVC", settings), BY_PREDICTION, axes


def _own_svc(random: Random, labels: Any) -> Drawn:
    return _svc(random, labels, _OWN + random.choice(("ScaledSVC", "WeightlessSVC")))


def _scaled_svc(random: Random, labels: Any) -> Drawn:
    settings = {"class_weight": _weights(random, labels)}
    steps = (_scaler(random), Step("sklearn.svm.SVC", settings))
    axes = {f"svc__{name}": values for name, values in _kernel_axes(random).items()}
    return Recipe(steps), BY_PREDICTION, axes


def _weighted(random: Random, labels: Any) -> Drawn:
    """Classifiers without a kernel that take weights by label."""
    path, settings, axes = random.choice(
        (
            ("sklearn.linear_model.LogisticRegression", {}, {"C": [0.01, 1.0, 100.0]}),
            ("sklearn.tree.DecisionTreeClassifier", {}, {"max_depth": [1, 3, None]}),
            (
                "sklearn.ensemble.RandomForestClassifier",
                {"n_estimators": 5},
                {"max_depth": [1, 3], "random_state": [0, 1]},
            ),
            (
                "sklearn.linear_model.SGDClassifier",
                {"loss": "log_loss"},
                {"alpha": [1e-4, 0.1], "random_state": [0, 1]},
            ),
        )
    )
    recipe = _one(path, settings | {"class_weight": _weights(random, labels)})
    return recipe, BY_PROBABILITY, axes


def _own_classifier(random: Random, labels: Any) -> Drawn:  # noqa: ARG001
    name, axes = random.choice(
        (
            ("WritesRows", {"factor": [-1.5, 2.0], "max_depth": [1, 2, 3]}),
            ("WritesLabels", {"spoiled": [0, 3, 12], "max_depth": [1, 3]}),
            ("DerivesDepth", {"max_depth": [1, 2, 3]}),
        )
    )
    return _one(_OWN + name, {}), BY_PREDICTION, axes


def _svr(random: Random, labels: Any) -> Drawn:  # noqa: ARG001
    path = random.choice(("sklearn.svm.SVR", "sklearn.svm.NuSVR", _OWN + "ScaledSVR"))
    settings = _svm_settings(random)
    axes = _kernel_axes(random)
    return _one(path, settings), FOR_NUMBERS, axes


def _copying(random: Random) -> tuple[str, dict[str, Any], dict[str, list[Any]]]:
    """Regressors that work in place if they may."""
    copies = random.sample((True, False), 2)
    linear = "sklearn.linear_model."
    return random.choice(
        (
            (linear + "Ridge", {}, {"alpha": [0.1, 10.0], "copy_X": copies}),
            (linear + "LinearRegression", {}, {"copy_X": copies}),
            (linear + "Lasso", {}, {"alpha": [0.01, 1.0], "copy_X": copies}),
            (linear + "ElasticNet", {"precompute": True}, {"alpha": [0.1], "copy_X": copies}),
            (linear + "BayesianRidge", {}, {"copy_X": copies}),
            (linear + "Lars", {}, {"copy_X": copies, "n_nonzero_coefs": [2, 500]}),
            ("sklearn.cross_decomposition.PLSRegression", {}, {"copy": copies}),
        )
    )


def _copies(random: Random, labels: Any) -> Drawn:  # noqa: ARG001
    path, settings, axes = _copying(random)
    return _one(path, settings), FOR_NUMBERS, axes


def _scaled_copies(random: Random, labels: Any) -> Drawn:  # noqa: ARG001
    path, settings, axes = _copying(random)
    step = Step(path, settings)
    recipe = Recipe((_scaler(random), step))
    return recipe, FOR_NUMBERS, {f"{step.name}__{name}": axes[name] for name in axes}


def _own_regressor(random: Random, labels: Any) -> Drawn:  # noqa: ARG001
    return _one(_OWN + "WritesNumbers", {}), FOR_NUMBERS, {"factor": [-1.0, 2.0, 3.0]}


def _scaler(random: Random) -> Step:
    name = random.choice(_SCALERS)
    return Step(f"sklearn.preprocessing.{name}", {"copy": random.choice((True, False))})


def _one(path: str, settings: dict[str, Any]) -> Recipe:
    return Recipe((Step(path, settings),))
