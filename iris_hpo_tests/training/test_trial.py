"""What a worker does: train once, trust only what was recorded, and unpickle nothing else."""

import pickle
import subprocess
from dataclasses import replace
from pathlib import Path
from platform import python_version

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from iris_hpo.errors import CandidateError
from iris_hpo.store.cards import read_card
from iris_hpo.store.digests import StoreWriteError, digest_of
from iris_hpo.store.objects import open_store
from iris_hpo.training.cards import (
    Conditions,
    ModelCard,
    load_model,
    model_card_name,
    model_name,
    score_name,
)
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.trial import Trial, TrialWork

KEY = "C2.0_G0.25"
SVM = Step("sklearn.svm.SVC")
RECIPE = Recipe((replace(SVM, settings={"kernel": "rbf"}),))
LINEAR = Recipe((replace(SVM, settings={"kernel": "linear"}),))
OBJECTIVE = EstimatorObjective(RECIPE, "accuracy", "classification")
CONDITIONS = Conditions(
    objective=OBJECTIVE,
    training_digest="t" * 64,
    split_version="s" * 64,
    parameters_version="p" * 64,
)
TRIAL = Trial(KEY, {"C": 2.0, "gamma": 0.25})


class Loud(DecisionTreeClassifier):
    """Prints without end, through a process."""

    def fit(self, X, y):  # noqa: N803
        subprocess.run("yes loud | head -c 3000000", shell=True, check=True)
        return super().fit(X, y)


class Bomb:
    """A pickle that leaves a mark when it is loaded."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture(params=["path", "memory"])
def store(request, tmp_path):
    root = {
        "path": str(tmp_path / "artifacts"),
        "memory": f"memory://{tmp_path.name}/artifacts",
    }[request.param]
    store = open_store(str(root))
    store.write("split/split.json", b"{}")
    yield store
    store.delete("split/split.json")
    for name in (model_name(KEY), model_card_name(KEY), score_name(KEY)):
        store.delete(name)


@pytest.fixture
def work(store, iris_examples):
    """The first run's work."""
    return TrialWork(str(store.root), CONDITIONS, iris_examples, "run 1")


def recorded(result):
    """The trial as a later run sees it: the event log knows both versions."""
    return replace(TRIAL, model_version=result.model.version, score_version=result.score.version)


def under(work, **changes):
    return replace(work, conditions=replace(work.conditions, **changes), run_id="run 2")


def content_of(store):
    return {
        name: store.read(name) for name in (model_name(KEY), model_card_name(KEY), score_name(KEY))
    }


def test_a_first_trial_trains_and_scores(work, store, iris_examples):
    result = work(TRIAL)

    assert (result.model_reused, result.score_reused, result.score_failure) == (False, False, None)
    svm = RECIPE.build({"C": 2.0, "gamma": 0.25})
    svm.fit(iris_examples.features, iris_examples.target)
    model, score = result.model, result.score
    content = store.read(model_name(KEY))
    assert load_model(content).predict(iris_examples.test_features).tolist() == (
        svm.predict(iris_examples.test_features).tolist()
    )
    assert model == ModelCard(
        key=KEY,
        parameters={"C": 2.0, "gamma": 0.25},
        fingerprint=CONDITIONS.model_fingerprint(TRIAL.parameters),
        convergence_warnings=0,
        seconds=model.seconds,
        run_id="run 1",
        digest=digest_of(content),
        bytes=len(content),
        training_rows=120,
        training_digest="t" * 64,
        support_vectors=len(svm.support_),
        versions={"python": python_version(), **RECIPE.identity()["packages"]},
    )
    assert store.read(model_card_name(KEY)) == model.to_bytes()
    assert store.read(score_name(KEY)) == score.to_bytes()
    assert score.model_version == model.version
    assert (score.split_version, score.parameters_version) == ("s" * 64, "p" * 64)
    assert score.score == svm.score(iris_examples.test_features, iris_examples.test_target)
    assert (score.total, len(score.fold_scores)) == (30, 5)
    assert score.interval[0] < score.score < score.interval[1]


