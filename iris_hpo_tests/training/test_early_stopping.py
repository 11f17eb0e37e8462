"""Early stopping: which rows decide, how many iterations a model takes, and what is refused."""

import pickle
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from iris_hpo.data.columns import Layout
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.split import Examples
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.errors import CandidateError, InputError
from iris_hpo.parts import Part
from iris_hpo.space.axes import Axis
from iris_hpo.spec import SearchSpec
from iris_hpo.training.cards import Conditions, load_model
from iris_hpo.training.early_stopping import EarlyStopping
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import evaluate, train
from iris_hpo.training.final_fits import FinalWork, Refitted, champion_fit, reference_fits
from iris_hpo.training.learning_curve import fit_learning_curve
from iris_hpo.training.stopped_objective import StoppedObjective
from iris_hpo.training.stopping_fits import check_stopping

STOPPING = EarlyStopping(rounds=5, share=0.2)
FITS = []
"""What the fits of this module's estimators were given, in turn."""


class Booster(ClassifierMixin, BaseEstimator):
    """Takes as many iterations as rows that it fits, modulo 10, are best; a tree does the work."""

    def __init__(self, n_estimators=100, depth=2, random_state=None):
        self.n_estimators = n_estimators
        self.depth = depth
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None, eval_set=None, early_stopping_rounds=None, **more):  # noqa: N803
        FITS.append((X, y, sample_weight, eval_set, early_stopping_rounds, more))
        self.tree_ = DecisionTreeClassifier(max_depth=self.depth, random_state=0)
        self.tree_.fit(X, y, sample_weight)
        self.classes_ = self.tree_.classes_
        if eval_set is not None:
            self.best_iteration_ = 1 + len(FITS) % 10
        return self

    def predict(self, X):  # noqa: N803
        return self.tree_.predict(X)


class NeverStops(Booster):
    """Finds no best iteration, as LightGBM's dart."""

    def fit(self, X, y, eval_set=None, early_stopping_rounds=None):  # noqa: ARG002, N803
        super().fit(X, y, eval_set=eval_set)
        self.best_iteration_ = 0
        return self


class OfXgboost(Booster):
    """As XGBoost's: the rounds are a parameter, and iterations are counted from 0.

    XGBoost 3.2.0 itself was tried by hand: it stopped on wine, with weights and without.
    """

    __module__ = "xgboost.sklearn"

    def __init__(self, n_estimators=100, depth=2, random_state=None, early_stopping_rounds=None):
        super().__init__(n_estimators, depth, random_state)
        self.early_stopping_rounds = early_stopping_rounds

    def fit(self, X, y, *, sample_weight=None, eval_set=None, **more):  # noqa: N803
        if (self.early_stopping_rounds is None) != (eval_set is None):
            raise ValueError("Must have at least 1 validation dataset for early stopping.")
        if eval_set is not None:
            more.pop("verbose")
        super().fit(X, y, sample_weight, eval_set, self.early_stopping_rounds, **more)
        self.best_iteration = 6
        return self


class Pool(tuple):
    """As CatBoost's: features, labels and weights."""

    __slots__ = ()

    def __new__(cls, data, label, weight=None):
        return super().__new__(cls, (data, label, weight))


class OfCatboost(Booster):
    """As CatBoost's: it evaluates on a pool, and a method counts iterations from 0.

    CatBoost 1.2.10 itself was tried by hand: it stopped on wine, with weights and without.
    """

    __module__ = "catboost.core"

    def __init__(self, iterations=None, depth=2, random_state=None):
        super().__init__(depth=depth, random_state=random_state)
        self.iterations = iterations

    def fit(self, X, y, sample_weight=None, eval_set=None, early_stopping_rounds=None):  # noqa: N803
        super().fit(X, y, sample_weight, eval_set, early_stopping_rounds)
        vars(self).pop("best_iteration_", None)
        return self

    def get_best_iteration(self):
        return 6


class Centred(TransformerMixin, BaseEstimator):
    """Subtracts the means of the rows that it was fitted to."""

    def fit(self, X, y=None):  # noqa: ARG002, N803
        self.means_ = X.mean(axis=0)
        self.rows_ = len(X)
        return self

    def transform(self, X):  # noqa: N803
        return X - self.means_


@pytest.fixture(autouse=True)
def fits():
    FITS.clear()
    return FITS


def path_of(kind):
    return f"{__name__}.{kind.__name__}"


