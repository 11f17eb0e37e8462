"""Scorings by the import path of a function, several at once, and the positive class."""

import pickle
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import average_precision_score, fbeta_score, get_scorer, make_scorer
from sklearn.tree import DecisionTreeClassifier

from iris_hpo.errors import InputError, WholeRunError
from iris_hpo.parts import Part
from iris_hpo.selection.evidence import Evidence
from iris_hpo.selection.pooling import agrees, build_pool
from iris_hpo.training import source_code
from iris_hpo.training.cards import Conditions
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import evaluate, train
from iris_hpo.training.scorers import Scoring, Scorings
from iris_hpo.training.scoring import check_scorings, check_target
from iris_hpo_tests.training import own_scorings
from iris_hpo_tests.training.test_every_scorer import examples_of

OWN = "iris_hpo_tests.training.own_scorings"
TREE = Recipe((Step("sklearn.tree.DecisionTreeClassifier", {"max_depth": 2}),))


def scorings_of(*parts, pos_label=None):
    return Scorings(tuple(Part(p) if isinstance(p, str) else p for p in parts), pos_label)


def evaluated(scorings, examples):
    objective = EstimatorObjective(TREE, scorings.name, "classification", scorings)
    return evaluate(objective, train(objective, {}, examples).model, {}, examples)


def labelled(*names):
    """The examples with other labels."""
    examples = examples_of("classification")
    target, test = (
        np.array(names)[one.astype(int)] for one in (examples.target, examples.test_target)
    )
    return replace(examples, target=target, test_target=test)


def values_of(scorer, examples):
    """The scorer on the test rows and on each fold."""
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    features, target = examples.features, examples.target
    fitted = clone(tree).fit(features, target)
    return [
        scorer(fitted, examples.test_features, examples.test_target),
        *(
            scorer(clone(tree).fit(features[rows], target[rows]), features[others], target[others])
            for rows, others in examples.folds
        ),
    ]