def test_what_a_class_of_the_user_prints_is_bounded(work, capfd):
    recipe = Recipe((Step(f"{__name__}.{Loud.__name__}"),))

    result = under(work, objective=replace(OBJECTIVE, recipe=recipe))(Trial(KEY, {}))

    assert result.score.score > 0.8
    printed = capfd.readouterr().out
    assert printed.startswith("loud\n")
    assert len(printed) < (1 << 20) + 100


def test_the_same_trial_is_reused_and_nothing_is_written(work, store):
    first = work(TRIAL)
    before = content_of(store)

    again = replace(work, run_id="run 2")(recorded(first))

    assert (again.model_reused, again.score_reused) == (True, True)
    assert (again.model, again.score) == (first.model, first.score)
    assert content_of(store) == before


def test_what_was_stored_but_not_recorded_is_made_anew(work):
    """Whoever can write files could have put it there, with a card that says the right things."""
    first = work(TRIAL)

    again = replace(work, run_id="run 2")(TRIAL)

    assert (again.model_reused, again.score_reused) == (False, False)
    assert again.model.version == first.model.version


@pytest.mark.parametrize(
    ("changes", "model_reused", "score_reused"),
    [
        ({}, True, True),
        ({"training_digest": "x" * 64}, False, False),
        ({"objective": replace(OBJECTIVE, recipe=LINEAR)}, False, False),
        ({"objective": replace(OBJECTIVE, recipe=Recipe((SVM,)))}, False, False),
        ({"objective": replace(OBJECTIVE, recipe=replace(RECIPE, seed=1))}, False, False),
        ({"objective": replace(OBJECTIVE, scoring="balanced_accuracy")}, True, False),
        ({"split_version": "x" * 64}, True, False),
        ({"parameters_version": "x" * 64}, True, False),
    ],
)
def test_what_decides_about_a_result_makes_it_anew(work, changes, model_reused, score_reused):
    first = work(TRIAL)

    again = under(work, **changes)(recorded(first))

    assert (again.model_reused, again.score_reused) == (model_reused, score_reused)
    assert again.model.run_id == ("run 1" if model_reused else "run 2")
    assert again.score.run_id == ("run 1" if score_reused else "run 2")


def test_other_parameters_under_the_same_key_are_trained_anew(work):
    first = work(TRIAL)

    again = replace(work, run_id="run 2")(
        replace(recorded(first), parameters={"C": 3.0, "gamma": 0.25})
    )

    assert (again.model_reused, again.score_reused) == (False, False)


def test_force_makes_everything_anew(work):
    first = work(TRIAL)
    forced = replace(work, run_id="run 2", force=True)

    again = forced(recorded(first))

    assert (again.model_reused, again.score_reused) == (False, False)
    assert (again.model.run_id, again.score.run_id) == ("run 2", "run 2")
    assert again.model.version == first.model.version


def test_a_model_that_is_not_the_recorded_one_is_trained_anew(work):
    first = work(TRIAL)

    again = replace(work, run_id="run 2")(replace(recorded(first), model_version="0" * 64))

    assert again.model_reused is False
    assert again.model.version == first.model.version
    assert again.score_reused is True  # the model came out the same


def test_a_score_that_is_not_the_recorded_one_is_made_anew(work):
    first = work(TRIAL)

    again = replace(work, run_id="run 2")(replace(recorded(first), score_version="0" * 64))

    assert (again.model_reused, again.score_reused) == (True, False)
    assert again.score.version == first.score.version