def objective(*kinds, stopping=STOPPING, **settings):
    steps = [Step(path_of(kind)) for kind in kinds[:-1]]
    recipe = Recipe((*steps, Step(path_of(kinds[-1]), settings)), seed=3)
    return StoppedObjective(recipe, "accuracy", "classification", stopping=stopping)


@pytest.fixture
def rows():
    """120 rows in 3 folds, and 58 test rows; the first feature is the number of the row."""
    features, target = load_wine(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(target))
    features, target = features[order], target[order]
    features[:, 0] = np.arange(len(target))
    folds = StratifiedKFold(3, shuffle=True, random_state=0).split(features[:120], target[:120])
    parts = features[:120], target[:120], features[120:], target[120:]
    return Examples(*parts, tuple(folds))


def numbers(features):
    return set(features[:, 0].astype(int))


class TestRows:
    def test_they_are_carved_out_of_the_rows_of_each_fit(self, rows, fits):
        own = objective(Booster)

        model = train(own, {"depth": 2}, rows).model
        evaluate(own, model, {"depth": 2}, rows)

        assert len(fits) == 4, "a fit for each fold, and the model"
        for (fit, validated), given in zip(rows.folds, fits, strict=False):
            features, target, _, ((evaluated, labels),), rounds, more = given
            assert numbers(features) | numbers(evaluated) == set(fit)
            assert not numbers(evaluated) & set(validated)
            assert not numbers(features) & numbers(evaluated)
            assert len(labels) == len(fit) // 5
            shares = [np.bincount(part) / len(part) for part in (target, labels)]
            assert np.allclose(*shares, atol=0.05), "classes keep their proportions"
            assert (rounds, more) == (5, {})
        features, _, _, eval_set, *_ = fits[3]
        assert (numbers(features), eval_set) == (set(range(120)), None)

    def test_weights_go_with_their_rows(self, rows, fits):
        weights = np.arange(1.0, 121.0)
        weighted = replace(rows, roles=RowRoles(weight=weights))

        train(objective(Booster), {}, weighted)

        features, _, given, ((evaluated, _),), _, more = fits[0]
        assert given.tolist() == [weights[row] for row in features[:, 0].astype(int)]
        assert more["eval_sample_weight"][0].tolist() == [
            weights[row] for row in evaluated[:, 0].astype(int)
        ]
        assert fits[-1][2].tolist() == weights.tolist()

    def test_a_pipeline_prepares_them_by_the_rows_that_are_fitted(self, rows, fits):
        trained = train(objective(Centred, Booster), {"booster__depth": 2}, rows).model

        (fit, _), *_ = rows.folds
        features, _, _, ((evaluated, _),), *_ = fits[0]
        fitted_rows = np.round(evaluated[:, 0] - evaluated[:, 0].min()).astype(int)
        assert len(features) + len(evaluated) == len(fit)
        assert features.mean(axis=0) == pytest.approx(0, abs=1e-9)
        assert len({*fitted_rows}) == len(evaluated)
        assert trained.steps[0][1].rows_ == 120

    def test_the_same_rows_each_time(self, rows, fits):
        train(objective(Booster), {}, rows)
        train(pickle.loads(pickle.dumps(objective(Booster))), {}, rows)

        assert np.array_equal(fits[0][0], fits[4][0])

    def test_groups_stay_together(self):
        groups = np.repeat(np.arange(20), [1, 9] * 10).astype(str)
        target = np.tile([0, 1], 50)

        fitted, evaluation = carve(target, RowRoles(group=groups))

        assert 10 <= len(evaluation) <= 30
        assert not {*groups[fitted]} & {*groups[evaluation]}

    def test_the_latest_rows_are_taken_in_order_of_time(self):
        times = np.random.default_rng(0).permutation(np.repeat(np.arange(25.0), 4))

        fitted, evaluation = carve(np.tile([0, 1], 50), RowRoles(time=times), is_ordered=True)

        assert times[fitted].max() < times[evaluation].min() == 20
        assert len(carve(np.tile([0, 1], 50), RowRoles(time=times))[1]) == 20

    def test_a_class_stays_with_the_rows_that_are_fitted(self):
        target = np.array([0] * 5 + [1] * 5 + [*range(2, 20)])

        fitted, evaluation = carve(target, RowRoles(), share=0.5)

        assert {*target[fitted]} == {*target}
        assert set(target[evaluation]) == {0, 1}

    def test_numbers_are_drawn(self):
        fitted, evaluation = carve(np.linspace(0, 1, 50), RowRoles(), has_classes=False)
        assert (len(fitted), len(evaluation)) == (40, 10)

    @pytest.mark.parametrize(
        ("target", "roles", "is_ordered"),
        [
            ([0], RowRoles(), False),
            ([0, 1], RowRoles(), False),
            ([0, 1, 0, 1], RowRoles(group=np.array(["a"] * 4)), False),
            ([0, 1, 0, 1], RowRoles(time=np.zeros(4)), True),
        ],
    )
    def test_too_few_rows_are_the_candidates_failure(self, target, roles, is_ordered):
        with pytest.raises(CandidateError, match=r"early_stopping: . rows are too few, or too"):
            carve(np.array(target), roles, is_ordered=is_ordered)