@pytest.mark.parametrize(
    ("part", "name", "scorer"),
    [
        (Part(f"{OWN}.profit"), f"{OWN}.profit", make_scorer(own_scorings.profit)),
        (
            Part(f"{OWN}.profit", {"gain": 7}),
            f"{OWN}.profit(gain=7)",
            make_scorer(own_scorings.profit, gain=7),
        ),
        (
            Part(f"{OWN}.cost", {"greater_is_better": False}),
            f"neg_{OWN}.cost",
            make_scorer(own_scorings.cost, greater_is_better=False),
        ),
        (
            Part(f"{OWN}.surprise", {"response_method": "predict_proba"}),
            f"{OWN}.surprise",
            make_scorer(own_scorings.surprise, response_method="predict_proba"),
        ),
        (Part(f"{OWN}.depth"), f"{OWN}.depth", own_scorings.depth),
        (Part(f"{OWN}.made"), f"{OWN}.made", get_scorer("f1_macro")),
        (
            Part("sklearn.metrics.fbeta_score", {"beta": 2, "average": "macro"}),
            "sklearn.metrics.fbeta_score(beta=2, average='macro')",
            make_scorer(fbeta_score, beta=2, average="macro", pos_label=None),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_function_scores_the_test_rows_and_every_fold(part, name, scorer):
    examples, scorings = labelled("bad", "good"), scorings_of(part)
    check_scorings(scorings, "classification")

    found = evaluated(scorings, examples)

    assert scorings.name == name
    assert [found.score, *found.fold_scores] == values_of(scorer, examples)
    assert found.predictions is not None


def test_several_are_computed_from_the_same_fits():
    parts = ("roc_auc", "f1_macro", Part(f"{OWN}.depth"), "neg_log_loss", "balanced_accuracy")
    examples = labelled("bad", "good")

    found = evaluated(scorings_of(*parts), examples)

    assert [found.score, *found.fold_scores] == values_of(get_scorer("roc_auc"), examples)
    for name in ("f1_macro", "neg_log_loss", "balanced_accuracy"):
        values = [found.metrics[name], *found.fold_metrics[name]]
        assert values == values_of(get_scorer(name), examples)
    assert [*found.fold_metrics] == [
        "f1_macro",
        f"{OWN}.depth",
        "neg_log_loss",
        "balanced_accuracy",
    ]
    assert list(found.metrics)[:3] == ["accuracy", "balanced_accuracy", "macro_f1"]


@pytest.mark.parametrize("positive", ["bad", "good"])
@pytest.mark.parametrize(
    "name",
    ["f1", "recall", "precision", "jaccard", "average_precision", "neg_brier_score", "roc_auc"],
)
def test_the_positive_class_is_the_one_that_is_named(name, positive):
    examples = labelled("bad", "good")
    scorings = scorings_of(name, pos_label=positive)
    check_target(scorings, "classification", examples.target)

    found = evaluated(scorings, examples)

    target, test = (
        (one == positive).astype(int) for one in (examples.target, examples.test_target)
    )
    zero_and_one = replace(examples, target=target, test_target=test)
    expected = values_of(get_scorer(name), zero_and_one)
    assert [found.score, *found.fold_scores] == pytest.approx(expected, abs=1e-12)
    if name == "f1":  # draws of rows begin with these scores
        rows = [validated for _, validated in examples.folds]
        targets = examples.target, examples.test_target
        evidence = Evidence("classification", *targets, rows, positive=positive)
        pool = build_pool([found], evidence, name, with_test=True)
        assert pool
        assert agrees(pool, [found])
    if name == "average_precision":
        scorer = make_scorer(
            average_precision_score, response_method="predict_proba", pos_label=positive
        )
        assert [found.score, *found.fold_scores] == values_of(scorer, examples)


@pytest.mark.parametrize(
    ("labels", "written", "positive"),
    [
        (("0", "1"), "0", "0"),
        (("0.0", "1.0"), "0", "0.0"),
        (("False", "True"), "False", "False"),
        (("NA", "no"), "NA", "NA"),
        (("2", "10"), "2", "2"),
    ],
)
def test_labels_that_look_like_numbers_or_nothing_can_be_positive(labels, written, positive):
    examples = labelled(*labels)

    found = evaluated(scorings_of("recall", pos_label=written), examples)

    rows = examples.test_target == positive
    assert found.score == (found.predictions.test[rows] == positive).mean()


def test_a_function_with_a_positive_class_gets_1_for_it_and_others_the_labels():
    examples = labelled("bad", "good")
    parts = (f"{OWN}.recall_of", f"{OWN}.profit", Part(f"{OWN}.recall_of", {"pos_label": "good"}))

    found = evaluated(scorings_of(*parts, pos_label="good"), examples)

    truth, predicted = examples.test_target, found.predictions.test
    recall = (predicted[truth == "good"] == "good").mean()
    assert [found.score, *found.metrics.values()][-2:] == [
        own_scorings.profit(truth, predicted),
        recall,
    ]
    assert found.score == recall


@pytest.mark.parametrize(
    ("parts", "pos_label", "field", "message"),
    [
        ((f"{OWN}.none",), None, ("scoring", "use"), "cannot be imported (module"),
        (
            (f"{OWN}.alone",),
            None,
            ("scoring", "use"),
            "is no scoring; give a function of (y_true, y_p",
        ),
        (("f1", "f1"), None, ("metrics", 0), "scoring 'f1' is named twice; name it once"),
        (
            ("f1", "f3"),
            None,
            ("metrics", 0),
            "scoring 'f3' is unknown to scikit-learn; it knows acc",
        ),
        (
            ("f1", "r2"),
            None,
            ("metrics", 0),
            "'r2' is for numbers, and this search predicts classes",
        ),
        (
            (Part("f1", {"beta": 2}),),
            None,
            ("scoring", "settings"),
            "is the name of a scorer and has",
        ),
        (
            (Part(f"{OWN}.cost", {"x": 2}),),
            None,
            ("scoring", "settings"),
            "refuses its settings: got",
        ),
        (
            (Part(f"{OWN}.depth", {"x": 2}),),
            None,
            ("scoring", "settings", "x"),
            "is a scorer and has no settings but greater_is_better",
        ),
        (
            (Part(f"{OWN}.cost", {"greater_is_better": "no"}),),
            None,
            ("scoring", "settings", "greater_is_better"),
            "greater_is_better must be true or false",
        ),
    ],
)
def test_what_cannot_score_is_refused_with_its_place(parts, pos_label, field, message):
    with pytest.raises(InputError) as refusal:
        check_scorings(scorings_of(*parts, pos_label=pos_label), "classification")

    assert message in str(refusal.value)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("labels", "pos_label", "message"),
    [
        (["a", "b"], "c", "pos_label 'c' is no class of the target; there are a, b"),
        (
            ["a", "b", "c"],
            "c",
            "pos_label is for two classes, and there are 3: a, b, c; leave it out",
        ),
    ],
)
def test_a_positive_class_that_cannot_be_is_refused(labels, pos_label, message):
    with pytest.raises(InputError) as refusal:
        check_target(scorings_of("f1", pos_label=pos_label), "classification", np.array(labels))

    assert str(refusal.value) == message
    assert refusal.value.field == ("pos_label",)


def test_a_positive_class_of_numbers_is_refused():
    with pytest.raises(
        InputError, match=r"^pos_label is for two classes, and this search predicts n"
    ):
        check_scorings(scorings_of("r2", pos_label="1"), "regression")


def test_one_that_returns_no_number_is_the_failure_of_the_candidate():
    with pytest.raises(Exception, match=r"TypeError: .*pair gives a tuple instead of a number"):
        evaluated(scorings_of(f"{OWN}.pair"), labelled("bad", "good"))


def test_the_code_of_a_function_decides_scores_and_not_models(tmp_path, monkeypatch):
    module = tmp_path / "edited_metrics.py"
    module.write_text("def share(y_true, y_pred):\n    return (y_true == y_pred).mean()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(source_code, "_loaded", {})
    scorings = scorings_of("edited_metrics.share")
    planned = conditions(scorings)
    planned.objective.load()
    planned.objective.check_code()

    module.write_text(module.read_text() + "# edited\n")

    edited = conditions(scorings_of("edited_metrics.share"))
    assert edited.model_fingerprint({}) == planned.model_fingerprint({})
    assert edited.score_fingerprint("m") != planned.score_fingerprint("m")
    pickle.loads(pickle.dumps(planned.objective)).check_code()  # a worker gets the code of the plan
    with pytest.raises(WholeRunError, match=r"^the code of edited_metrics that is loaded here"):
        edited.objective.check_code()
    del sys.modules["edited_metrics"]


def conditions(scorings):
    objective = EstimatorObjective(TREE, scorings.name, "classification", scorings)
    return Conditions(objective, "rows", "split", "parameters")


@pytest.mark.parametrize(
    "changed",
    [
        scorings_of("f1", "recall"),
        scorings_of("f1", pos_label="1"),
        scorings_of("f1", Part(f"{OWN}.profit")),
        scorings_of("f1", Part(f"{OWN}.profit", {"gain": 2})),
    ],
)
def test_what_else_decides_a_score_is_in_its_fingerprint(changed):
    plain = conditions(scorings_of("f1"))
    assert plain.objective.scoring_identity() == {}
    assert plain.score_fingerprint("m") == Conditions(
        EstimatorObjective(TREE, "f1", "classification"), "rows", "split", "parameters"
    ).score_fingerprint("m")

    assert conditions(changed).score_fingerprint("m") != plain.score_fingerprint("m")


def test_a_scoring_is_pickled_by_its_name():
    scoring = Scoring(Part(f"{OWN}.profit", {"gain": 2}), "yes")
    scoring.scorer  # noqa: B018 - a function that cannot be pickled

    assert pickle.loads(pickle.dumps(scoring)) == scoring
