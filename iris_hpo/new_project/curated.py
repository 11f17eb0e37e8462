"""A dozen estimators with values to search, for a project that begins with a table.

The values are few and wide apart: they show where it is worth to look closer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class CuratedAxis:
    """An axis with its values.

    Attributes
    ----------
    name, symbol, type
        As in a search's YAML.
    values
        The values, as they are written into the parameter file.
    nullable
        Whether one of them is ``none``.
    """

    name: str
    symbol: str
    type: str
    values: Sequence[str]
    nullable: bool = False


@dataclass(frozen=True)
class Curated:
    """An estimator with values to search.

    Attributes
    ----------
    estimators
        Import path for each task that it can do.
    reason
        When it is a good choice, in one sentence.
    axes
        What is searched.
    settings
        Its fixed settings.
    is_scaled
        Whether features are scaled first.
    """

    estimators: Mapping[Task, str]
    reason: str
    axes: Sequence[CuratedAxis]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    is_scaled: bool = False


def _both(path: str) -> Mapping[Task, str]:
    return {"classification": f"{path}Classifier", "regression": f"{path}Regressor"}


_C: Final = CuratedAxis("C", "C", "float", ("0.01", "0.1", "1", "10", "100", "1000"))
_ALPHA: Final = CuratedAxis("alpha", "A", "float", ("0.0001", "0.001", "0.01", "0.1", "1", "10"))
_LEAF: Final = CuratedAxis("min_samples_leaf", "L", "int", ("1", "2", "5", "10"))
_SHARE: Final = CuratedAxis("max_features", "F", "float", ("0.2", "0.4", "0.7", "1.0"))
_DEPTH: Final = CuratedAxis("max_depth", "D", "int", ("2", "4", "8", "none"), nullable=True)
_GAMMA: Final = CuratedAxis("gamma", "G", "float", ("0.001", "0.01", "0.1", "1"))

CURATED: Final[Mapping[str, Curated]] = {
    "random_forest": Curated(
        _both("sklearn.ensemble.RandomForest"),
        "good on small tables without any preparation",
        (_LEAF, _SHARE),
        {"n_estimators": 100},
    ),
    "extra_trees": Curated(
        _both("sklearn.ensemble.ExtraTrees"),
        "like a random forest, smoother and faster",
        (_LEAF, _SHARE),
        {"n_estimators": 100},
    ),
    "gradient_boosting": Curated(
        _both("sklearn.ensemble.HistGradientBoosting"),
        "usually the best on tables of a thousand rows and more",
        (
            CuratedAxis("learning_rate", "R", "float", ("0.02", "0.05", "0.1", "0.2")),
            CuratedAxis("max_leaf_nodes", "N", "int", ("7", "15", "31", "63")),
        ),
    ),
    "decision_tree": Curated(
        _both("sklearn.tree.DecisionTree"), "a model that can be read", (_DEPTH, _LEAF)
    ),
    "nearest_neighbours": Curated(
        _both("sklearn.neighbors.KNeighbors"),
        "predicts by the most similar rows",
        (
            CuratedAxis("n_neighbors", "N", "int", ("1", "3", "5", "9", "15", "25")),
            CuratedAxis("weights", "W", "str", ("uniform", "distance")),
        ),
        is_scaled=True,
    ),
    "neural_network": Curated(
        _both("sklearn.neural_network.MLP"),
        "for smooth relations of many features",
        (_ALPHA, CuratedAxis("learning_rate_init", "R", "float", ("0.0003", "0.001", "0.003"))),
        {"max_iter": 1000, "early_stopping": True},
        is_scaled=True,
    ),
    "svm": Curated(
        {"classification": "sklearn.svm.SVC", "regression": "sklearn.svm.SVR"},
        "strong on a few thousand rows of numbers",
        (_C, _GAMMA),
        is_scaled=True,
    ),
    "logistic_regression": Curated(
        {"classification": "sklearn.linear_model.LogisticRegression"},
        "linear, with weights that can be read",
        (_C,),
        {"max_iter": 2000},
        is_scaled=True,
    ),
    "naive_bayes": Curated(
        {"classification": "sklearn.naive_bayes.GaussianNB"},
        "the fastest, for a first look",
        (CuratedAxis("var_smoothing", "V", "float", ("1e-9", "1e-7", "1e-5", "1e-3", "0.1")),),
    ),
    "ridge": Curated(
        {"regression": "sklearn.linear_model.Ridge"},
        "linear, for features that depend on each other",
        (_ALPHA,),
        is_scaled=True,
    ),
    "lasso": Curated(
        {"regression": "sklearn.linear_model.Lasso"},
        "linear, and keeps few features",
        (_ALPHA,),
        {"max_iter": 20000},
        is_scaled=True,
    ),
    "elastic_net": Curated(
        {"regression": "sklearn.linear_model.ElasticNet"},
        "between ridge and lasso",
        (_ALPHA, CuratedAxis("l1_ratio", "M", "float", ("0.1", "0.5", "0.9"))),
        {"max_iter": 20000},
        is_scaled=True,
    ),
}
"""The estimators, by the name that ``iris-hpo init --estimator`` takes."""

MANY_ROWS: Final = 1000
"""Number of rows from which on boosting is chosen."""


def choose_estimator(rows: int) -> str:
    """Choose an estimator for a table of this many rows."""
    return "gradient_boosting" if rows >= MANY_ROWS else "random_forest"
