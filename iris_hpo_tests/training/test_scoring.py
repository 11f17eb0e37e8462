"""Labels that spell numbers or truth values are scored as scikit-learn scores those."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.svm import SVC

from iris_hpo.errors import InputError
from iris_hpo.training.scoring import check_classes, score_by

SCORINGS = [
    *("f1", "precision", "recall", "jaccard", "average_precision", "roc_auc"),
    *("neg_brier_score", "neg_log_loss", "f1_macro", "matthews_corrcoef"),
]
POSITIVE = ", or say which class is the positive one, as in pos_label: "
SPELLINGS = {
    "0.0 and 1.0": (["0.0", "1.0"], [0.0, 1.0]),
    "truth values": (["False", "True"], [False, True]),
    "lower case": (["false", "true"], [False, True]),
    "signs": (["-1.0", "1.0"], [-1, 1]),
    "1.0 and 2.0": (["1.0", "2.0"], [1, 2]),  # 1 is the positive class
}


@pytest.fixture(scope="module")
def rows():
    features, target = make_classification(
        120, 5, n_informative=3, weights=[0.7], flip_y=0.2, random_state=0
    )
    return features, target


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("scoring", SCORINGS)
@pytest.mark.parametrize("estimator", [LogisticRegression(), SVC(kernel="linear")], ids=str)
def test_the_score_is_that_of_the_numbers(rows, spelling, scoring, estimator):
    if isinstance(estimator, SVC) and scoring in ("neg_brier_score", "neg_log_loss"):
        return  # it has no probabilities
    features, target = rows
    texts, numbers = (np.array(labels)[target] for labels in SPELLINGS[spelling])

    check_classes(scoring, texts)
    found = score_by(scoring, estimator.fit(features, texts), features, texts)

    assert found == get_scorer(scoring)(estimator.fit(features, numbers), features, numbers)


@pytest.mark.parametrize(
    ("scoring", "labels", "message"),
    [
        ("f1", ["no", "yes"], f"no, yes; choose f1_macro{POSITIVE}'yes'"),
        ("recall", ["a", "b", "c"], "a, b, c; choose recall_macro"),
        ("precision", [0, 1, 2], "0, 1, 2; choose precision_macro"),
        ("f1", ["0.5", "1.5"], f"0.5, 1.5; choose f1_macro{POSITIVE}'1.5'"),
        ("f1", ["1", "True"], f"1, True; choose f1_macro{POSITIVE}'True'"),
        ("f1", [2, 3], f"2, 3; choose f1_macro{POSITIVE}3"),
        ("roc_auc", ["a", "b", "c"], "a, b, c; choose roc_auc_ovr"),
        (
            "average_precision",
            ["no", "yes"],
            f"no, yes; choose another, such as balanced_accuracy{POSITIVE}'yes'",
        ),
        ("r2", ["no", "yes", "maybe"], "maybe, no, yes; choose another, such as balanced_accuracy"),
    ],
)
def test_classes_that_a_scoring_cannot_judge_are_refused(scoring, labels, message):
    with pytest.raises(InputError) as refusal:
        check_classes(scoring, np.repeat(labels, 3))

    assert str(refusal.value) == f"scoring {scoring!r} cannot judge the classes {message}"


@pytest.mark.parametrize(
    ("scoring", "labels"),
    [
        ("accuracy", ["no", "yes"]),
        ("roc_auc", ["no", "yes"]),
        ("f1_macro", ["no", "yes"]),
        ("neg_log_loss", ["a", "b", "c"]),
        ("roc_auc_ovr", ["a", "b", "c"]),
        ("f1", [0, 1]),
        ("f1_weighted", ["10.0", "9.0"]),
        ("top_k_accuracy", ["a", "b", "c", "d"]),
    ],
)
def test_classes_that_a_scoring_can_judge_pass(scoring, labels):
    check_classes(scoring, np.repeat(labels, 3))
