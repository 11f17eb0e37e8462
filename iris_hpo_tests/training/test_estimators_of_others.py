"""Estimators that do what scikit-learn's own do not are scored as scikit-learn scores them."""

import signal
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LinearRegression, SGDRegressor
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from iris_hpo.data.split import Examples
from iris_hpo.errors import CandidateError
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import evaluate, train
from iris_hpo_tests.comparison.own_estimators import ScaledSVC


class Strength(SGDRegressor):
    """Has a name of its own for a parameter of its parent, which only its constructor sets."""

    def __init__(self, strength=1.0, random_state=None):
        super().__init__(alpha=strength, random_state=random_state)
        self.strength = strength


class Columns(LinearRegression):
    """Predicts a column instead of a row of numbers."""

    def predict(self, X):  # noqa: N803
        return super().predict(X).reshape(-1, 1)


class Objects(DecisionTreeClassifier):
    """Predicts texts as objects, as CatBoost does."""

    def predict(self, X):  # noqa: N803
        return super().predict(X).astype(object)


class Leaves(DecisionTreeClassifier):
    """Ends the process instead of learning."""

    def fit(self, X, y, sample_weight=None):  # noqa: ARG002, N803
        sys.exit("no licence")


class Breaks(DecisionTreeClassifier):
    """Pretends that somebody has pressed Ctrl-C."""

    def fit(self, X, y, sample_weight=None):  # noqa: ARG002, N803
        raise KeyboardInterrupt("enough")


def recipe_of(*steps, **settings):
    """The last step has the settings; a class is named by itself."""
    *before, last = steps
    path = last if isinstance(last, str) else f"{last.__module__}.{last.__name__}"
    return Recipe((*before, Step(path, settings)), seed=0)


def examples_of(features, target, folds):
    train_rows, test_rows = slice(None, None, 2), slice(1, None, 2)
    return Examples(
        features[train_rows],
        target[train_rows],
        features[test_rows],
        target[test_rows],
        tuple(folds.split(features[train_rows], target[train_rows])),
    )


@pytest.fixture
def numbers():
    return examples_of(*load_diabetes(return_X_y=True), KFold(3, shuffle=True, random_state=0))


@pytest.fixture
def two_classes():
    features, target = load_breast_cancer(return_X_y=True)
    return examples_of(features, target, StratifiedKFold(3, shuffle=True, random_state=0))


def check(recipe, parameters, examples, scoring, task):
    """Fold scores and test score are those of scikit-learn's search, to the last bit."""
    given = examples.features.copy()
    objective = EstimatorObjective(recipe, scoring, task)
    trained = train(objective, parameters, examples).model
    found = evaluate(objective, trained, parameters, examples)

    grid = {name: [value] for name, value in parameters.items()}
    wanted = GridSearchCV(recipe.build(), grid, scoring=scoring, cv=examples.folds)
    wanted.fit(given.copy(), examples.target)
    scores = [wanted.cv_results_[f"split{fold}_test_score"][0] for fold in range(wanted.n_splits_)]
    assert list(found.fold_scores) == scores
    assert found.score == wanted.score(examples.test_features.copy(), examples.test_target)
    assert np.array_equal(examples.features, given), "its rows were changed"
    return found


@pytest.mark.parametrize("alpha", [0.1, 1.0, 100.0])
def test_a_ridge_that_fits_in_place(numbers, alpha):
    recipe = recipe_of("sklearn.linear_model.Ridge", copy_X=False)

    check(recipe, {"alpha": alpha}, numbers, "r2", "regression")


@pytest.mark.parametrize("C", [0.1, 1.0, 10.0])
def test_a_scaler_that_scales_in_place(two_classes, C):  # noqa: N803
    scaler = Step("sklearn.preprocessing.StandardScaler", {"copy": False})
    recipe = recipe_of(scaler, "sklearn.svm.SVC", gamma=0.5)

    found = check(recipe, {"svc__C": C}, two_classes, "roc_auc", "classification")

    assert found.score > 0.6


def test_an_svm_that_scales_wine():
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    wine = examples_of(*load_wine(return_X_y=True), folds)
    parameters = {"C": 1.0, "gamma": 0.05}

    found = check(recipe_of(ScaledSVC), parameters, wine, "accuracy", "classification")

    assert min(found.fold_scores) > 0.8, "on rows that are not scaled it is about .5"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_constructor_that_names_the_parameter_of_its_parent_otherwise(numbers):
    """The model and its folds are of one estimator, so that they agree whatever it makes of it."""
    for value in (0.0001, 10.0):
        check(recipe_of(Strength), {"strength": value}, numbers, "r2", "regression")


def test_predictions_that_are_a_column(numbers):
    check(recipe_of(Columns), {"fit_intercept": True}, numbers, "r2", "regression")


def test_predicted_texts_are_no_objects(two_classes):
    """The estimate compares them with the target."""
    named = {name: getattr(two_classes, name).astype(str) for name in ("target", "test_target")}
    texts = replace(two_classes, **named)

    found = check(recipe_of(Objects), {"max_depth": 3}, texts, "accuracy", "classification")

    columns = [*found.predictions.folds, found.predictions.test]
    assert {column.dtype.kind for column in columns} == {"U"}


@pytest.mark.filterwarnings("ignore:The `probability` parameter")
def test_probabilities_of_a_sigmoid_kernel(two_classes):
    recipe = recipe_of("sklearn.svm.SVC", kernel="sigmoid", probability=True)

    check(recipe, {"C": 1.0, "gamma": 0.05}, two_classes, "neg_log_loss", "classification")


@pytest.fixture
def handled():
    """Ctrl-C has a handler, as in a run; an interrupt is then the estimator's own."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("handled")
@pytest.mark.parametrize(
    ("estimator", "reason"),
    [(Leaves, "SystemExit: no licence"), (Breaks, "KeyboardInterrupt: enough")],
)
def test_a_fit_that_would_end_the_run_fails_its_candidate(two_classes, estimator, reason):
    with pytest.raises(CandidateError) as failure:
        train(
            EstimatorObjective(recipe_of(estimator), "accuracy", "classification"),
            {"max_depth": 2},
            two_classes,
        )

    assert str(failure.value) == f"fitting failed: {reason}"
