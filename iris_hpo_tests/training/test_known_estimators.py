"""What is known of scikit-learn's estimators without importing them is what scikit-learn says."""

import pytest
from sklearn.base import is_classifier

from iris_hpo.training.choices import Choice
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.known_estimators import KNOWN, known_task

SVC = Step("sklearn.svm.SVC")
KERNEL = Choice("kernel", "rbf", ("rbf", "linear"))


@pytest.mark.parametrize("path", KNOWN)
def test_scikit_learn_agrees(path):
    known = KNOWN[path]

    estimator = Recipe((Step(path),)).build()

    assert known.task == ("classification" if is_classifier(estimator) else "regression")
    assert known.parameters.keys() <= estimator.get_params().keys()
    for name, values in known.parameters.items():
        for value in values:
            Recipe((Step(path, {name: value}),)).build()  # refuses what it does not take


@pytest.mark.parametrize(
    ("steps", "parameters", "choices"),
    [
        ((Step("sklearn.svm.LinearSVC"),), ("C",), ()),
        ((Step(SVC.estimator, {"tol": 0.1}),), ("C",), ()),
        ((Step("sklearn.preprocessing.StandardScaler"), SVC), ("svc__C",), ()),
        ((SVC,), ("C", "depth"), ()),
        ((SVC,), ("C",), (Choice("kernel", "rbf", ("rbf", "cubic")),)),
        ((SVC,), ("C",), (Choice("tol", 0.1, (0.1, 0.2)),)),
        ((SVC,), ("kernel",), (KERNEL,)),
        ((SVC,), ("C",), (KERNEL, KERNEL)),
        ((), ("C",), ()),
    ],
)
def test_what_else_a_search_names_is_asked(steps, parameters, choices):
    assert known_task((SVC,), ("C", "gamma"), (KERNEL,)) == "classification"
    assert known_task(steps, parameters, choices) is None
