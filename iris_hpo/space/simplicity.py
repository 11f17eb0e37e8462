"""A table of which end of a parameter's scale makes the simpler model, for scikit-learn's own.

The rule ``one_standard_error`` needs this. An axis can state it; the table is for axes that do not.
An entry must be true for any values of the other parameters.
"""

from collections.abc import Mapping
from typing import Final, Literal

Simplest = Literal["low", "high", "neither"]

SIMPLEST: Final = ("low", "high", "neither")

_TREES: Final = frozenset(
    f"{kind}{task}"
    for kind in ("DecisionTree", "ExtraTree", "RandomForest", "ExtraTrees", "GradientBoosting")
    for task in ("Classifier", "Regressor")
)
_HISTOGRAMS: Final = frozenset(
    {"HistGradientBoostingClassifier", "HistGradientBoostingRegressor"},
)
_KERNELS: Final = frozenset({"SVC", "SVR", "NuSVC", "NuSVR", "KernelRidge"})

_KNOWN: Final[Mapping[str, tuple[Simplest, frozenset[str]]]] = {
    # A weaker penalty on errors, and a smoother kernel.
    "C": ("low", frozenset({"SVC", "SVR", "LinearSVC", "LinearSVR", "LogisticRegression"})),
    "gamma": ("low", _KERNELS),
    "degree": ("low", _KERNELS | {"PolynomialFeatures"}),
    # A stronger penalty on weights, or more smoothing.
    "alpha": (
        "high",
        frozenset(
            {
                *("Ridge", "RidgeClassifier", "KernelRidge", "Lasso", "LassoLars", "ElasticNet"),
                *("MultiTaskLasso", "MultiTaskElasticNet", "SGDClassifier", "SGDRegressor"),
                *("MLPClassifier", "MLPRegressor", "HuberRegressor", "QuantileRegressor"),
                *("PoissonRegressor", "GammaRegressor", "TweedieRegressor", "BernoulliNB"),
                *("MultinomialNB", "ComplementNB", "CategoricalNB"),
            }
        ),
    ),
    "l2_regularization": ("high", _HISTOGRAMS),
    "reg_param": ("high", frozenset({"QuadraticDiscriminantAnalysis"})),
    # Smaller trees.
    "max_depth": ("low", _TREES | _HISTOGRAMS),
    "max_leaf_nodes": ("low", _TREES | _HISTOGRAMS),
    "min_samples_leaf": ("high", _TREES | _HISTOGRAMS),
    "min_samples_split": ("high", _TREES),
    "min_impurity_decrease": ("high", _TREES),
    "ccp_alpha": ("high", _TREES),
    # Fewer steps of boosting.
    "n_estimators": (
        "low",
        frozenset(
            {
                *("GradientBoostingClassifier", "GradientBoostingRegressor"),
                *("AdaBoostClassifier", "AdaBoostRegressor"),
            }
        ),
    ),
    "max_iter": ("low", _HISTOGRAMS),
    # Averages over more rows.
    "n_neighbors": ("high", frozenset({"KNeighborsClassifier", "KNeighborsRegressor"})),
    "radius": ("high", frozenset({"RadiusNeighborsClassifier", "RadiusNeighborsRegressor"})),
    # Fewer features.
    "n_components": ("low", frozenset({"PCA", "TruncatedSVD", "PLSRegression"})),
    "k": ("low", frozenset({"SelectKBest"})),
}
"""For each parameter, the simple end of its scale and the classes for which this is true."""


def known_simplest(estimator: str, parameter: str) -> Simplest | None:
    """Look up which end of a parameter's scale makes the simpler model.

    Parameters
    ----------
    estimator
        Import path of the class, such as ``sklearn.svm.SVC``.
    parameter
        Name of the parameter in the class, such as ``C``.

    Returns
    -------
    ``low`` or ``high``; None if unknown.
    """
    package, _, path = estimator.partition(".")
    end, classes = _KNOWN.get(parameter, (None, frozenset[str]()))
    return end if package == "sklearn" and path.rpartition(".")[2] in classes else None
