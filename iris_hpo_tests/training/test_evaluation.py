"""Training and scoring one candidate: scikit-learn's own numbers, and failures that are its own."""

import os
import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from iris_hpo.data.split import Examples
from iris_hpo.errors import CandidateError
from iris_hpo.training.cards import dump_model
from iris_hpo.training.cross_validation import CrossValidation
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import checked_number, cv_mean, cv_std, evaluate, train
from iris_hpo.training.metrics import wilson_interval
from iris_hpo.training.scorers import scorings_by_name

GRID = {"C": [0.031, 2.0, 512.0], "gamma": [0.001, 0.25, 4.0]}
POINTS = [{"C": C, "gamma": gamma} for C in GRID["C"] for gamma in GRID["gamma"]]
SVM = Recipe((Step("sklearn.svm.SVC"),))


class WarnsOnFit(DummyClassifier):
    """Warns of something else than convergence."""

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        warnings.warn("the moon is full", UserWarning, stacklevel=2)
        return super().fit(X, y, sample_weight)


class PredictsNothing(DummyClassifier):
    """Learns well and then cannot predict."""

    def predict(self, X):  # noqa: ARG002, N803
        raise RuntimeError("out of\n  ideas")


class Masks(DummyClassifier):
    """Lets nobody read the files that are written from now on."""

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        os.umask(0o777)
        return super().fit(X, y, sample_weight)

    def predict(self, X):  # noqa: N803
        os.umask(0o777)
        return super().predict(X)


def recipe_of(estimator, **settings):
    return Recipe((Step(f"{estimator.__module__}.{estimator.__name__}", settings),))


def trained_and_evaluated(recipe, parameters, examples, scoring="accuracy", task="classification"):
    objective = EstimatorObjective(recipe, scoring, task)
    training = train(objective, parameters, examples)
    return training, evaluate(objective, training.model, parameters, examples)


def evaluated(estimator, recipe, examples, scoring, task="classification"):
    return evaluate(EstimatorObjective(recipe, scoring, task), estimator, {}, examples)


def trained(recipe, parameters, examples):
    return train(EstimatorObjective(recipe, "accuracy", "classification"), parameters, examples)


@pytest.fixture(scope="module", params=["accuracy", "balanced_accuracy", "f1_macro"])
def scikit_learns_search(request, iris_examples):
    search = GridSearchCV(SVC(), GRID, scoring=request.param, cv=iris_examples.folds)
    return request.param, search.fit(iris_examples.features, iris_examples.target).cv_results_


def test_every_fold_score_is_grid_searchs_to_the_last_bit(scikit_learns_search, iris_examples):
    scoring, results = scikit_learns_search
    assert results["params"] == POINTS

    for index, point in enumerate(POINTS):
        _, found = trained_and_evaluated(SVM, point, iris_examples, scoring)

        assert found.fold_scores == tuple(
            results[f"split{fold}_test_score"][index] for fold in range(5)
        )
        assert cv_mean(found.fold_scores) == results["mean_test_score"][index]
        assert cv_std(found.fold_scores) == results["std_test_score"][index]


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_every_test_score_is_scikit_learns(iris_examples, point):
    training, found = trained_and_evaluated(SVM, point, iris_examples)

    svm = SVC(**point).fit(iris_examples.features, iris_examples.target)
    predicted = svm.predict(iris_examples.test_features)
    target = iris_examples.test_target
    accuracy = svm.score(iris_examples.test_features, target)
    assert training.support_vectors == len(svm.support_)
    assert training.convergence_warnings == found.convergence_warnings == 0
    assert found.score == accuracy
    assert (found.correct, found.total) == (np.sum(predicted == target), 30)
    assert found.interval == wilson_interval(found.correct, 30)
    assert found.metrics["accuracy"] == accuracy
    assert found.metrics["balanced_accuracy"] == balanced_accuracy_score(target, predicted)
    assert found.metrics["macro_f1"] == f1_score(target, predicted, average="macro")