def carve(target, roles, share=0.2, *, is_ordered=False, has_classes=True):
    stopping = EarlyStopping(5, share)
    return stopping.carve(target, roles, 0, is_ordered=is_ordered, has_classes=has_classes)


class TestIterations:
    def test_a_model_takes_the_median_of_the_folds(self, rows):
        training = train(objective(Booster), {"depth": 2}, rows)

        assert training.iterations == 3, "of 2, 3 and 4"
        assert training.model.n_estimators == 3
        assert not hasattr(training.model, "best_iteration_")

    def test_without_folds_it_takes_the_best_of_the_training_rows(self, rows, fits):
        training = train(objective(Booster), {}, replace(rows, folds=()))

        assert training.iterations == 2
        assert len(fits) == 2

    def test_the_champion_takes_as_many_on_all_rows(self, rows, fits):
        conditions = Conditions(objective(Booster), "t", "s", "p")
        fit = champion_fit(conditions, {"depth": 2}, "test", 7)

        refitted = FinalWork(conditions, rows)(fit)

        assert isinstance(refitted, Refitted)
        assert refitted.rows == len(fits[-1][1]) == 178
        assert load_model(refitted.content).n_estimators == 7
        assert len(fits) == 1

    def test_a_fold_is_scored_by_the_fit_that_stopped(self, rows):
        own = objective(Booster)

        evaluation = evaluate(own, train(own, {}, rows).model, {}, rows)
        alone = evaluate(objective(Booster), train(own, {}, rows).model, {}, rows)

        assert len(evaluation.fold_scores) == 3
        assert evaluation.fold_scores == alone.fold_scores
        assert evaluation.predictions is not None

    def test_references_and_the_learning_curve_stop_early_too(self, rows, fits):
        conditions = Conditions(objective(Booster), "t", "s", "p")
        work = FinalWork(conditions, rows)

        assert [work(fit).key for fit in reference_fits(conditions)] == ["default", "baseline"]
        assert all(given[4] == 5 for given in fits[:3])
        curve = fit_learning_curve(objective(Booster), None, {}, rows, SplitSettings())
        assert curve is None, "there is no model to score"
        model = train(objective(Booster), {}, rows).model
        assert fit_learning_curve(objective(Booster), model, {}, rows, SplitSettings())

    def test_xgboost_counts_from_0_and_has_the_rounds_as_a_parameter(self, rows, monkeypatch):
        monkeypatch.setitem(globals(), "OfXgboost", OfXgboost)

        training = train(objective(OfXgboost), {"depth": 2}, rows)

        assert (training.iterations, training.model.n_estimators) == (7, 7)
        assert training.model.early_stopping_rounds is None
        assert FITS[0][4] == 5

    def test_catboost_evaluates_on_a_pool_and_counts_from_zero(self, rows, monkeypatch):
        monkeypatch.setitem(sys.modules, "catboost", SimpleNamespace(Pool=Pool))
        weighted = replace(rows, roles=RowRoles(weight=np.arange(1.0, 121.0)))

        training = train(objective(OfCatboost), {"depth": 2}, weighted)

        assert (training.iterations, training.model.iterations) == (7, 7)
        _, _, _, (evaluated, labels, weights), rounds, _ = FITS[0]
        assert (len(evaluated), rounds) == (len(labels), 5)
        assert weights.tolist() == [float(row) + 1 for row in evaluated[:, 0]]

    def test_what_never_stops_is_the_candidates_failure(self, rows):
        with pytest.raises(CandidateError, match="it does not stop early with these parameters"):
            train(objective(NeverStops), {}, rows)


