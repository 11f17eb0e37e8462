"""The split as files: floats and labels come back exactly, and only as they were recorded."""

import csv
import io
import pickle
from dataclasses import replace
from hashlib import sha256
from operator import itemgetter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.naive_bayes import GaussianNB

from iris_hpo.data.dataset import Dataset
from iris_hpo.data.named_splitters import SHUFFLED
from iris_hpo.data.shuffled import make_folds, split_rows
from iris_hpo.data.split import (
    CARD,
    TEST,
    TRAIN,
    Examples,
    SplitCard,
    divide,
    read_examples,
    read_part,
    settings_of,
    write_split,
)
from iris_hpo.data.splitters import Division, SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.store.cards import read_card
from iris_hpo.store.digests import ArtifactError, ArtifactMismatchError, OccupiedError
from iris_hpo.store.objects import open_store

SETTINGS = SplitSettings(test_size=0.2, seed=3, folds=5, repeats=1)


def shuffled(settings, task="classification"):
    return Division(SHUFFLED, settings, task)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "artifacts"))


def test_a_split_is_two_files_and_a_card(noisy_iris):
    card, files = divide(noisy_iris, shuffled(SETTINGS))

    assert (TRAIN, TEST, CARD) == ("split/train.csv", "split/test.csv", "split/split.json")
    assert card == SplitCard(
        data_digest=noisy_iris.digest,
        test_size=0.2,
        seed=3,
        folds=5,
        stratify=True,
        train_rows=120,
        test_rows=30,
        train_digest=sha256(files[TRAIN]).hexdigest(),
        test_digest=sha256(files[TEST]).hexdigest(),
        feature_names=["feature_1", "feature_2", "feature_3", "feature_4"],
        target_name="target",
    )


def test_the_files_are_csv_with_the_rows_numbered_from_one(noisy_iris):
    _, files = divide(noisy_iris, shuffled(SETTINGS))

    numbers = []
    for part in files.values():
        assert part.startswith(b"row,feature_1,feature_2,feature_3,feature_4,target\n")
        assert b"\r" not in part
        for record in csv.DictReader(io.StringIO(part.decode())):
            row = int(record["row"]) - 1
            numbers.append(row)
            assert [float(record[name]) for name in noisy_iris.feature_names] == (
                noisy_iris.features[row].tolist()
            )
            assert record["target"] == noisy_iris.target[row]
    assert sorted(numbers) == list(range(150))


def test_the_same_split_is_the_same_bytes(noisy_iris):
    assert divide(noisy_iris, shuffled(SETTINGS)) == divide(noisy_iris, shuffled(SETTINGS))
    other = divide(noisy_iris, shuffled(replace(SETTINGS, seed=4)))
    assert other[1] != divide(noisy_iris, shuffled(SETTINGS))[1]


def test_a_stored_split_is_read_with_its_folds(store, noisy_iris):
    write_split(store, *divide(noisy_iris, shuffled(SETTINGS)))

    examples = read_examples(store, read_card(store, CARD, SplitCard), "classification")

    train, test = split_rows(noisy_iris.target, SETTINGS, "classification")
    assert examples.features.tolist() == noisy_iris.features[train].tolist()
    assert examples.target.tolist() == noisy_iris.target[train].tolist()
    assert examples.test_features.tolist() == noisy_iris.features[test].tolist()
    assert examples.test_target.tolist() == noisy_iris.target[test].tolist()
    wanted = make_folds(noisy_iris.target[train], SETTINGS, "classification")
    assert [(fit.tolist(), validate.tolist()) for fit, validate in examples.folds] == [
        (fit.tolist(), validate.tolist()) for fit, validate in wanted
    ]


def dataset_of(features, target):
    return Dataset(
        np.array(features, dtype=np.float64).reshape(len(target), -1),
        np.array(target),
        ("x, y", 'the "z"')[: np.size(features) // len(target)],
        "k",
        "d",
    )


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
LABELS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1).filter(
    lambda text: text == text.strip()
)