def test_a_pipeline_scales_within_each_fold(iris_examples):
    recipe = Recipe((Step("sklearn.preprocessing.StandardScaler"), Step("sklearn.svm.SVC")))

    training, found = trained_and_evaluated(recipe, {"svc__C": 8.0}, iris_examples)

    pipeline = make_pipeline(StandardScaler(), SVC(C=8.0))
    assert list(found.fold_scores) == list(
        cross_val_score(
            pipeline, iris_examples.features, iris_examples.target, cv=iris_examples.folds
        )
    )
    pipeline.fit(iris_examples.features, iris_examples.target)
    assert found.score == pipeline.score(iris_examples.test_features, iris_examples.test_target)
    assert training.support_vectors == len(pipeline[-1].support_)


@pytest.mark.parametrize("scoring", ["r2", "neg_mean_absolute_error"])
def test_a_regression_has_scores_and_no_counts(iris_examples, scoring):
    examples = Examples(
        iris_examples.features[:, :3],
        iris_examples.features[:, 3],
        iris_examples.test_features[:, :3],
        iris_examples.test_features[:, 3],
        iris_examples.folds,
    )
    recipe = Recipe((Step("sklearn.linear_model.Ridge"),))

    training, found = trained_and_evaluated(recipe, {"alpha": 2.0}, examples, scoring, "regression")

    ridge = recipe.build({"alpha": 2.0})
    assert list(found.fold_scores) == list(
        cross_val_score(
            ridge, examples.features, examples.target, cv=examples.folds, scoring=scoring
        )
    )
    assert set(found.metrics) == {"r2", "mean_absolute_error", "root_mean_squared_error"}
    assert found.score == (
        found.metrics["r2"] if scoring == "r2" else -found.metrics["mean_absolute_error"]
    )
    assert (found.correct, found.total, found.interval) == (None, None, None)
    assert training.support_vectors is None


def test_without_folds_there_is_no_mean(iris_examples):
    _, found = trained_and_evaluated(SVM, {"C": 1.0}, replace(iris_examples, folds=()))

    assert found.fold_scores == ()
    assert cv_mean(()) is cv_std(()) is None


def test_the_test_rows_stay_unseen_by_training_and_folds(iris_examples):
    spoilt = replace(
        iris_examples,
        test_features=iris_examples.test_features[::-1] * 1e3,
        test_target=iris_examples.test_target[::-1],
    )

    training, found = trained_and_evaluated(SVM, {"C": 2.0}, iris_examples)
    other_training, other = trained_and_evaluated(SVM, {"C": 2.0}, spoilt)

    assert other.fold_scores == found.fold_scores
    assert dump_model(other_training.model) == dump_model(training.model)
    assert other.score != found.score


def test_a_fit_that_refuses_is_the_candidates_failure(iris_examples):
    with pytest.raises(ValueError, match="'C' parameter of SVC") as refusal:
        SVC(C=-1.0).fit(iris_examples.features, iris_examples.target)

    with pytest.raises(CandidateError) as failure:
        trained(SVM, {"C": -1.0}, iris_examples)

    assert str(failure.value) == f"fitting failed: InvalidParameterError: {refusal.value}"


def test_a_transformer_that_overflows_is_the_candidates_failure(iris_examples):
    """Only the data were checked when they were read, not what the steps make of them."""
    recipe = Recipe((Step("sklearn.preprocessing.PolynomialFeatures"), Step("sklearn.svm.SVC")))
    huge = replace(iris_examples, features=iris_examples.features * 1e200)

    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(CandidateError, match=r"^fitting failed: ValueError: "),
    ):
        trained(recipe, {}, huge)


def test_a_prediction_that_fails_is_the_candidates_failure(iris_examples):
    recipe = recipe_of(PredictsNothing)
    fitted = recipe.build().fit(iris_examples.features, iris_examples.target)
    with pytest.raises(CandidateError) as failure:
        evaluated(fitted, recipe, iris_examples, "accuracy")
    assert str(failure.value) == "predicting failed: RuntimeError: out of ideas"

    with pytest.raises(CandidateError) as failure:
        CrossValidation(recipe, iris_examples, scorings_by_name("accuracy")).scores({})
    assert str(failure.value) == "scoring on the fold 1 rows failed: RuntimeError: out of ideas"


def test_a_fold_that_fails_is_the_candidates_failure_and_is_named(iris_examples):
    one_class = np.flatnonzero(iris_examples.target == "Iris-setosa")
    examples = replace(
        iris_examples, folds=(iris_examples.folds[0], (one_class, iris_examples.folds[1][1]))
    )
    svm = SVM.build().fit(examples.features, examples.target)

    with pytest.raises(CandidateError) as failure:
        evaluated(svm, SVM, examples, "accuracy")

    assert str(failure.value) == (
        "fitting failed: ValueError: The number of classes has to be greater than one; got 1 class"
    )


