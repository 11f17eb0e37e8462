"""A value of C that plays no part is not fitted again, and nothing else is believed to be known."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

from iris_hpo.data.split import Examples
from iris_hpo.training import cross_validation, estimator_objective, svm_folds
from iris_hpo.training.cards import dump_model
from iris_hpo.training.cross_validation import CrossValidation
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import train
from iris_hpo.training.scorers import scorings_by_name

SVM = "sklearn.svm.SVC"
FOLDS = 3
GAMMA = 1e-2
"""For digits and this gamma, no dual coefficient reaches 2."""


class Remembering(SVC):
    """An SVM whose C is more than a bound."""

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        self.remembered_ = 2 * self.C
        return super().fit(X, y, sample_weight)


def recipe_of(estimator=SVM, **settings):
    return Recipe((Step(estimator, settings),))


def points_of(*bounds, **others):
    return [{"C": bound, "gamma": GAMMA, **others} for bound in bounds]


@pytest.fixture
def fits(monkeypatch):
    """A mark for every fit: of a model, or of a fold."""
    done = []
    for module in (cross_validation, svm_folds, estimator_objective):
        monkeypatch.setattr(
            module,
            "fit",
            lambda *arguments, plain=module.fit: (done.append(1), plain(*arguments)),
        )
    return done


class Searching:
    """Trains and cross-validates candidates, and counts the fits of each."""

    def __init__(self, recipe, examples, fits, scoring="accuracy"):
        self.recipe, self.examples, self.scoring, self.fits = recipe, examples, scoring, fits
        self.objective = EstimatorObjective(recipe, scoring, "classification")
        self.folds = CrossValidation(recipe, examples, scorings_by_name(scoring))

    def try_all(self, points):
        """Whether each model was fitted, and each candidate's folds."""
        return [(self.train(point), self.score(point)) for point in points]

    def train(self, point):
        before = len(self.fits)
        training = train(self.objective, point, self.examples)
        own = self.recipe.build(point)
        own.fit(self.examples.features, self.examples.target)
        assert dump_model(training.model) == dump_model(own)
        assert training.support_vectors == own.n_support_.sum()
        assert len(self.fits) - before in (0, 1)
        return len(self.fits) > before

    def score(self, point):
        before = len(self.fits)
        own = cross_val_score(
            self.recipe.build(point),
            self.examples.features,
            self.examples.target,
            cv=self.examples.folds,
            scoring=self.scoring,
        )
        assert self.folds.scores(point).values == pytest.approx(tuple(own), rel=1e-12)
        assert len(self.fits) - before in (0, FOLDS)
        return len(self.fits) > before


@pytest.mark.parametrize(
    ("settings", "enough"),
    [
        pytest.param({}, 2.0, id="on a shared kernel"),
        pytest.param({"class_weight": "balanced"}, 2.0, id="weighted"),
        pytest.param({"decision_function_shape": "ovo"}, 2.0, id="one against one"),
        pytest.param({"kernel": "poly", "degree": 2}, 0.03125, id="on another kernel"),
        pytest.param({"gamma": "scale"}, 32.0, id="on one for each fold"),
    ],
)
def test_a_bound_that_plays_no_part_is_not_tried_again(digits, fits, settings, enough):
    """Models are the same to the last byte, and scores are scikit-learn's."""
    bounds = [enough / 4, enough, enough * 4, enough * 16, 1e9]
    recipe = recipe_of(**{"gamma": GAMMA, **settings})

    tried = Searching(recipe, digits, fits).try_all([{"C": bound} for bound in bounds])

    assert tried == [(True, True)] * 3 + [(False, False)] * 2, "the third has shown it"


def test_regressions_have_bounds_too(digits, fits):
    recipe = recipe_of("sklearn.svm.SVR", epsilon=1.0)

    tried = Searching(recipe, digits, fits, "r2").try_all(points_of(64.0, 128.0, 256.0))

    assert tried == [(True, True)] * 2 + [(False, False)]


@pytest.mark.parametrize(
    ("recipe", "points"),
    [
        pytest.param(recipe_of(), points_of(128.0, 8.0, 32.0, 0.5), id="smaller ones"),
        pytest.param(
            recipe_of(),
            [*points_of(8.0, 32.0), {"C": 64.0, "gamma": 1e-3}, {"C": 64.0, "gamma": 1e-4}],
            id="other kernels",
        ),
        pytest.param(
            recipe_of(),
            [*points_of(8.0, 32.0), *points_of(64.0, kernel="poly"), *points_of(64.0)],
            id="kernels of other names",
        ),
        pytest.param(recipe_of(), points_of(0.01, 0.02, 0.04, 0.08), id="bounds reached"),
        pytest.param(recipe_of(), points_of(8.0, 8.0), id="the same again"),
        pytest.param(
            recipe_of(f"{__name__}.Remembering"), points_of(8.0, 32.0, 128.0), id="not only a bound"
        ),
    ],
)
def test_every_other_bound_is_tried(digits, fits, recipe, points):
    tried = Searching(recipe, digits, fits).try_all(points)

    assert tried == [(True, True)] * len(points)


@pytest.mark.filterwarnings("ignore:The `probability` parameter")
def test_probabilities_are_of_other_fits(iris_examples, fits):
    """Those are on parts of the rows, and may reach a bound that the model does not reach."""
    rows = np.isin(iris_examples.target, np.unique(iris_examples.target)[:2])
    examples = Examples(
        iris_examples.features[rows],
        iris_examples.target[rows],
        iris_examples.test_features,
        iris_examples.test_target,
        (),
    )
    objective = EstimatorObjective(recipe_of(probability=True), "accuracy", "classification")

    for number, point in enumerate(points_of(1e6, 2e6, 4e6), start=1):
        train(objective, point, examples)
        assert len(fits) == number


def test_fits_that_did_not_converge_show_nothing(digits, fits):
    """They may be the same because they were stopped at the same step."""
    search = Searching(recipe_of(max_iter=1), digits, fits)

    with pytest.warns(ConvergenceWarning):
        assert search.try_all(points_of(8.0, 32.0, 128.0)) == [(True, True)] * 3