@given(
    st.lists(st.tuples(FLOATS, FLOATS), min_size=8, max_size=8),
    st.lists(LABELS, min_size=2, max_size=2, unique=True),
)
def test_classes_are_read_back_exactly(features, labels):
    dataset = dataset_of(features, labels * 4)

    _, files = divide(dataset, shuffled(SplitSettings(0.5, folds=2)))

    found = set()
    for part in files.values():
        rows, numbers, target = read_part(part, "classification")
        found.update(rows.tolist())
        assert repr(numbers.tolist()) == repr(dataset.features[rows].tolist())
        assert target.tolist() == dataset.target[rows].tolist()
    assert found == set(range(8))


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=6, max_size=6, unique_by=itemgetter(1)))
def test_numbers_to_predict_are_read_back_exactly(pairs):
    dataset = dataset_of([x for x, _ in pairs], [y for _, y in pairs])

    _, files = divide(dataset, shuffled(SplitSettings(0.5, folds=0), "regression"))

    for part in files.values():
        rows, numbers, target = read_part(part, "regression")
        assert repr(numbers.tolist()) == repr(dataset.features[rows].tolist())
        assert repr(target.tolist()) == repr(dataset.target[rows].tolist())
        assert (numbers.dtype, target.dtype) == (np.float64, np.float64)


@pytest.mark.parametrize(
    ("settings", "task"),
    [
        (SplitSettings(0.3, seed=7, folds=3, repeats=2), "classification"),
        (SplitSettings(0.3, stratify=False, repeats=1), "classification"),
        (SplitSettings(0.3, folds=0, repeats=1), "regression"),
    ],
)
def test_a_card_gives_its_settings_back(noisy_iris, settings, task):
    target = noisy_iris.target if task == "classification" else noisy_iris.features[:, 0]

    card, _ = divide(replace(noisy_iris, target=target), shuffled(settings, task))

    assert settings_of(card) == replace(settings, stratify=settings.stratifies(task))


@pytest.mark.parametrize(
    ("given", "columns", "repeats"),
    [
        pytest.param(None, 4, 3, id="cheap by default"),
        pytest.param(None, 40, 3, id="just as many numbers as are cheap"),
        pytest.param(None, 41, None, id="more"),
        pytest.param(1, 4, None, id="once"),
        pytest.param(3, 4, 3, id="the number that is the default"),
        pytest.param(2, 41, 2, id="as given"),
    ],
)
def test_the_card_says_how_often_the_folds_are_drawn(store, given, columns, repeats):
    names = tuple(f"x{number}" for number in range(columns))
    features = np.arange(625.0 * columns).reshape(625, columns)  # 500 are for training
    dataset = Dataset(features, np.array(["a", "b", "c", "d", "e"] * 125), names, "k", "d")
    settings = SplitSettings(folds=2, repeats=given)
    card, files = divide(dataset, shuffled(settings))
    write_split(store, card, files)

    folds = read_examples(store, card, "classification").folds

    assert (card.folds, card.content().get("repeats")) == (2, repeats)
    assert len(folds) == len(list(folds)) == 2 * (repeats or 1)
    assert settings_of(card).repeats == (repeats or 1)
    assert card.is_made_by(shuffled(settings))
    assert card.is_made_by(shuffled(replace(settings, repeats=repeats or 1)))
    assert not card.is_made_by(shuffled(replace(settings, repeats=7)))


def test_a_card_of_before_there_were_repeats_is_one_of_folds_that_are_drawn_once(noisy_iris):
    card, _ = divide(noisy_iris, shuffled(SETTINGS))
    content = card.content()

    assert "repeats" not in content
    assert SplitCard(**content).is_made_by(shuffled(SETTINGS))
    assert not SplitCard(**content).is_made_by(shuffled(replace(SETTINGS, repeats=None)))


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        (["0", "1"], [0, 1]),
        (["-1", "10"], [-1, 10]),
        (["9" * 18, "1"], [10**18 - 1, 1]),
        (["0", "one"], None),
        (["0", "01"], None),
        (["-0", "1"], None),
        (["1.0", "2.0"], None),
        (["9" * 19, "1"], None),
        (["\u0661", "\u0662"], None),
    ],
)
def test_classes_that_are_whole_numbers_are_numbers_for_scorers(store, labels, read):
    dataset = dataset_of(range(20), labels * 10)
    write_split(store, *divide(dataset, shuffled(SplitSettings(0.5, folds=2))))

    examples = read_examples(store, read_card(store, CARD, SplitCard), "classification")

    assert (
        set(examples.target.tolist()) == set(examples.test_target.tolist()) == set(read or labels)
    )


