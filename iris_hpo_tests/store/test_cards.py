"""Cards: read back exactly, with a version that covers what was made and not when."""

import json
from dataclasses import asdict, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.svm import SVC

from iris_hpo.data.split import SplitCard
from iris_hpo.samplers.parameter_list import ParametersCard
from iris_hpo.selection.champion import ChampionCard
from iris_hpo.store.cards import fingerprint, read_card, read_recorded_card
from iris_hpo.store.digests import digest_of
from iris_hpo.store.objects import open_store
from iris_hpo.training.cards import (
    ModelCard,
    ScoreCard,
    dump_model,
    load_model,
    model_card_name,
    model_name,
    score_name,
)
from iris_hpo.training.evaluation import Evaluation

MODEL = ModelCard(
    key="C0.5_G0.25",
    parameters={"C": 0.5, "gamma": 0.25},
    fingerprint="f" * 64,
    convergence_warnings=0,
    seconds=0.1 + 0.2,
    run_id="one",
    digest="d" * 64,
    bytes=1234,
    training_rows=120,
    training_digest="t" * 64,
    support_vectors=None,
    versions={"python": "3.11.7", "scikit-learn": "1.9.1"},
)


SCORE = ScoreCard(
    key="C0.5_G0.25",
    parameters={"C": 0.5, "gamma": 0.25},
    fingerprint="f" * 64,
    convergence_warnings=2,
    seconds=0.1,
    run_id="one",
    model_version="m" * 64,
    split_version="s" * 64,
    parameters_version="p" * 64,
    scoring="accuracy",
    score=29 / 30,
    metrics={"accuracy": 29 / 30, "macro_f1": 0.9},
    correct=29,
    total=30,
    interval=[0.83, 0.99],
    fold_scores=[0.9, 1 / 3],
)


SPLIT = SplitCard(
    data_digest="d" * 64,
    test_size=0.2,
    seed=0,
    folds=5,
    stratify=True,
    train_rows=120,
    test_rows=30,
    train_digest="a" * 64,
    test_digest="b" * 64,
    feature_names=["x", "y"],
    target_name="kind",
)


PARAMETERS = ParametersCard(
    axes=[{"name": "C", "symbol": "C"}], recipe={"seed": 0}, choices={}, scoring="accuracy"
)


CHAMPION = ChampionCard(
    key="C0.5_G0.25",
    parameters={"C": 0.5},
    digest="d" * 64,
    model_version="m" * 64,
    rule="cv",
    scoring="accuracy",
    score=0.9,
    interval=None,
    cv_mean=None,
    tied=1,
    leaderboard_digest="l" * 64,
    edges=[["C", "lowest"]],
    feature_names=["x"],
    target_name="kind",
    versions={},
)


CARDS = [MODEL, SCORE, SPLIT, PARAMETERS, CHAMPION]


def test_the_names_of_files_are_the_public_ones():
    assert model_name("C0.5_G0.25") == "models/model_C0.5_G0.25.pkl"
    assert model_card_name("C0.5_G0.25") == "models/model_C0.5_G0.25.json"
    assert score_name("C0.5_G0.25") == "scores/C0.5_G0.25.json"


@pytest.mark.parametrize("card", CARDS, ids=lambda card: type(card).__name__)
def test_a_card_is_read_back_exactly(tmp_path, card):
    store = open_store(str(tmp_path))
    store.write("card.json", card.to_bytes())

    found = read_card(store, "card.json", type(card))

    assert found == card
    assert found.to_bytes() == card.to_bytes()
    assert read_recorded_card(store, "card.json", type(card), card.version) == card


def test_a_card_is_json_for_people_too():
    content = SPLIT.to_bytes().decode()

    assert json.loads(content) == {
        name: value for name, value in asdict(SPLIT).items() if value is not None
    }
    assert content.startswith('{\n "data_digest": "dddd')
    assert content.endswith("\n}\n")


@pytest.mark.parametrize("card", CARDS, ids=lambda card: type(card).__name__)
def test_the_version_covers_every_field_but_time_and_run(card):
    for field in fields(card):
        changed = replace(card, **{field.name: "other"})

        same = changed.version == card.version
        assert same is (field.name in ("seconds", "run_id")), field.name


def test_the_version_does_not_depend_on_the_order_of_names():
    turned = replace(MODEL, parameters={"gamma": 0.25, "C": 0.5})

    assert turned.version == MODEL.version
    assert turned.to_bytes() == MODEL.to_bytes()


def test_a_score_card_gives_the_evaluation_back():
    assert SCORE.evaluation == Evaluation(
        score=29 / 30,
        metrics={"accuracy": 29 / 30, "macro_f1": 0.9},
        correct=29,
        total=30,
        interval=(0.83, 0.99),
        fold_scores=(0.9, 1 / 3),
        seconds=0.1,
        convergence_warnings=2,
    )
    assert replace(SCORE, interval=None).evaluation.interval is None


def test_a_digest_is_sha256():
    assert digest_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_fingerprint_is_sha256_over_named_parts():
    assert fingerprint(b=[1.0, None], a="é") == digest_of(rb'{"a":"\u00e9","b":[1.0,null]}')


TEXTS = st.text(max_size=4)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@given(JSON, JSON)
def test_fingerprints_differ_where_parts_do(one, two):
    same = json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)

    assert (fingerprint(part=one) == fingerprint(part=two)) is same
    assert fingerprint(part=one) != fingerprint(other=one)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_fingerprint_of_nan_is_refused(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        fingerprint(part=number)


def test_a_model_predicts_the_same_after_the_store(tmp_path, iris_examples):
    store = open_store(str(tmp_path))
    svm = SVC(C=2.0, gamma=0.25).fit(iris_examples.features, iris_examples.target)

    store.write("model.pkl", dump_model(svm))
    loaded = load_model(store.read("model.pkl"))

    assert loaded.get_params() == svm.get_params()
    assert loaded.predict(iris_examples.test_features).tolist() == (
        svm.predict(iris_examples.test_features).tolist()
    )


def test_the_same_model_is_the_same_bytes(iris_examples):
    one, two = (
        dump_model(SVC(C=2.0, gamma=0.25).fit(iris_examples.features, iris_examples.target))
        for _ in range(2)
    )

    assert one == two
