"""Choosing by another metric, computed from the stored predictions."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from iris_hpo.errors import InputError
from iris_hpo.selection.rescoring import rescore, scoring_of
from iris_hpo_tests.selection.drawn_search import drawn_case


@pytest.mark.parametrize(
    ("scoring", "metric", "function"),
    [
        ("accuracy", "balanced_accuracy", metrics.balanced_accuracy_score),
        ("r2", "neg_mean_absolute_error", lambda t, p: -metrics.mean_absolute_error(t, p)),
    ],
)
def test_the_scores_are_those_of_the_metric(scoring, metric, function):
    evidence, scored, _ = drawn_case(3, scoring)
    evaluations = [one.evaluation for one in scored]

    rescored = rescore(evaluations, evidence, scoring, metric)

    for before, after in zip(evaluations, rescored, strict=True):
        predictions = before.predictions
        assert after.score == pytest.approx(function(evidence.test_target, predictions.test))
        assert after.fold_scores == pytest.approx(
            [
                function(evidence.target[rows], predicted)
                for rows, predicted in zip(evidence.folds, predictions.folds, strict=True)
            ]
        )
        assert after.metrics[scoring] == before.score
        assert after.correct == before.correct
        assert after.predictions is predictions


def test_a_scoring_of_the_search_has_its_scores_for_every_fold():
    evidence, scored, _ = drawn_case(3, "accuracy")
    evaluations = [
        replace(one.evaluation, metrics={"cost": -at}, fold_metrics={"cost": values})
        for at, one in enumerate(scored)
        for values in [tuple(float(-at - fold) for fold in range(len(evidence.folds)))]
    ]

    rescored = rescore(evaluations, evidence, "accuracy", "cost")

    for at, (before, after) in enumerate(zip(evaluations, rescored, strict=True)):
        assert (after.score, after.fold_scores) == (-at, before.fold_metrics["cost"])
        assert after.metrics["accuracy"] == before.score
        assert after.fold_metrics["accuracy"] == before.fold_scores


def test_the_search_s_own_scoring_changes_nothing():
    evidence, scored, _ = drawn_case(3, "accuracy")
    evaluations = [replace(one.evaluation, predictions=None) for one in scored]

    assert rescore(evaluations, evidence, "accuracy", "accuracy") == evaluations


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ("f1_macro", "candidates have no predictions of the training rows"),
        ("neg_log_loss", "probabilities are kept only if the search's scoring needs them"),
        (
            "f1",
            (
                "candidates have no predictions of the training rows, or it is not known which of "
                "the classes is the positive one"
            ),
        ),
    ],
)
def test_what_predictions_do_not_give_is_refused(metric, reason):
    evidence, scored, _ = drawn_case(3, "accuracy")
    evaluations = [one.evaluation for one in scored]
    if metric == "f1_macro":
        evaluations[1] = replace(evaluations[1], predictions=None)
    if metric == "f1":
        evidence = replace(evidence, target=evidence.target + 5, test_target=evidence.test_target)

    with pytest.raises(InputError) as refusal:
        rescore(evaluations, evidence, "accuracy", metric)

    assert str(refusal.value) == (
        f"metric {metric!r} cannot be computed: {reason}; choose another metric, or train again "
        "with folds and force"
    )
    assert refusal.value.field == ("metric",)


def test_a_metric_that_a_fold_does_not_define_is_refused():
    evidence, scored, _ = drawn_case(6, "neg_mean_squared_error")
    evidence = replace(evidence, target=np.zeros(len(evidence.target)))

    with pytest.raises(InputError, match=r"^metric 'r2' is not defined on every fold; choose anot"):
        rescore([one.evaluation for one in scored], evidence, "neg_mean_squared_error", "r2")


@pytest.mark.parametrize(
    ("metric", "task", "scoring"),
    [
        ("macro_f1", "classification", "f1_macro"),
        ("balanced_accuracy", "classification", "balanced_accuracy"),
        ("root_mean_squared_error", "regression", "neg_root_mean_squared_error"),
        ("neg_mean_squared_error", "regression", "neg_mean_squared_error"),
    ],
)
def test_a_metric_has_the_name_of_the_leaderboard_or_of_scikit_learn(metric, task, scoring):
    assert scoring_of(metric, task) == scoring


def test_a_scoring_of_the_search_is_a_metric():
    assert scoring_of("my_metrics.cost", "regression", ("r2", "my_metrics.cost")) == (
        "my_metrics.cost"
    )


def test_an_unknown_metric_is_refused_with_those_that_there_are():
    with pytest.raises(InputError) as refusal:
        scoring_of("accuracy", "regression")

    assert str(refusal.value) == (
        "metric 'accuracy': choose one of r2, neg_mean_squared_error, "
        "neg_root_mean_squared_error, neg_mean_absolute_error"
    )
