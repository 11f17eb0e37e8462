"""Failures that come of an axis's type name the type to write."""

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from iris_hpo.errors import CandidateError
from iris_hpo.space.hints import hint_for_failure, types_explained
from iris_hpo.training.code_of_others import own_failure

WHOLE = "; if {} must be a whole number, write type: int to its axis"


def reason_of(estimator):
    with pytest.raises(CandidateError) as failure, own_failure("fitting"):
        estimator.fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])
    return str(failure.value)


@pytest.mark.parametrize(
    ("estimator", "parameters", "hint"),
    [
        (DecisionTreeClassifier(max_depth=2.0), {"max_depth": 2.0}, WHOLE.format("max_depth")),
        (
            DecisionTreeClassifier(max_depth=2.0),
            {"decisiontreeclassifier__max_depth": 2.0},
            WHOLE.format("decisiontreeclassifier__max_depth"),
        ),
        (
            RandomForestClassifier(n_estimators=3.0, max_depth=2),
            {"n_estimators": 3.0, "min_weight_fraction_leaf": 0.0},
            WHOLE.format("n_estimators"),
        ),
        (DecisionTreeClassifier(max_depth=2.5), {"max_depth": 2.5}, ""),
        (DecisionTreeClassifier(max_depth=-2), {"max_depth": -2}, ""),
        (SVC(C=-1.0), {"C": -1.0}, ""),
        (
            MLPClassifier(hidden_layer_sizes="(5,)"),
            {"hidden_layer_sizes": "(5,)"},
            "; hidden_layer_sizes is the text '(5,)': write type: tuple to its axis",
        ),
        (
            DecisionTreeClassifier(max_depth="2"),
            {"max_depth": "2"},
            "; max_depth is the text '2': write type: int to its axis",
        ),
        (
            SVC(shrinking="true"),
            {"shrinking": "true"},
            "; shrinking is the text 'true': write type: bool to its axis",
        ),
        (
            DecisionTreeClassifier(max_depth="none"),
            {"max_depth": "none"},
            "; if max_depth may be none, write nullable: true to its axis",
        ),
        (SVC(gamma="scales"), {"gamma": "scales"}, ""),
    ],
)
def test_the_failure_of_scikit_learns_classes_gets_its_hint(estimator, parameters, hint):
    assert hint_for_failure(reason_of(estimator), parameters) == hint


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        (
            "XGBoostError: Invalid Parameter format for max_depth expect int but value='2.0'",
            WHOLE.format("max_depth"),
        ),
        (
            "TypeError: 'float' object cannot be interpreted as an integer",
            WHOLE.format("max_depth or rate"),
        ),
        (
            "ValueError: Invalid classes inferred from unique values of `y`: ['no' 'yes']",
            "; number the classes 0, 1, 2, ... in the data: this estimator takes no other labels",
        ),
        ("ValueError: the matrix is singular", ""),
        ("TypeError: it wants an integer somewhere", ""),
    ],
)
def test_the_failure_of_other_classes_gets_its_hint(reason, hint):
    assert hint_for_failure(reason, {"max_depth": 2.0, "rate": 1.0}) == hint


def test_the_hint_follows_the_reason():
    with pytest.raises(CandidateError, match=r"^max_depth wants an int; if max_depth must be"):  # noqa: SIM117
        with types_explained({"max_depth": 2.0}):
            raise CandidateError("max_depth wants an int")
