"""Cross-validation: shared kernels give scikit-learn's own scores, and only where they may."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics.pairwise import KERNEL_PARAMS
from sklearn.model_selection import KFold, cross_val_score

from iris_hpo.search import cross_validation
from iris_hpo.search.cross_validation import (
    KERNEL_PARAMETERS,
    CrossValidation,
    Kernel,
    kernel_order,
    shared_kernel,
)
from iris_hpo.search.errors import CandidateError
from iris_hpo.search.estimators import Recipe, Step

SVC = "sklearn.svm.SVC"


def recipe_of(estimator, **settings):
    return Recipe((Step(estimator, settings),))


def scikit_learns(recipe, parameters, examples, scoring):
    return tuple(
        cross_val_score(
            recipe.build(parameters),
            examples.features,
            examples.target,
            cv=examples.folds,
            scoring=scoring,
        )
    )


@pytest.mark.parametrize("kernel", ["rbf", "poly", "sigmoid", "linear"])
@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro"])
def test_a_shared_kernel_gives_scikit_learns_scores(iris_examples, kernel, scoring):
    recipe = recipe_of(SVC, kernel=kernel, coef0=0.5, degree=2)
    folds = CrossValidation(recipe, iris_examples, scoring)
    for parameters in ({"C": C, "gamma": gamma} for gamma in (0.016, 0.25) for C in (0.5, 32.0)):
        assert shared_kernel(recipe.build(parameters)) is not None
        assert folds.scores(parameters) == scikit_learns(recipe, parameters, iris_examples, scoring)


def test_a_kernel_is_computed_once_for_candidates_that_follow_each_other(digits, monkeypatch):
    computed = []
    plain = cross_validation.CrossValidation._blocks

    def blocks(self, kernel):
        if self._kept is None or self._kept[0] != kernel:
            computed.append(kernel)
        return plain(self, kernel)

    monkeypatch.setattr(cross_validation.CrossValidation, "_blocks", blocks)
    folds = CrossValidation(recipe_of(SVC), digits, "accuracy")
    points = [{"C": C, "gamma": gamma} for C in (0.5, 8.0, 128.0) for gamma in (1e-4, 1e-3)]

    for point in sorted(points, key=kernel_order):
        assert folds.scores(point) == scikit_learns(recipe_of(SVC), point, digits, "accuracy")

    assert computed == [Kernel("rbf", (("gamma", gamma),)) for gamma in (1e-4, 1e-3)]


@pytest.mark.parametrize(
    ("estimator", "settings"),
    [
        ("sklearn.svm.SVR", {"gamma": 0.25, "C": 3.0}),
        ("sklearn.svm.NuSVR", {"gamma": 0.25}),
        ("sklearn.kernel_ridge.KernelRidge", {"kernel": "rbf", "gamma": 0.25}),
        ("sklearn.kernel_ridge.KernelRidge", {"kernel": "laplacian", "gamma": 0.25}),
    ],
)
def test_regressions_share_kernels_too(iris_examples, estimator, settings):
    recipe = recipe_of(estimator, **settings)
    features, target = iris_examples.features[:, :3], iris_examples.features[:, 3]
    examples = replace(
        iris_examples,
        features=features,
        target=target,
        folds=tuple(KFold(4, shuffle=True, random_state=1).split(features)),
    )
    assert shared_kernel(recipe.build()) is not None

    found = CrossValidation(recipe, examples, "r2").scores({})

    assert found == pytest.approx(scikit_learns(recipe, {}, examples, "r2"), rel=1e-6)


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(recipe_of(SVC), id="a gamma that depends on the rows of the fold"),
        pytest.param(recipe_of(SVC, kernel="precomputed"), id="rows that are a kernel already"),
        pytest.param(recipe_of("sklearn.linear_model.LogisticRegression"), id="no kernel"),
        pytest.param(recipe_of("sklearn.svm.LinearSVC"), id="a kernel of its own"),
        pytest.param(
            recipe_of("sklearn.gaussian_process.GaussianProcessClassifier"), id="another kernel"
        ),
        pytest.param(
            Recipe((Step("sklearn.preprocessing.StandardScaler"), Step(SVC, {"gamma": 0.5}))),
            id="features that depend on the rows of the fold",
        ),
    ],
)
def test_what_shares_no_kernel(recipe):
    assert shared_kernel(recipe.build()) is None


def test_a_kernel_that_takes_too_much_memory_is_not_made(iris_examples, monkeypatch):
    limit = len(iris_examples.features) ** 2 * 8 * 5
    parameters = {"C": 2.0, "gamma": 0.25}
    found = []
    for size in (limit, limit - 1):
        monkeypatch.setattr(cross_validation, "SHARED_BYTES", size)
        folds = CrossValidation(recipe_of(SVC), iris_examples, "accuracy")
        found.append((folds.scores(parameters), folds._kept is not None))

    assert [kept for _, kept in found] == [True, False]
    assert found[0][0] == found[1][0]


def test_a_kernel_that_overflows_is_not_used(iris_examples):
    """The estimator then says itself what it makes of such rows."""
    huge = replace(iris_examples, features=iris_examples.features * 1e200)
    folds = CrossValidation(recipe_of(SVC, kernel="linear"), huge, "accuracy")

    with pytest.raises(CandidateError, match=r"^(fitting failed|scoring on the fold)"):
        folds.scores({"C": 1.0})

    assert folds._kept is None


def test_the_order_brings_together_what_a_kernel_depends_on():
    assert set(KERNEL_PARAMETERS) == {"kernel", *(set().union(*KERNEL_PARAMS.values()))}
    points = [{"C": C, "gamma": gamma} for C in (1.0, 2.0, 3.0) for gamma in (0.5, 4.0)]

    ordered = sorted(points, key=kernel_order)

    assert [point["gamma"] for point in ordered] == [0.5] * 3 + [4.0] * 3
    assert [point["C"] for point in ordered] == [1.0, 2.0, 3.0] * 2, "otherwise as they were"


def test_labels_and_their_numbers_give_the_same_scores(iris_examples):
    numbers = np.unique(iris_examples.target, return_inverse=True)[1]
    parameters = {"C": 8.0, "gamma": 0.063}

    found = [
        CrossValidation(recipe_of(SVC), replace(iris_examples, target=target), "accuracy").scores(
            parameters
        )
        for target in (iris_examples.target, numbers)
    ]

    assert found[0] == found[1]