@pytest.mark.parametrize("name", [model_name(KEY), model_card_name(KEY)])
@pytest.mark.parametrize(
    "damage",
    [
        None,
        lambda content: content[:0],
        lambda content: content[:-3],
        lambda content: b"x" + content,
        lambda content: content.replace(b"C", b"D"),
    ],
    ids=["missing", "empty", "truncated", "shifted", "changed"],
)
def test_a_damaged_model_is_trained_anew(work, store, name, damage):
    first = work(TRIAL)
    if damage is None:
        store.delete(name)
    else:
        store.write(name, damage(store.read(name)))

    again = replace(work, run_id="run 2")(recorded(first))

    assert again.model_reused is False
    assert again.model.version == first.model.version
    assert digest_of(store.read(model_name(KEY))) == again.model.digest
    assert read_card(store, model_card_name(KEY), ModelCard) == again.model


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"score": NaN}'])
def test_a_damaged_score_is_made_anew(work, store, content):
    first = work(TRIAL)
    if content is None:
        store.delete(score_name(KEY))
    else:
        store.write(score_name(KEY), content)

    again = replace(work, run_id="run 2")(recorded(first))

    assert (again.model_reused, again.score_reused) == (True, False)
    assert again.score.version == first.score.version


def test_a_number_in_a_card_that_equals_nothing_is_damage(work, store):
    first = work(TRIAL)
    score = f'"score": {first.score.score!r}'.encode()
    assert score in store.read(score_name(KEY))
    store.write(score_name(KEY), store.read(score_name(KEY)).replace(score, b'"score": NaN'))

    again = replace(work, run_id="run 2")(recorded(first))

    assert again.score_reused is False
    assert again.score.version == first.score.version


def test_a_run_may_only_train(work, store):
    result = replace(work, scores=False)(TRIAL)

    assert result.model.key == KEY
    assert (result.score, result.score_reused, result.score_failure) == (None, False, None)
    assert not store.exists(score_name(KEY))


def test_a_run_may_only_score(work, store):
    model = replace(work, scores=False)(TRIAL).model
    before = store.read(model_name(KEY))

    result = replace(work, trains=False, run_id="run 2")(
        replace(TRIAL, model_version=model.version)
    )

    assert result.model is None
    assert result.score_reused is False
    assert result.score.model_version == model.version
    assert store.read(model_name(KEY)) == before
    assert read_card(store, model_card_name(KEY), ModelCard) == model


def test_scoring_gives_the_same_whether_the_model_was_just_trained_or_loaded(work):
    first = work(TRIAL)

    later = replace(work, trains=False, run_id="run 2", force=True)(recorded(first))

    assert later.score_reused is False
    assert later.score.version == first.score.version


def scoring_refusal(work, trial, **changes):
    with pytest.raises(CandidateError) as refusal:
        replace(under(work, **changes), trains=False)(trial)
    return str(refusal.value)


def test_scoring_needs_a_recorded_model(work):
    work(TRIAL)

    assert scoring_refusal(work, TRIAL) == "it has no model yet; materialise models first"


@pytest.mark.parametrize("name", [model_name(KEY), model_card_name(KEY)])
def test_scoring_refuses_a_model_that_is_missing(work, store, name):
    first = work(TRIAL)
    store.delete(name)

    assert scoring_refusal(work, recorded(first)) == (
        f"{store.root / name} is missing; run the search again"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"training_digest": "x" * 64},
        {"objective": replace(OBJECTIVE, recipe=LINEAR)},
    ],
    ids=["data", "settings"],
)
def test_scoring_refuses_a_model_of_other_data_or_settings(work, changes):
    first = work(TRIAL)

    assert scoring_refusal(work, recorded(first), **changes) == (
        "its model was trained on other data, settings or versions; materialise models again"
    )


@pytest.fixture
def bomb(tmp_path):
    """A pickle, and the file that appears if somebody loads it."""
    mark = tmp_path / "exploded"
    content = pickle.dumps(Bomb(mark))
    load_model(content)
    assert mark.exists(), "the bomb must be live, or these tests show nothing"
    mark.unlink()
    return content, mark