def test_a_scoring_that_the_estimator_cannot_give_is_the_candidates_failure(iris_examples):
    fitted = SVM.build().fit(iris_examples.features, iris_examples.target)

    with pytest.raises(CandidateError) as failure:
        evaluated(fitted, SVM, iris_examples, "neg_log_loss")

    assert str(failure.value).startswith("scoring on the test rows failed: AttributeError: ")
    assert "\n" not in str(failure.value)


BEYOND = Recipe(
    (Step("sklearn.dummy.DummyRegressor", {"strategy": "constant", "constant": 1e200}),)
)


@pytest.fixture
def far_off(iris_examples):
    """Numbers to predict, from which a constant of 1e200 is infinitely far when squared."""
    return Examples(
        iris_examples.features,
        iris_examples.features[:, 3],
        iris_examples.test_features,
        iris_examples.test_features[:, 3],
        iris_examples.folds,
    )


@pytest.mark.parametrize(
    ("scoring", "folds", "message"),
    [
        ("neg_mean_squared_error", 5, "neg_mean_squared_error on the test rows is -inf"),
        ("r2", 5, "r2 on the fold 1 rows is -inf"),
        ("r2", 0, "r2 on the test rows is -inf"),
        ("neg_mean_absolute_error", 5, "r2 on the test rows is -inf"),
    ],
)
def test_a_score_that_is_not_finite_is_no_score(far_off, scoring, folds, message):
    examples = replace(far_off, folds=far_off.folds[:folds])
    fitted = BEYOND.build().fit(examples.features, examples.target)

    with np.errstate(over="ignore"), pytest.raises(CandidateError) as failure:
        evaluated(fitted, BEYOND, examples, scoring, "regression")

    assert str(failure.value) == f"{message}, which is no score"


def test_a_failure_is_told_in_one_short_line(iris_examples):
    with pytest.raises(CandidateError) as failure:
        trained(SVM, {"kernel": "x" * 2_000}, iris_examples)

    assert str(failure.value).startswith("fitting failed: InvalidParameterError: ")
    assert "\n" not in str(failure.value)
    assert len(str(failure.value)) < 600


@pytest.mark.parametrize(
    ("estimator", "settings"),
    [
        ("sklearn.linear_model.LogisticRegression", {"max_iter": 1}),
        ("sklearn.svm.SVC", {"max_iter": 1}),
        ("sklearn.neural_network.MLPClassifier", {"max_iter": 1, "hidden_layer_sizes": 2}),
    ],
)
def test_convergence_warnings_are_counted_and_not_shown(iris_examples, estimator, settings):
    recipe = Recipe((Step(estimator, settings),))

    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        training, found = trained_and_evaluated(recipe, {}, iris_examples)

    assert training.convergence_warnings == 1
    assert found.convergence_warnings == 5  # once a fold
    assert shown == []


def test_convergence_warnings_are_counted_even_where_they_are_hidden(iris_examples):
    recipe = Recipe((Step("sklearn.linear_model.LogisticRegression", {"max_iter": 1}),))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert trained(recipe, {}, iris_examples).convergence_warnings == 1


def test_other_warnings_are_passed_on(iris_examples):
    recipe = recipe_of(WarnsOnFit)

    with pytest.warns(UserWarning, match="the moon is full") as shown:
        training, found = trained_and_evaluated(recipe, {}, iris_examples)

    assert len(shown) == 6  # the fit, and each fold's
    assert training.convergence_warnings == found.convergence_warnings == 0


def test_work_takes_time(iris_examples):
    training, found = trained_and_evaluated(SVM, {}, iris_examples)

    assert training.seconds > 0
    assert found.seconds > 0


def test_zero_has_no_sign():
    assert str(checked_number(-0.0, "the score")) == "0.0"


def test_what_an_estimator_does_to_the_umask_is_undone(iris_examples):
    before = os.umask(0o022)
    objective = EstimatorObjective(recipe_of(Masks), "accuracy", "classification")
    try:
        model = train(objective, {}, iris_examples).model
        assert os.umask(0o022) == 0o022
        evaluate(objective, model, {}, iris_examples)
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
