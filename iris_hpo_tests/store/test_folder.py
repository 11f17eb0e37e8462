"""The store: files appear whole, names stay inside, and nothing is trusted without its digest."""

import json
import os
import resource
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import asdict, fields, replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.svm import SVC

from iris_hpo.data.split import SplitCard
from iris_hpo.processes import is_alive
from iris_hpo.samplers.parameter_list import ParametersCard
from iris_hpo.selection.champion import ChampionCard
from iris_hpo.store import folder as artifacts
from iris_hpo.store.cards import fingerprint, read_card, read_recorded_card
from iris_hpo.store.digests import ArtifactError, ArtifactMismatchError, StoreWriteError, digest_of
from iris_hpo.store.folder import read_verified
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
TEMPORARY = ".temporary"
USES = [
    lambda store, name: store.read(name),
    lambda store, name: store.delete(name),
    lambda store, name: store.write(name, b"x"),
]


@pytest.fixture(params=["path", "file URL", "memory", "s3"])
def store(request, tmp_path):
    """A store of each kind: plain paths, local URLs, in memory, and S3."""
    root = {
        "path": str(tmp_path / "artifacts"),
        "file URL": (tmp_path / "artifacts").as_uri(),
        "memory": f"memory://{uuid.uuid4().hex}/artifacts",
        "s3": f"s3://bucket/{uuid.uuid4().hex}",
    }[request.param]
    if request.param == "s3":
        request.getfixturevalue("s3")
    return open_store(root)


@pytest.fixture
def local(tmp_path):
    return open_store(str(tmp_path / "artifacts"))


def test_the_names_of_files_are_the_public_ones():
    assert model_name("C0.5_G0.25") == "models/model_C0.5_G0.25.pkl"
    assert model_card_name("C0.5_G0.25") == "models/model_C0.5_G0.25.json"
    assert score_name("C0.5_G0.25") == "scores/C0.5_G0.25.json"


def test_what_is_written_is_read_and_listed_until_it_is_deleted(store):
    assert not store.exists("models/b.pkl")
    assert store.list("models") == []

    store.write("models/b.pkl", b"first")
    store.write("models/b.pkl", b"second\0\xff")
    store.write("models/a.json", b"")

    assert store.exists("models/b.pkl")
    assert store.read("models/b.pkl") == b"second\0\xff"
    assert store.read("models/a.json") == b""
    assert store.list("models") == ["a.json", "b.pkl"]

    store.delete("models/b.pkl")
    store.delete("models/b.pkl")

    assert not store.exists("models/b.pkl")
    assert store.list("models") == ["a.json"]


def test_a_folder_is_no_file(store):
    store.write("models/a.json", b"")

    assert not store.exists("models")


def test_a_missing_file_is_named(store):
    with pytest.raises(ArtifactError) as refusal:
        store.read("models/none.pkl")

    assert str(refusal.value) == (
        f"{store.root / 'models/none.pkl'} is missing; run the search again"
    )
    assert type(refusal.value) is ArtifactError


def test_what_cannot_be_read_is_named(local):
    local.write("models/a.json", b"")

    with pytest.raises(ArtifactError) as refusal:
        local.read("models")

    assert str(refusal.value).startswith(f"{local.root / 'models'} cannot be read: ")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/../../x", "a/..", "a/../b", "/etc/passwd", "//x"]
)
@pytest.mark.parametrize(
    "use",
    USES,
    ids=["read", "delete", "write"],
)
def test_a_name_that_leads_out_of_the_store_is_refused(store, use, name):
    with pytest.raises(ArtifactError) as refusal:
        use(store, name)

    assert str(refusal.value) == f"{name!r} is not a name within the store"


