"""What a search asks of an objective, and what becomes of one that fails."""

import math
import pickle
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pytest

from iris_hpo.errors import CandidateError, InputError
from iris_hpo.parts import Part
from iris_hpo.store.objects import open_store
from iris_hpo.training import OBJECTIVES
from iris_hpo.training.cards import Conditions, load_model, model_name, score_name
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.evaluation import Evaluation, evaluate, train
from iris_hpo.training.metrics import wilson_interval
from iris_hpo.training.named_objective import NamedObjective
from iris_hpo.training.trial import Trial, TrialWork


class Majority:
    """Predicts the class that most rows have, or another one."""

    task = "classification"
    scoring = "hits"

    def __init__(self, places=3):
        self.places = places

    def identity(self):
        return {"ties": "first"}

    def train(self, parameters, features, target):  # noqa: ARG002
        labels, counts = np.unique(target, return_counts=True)
        return str(labels[np.argsort(-counts, kind="stable")[parameters["rank"]]])

    def score(self, model, parameters, examples):  # noqa: ARG002
        hits = int(np.sum(examples.test_target == model))
        total = len(examples.test_target)
        folds = [np.mean(examples.target[rows] == model) for _, rows in examples.folds]
        return Evaluation(
            np.float64(hits / total), {"places": self.places}, hits, total, fold_scores=folds
        )


class Scores(Majority):
    """Gives whatever it is made with."""

    def __init__(self, given):
        super().__init__()
        self.given = given

    def score(self, *_):
        return self.given


class Spoils(Majority):
    """Changes all that it is given."""

    def train(self, parameters, features, target):
        model = super().train(parameters, features, target)
        parameters.clear()
        features[:] = 0
        target[:] = target[0]
        return model

    def score(self, model, parameters, examples):
        evaluation = super().score(model, parameters, examples)
        parameters.clear()
        for rows in (examples.features, examples.test_features):
            rows[:] = 0
        for rows in (examples.target, examples.test_target):
            rows[:] = rows[0]
        return evaluation


class Leaves(Majority):
    def train(self, *_):
        raise SystemExit("no licence")


class Raises(Majority):
    def score(self, *_):
        raise KeyError("hits")


class LearnsLambda(Majority):
    def train(self, *_):
        return lambda: None


class NoTask(Majority):
    task = "ranking"


class NoScoring(Majority):
    scoring = None


class TakenScoring(Majority):
    scoring = "cv_mean"


class NoIdentity(Majority):
    def identity(self):
        return {"device": object()}


class FailingIdentity(Majority):
    def identity(self):
        raise RuntimeError("no device")


class NoTraining:
    task = "classification"
    scoring = "hits"

    def identity(self):
        return {}

    def score(self, *_):
        return Evaluation(1.0)


def named(kind, **settings):
    return NamedObjective(Part(f"{__name__}.{kind.__name__}", settings))


def work_of(objective, folder, examples):
    conditions = Conditions(objective, "t" * 64, "s" * 64, "p" * 64)
    return TrialWork(str(folder), conditions, examples, "run 1")


TRIAL = Trial("R0", {"rank": 0})


def test_estimators_are_the_first_objective():
    assert {
        "estimator": f"{EstimatorObjective.__module__}.{EstimatorObjective.__name__}"
    } == OBJECTIVES


def test_a_candidate_is_trained_scored_and_reused(tmp_path, iris_examples):
    work = work_of(named(Majority), tmp_path, iris_examples)

    first = work(TRIAL)
    again = replace(work, run_id="run 2")(
        replace(TRIAL, model_version=first.model.version, score_version=first.score.version)
    )

    store = open_store(str(tmp_path))
    label = load_model(store.read(model_name("R0")))
    hits = int(np.sum(iris_examples.test_target == label))
    assert (again.model_reused, again.score_reused) == (True, True)
    assert (first.model.support_vectors, first.score.scoring) == (None, "hits")
    assert (first.score.score, first.score.metrics) == (hits / 30, {"places": 3.0})
    assert (first.score.correct, first.score.total) == (hits, 30)
    assert first.score.interval == list(wilson_interval(hits, 30))
    assert len(first.score.fold_scores) == 5
    assert first.score.seconds > 0
    assert store.read(score_name("R0")) == first.score.to_bytes()


def test_a_model_that_is_false_is_a_model(tmp_path, iris_examples):
    class_0 = replace(iris_examples, target=np.full(120, ""))

    result = work_of(named(Majority), tmp_path, class_0)(TRIAL)

    assert load_model(open_store(str(tmp_path)).read(model_name("R0"))) == ""
    assert result.score.score == 0.0


def test_the_identity_covers_name_settings_packages_and_code():
    identity = named(Majority, places=2).identity()

    assert identity["objective"] == f"{__name__}.Majority"
    assert identity["settings"] == {"places": 2}
    assert identity["identity"] == {"ties": "first"}
    assert identity["packages"]["numpy"] == version("numpy")
    assert __name__ in identity["code"]


def test_every_part_of_the_identity_decides_results(monkeypatch):
    def fingerprint(objective):
        conditions = Conditions(objective, "t", "s", "p")
        return conditions.model_fingerprint({"rank": 0})

    before = fingerprint(named(Majority))

    assert fingerprint(named(Majority)) == before
    assert fingerprint(named(Majority, places=2)) != before
    assert fingerprint(named(Spoils)) != before
    monkeypatch.setattr(Majority, "identity", lambda _: {"ties": "last"})
    assert fingerprint(named(Majority)) != before


