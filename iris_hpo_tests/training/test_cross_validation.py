"""Cross-validation: shared kernels give scikit-learn's own scores, and only where they may."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import svm
from sklearn.datasets import make_classification
from sklearn.metrics import get_scorer
from sklearn.metrics.pairwise import KERNEL_PARAMS, rbf_kernel
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

from iris_hpo.data.split import Examples
from iris_hpo.errors import CandidateError
from iris_hpo.training import svm_folds, svm_kernel
from iris_hpo.training.cross_validation import CrossValidation
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.scorers import scorings_by_name
from iris_hpo.training.svm_folds import KERNEL_PARAMETERS, kernel_order
from iris_hpo.training.svm_kernel import compute_kernel, shared_gamma

SVM = "sklearn.svm.SVC"
SCALED = "iris_hpo_tests.comparison.own_estimators.ScaledSVC"
"""Changes its rows, so that its kernel is of other rows."""


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


def examples_of(features, target, folds=3):
    folder = StratifiedKFold(folds, shuffle=True, random_state=1)
    return Examples(
        features, target, features[:9], target[:9], tuple(folder.split(features, target))
    )


@pytest.fixture
def small(monkeypatch):
    """Kernels are shared although the rows are few."""
    monkeypatch.setattr(svm_folds, "SHARED_NUMBERS", 0)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("estimator", [SVM, "sklearn.svm.NuSVC"])
@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro"])
def test_a_shared_kernel_gives_scikit_learns_scores(iris_examples, estimator, scoring):
    recipe = recipe_of(estimator)
    folds = CrossValidation(recipe, iris_examples, scorings_by_name(scoring))
    other = "C" if estimator == SVM else "nu"
    for parameters in ({other: value, "gamma": g} for g in (0.016, 0.25) for value in (0.2, 0.5)):
        assert folds.scores(parameters).values == scikit_learns(
            recipe, parameters, iris_examples, scoring
        )
        assert folds._shared._kept[1] is not None


@pytest.mark.parametrize(
    "scale",
    [pytest.param(1.0, id="usual"), pytest.param(30.0, id="values that round differently")],
)
def test_fits_on_a_shared_kernel_are_bit_by_bit_those_on_rows(scale, monkeypatch):
    """Without the values that are computed again, some of these fits would differ."""
    settled = []
    plain = svm_kernel._settle
    monkeypatch.setattr(
        svm_kernel, "_settle", lambda *given: (settled.append(len(given[1])), plain(*given))
    )
    for seed in range(8):
        features, target = make_classification(300, 20, n_informative=6, random_state=seed)
        features *= scale
        gamma = 0.05 / scale**2
        kernel = compute_kernel(features, gamma)
        one = svm.SVC(C=8.0, gamma=gamma).fit(features, target)
        two = svm.SVC(C=8.0, kernel="precomputed").fit(kernel.matrix, target)
        assert one.dual_coef_.tobytes() == two.dual_coef_.tobytes()
        assert one.support_.tobytes() == two.support_.tobytes()
        assert one.intercept_.tobytes() == two.intercept_.tobytes()
    assert sum(settled) > 0


def test_a_value_on_the_edge_of_two_roundings_is_settled_as_libsvm_does(monkeypatch):
    features, _ = make_classification(120, 12, random_state=0)
    plain = rbf_kernel(features, gamma=0.1)
    monkeypatch.setattr("sklearn.metrics.pairwise.rbf_kernel", lambda *_, **__: plain * (1 + 1e-10))
    monkeypatch.setattr(svm_kernel, "_OPERATIONS", 200_000)  # the error of this kernel

    kernel = compute_kernel(features, 0.1)

    unlike = (plain * (1 + 1e-10)).astype(np.float32) != plain.astype(np.float32)
    assert unlike.any()
    assert (kernel.matrix.astype(np.float32) == plain.astype(np.float32)).all()


@pytest.mark.usefixtures("small")
def test_a_tie_is_decided_on_the_rows(monkeypatch):
    """Rows that mirror each other leave the row between them undecided, but for the last bit."""
    features = np.array([[-1.0], [1.0], [0.0], [0.0]])
    examples = Examples(
        features, np.array(["a", "b", "a", "a"]), features, features, [(np.r_[:2], np.r_[2:4])]
    )
    fitted = []
    monkeypatch.setattr(
        CrossValidation,
        "_on_rows",
        lambda *given, plain=CrossValidation._on_rows: (fitted.append(1), plain(*given))[1],
    )
    folds = CrossValidation(recipe_of(SVM), examples, scorings_by_name("accuracy"))
    parameters = {"C": 1.0, "gamma": 0.5}

    assert folds.scores(parameters).values == scikit_learns(
        recipe_of(SVM), parameters, examples, "accuracy"
    )
    assert fitted == [1]


def test_a_kernel_is_computed_once_for_candidates_that_follow_each_other(digits, monkeypatch):
    computed = []
    plain = svm_folds.compute_kernel
    monkeypatch.setattr(
        svm_folds,
        "compute_kernel",
        lambda features, gamma: (computed.append(gamma), plain(features, gamma))[1],
    )
    folds = CrossValidation(recipe_of(SVM), digits, scorings_by_name("accuracy"))
    points = [{"C": C, "gamma": gamma} for C in (0.5, 8.0, 128.0) for gamma in (1e-4, 1e-3)]

    for point in sorted(points, key=kernel_order):
        assert folds.scores(point).values == scikit_learns(
            recipe_of(SVM), point, digits, "accuracy"
        )

    assert computed == [1e-4, 1e-3]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("estimator", "settings"),
    [("sklearn.svm.SVR", {"gamma": 0.25, "C": 3.0}), ("sklearn.svm.NuSVR", {"gamma": 0.25})],
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
    folds = CrossValidation(recipe, examples, scorings_by_name("r2"))

    assert folds.scores({}).values == pytest.approx(
        scikit_learns(recipe, {}, examples, "r2"), rel=1e-12
    )
    assert folds._shared._kept[1] is not None


@pytest.mark.parametrize(
    ("recipe", "scoring"),
    [
        pytest.param(recipe_of(SVM), "accuracy", id="a gamma that depends on the rows of the fold"),
        pytest.param(recipe_of(SVM, kernel="precomputed", gamma=0.5), "accuracy", id="a kernel"),
        pytest.param(recipe_of(SVM, kernel="sigmoid", gamma=0.5), "accuracy", id="indefinite"),
        pytest.param(recipe_of(SVM, kernel="linear", gamma=0.5), "accuracy", id="free diagonal"),
        pytest.param(recipe_of(SVM, kernel="poly", gamma=0.5), "accuracy", id="powers"),
        pytest.param(recipe_of(SVM, gamma=0.5), "roc_auc", id="ranks decision values"),
        pytest.param(
            recipe_of(SVM, gamma=0.5, probability=True), "accuracy", id="divides rows at random"
        ),
        pytest.param(recipe_of(SVM, gamma=0.5, max_iter=9), "accuracy", id="is cut short"),
        pytest.param(recipe_of(SVM, gamma=0.5, break_ties=True), "accuracy", id="breaks ties"),
        pytest.param(recipe_of(SCALED, gamma=0.5), "accuracy", id="changes its rows"),
        pytest.param(
            recipe_of("sklearn.kernel_ridge.KernelRidge", kernel="rbf", gamma=0.5),
            "r2",
            id="no SVM",
        ),
        pytest.param(
            recipe_of("sklearn.linear_model.LogisticRegression"), "accuracy", id="no kernel"
        ),
        pytest.param(recipe_of("sklearn.svm.LinearSVC"), "accuracy", id="a kernel of its own"),
        pytest.param(
            Recipe((Step("sklearn.preprocessing.StandardScaler"), Step(SVM, {"gamma": 0.5}))),
            "accuracy",
            id="features that depend on the rows of the fold",
        ),
    ],
)
def test_what_shares_no_kernel(recipe, scoring):
    assert shared_gamma(recipe.build(), [scoring]) is None


def test_scorings_with_a_shared_kernel_look_at_predictions_only():
    for name in svm_kernel._PREDICTION_SCORINGS:
        assert get_scorer(name)._response_method == "predict"


@pytest.mark.usefixtures("small")
def test_an_svm_that_changes_its_rows_is_validated_on_them(iris_examples):
    recipe = recipe_of(SCALED, C=1.0, gamma=0.05)

    found = CrossValidation(recipe, iris_examples, scorings_by_name("accuracy")).scores({}).values

    assert found == scikit_learns(recipe, {}, iris_examples, "accuracy")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("labels", "weights"),
    [
        ([1, 2], {1: 20.0}),
        ([1, 2], {1: 20.0, 2: 1.0}),
        ([0, 1], {0: 20.0}),
        (["no", "yes"], {"yes": 5.0, "no": 1.0}),
        (["no", "yes"], "balanced"),
    ],
)
def test_weights_go_to_the_labels_that_they_name(labels, weights):
    features, numbers = make_classification(105, 5, weights=[0.7], flip_y=0.2, random_state=3)
    examples = examples_of(features, np.array(labels)[numbers])
    recipe = recipe_of(SVM, class_weight=weights)
    plain = CrossValidation(recipe_of(SVM), examples, scorings_by_name("accuracy"))
    folds = CrossValidation(recipe, examples, scorings_by_name("accuracy"))
    parameters = {"C": 1.0, "gamma": 0.05}

    assert folds.scores(parameters).values == scikit_learns(
        recipe, parameters, examples, "accuracy"
    )
    assert folds.scores(parameters).values != plain.scores(parameters).values
    assert folds._shared._kept[1] is not None


@pytest.mark.usefixtures("small")
def test_a_kernel_that_takes_too_much_memory_is_not_made(iris_examples, monkeypatch):
    limit = len(iris_examples.features) ** 2 * 8 * 5
    parameters = {"C": 2.0, "gamma": 0.25}
    found = []
    for size in (limit, limit - 1):
        monkeypatch.setattr(svm_folds, "SHARED_BYTES", size)
        folds = CrossValidation(recipe_of(SVM), iris_examples, scorings_by_name("accuracy"))
        found.append((folds.scores(parameters).values, folds._shared._kept[1] is not None))

    assert [kept for _, kept in found] == [True, False]
    assert found[0][0] == found[1][0]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("factor", [1e200, 1e4])
def test_a_kernel_that_overflows_or_is_all_rounding_is_not_used(iris_examples, factor):
    """The estimator then says itself what it makes of such rows."""
    far = replace(iris_examples, features=iris_examples.features + factor)
    folds = CrossValidation(recipe_of(SVM), far, scorings_by_name("accuracy"))
    parameters = {"C": 1.0, "gamma": 0.5}

    try:
        expected = scikit_learns(recipe_of(SVM), parameters, far, "accuracy")
    except ValueError:
        with pytest.raises(CandidateError, match=r"^(fitting failed|scoring on the fold)"):
            folds.scores(parameters)
    else:
        assert folds.scores(parameters).values == expected
    assert folds._shared._kept[1] is None


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
        CrossValidation(
            recipe_of(SVM), replace(iris_examples, target=target), scorings_by_name("accuracy")
        )
        .scores(parameters)
        .values
        for target in (iris_examples.target, numbers)
    ]

    assert found[0] == found[1]
