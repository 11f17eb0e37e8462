"""The table of simple ends agrees with scikit-learn: the classes exist and have the parameters."""

import pytest
from sklearn.utils import all_estimators

from iris_hpo.space import simplicity
from iris_hpo.space.simplicity import known_simplest

CLASSES = dict(all_estimators())


@pytest.mark.parametrize("parameter", list(simplicity._KNOWN))
def test_every_entry_is_a_parameter_of_a_class(parameter):
    end, classes = simplicity._KNOWN[parameter]

    assert end in ("low", "high")
    for name in classes:
        assert parameter in CLASSES[name]._get_param_names()
        path = f"{CLASSES[name].__module__}.{name}"
        assert known_simplest(path, parameter) == end


@pytest.mark.parametrize(
    ("estimator", "parameter", "end"),
    [
        ("sklearn.svm.SVC", "C", "low"),
        ("sklearn.linear_model.Ridge", "alpha", "high"),
        ("sklearn.tree.DecisionTreeClassifier", "max_depth", "low"),
        ("sklearn.neighbors.KNeighborsClassifier", "n_neighbors", "high"),
        ("sklearn.ensemble.RandomForestClassifier", "min_samples_leaf", "high"),
        ("sklearn.svm.SVC", "tol", None),
        ("sklearn.ensemble.GradientBoostingClassifier", "learning_rate", None),
        ("mine.SVC", "C", None),
    ],
)
def test_the_simple_end_is_looked_up_by_class_and_parameter(estimator, parameter, end):
    assert known_simplest(estimator, parameter) == end
