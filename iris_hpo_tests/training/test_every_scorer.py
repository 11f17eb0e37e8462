"""Every scorer of scikit-learn gives its own numbers here, or is refused when a search is built."""

import warnings
from functools import cache

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeRegressor

from iris_hpo.data.split import Examples
from iris_hpo.errors import InputError
from iris_hpo.selection.evidence import Evidence
from iris_hpo.selection.pooling import agrees, build_pool
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import evaluate, train
from iris_hpo.training.fitting import replayed_score
from iris_hpo.training.scorers import scorings_by_name
from iris_hpo.training.scoring import check_responses, check_scorings, check_target

# It has probabilities and decision values, and fits in a millisecond.
SETTINGS = {"loss": "log_loss", "max_iter": 20, "tol": None}
RECIPES = {
    "classification": Recipe((Step("sklearn.linear_model.SGDClassifier", SETTINGS),)),
    "regression": Recipe((Step("sklearn.tree.DecisionTreeRegressor", {"max_depth": 3}),)),
}
ESTIMATORS = {
    "classification": SGDClassifier(random_state=0, **SETTINGS),
    "regression": DecisionTreeRegressor(max_depth=3, random_state=0),
}
FOR_NUMBERS = {
    name
    for name in get_scorer_names()
    if name in ("r2", "explained_variance", "d2_absolute_error_score", "max_error")
    or name.startswith(("neg_mean_", "neg_root_mean_", "neg_median_", "neg_max_"))
}
SEVERAL_LABELS = {name for name in get_scorer_names() if name.endswith("_samples")}
TWO_CLASSES = {
    *("average_precision", "f1", "jaccard", "precision", "recall", "roc_auc"),
    *("positive_likelihood_ratio", "neg_negative_likelihood_ratio", "neg_brier_score"),
}


@cache
def examples_of(task, classes=2):
    if task == "regression":
        features, target = make_regression(80, 4, noise=20, random_state=0)
        target = target - target.min() + 1.5
        groups = np.arange(80) % 2
    else:
        features, codes = make_classification(
            80, 5, n_informative=4, n_redundant=0, n_classes=classes, flip_y=0.2, random_state=1
        )
        target = np.array([str(code) for code in codes])
        groups = codes
    folds = StratifiedKFold(3).split(features[:60], groups[:60])
    return Examples(features[:60], target[:60], features[60:], target[60:], tuple(folds))


def expected(name, task, examples):
    """The scorer's own value on the test rows and on each fold, with labels as numbers."""
    number = float if task == "regression" else int
    target, test = (one.astype(number) for one in (examples.target, examples.test_target))
    scorer, estimator = get_scorer(name), ESTIMATORS[task]
    fitted = clone(estimator).fit(examples.features, target)
    folds = [
        scorer(
            clone(estimator).fit(examples.features[rows], target[rows]),
            examples.features[others],
            target[others],
        )
        for rows, others in examples.folds
    ]
    return [scorer(fitted, examples.test_features, test), *folds]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("name", get_scorer_names())
def test_it_is_scikit_learns_or_refused_with_a_reason(name, task):
    scorings, examples = scorings_by_name(name), examples_of(task)
    if (name in FOR_NUMBERS) != (task == "regression") or name in SEVERAL_LABELS:
        with pytest.raises(InputError, match=f"^scoring '{name}' is for "):
            check_scorings(scorings, task)
        return
    check_scorings(scorings, task)
    check_responses(scorings, [ESTIMATORS[task]], "it")

    for rows in [examples] + [examples_of(task, 3)] * (task == "classification"):
        try:
            check_target(scorings, task, rows.target, rows.test_target)
        except InputError:
            assert rows is not examples
            assert name in TWO_CLASSES
            continue
        check_rows(name, task, rows)


def check_rows(name, task, examples):
    """The scores are scikit-learn's, can be computed again, and are those that draws begin with."""
    objective = EstimatorObjective(RECIPES[task], name, task)
    model = train(objective, {}, examples).model

    evaluation = evaluate(objective, model, {}, examples)

    assert [evaluation.score, *evaluation.fold_scores] == expected(name, task, examples)
    predictions = evaluation.predictions
    assert evaluation.score == replayed_score(
        name, examples.test_target, predictions.test, predictions.test_outputs
    )
    rows = [validated for _, validated in examples.folds]
    evidence = Evidence(task, examples.target, examples.test_target, rows)
    pool = build_pool([evaluation], evidence, name, with_test=True)
    assert pool is None or agrees(pool, [evaluation])


def test_a_name_that_is_not_among_them_is_refused_with_them():
    with pytest.raises(
        InputError, match=r"^scoring 'f2' is unknown to scikit-learn; it knows accu"
    ):
        check_scorings(scorings_by_name("f2"), "classification")


def test_what_an_estimator_does_not_have_is_refused_with_what_to_do():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svm = Recipe((Step("sklearn.svm.SVC"),)).build()
        check_responses(scorings_by_name("roc_auc", "top_k_accuracy", "f1"), [svm], "SVC")
        with pytest.raises(InputError) as refusal:
            check_responses(scorings_by_name("roc_auc", "neg_log_loss"), [svm], "SVC")

    assert refusal.value.field == ("metrics", 0)
    assert str(refusal.value) == (
        "scoring 'neg_log_loss' needs predict_proba, which SVC does not have with these settings; "
        "choose a scoring of predicted classes, such as balanced_accuracy, or another estimator or "
        "setting, such as sklearn.calibration.CalibratedClassifierCV around this one"
    )


def test_a_target_that_a_scoring_of_numbers_cannot_judge_is_refused():
    target = np.array([-1.0, 2.0, 3.0])

    with pytest.raises(InputError) as refusal:
        check_target(scorings_by_name("neg_mean_gamma_deviance"), "regression", target)

    assert "cannot judge this target" in str(refusal.value)
    assert str(refusal.value).endswith("choose another, such as neg_mean_absolute_error")