def test_a_class_of_the_test_rows_alone_decides_too(store):
    dataset = dataset_of(range(20), ["0", "1"] * 10)
    card, files = divide(dataset, shuffled(SplitSettings(0.5, folds=2)))
    test = files[TEST].replace(b",1\n", b",one\n")
    write_split(store, replace(card, test_digest=sha256(test).hexdigest()), {**files, TEST: test})

    examples = read_examples(store, read_card(store, CARD, SplitCard), "classification")

    assert set(examples.target.tolist()) == {"0", "1"}
    assert set(examples.test_target.tolist()) == {"0", "one"}


def test_the_folds_of_numbers_are_those_of_their_texts(store):
    target = ["1", "0", "2"] * 10
    card, files = divide(dataset_of(range(30), target), shuffled(SETTINGS))
    write_split(store, card, files)

    examples = read_examples(store, card, "classification")

    wanted = make_folds(examples.target.astype(str), SETTINGS, "classification")
    assert examples.target.dtype == np.int64
    assert [validate.tolist() for _, validate in examples.folds] == [
        validate.tolist() for _, validate in wanted
    ]


@pytest.mark.parametrize("name", [TRAIN, TEST])
def test_a_part_that_was_changed_is_refused(store, noisy_iris, name):
    card, files = divide(noisy_iris, shuffled(SETTINGS))
    write_split(store, card, files)
    store.write(name, store.read(name).replace(b"setosa", b"SETOSA"))

    with pytest.raises(ArtifactMismatchError, match=f"{name} is not the file that was recorded"):
        read_examples(store, card, "classification")


@pytest.mark.parametrize("name", [TRAIN, TEST])
def test_a_part_that_is_missing_is_refused(store, noisy_iris, name):
    card, files = divide(noisy_iris, shuffled(SETTINGS))
    write_split(store, card, files)
    store.delete(name)

    with pytest.raises(ArtifactError, match=f"{name} is missing; run the search again"):
        read_examples(store, card, "classification")


@pytest.mark.parametrize("name", [TRAIN, TEST])
def test_a_card_never_vouches_for_a_part_that_could_not_be_written(store, noisy_iris, name):
    (store.root / name / "theirs").mkdir(parents=True)

    with pytest.raises(OccupiedError, match=f"{name} is in the way: .*; move it away"):
        write_split(store, *divide(noisy_iris, shuffled(SETTINGS)))

    assert not store.exists(CARD)


def test_what_cannot_be_divided_is_refused(noisy_iris):
    with pytest.raises(InputError, match="every row has the label 'Iris-setosa'"):
        divide(replace(noisy_iris, target=np.repeat("Iris-setosa", 150)), shuffled(SETTINGS))


def test_rows_have_numpys_own_types_in_every_process() -> None:
    """A model's pickle shows the type objects of its rows."""
    numbers, labels = np.arange(6.0).reshape(3, 2), np.array(["a", "bc", "a"])
    sent = Examples(numbers, np.arange(3), numbers, labels, ())

    found: Examples = pickle.loads(pickle.dumps(sent))

    assert found.features.dtype is np.dtype(np.float64)
    assert found.target.dtype is np.dtype(np.int64)
    assert found.test_target.tolist() == labels.tolist()
    assert np.array_equal(found.features, sent.features)
    model = GaussianNB().fit(sent.features, labels)
    again = GaussianNB().fit(found.features, labels)
    assert pickle.dumps(model) == pickle.dumps(again)
