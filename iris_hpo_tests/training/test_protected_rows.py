"""What a fit or a prediction does to its rows spoils no other candidate, in any order."""

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from iris_hpo.data.split import Examples
from iris_hpo.errors import CandidateError
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import evaluate, train


class Spoils(DecisionTreeClassifier):
    """Writes to what it is given."""

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        super().fit(X, y, sample_weight)
        X[:] = 0
        y[:] = y[0]
        return self

    def predict(self, X, check_input=True):  # noqa: N803, FBT002
        found = super().predict(X, check_input)
        X[:] = 0
        return found


class Texts(DecisionTreeClassifier):
    """Predicts texts for numbers."""

    def predict(self, X, check_input=True):  # noqa: N803, FBT002
        return super().predict(X, check_input).astype(str)


def own(name, **settings):
    return Recipe((Step(f"{__name__}.{name}", settings),))


def examples_of(features, target):
    folds = tuple(KFold(3, shuffle=True, random_state=0).split(features[:60]))
    return Examples(features[:60], target[:60], features[60:], target[60:], folds)


CLASSES = examples_of(*make_classification(80, 4, flip_y=0.2, random_state=1))
NUMBERS = examples_of(*make_regression(80, 4, noise=20.0, random_state=1))


def scored(recipe, candidates, examples, scoring, task):
    """Fold scores and test score by candidate, of one worker."""
    objective, found = EstimatorObjective(recipe, scoring, task), {}
    for parameters in candidates:
        model = train(objective, parameters, examples).model
        result = evaluate(objective, model, parameters, examples)
        found[str(parameters)] = (result.fold_scores, result.score)
    return found


@pytest.mark.parametrize(
    ("recipe", "reference", "candidates", "examples", "scoring", "task"),
    [
        (
            Recipe((Step("sklearn.linear_model.Ridge", {"copy_X": False}),)),
            Ridge(),
            [{"alpha": 0.1}, {"alpha": 1.0}, {"alpha": 10.0}],
            NUMBERS,
            "r2",
            "regression",
        ),
        (
            Recipe(
                (
                    Step("sklearn.preprocessing.StandardScaler", {"copy": False}),
                    Step("sklearn.svm.SVC", {"gamma": 0.5}),
                )
            ),
            make_pipeline(StandardScaler(), SVC(gamma=0.5)),
            [{"svc__C": 0.5}, {"svc__C": 1.0}, {"svc__C": 8.0}],
            CLASSES,
            "roc_auc",
            "classification",
        ),
        (
            own("Spoils", random_state=0),
            DecisionTreeClassifier(random_state=0),
            [{"max_depth": 1}, {"max_depth": 2}, {"max_depth": 3}],
            CLASSES,
            "f1_macro",
            "classification",
        ),
    ],
    ids=["copy_X", "copy", "own"],
)
def test_fits_in_place_spoil_nothing(recipe, reference, candidates, examples, scoring, task):
    before = [array.copy() for array in (examples.features, examples.target)]

    found = scored(recipe, candidates, examples, scoring, task)
    backwards = scored(recipe, candidates[::-1], examples, scoring, task)

    for parameters in candidates:
        model = reference.set_params(**parameters)
        folds = cross_val_score(
            model, examples.features, examples.target, cv=examples.folds, scoring=scoring
        )
        assert found[str(parameters)][0] == pytest.approx(folds.tolist(), abs=1e-9)
        assert found[str(parameters)] == backwards[str(parameters)]
    assert np.array_equal(before[0], examples.features)
    assert np.array_equal(before[1], examples.target)


def test_texts_for_numbers_fail_the_candidate():
    with pytest.raises(CandidateError, match="a text, where the target is a number"):
        scored(own("Texts"), [{}], CLASSES, "accuracy", "classification")