class TestRefusals:
    @pytest.mark.parametrize(
        ("estimator", "settings", "message"),
        [
            (
                "sklearn.ensemble.HistGradientBoostingClassifier",
                {},
                r"own; leave early_stopping out, and write settings: \{early_stopping: true, n_it",
            ),
            (
                "sklearn.ensemble.GradientBoostingClassifier",
                {},
                r"write settings: \{n_iter_no_change: 50, validation_fraction: 0.1\}",
            ),
            ("sklearn.svm.SVC", {}, r"SVC cannot stop early: its fit takes no eval_set"),
            (path_of(OfXgboost), {"early_stopping_rounds": 3}, "gets early_stopping_rounds by"),
        ],
    )
    def test_an_estimator_without_it_is_one_message(self, estimator, settings, message):
        with pytest.raises(InputError, match=message) as refusal:
            check_stopping(Recipe((Step(estimator, settings),)), ["depth"])
        assert refusal.value.field == ("early_stopping",)

    def test_an_axis_of_it_is_refused_too(self):
        with pytest.raises(InputError, match="gets early_stopping_rounds by early_stopping"):
            check_stopping(Recipe((Step(path_of(OfXgboost)),)), ["early_stopping_rounds"])

    @pytest.mark.parametrize(
        ("settings", "field"),
        [((0, 0.1), "rounds"), ((5, 0.0), "share"), ((5, 1.0), "share"), ((5, np.nan), "share")],
    )
    def test_rounds_and_share_have_limits(self, settings, field):
        with pytest.raises(InputError) as refusal:
            EarlyStopping(*settings)
        assert refusal.value.field == (field,)


class TestIdentity:
    def test_it_decides_a_model_only_where_it_is_used(self):
        own = objective(Booster)
        identities = [
            replace(own, stopping=EarlyStopping(*each)).identity() for each in [(5, 0.2), (6, 0.2)]
        ]

        assert identities[0] == own.identity()
        assert identities[1] != identities[0]
        assert "early_stopping" not in super(StoppedObjective, own).identity()


class TestSearch:
    @pytest.mark.parametrize(
        ("columns", "splitter", "is_ordered"),
        [
            ({"day": "time"}, "auto", True),
            ({"day": "time"}, "shuffled", False),
            ({}, "auto", False),
        ],
    )
    def test_rows_are_carved_as_the_search_divides_them(self, columns, splitter, is_ordered):
        search = spec(layout=Layout(columns=columns), splitter=Part(splitter))
        made = search.make_objective()

        assert (type(made), made.stopping, made.is_ordered) == (
            *(StoppedObjective, STOPPING),
            is_ordered,
        )
        assert type(replace(search, early_stopping=None).make_objective()) is EstimatorObjective

    def test_another_objective_stops_by_itself(self):
        with pytest.raises(InputError, match="early_stopping is for estimators") as refusal:
            spec(steps=(), objective=Part("function", {"function": "math:hypot"}))
        assert refusal.value.field == ("early_stopping",)


def spec(**changes):
    known = {"steps": (Step(path_of(Booster)),), "early_stopping": STOPPING, **changes}
    axes = (Axis("depth", symbol="D", type="int"),)
    return SearchSpec(name="boosted", home=Path(), data_file="rows.csv", axes=axes, **known)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The argument 'eval_set' is deprecated")
def test_lightgbm_does_what_a_loop_by_hand_does(rows):
    lightgbm = pytest.importorskip("lightgbm")
    settings = {"n_estimators": 200, "min_child_samples": 5, "verbose": -1, "n_jobs": 1}
    recipe = Recipe((Step("lightgbm.LGBMClassifier", settings),), seed=0)
    own = StoppedObjective(recipe, "accuracy", "classification", stopping=STOPPING)

    training = train(own, {"num_leaves": 4}, rows)
    scores = evaluate(own, training.model, {"num_leaves": 4}, rows).fold_scores

    best, expected = [], []
    for fit, validated in rows.folds:
        carved = STOPPING.carve(rows.target[fit], RowRoles(), 0, is_ordered=False, has_classes=True)
        fitted, evaluation = (fit[part] for part in carved)
        model = lightgbm.LGBMClassifier(**settings, num_leaves=4, random_state=0)
        model.fit(
            rows.features[fitted],
            rows.target[fitted],
            eval_set=[(rows.features[evaluation], rows.target[evaluation])],
            callbacks=[lightgbm.early_stopping(5, verbose=False)],
        )
        best.append(model.best_iteration_)
        expected.append(model.score(rows.features[validated], rows.target[validated]))
    assert max(best) < 200
    assert training.iterations == np.median(best)
    assert list(scores) == expected
    settings["n_estimators"] = int(np.median(best))
    model = lightgbm.LGBMClassifier(**settings, num_leaves=4, random_state=0)
    model.fit(rows.features, rows.target)
    assert training.model.booster_.model_to_string() == model.booster_.model_to_string()