def test_scoring_never_unpickles_what_was_not_recorded(work, store, bomb):
    content, mark = bomb
    first = work(TRIAL)
    store.write(model_name(KEY), content)

    reason = scoring_refusal(work, recorded(first), split_version="x" * 64)

    assert reason == (
        f"{store.root / model_name(KEY)} is not the file that was recorded "
        f"(sha256 {digest_of(content)[:12]}, recorded {first.model.digest[:12]}): "
        "it was changed or replaced; run the search again"
    )
    assert not mark.exists()


def test_scoring_never_unpickles_what_only_a_forged_card_vouches_for(work, store, bomb):
    content, mark = bomb
    first = work(TRIAL)
    forged = replace(first.model, digest=digest_of(content), bytes=len(content))
    store.write(model_name(KEY), content)
    store.write(model_card_name(KEY), forged.to_bytes())

    reason = scoring_refusal(work, recorded(first), split_version="x" * 64)

    assert reason.startswith(f"{store.root / model_card_name(KEY)} is not what was recorded")
    assert not mark.exists()


@pytest.mark.parametrize("forges_card", [False, True])
def test_training_replaces_what_was_not_recorded_and_never_unpickles_it(
    work, store, bomb, forges_card
):
    content, mark = bomb
    first = work(TRIAL)
    store.write(model_name(KEY), content)
    if forges_card:
        forged = replace(first.model, digest=digest_of(content), bytes=len(content))
        store.write(model_card_name(KEY), forged.to_bytes())

    again = under(work, split_version="x" * 64)(recorded(first))

    assert again.model_reused is False
    assert digest_of(store.read(model_name(KEY))) == first.model.digest
    assert not mark.exists()


@pytest.mark.parametrize("run_id", ["run 1", "run 2"])
@pytest.mark.parametrize("forges_score", [False, True])
def test_a_planted_model_is_never_unpickled_and_its_score_is_not_believed(
    work, store, bomb, run_id, forges_score
):
    """Nothing is recorded yet; the cards say all that they should, and name the run."""
    content, mark = bomb
    first = work(TRIAL)
    planted = replace(first.model, digest=digest_of(content), bytes=len(content))
    store.write(model_name(KEY), content)
    store.write(model_card_name(KEY), planted.to_bytes())
    if forges_score:
        wanted = work.conditions.score_fingerprint(planted.version)
        forged = replace(first.score, score=1.0, model_version=planted.version, fingerprint=wanted)
        store.write(score_name(KEY), forged.to_bytes())

    again = replace(work, run_id=run_id)(TRIAL)

    assert not mark.exists()
    assert (again.model.version, again.score.version) == (first.model.version, first.score.version)


def test_a_candidate_that_cannot_be_trained_leaves_nothing(work, store):
    with pytest.raises(CandidateError, match=r"^fitting failed: InvalidParameterError: "):
        work(Trial(KEY, {"C": -1.0, "gamma": 0.25}))

    assert not store.exists(model_name(KEY))
    assert not store.exists(model_card_name(KEY))


def test_artifacts_that_were_moved_are_not_begun_again(iris_examples, tmp_path):
    folder = tmp_path / "artifacts"
    work = TrialWork(str(folder), CONDITIONS, iris_examples, "run 1")

    with pytest.raises(StoreWriteError, match=f"{folder} was removed or moved while the run"):
        work(TRIAL)

    assert not folder.exists()


def test_a_candidate_that_cannot_be_scored_keeps_its_model(work, store, iris_examples):
    one_class = np.flatnonzero(iris_examples.target == "Iris-setosa")
    folds = ((one_class, iris_examples.folds[0][1]),)

    result = replace(work, examples=replace(iris_examples, folds=folds))(TRIAL)

    assert result.score is None
    assert result.score_failure == (
        "fitting failed: ValueError: The number of classes has to be greater than one; got 1 class"
    )
    assert result.model == read_card(store, model_card_name(KEY), ModelCard)
    assert not store.exists(score_name(KEY))


def test_work_is_the_same_after_it_was_sent(work):
    sent = pickle.loads(pickle.dumps(work))

    assert sent(TRIAL).model.version == work(TRIAL).model.version
    assert sent.conditions == work.conditions