@pytest.mark.parametrize(
    "use",
    USES,
    ids=["read", "delete", "write"],
)
@pytest.mark.parametrize("name", ["file.txt", "folder/file.txt"])
def test_a_link_that_leads_out_of_the_store_is_refused(local, tmp_path, use, name):
    (tmp_path / "folder").mkdir()
    for outside in (tmp_path / "file.txt", tmp_path / "folder" / "file.txt"):
        outside.write_text("mine")
    local.write("other.txt", b"")
    (tmp_path / "artifacts" / "file.txt").symlink_to(tmp_path / "file.txt")
    (tmp_path / "artifacts" / "folder").symlink_to(tmp_path / "folder")

    with pytest.raises(ArtifactError) as refusal:
        use(local, name)

    assert str(refusal.value) == (
        f"{tmp_path / 'artifacts' / name} leads out of the store, to {tmp_path / name}; "
        "remove the link"
    )
    assert (tmp_path / name).read_text() == "mine"


def test_a_store_beside_another_whose_name_begins_alike_is_out_of_it(local, tmp_path):
    (tmp_path / "artifacts-of-others").mkdir()
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "link").symlink_to(tmp_path / "artifacts-of-others")

    with pytest.raises(ArtifactError, match="leads out of the store"):
        local.write("link/x", b"x")


def test_links_within_the_store_and_to_the_store_are_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "artifacts").symlink_to(tmp_path / "real")
    store = open_store(str(tmp_path / "artifacts"))
    store.write("a/x", b"x")
    (tmp_path / "real" / "b").symlink_to(tmp_path / "real" / "a")

    assert store.read("b/x") == b"x"


def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(local):
    local.write("models/a.pkl", b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))  # a full disk
    try:
        with pytest.raises(OSError, match="File too large"):
            local.write("models/a.pkl", b"new" * 1_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert local.read("models/a.pkl") == b"old"
    assert local.list("models") == ["a.pkl"]
    assert local.list(TEMPORARY) == []


def test_a_write_onto_a_folder_fails_and_leaves_nothing(local):
    local.write("models/a.pkl", b"old")

    with pytest.raises(StoreWriteError, match=r"models is in the way: .*; move it away"):
        local.write("models", b"new")

    assert local.read("models/a.pkl") == b"old"
    assert local.list(TEMPORARY) == []


def test_a_reader_sees_all_of_a_file_or_nothing(local):
    contents = [bytes([number]) * 1_000_000 for number in (1, 2)]
    seen = set()
    done = threading.Event()
    local.write("model.pkl", contents[0])

    def read():
        while not done.is_set():
            seen.add(digest_of(local.read("model.pkl")))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        local.write("model.pkl", contents[number % 2])
    done.set()
    reader.join()

    assert seen <= set(map(digest_of, contents))
    assert seen


NO_PROCESS = 2**22 + 1
"""More than any process of Linux can have for a number."""


def leave(local, *names, hours=0.0):
    """Write files as killed writers left them."""
    (local.root / TEMPORARY).mkdir(parents=True, exist_ok=True)
    for name in names:
        path = local.root / TEMPORARY / name
        path.write_bytes(b"half a model")
        os.utime(path, (time.time() - hours * 3600,) * 2)


@pytest.fixture
def here(local):
    """How names of temporary files begin on this machine, as a writer names them."""
    names = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(artifacts, "_put", lambda place, _: names.append(place.name))
        local.write("a", b"")
    found, process, *_ = names[0].split("-")
    assert process == str(os.getpid())
    return found


NUMBER = "0123456789abcdef" * 2


def test_a_sweep_removes_what_dead_writers_left_and_nothing_else(local, here):
    local.write("models/a.pkl", b"model")
    theirs = {
        f"{here}-{os.getpid()}-{NUMBER}-0",
        "notes.txt",
        f"{NO_PROCESS}-notes",
        "99",
        "probe-",
    }
    leave(local, f"{here}-{NO_PROCESS}-{NUMBER}-0", f"probe-{NUMBER}", *theirs)

    local.sweep()

    assert set(local.list(TEMPORARY)) == theirs
    assert local.read("models/a.pkl") == b"model"


def test_a_sweep_leaves_what_another_machine_may_be_writing(local, here):
    """Its processes cannot be seen, and one with the same number may live or not live here."""
    other = "0" * 12
    assert other != here
    left = [
        f"{place}{process}-{NUMBER}-0"
        for place in (f"{other}-", "")  # earlier versions wrote no place
        for process in (NO_PROCESS, os.getpid(), 1)
    ]
    leave(local, *left, hours=23)

    local.sweep()

    assert set(local.list(TEMPORARY)) == set(left)


def test_a_sweep_removes_what_is_a_day_old(local, here):
    left = [f"{place}{os.getpid()}-{NUMBER}-0" for place in ("0" * 12 + "-", f"{here}-", "")]
    leave(local, *left, hours=25)
    leave(local, "notes.txt", f"{here}-notes", hours=25)

    local.sweep()

    assert set(local.list(TEMPORARY)) == {"notes.txt", f"{here}-notes"}


def test_a_sweep_of_a_store_that_is_not_there_is_nothing(store):
    store.sweep()

    assert store.list(TEMPORARY) == []


def test_a_process_is_alive_or_not():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    assert is_alive(os.getpid())
    assert is_alive(1)
    assert not is_alive(ended.pid)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: type(card).__name__)