def test_it_is_made_where_it_is_needed():
    """Only how to make it is sent, and the code of the process that plans."""
    objective = named(Majority, places=2)
    objective.load()

    sent = pickle.loads(pickle.dumps(objective))

    assert "_made" not in vars(sent)
    assert vars(sent)["code"] == objective.code
    assert (sent.task, sent.scoring, sent.identity()) == (
        "classification",
        "hits",
        objective.identity(),
    )


def test_what_it_changes_is_its_own(iris_examples):
    parameters = {"rank": 1}
    before = pickle.dumps((parameters, iris_examples.target, iris_examples.test_target))
    objective = named(Spoils)

    model = train(objective, parameters, iris_examples).model
    first = evaluate(objective, model, parameters, iris_examples)
    second = evaluate(objective, model, parameters, iris_examples)

    assert first.score == second.score
    assert iris_examples.features.any()
    assert pickle.dumps((parameters, iris_examples.target, iris_examples.test_target)) == before


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Leaves, "training failed: SystemExit: no licence"),
        (LearnsLambda, "storing the model failed: AttributeError: Can't pickle local object"),
    ],
)
def test_a_failure_to_train_is_the_candidates(tmp_path, iris_examples, kind, reason):
    with pytest.raises(CandidateError) as failure:
        work_of(named(kind), tmp_path, iris_examples)(TRIAL)

    assert str(failure.value).startswith(reason)
    assert not open_store(str(tmp_path)).exists(model_name("R0"))


def test_a_failure_to_score_is_the_candidates_and_keeps_the_model(tmp_path, iris_examples):
    result = work_of(named(Raises), tmp_path, iris_examples)(TRIAL)

    assert (result.score, result.score_failure) == (None, "scoring failed: KeyError: 'hits'")
    assert open_store(str(tmp_path)).exists(model_name("R0"))
    assert not open_store(str(tmp_path)).exists(score_name("R0"))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "score gave None; it has to give an Evaluation"),
        (0.5, "score gave a float; it has to give an Evaluation"),
        (Evaluation(math.nan), "the score on the test rows is nan, which is no score"),
        (Evaluation(-math.inf), "the score on the test rows is -inf, which is no score"),
        (Evaluation(10**400), "the score on the test rows is inf, which is no score"),
        (Evaluation(None), "the score on the test rows is None, which is no number"),
        (Evaluation("0.5"), "the score on the test rows is a str, which is no number"),
        (Evaluation(True), "the score on the test rows is a bool, which is no number"),
        (Evaluation(1j), "the score on the test rows is a complex, which is no number"),
        (Evaluation(np.ones(1)), "the score on the test rows is a ndarray, which is no number"),
        (Evaluation(0.5, {"loss": math.nan}), "loss is nan, which is no score"),
        (Evaluation(0.5, {"rank": 1}), "a metric cannot be named 'rank'"),
        (Evaluation(0.5, {"sampler": 1}), "a metric cannot be named 'sampler', as another column"),
        (
            Evaluation(0.5, {"f1": 1, "cv_mean_f1": 1}, fold_metrics={"f1": (1.0,) * 5}),
            "a metric cannot be named 'cv_mean_f1', as the mean of 'f1' over the folds is",
        ),
        (Evaluation(0.5, {"param_C": 1}), "a metric cannot be named 'param_C'"),
        (Evaluation(0.5, {"": 1}), "'' is no name of a metric"),
        (Evaluation(0.5, {"a\nb": 1}), "is no name of a metric"),
        (Evaluation(0.5, fold_scores=(0.5,)), "score gave 1 fold score for 5 folds"),
        (Evaluation(0.5, fold_scores=(0.5, 0.5, math.nan, 1, 1)), "the score of fold 3 is nan"),
        (Evaluation(0.5, fold_scores=(0.5, -1e200, 1, 1, 1)), "the score of fold 2 is -1e+200; f"),
        (Evaluation(0.5, correct=3), "3 of None rows cannot be right"),
        (Evaluation(0.5, correct=3, total=2), "3 of 2 rows cannot be right"),
        (Evaluation(0.5, correct=0, total=0), "0 of 0 rows cannot be right"),
    ],
)
def test_what_is_no_score_is_the_candidates_failure(iris_examples, given, reason):
    with pytest.raises(CandidateError) as failure:
        evaluate(named(Scores, given=given), "", {}, iris_examples)

    assert reason in str(failure.value)


def test_a_score_alone_is_an_evaluation(iris_examples):
    found = evaluate(named(Scores, given=Evaluation(np.float32(0.5))), "", {}, iris_examples)

    assert type(found.score) is float
    assert (found.score, found.metrics, found.fold_scores, found.interval) == (0.5, {}, (), None)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Part("majority"), "objective 'majority' is unknown; choose one of estimator, or give"),
        (Part(f"{__name__}.Nothing"), "Nothing' cannot be imported"),
        (Part(f"{__name__}.NoTraining"), "a class with the method train is needed"),
        (Part(f"{__name__}.Majority", {"place": 2}), "refuses its settings"),
        (Part(f"{__name__}.NoTask"), "give it an attribute task that is classification or regr"),
        (Part(f"{__name__}.NoScoring"), "has no attribute scoring that names its score: None"),
        (Part(f"{__name__}.TakenScoring"), "a metric cannot be named 'cv_mean'"),
        (Part(f"{__name__}.NoIdentity"), "cannot be written as JSON: TypeError"),
        (Part(f"{__name__}.FailingIdentity"), "cannot be written as JSON: RuntimeError: no device"),
        (Part(f"{__name__}.Majority", {"places": {1, 2}}), "cannot be written as JSON"),
        (Part("estimator"), "an estimator is named in the field estimator, or in steps"),
    ],
)
def test_what_cannot_be_an_objective_is_refused(part, message):
    with pytest.raises(InputError) as refusal:
        NamedObjective(part).identity()

    assert message in str(refusal.value)
