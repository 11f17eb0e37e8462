"""Predictions that are kept with a score: what was scored, stored compactly, read when needed."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedKFold

from iris_hpo.data.split import Examples
from iris_hpo.engines import Done, Limits, make_engine
from iris_hpo.errors import CandidateError
from iris_hpo.parts import Part
from iris_hpo.store.cards import read_card
from iris_hpo.store.objects import open_store
from iris_hpo.training import stored_predictions, svm_folds
from iris_hpo.training.cards import Conditions, ScoreCard, score_name
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import Evaluation, evaluate, train
from iris_hpo.training.fitting import predict, replayed_score
from iris_hpo.training.named_objective import NamedObjective
from iris_hpo.training.predictions import (
    Outputs,
    Predictions,
    check_labels,
    check_predictions,
)
from iris_hpo.training.stored_predictions import StoredPredictions, decode, encode
from iris_hpo.training.trial import Trial, TrialWork

SVM = Recipe((Step("sklearn.svm.SVC"),))
LOGISTIC = Recipe((Step("sklearn.linear_model.LogisticRegression"),))
FOREST = Recipe((Step("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 5}),))


class Unsure(ClassifierMixin, BaseEstimator):
    """Predicts a label that no row has, where it is unsure."""

    def fit(self, X, y):  # noqa: ARG002, N803
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):  # noqa: N803
        return np.where(X[:, 0] > 0, self.classes_[0], "unsure")


class Reuses(Unsure):
    """Predicts into the same array each time."""

    labels = np.zeros(1000, dtype=int)

    def predict(self, X):  # noqa: N803
        self.labels[: len(X)] = X[:, 0] > 0
        return self.labels[: len(X)]


class NoClassifier:
    """Has probabilities, and does not name its classes."""

    def __init__(self, share=0.5):
        self.share = share

    def get_params(self, deep=True):  # noqa: ARG002, FBT002
        return {"share": self.share}

    def set_params(self, **parameters):
        vars(self).update(parameters)
        return self

    def __sklearn_tags__(self):
        return BaseEstimator().__sklearn_tags__()

    def fit(self, X, y):  # noqa: ARG002, N803
        self.first_ = y[0]
        return self

    def predict(self, X):  # noqa: N803
        return np.repeat(self.first_, len(X))

    def predict_proba(self, X):  # noqa: N803
        return np.tile([self.share, 1 - self.share], (len(X), 1))


def examples_of(labels, rows=60):
    features, numbers = make_classification(
        rows, 4, n_informative=3, n_redundant=0, n_classes=len(labels), flip_y=0.2, random_state=1
    )
    target = np.array(labels)[numbers]
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    train_rows, train_target = features[:-16], target[:-16]
    return Examples(
        train_rows,
        train_target,
        features[-16:],
        target[-16:],
        tuple(folds.split(train_rows, train_target)),
    )


def evaluated(recipe, scoring, examples, parameters=None):
    objective = EstimatorObjective(recipe, scoring, "classification")
    model = train(objective, parameters or {}, examples).model
    return evaluate(objective, model, parameters or {}, examples)


def replayed(scoring, examples, predictions):
    """The score on the test rows and on each fold."""
    targets = [examples.target[rows] for _, rows in examples.folds]
    outputs = predictions.fold_outputs or [None] * len(targets)
    return (
        replayed_score(scoring, examples.test_target, predictions.test, predictions.test_outputs),
        *map(replayed_score, [scoring] * len(targets), targets, predictions.folds, outputs),
    )


@pytest.mark.parametrize("recipe", [LOGISTIC, FOREST], ids=["LogisticRegression", "forest"])
@pytest.mark.parametrize(
    ("scoring", "labels", "method"),
    [
        ("accuracy", ["no", "yes"], None),
        ("f1", ["0.0", "1.0"], None),
        ("f1_weighted", [2, 5, 9], None),
        ("matthews_corrcoef", ["a", "b", "c"], None),
        ("roc_auc", ["no", "yes"], {"decision_function", "predict_proba"}),
        ("roc_auc", ["False", "True"], {"decision_function", "predict_proba"}),
        ("average_precision", [1, 2], {"decision_function", "predict_proba"}),
        ("neg_brier_score", ["1.0", "2.0"], {"predict_proba"}),
        ("neg_log_loss", ["a", "b", "c"], {"predict_proba"}),
        ("roc_auc_ovr", [2, 5, 9], {"predict_proba"}),
        ("top_k_accuracy", ["a", "b", "c"], {"decision_function", "predict_proba"}),
    ],
)
def test_stored_predictions_give_every_score_again(recipe, scoring, labels, method):
    examples = examples_of(labels)

    evaluation = evaluated(recipe, scoring, examples)
    stored = decode(encode(evaluation.predictions))

    assert stored == evaluation.predictions
    assert replayed(scoring, examples, stored) == (evaluation.score, *evaluation.fold_scores)
    outputs = [] if stored.test_outputs is None else [stored.test_outputs, *stored.fold_outputs]
    assert len(outputs) == (0 if method is None else 4)
    assert all(len(output.values) == 1 and {*output.values} <= method for output in outputs)


def test_predictions_are_those_of_each_folds_model(iris_examples, monkeypatch):
    """On rows, on a shared kernel, and where a larger C skips the fits."""
    parameters = [{"C": 8.0 * 10**power, "gamma": 0.25} for power in range(6)]
    features, target = iris_examples.features, iris_examples.target
    expected = [
        [
            SVM.build(each).fit(features[rows], target[rows]).predict(features[others]).tolist()
            for rows, others in iris_examples.folds
        ]
        for each in parameters
    ]

    for numbers in (svm_folds.SHARED_NUMBERS, 0):
        monkeypatch.setattr(svm_folds, "SHARED_NUMBERS", numbers)
        objective = EstimatorObjective(SVM, "accuracy", "classification")
        for each, folds in zip(parameters, expected, strict=True):
            model = train(objective, each, iris_examples).model
            found = evaluate(objective, model, each, iris_examples).predictions
            assert [column.tolist() for column in found.folds] == folds
            assert found.test.tolist() == model.predict(iris_examples.test_features).tolist()


def test_a_label_that_no_row_has_is_kept():
    recipe = Recipe((Step(f"{__name__}.Unsure"),))
    examples = examples_of(["no", "yes"])

    evaluation = evaluated(recipe, "accuracy", examples)
    stored = decode(encode(evaluation.predictions))

    assert set(stored.test.tolist()) == {"no", "unsure"}
    assert replayed("accuracy", examples, stored) == (evaluation.score, *evaluation.fold_scores)


def test_what_cannot_be_replayed_is_not_kept():
    recipe = Recipe((Step(f"{__name__}.NoClassifier"),))

    evaluation = evaluated(recipe, "neg_log_loss", examples_of(["no", "yes"]))

    assert len(evaluation.fold_scores) == 3
    assert evaluation.predictions is None


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(np.array(["b", "a", "ü\n"]), id="texts"),
        pytest.param(np.array([-1, 2**40, 3]), id="whole numbers"),
        pytest.param(np.array([True, False, True]), id="truth values"),
        pytest.param(np.array([0.1, -0.0, 1e-320]), id="numbers"),
        pytest.param(np.array([0.1, 2, 3], dtype=np.float32), id="single precision"),
        pytest.param(np.array([f"class {n}" for n in range(300)]), id="more than 256 classes"),
        pytest.param(np.arange(70_000) // 2, id="more than 65,536 codes are not needed"),
    ],
)
def test_predictions_are_read_back_exactly(column):
    given = Predictions((column[:2], column), column[1:])

    read = decode(encode(given))

    assert read == given
    kinds = {(part.dtype.kind, part.dtype.itemsize) for part in (*read.folds, read.test)}
    assert kinds == {(column.dtype.kind, column.dtype.itemsize)}
    if column.dtype.kind == "f":
        assert [part.tobytes() for part in read.folds] == [part.tobytes() for part in given.folds]


def test_the_text_is_short(iris_examples):
    labels = encode(evaluated(SVM, "accuracy", iris_examples).predictions)
    numbers = Predictions((np.random.default_rng(0).normal(size=1000),), np.ones(2))

    assert len(labels) < 300  # 150 predictions of three names
    assert len(encode(numbers)) < 8 * 1000 * 1.4


@pytest.mark.parametrize(
    "predictions",
    [
        pytest.param(Predictions((np.array(["a"]),), np.array([1])), id="of two kinds"),
        pytest.param(
            Predictions((), np.random.default_rng(0).normal(size=40_000)), id="too large a text"
        ),
        pytest.param(Predictions((), np.zeros(600_000)), id="too large at all"),
    ],
)
def test_what_cannot_be_stored_compactly_is_not(predictions):
    assert encode(predictions) is None


CARD = ScoreCard(
    key="k",
    parameters={},
    fingerprint="f",
    convergence_warnings=0,
    seconds=0.1,
    run_id="r",
    model_version="m",
    split_version="s",
    parameters_version="p",
    scoring="accuracy",
    score=0.5,
    metrics={},
    correct=1,
    total=2,
    interval=None,
    fold_scores=[1.0],
)
KEPT = Predictions((np.array(["a"]),), np.array(["a", "b"]))


def test_a_card_without_predictions_is_what_it_was():
    assert "predictions" not in json.loads(CARD.to_bytes())
    assert CARD.version == ("425a99f8b8ccd4ea55930415aada5f9efbb3ef884dd2efc67805075fb6a3428a")
    assert CARD.evaluation.predictions is None


def test_the_version_of_a_card_covers_its_predictions():
    first, second = (
        replace(CARD, predictions=encode(Predictions(KEPT.folds, np.array(["a", label]))))
        for label in "ab"
    )

    assert len({CARD.version, first.version, second.version}) == 3


def test_predictions_are_decoded_when_they_are_used(tmp_path, monkeypatch):
    decoded = []
    monkeypatch.setattr(
        stored_predictions, "decode", lambda text: (decoded.append(text), decode(text))[1]
    )
    stored_predictions._decoded.cache_clear()
    store = open_store(str(tmp_path))
    store.write("card.json", replace(CARD, predictions=encode(KEPT)).to_bytes())

    predictions = read_card(store, "card.json", ScoreCard).evaluation.predictions
    before = len(decoded)

    assert predictions == KEPT
    assert predictions.fold_outputs == ()
    assert predictions.test_outputs is None
    assert (before, len(decoded)) == (0, 1)
    assert not hasattr(predictions, "other")
    assert vars(predictions).keys() == {"text"}, "what was decoded is not kept"


@pytest.mark.slow
def test_serial_and_worker_processes_store_the_same_bytes(iris_examples, tmp_path):
    objective = EstimatorObjective(FOREST, "neg_log_loss", "classification")
    trials = [Trial(f"N{depth}", {"max_depth": depth}) for depth in (1, 2)]
    contents = []
    for name in ("serial", "loky"):
        (tmp_path / name).mkdir()
        work = TrialWork(
            str(tmp_path / name), Conditions(objective, "t", "s", "p"), iris_examples, "run"
        )
        engine = make_engine(name, 2 if name == "loky" else 0)
        outcomes = engine.map(_Unprepared(work), trials, Limits(retries=0))
        assert all(isinstance(one, Done) for together in outcomes for one in together)
        store = open_store(str(tmp_path / name))
        contents.append(
            [read_card(store, score_name(trial.key), ScoreCard).predictions for trial in trials]
        )

    assert contents[0] == contents[1]
    assert None not in contents[0]


class _Unprepared:
    """The work without what prepares a worker: there is no card of a split."""

    def __init__(self, work):
        self.work = work

    def __call__(self, trial):
        return self.work(trial)


def given(**changes):
    examples = examples_of(["no", "yes"])
    folds = tuple(examples.target[rows] for _, rows in examples.folds)
    sound = {"folds": folds, "test": examples.test_target}
    return examples, Predictions(**{**sound, **changes})


def test_sound_predictions_become_arrays():
    examples, sound = given()
    lists = Predictions(tuple(column.tolist() for column in sound.folds), sound.test[:, None])

    checked = check_predictions(lists, examples)

    assert checked == sound
    check_labels(checked, examples)


OUTPUTS = Outputs(np.array(["no", "yes"]), {"predict_proba": np.ones((16, 2))})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folds": ()}, "predictions for 0 folds of 3"),
        ({"test": np.array(["no"])}, r"predictions of shape \(1,\) for the 16 rows of the test"),
        (
            {"test": np.ones(16)},
            "it predicts 1.0 for a row of the test, where targets are such as 'yes",
        ),
        ({"test_outputs": OUTPUTS}, "probabilities or decision values of folds are missing"),
        ({"fold_outputs": (OUTPUTS,)}, "decision values of the test rows are missing"),
    ],
)
def test_predictions_of_other_rows_are_refused(changes, message):
    examples, predictions = given(**changes)

    with pytest.raises(ValueError, match=message):
        check_predictions(predictions, examples)


def test_numbers_that_are_not_finite_are_refused():
    rows = np.zeros((4, 1))
    examples = Examples(rows, np.arange(4.0), rows, np.arange(4.0), ())

    with pytest.raises(ValueError, match="not all predictions for the rows of the test are finite"):
        check_predictions(Predictions((), np.array([1, 2, np.nan, 3])), examples)
    with pytest.raises(TypeError, match="predictions are a list; give Predictions or None"):
        check_predictions([1, 2], examples)


def test_a_label_that_is_no_class_is_refused_of_an_objective():
    examples, predictions = given(test=np.repeat("maybe", 16))

    with pytest.raises(ValueError, match="it predicts 'maybe', which is no class of the rows"):
        check_labels(check_predictions(predictions, examples), examples)


class Guesses:
    """Gives the predictions that it is made with."""

    task = "classification"
    scoring = "hits"

    def __init__(self, guess):
        self.guess = guess

    def identity(self):
        return {}

    def train(self, *_):
        return 1

    def score(self, model, parameters, examples):  # noqa: ARG002
        folds = tuple([self.guess] * len(rows) for _, rows in examples.folds)
        return Evaluation(0.5, predictions=Predictions(folds, np.repeat(self.guess, 16)))


def test_predictions_of_an_objective_are_checked():
    examples = examples_of(["no", "yes"])
    objectives = [NamedObjective(Part(f"{__name__}.Guesses", {"guess": g})) for g in ("no", 1)]

    kept = evaluate(objectives[0], 1, {}, examples).predictions

    assert kept.folds[0].tolist() == ["no"] * len(examples.folds[0][1])
    with pytest.raises(CandidateError, match=r"^scoring failed: ValueError: it predicts 1 "):
        evaluate(objectives[1], 1, {}, examples)


def test_an_evaluation_is_equal_to_another_with_the_same_predictions():
    assert Evaluation(0.5, predictions=KEPT) == Evaluation(0.5, predictions=decode(encode(KEPT)))
    assert Evaluation(0.5, predictions=KEPT) != Evaluation(0.5)
    assert StoredPredictions(encode(KEPT)) == KEPT


def test_predictions_stay_when_the_estimator_predicts_again():
    target = np.array([0, 1, 0])
    model = Reuses().fit(np.zeros((3, 1)), target)

    first = predict(model, np.array([[1.0], [1.0], [1.0]]), target)
    predict(model, np.array([[-1.0], [-1.0], [-1.0]]), target)

    assert first.tolist() == [1, 1, 1]