def test_a_card_is_read_back_exactly(store, card):
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


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"key": "C0.5_G0.25"}',
        SCORE.to_bytes(),
        MODEL.to_bytes()[:-3],
        MODEL.to_bytes().replace(b"1234", b"NaN"),
        MODEL.to_bytes().replace(b'"bytes"', b'"size"'),
    ],
)
def test_what_is_no_card_is_a_mismatch(store, content):
    store.write("card.json", content)

    with pytest.raises(ArtifactMismatchError) as refusal:
        read_card(store, "card.json", ModelCard)

    assert str(refusal.value) == (
        f"{store.root / 'card.json'} is not a ModelCard of this version; run the search again"
    )


def test_a_card_that_is_not_the_recorded_one_is_a_mismatch(store):
    changed = replace(MODEL, training_rows=1)
    store.write("card.json", changed.to_bytes())

    with pytest.raises(ArtifactMismatchError) as refusal:
        read_recorded_card(store, "card.json", ModelCard, MODEL.version)

    assert str(refusal.value) == (
        f"{store.root / 'card.json'} is not what was recorded (version {changed.version[:12]}, "
        f"recorded {MODEL.version[:12]}): it was changed or replaced; run the search again"
    )


def test_a_file_is_read_if_it_has_its_digest(store):
    store.write("model.pkl", b"model")

    assert read_verified(store, "model.pkl", digest_of(b"model")) == b"model"


def test_a_file_with_another_digest_is_a_mismatch(store):
    store.write("model.pkl", b"other")

    with pytest.raises(ArtifactMismatchError) as refusal:
        read_verified(store, "model.pkl", digest_of(b"model"))

    assert str(refusal.value) == (
        f"{store.root / 'model.pkl'} is not the file that was recorded "
        f"(sha256 {sha256(b'other').hexdigest()[:12]}, "
        f"recorded {sha256(b'model').hexdigest()[:12]}): "
        "it was changed or replaced; run the search again"
    )


@pytest.mark.parametrize(
    "read",
    [
        lambda store: read_card(store, "none", ModelCard),
        lambda store: read_recorded_card(store, "none", ModelCard, "v"),
        lambda store: read_verified(store, "none", "d"),
    ],
    ids=["read_card", "read_recorded_card", "read_verified"],
)
def test_what_is_missing_is_no_mismatch(store, read):
    with pytest.raises(ArtifactError, match=r"/none is missing; run the search again\Z") as refusal:
        read(store)

    assert not isinstance(refusal.value, ArtifactMismatchError)


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
def test_a_fingerprint_of_what_equals_nothing_is_refused(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        fingerprint(part=number)


def test_a_model_predicts_the_same_after_the_store(store, iris_examples):
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
