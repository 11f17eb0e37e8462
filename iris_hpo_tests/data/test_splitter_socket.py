"""The socket of splitters: what a splitter of a user's own may return, and what is stored of it."""

import json
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from iris_hpo.data.dataset import Dataset
from iris_hpo.data.named_splitters import SHUFFLED
from iris_hpo.data.shuffled import make_folds, split_rows
from iris_hpo.data.split import (
    CARD,
    FOLDS,
    TEST,
    TRAIN,
    SplitCard,
    divide,
    notes_on_split,
    read_examples,
    read_part,
    split_problems,
    write_split,
)
from iris_hpo.data.splitters import Division, SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.parts import Part
from iris_hpo.store.cards import read_card
from iris_hpo.store.digests import ArtifactError
from iris_hpo.store.folder import ArtifactStore
from iris_hpo.store.objects import open_store

NUMBERS = np.arange(24.0).reshape(12, 2)
CLASSES = Dataset(NUMBERS, np.array(["a", "b"] * 6), ("x", "y"), "k", "digest")
VALUES = replace(CLASSES, target=np.arange(12.0))

TRAINING, TESTING = range(8), range(8, 12)
PAIR = [(range(4), range(4, 8)), (range(4, 8), range(4))]


class Fixed:
    """Returns what it is made with."""

    def __init__(self, split=(TRAINING, TESTING), folds=PAIR, n_folds=2):
        self.parts = split
        self.pairs = folds
        self.n_folds = n_folds

    def split(self, data):
        return self.parts(data) if callable(self.parts) else self.parts

    def folds(self, data):
        return self.pairs(data) if callable(self.pairs) else self.pairs


class Identified(Fixed):
    def __init__(self, identity):
        super().__init__()
        self.identity = lambda: identity


class OnlyFolds:
    def folds(self, _):
        return []


class Uncounted:
    def split(self, _):
        return TRAINING, TESTING

    def folds(self, _):
        return []


class Broken(Fixed):
    def __init__(self):
        raise KeyError("D9")


@pytest.fixture(autouse=True)
def _own_module(monkeypatch: pytest.MonkeyPatch) -> None:
    own = ModuleType("own_splitters")
    vars(own).update(
        Fixed=Fixed, Identified=Identified, OnlyFolds=OnlyFolds, Uncounted=Uncounted, Broken=Broken
    )
    monkeypatch.setitem(sys.modules, "own_splitters", own)


@pytest.fixture
def store(tmp_path) -> ArtifactStore:
    return open_store(str(tmp_path / "artifacts"))


def division(name: str = "Fixed", seed: int = 0, **settings: object) -> Division:
    part = Part(f"own_splitters.{name}", settings)
    return Division(part, SplitSettings(seed=seed), "classification", {"settings": str(settings)})


def failing(error: Exception) -> Callable[[Dataset], object]:
    def fail(_: Dataset) -> object:
        raise error

    return fail


def stored(store: ArtifactStore, of: Division, data: Dataset = CLASSES) -> SplitCard:
    write_split(store, *divide(data, of))
    return read_card(store, CARD, SplitCard)


def test_the_rows_of_a_splitter_are_stored_in_ascending_order(store):
    card = stored(store, division(split=([7, 0, 2, 5], np.array([9, 1], np.uint8)), n_folds=0))

    assert (card.train_rows, card.test_rows, card.left_out, card.folds) == (4, 2, 6, 0)
    assert read_part(store.read(TRAIN), "classification")[0].tolist() == [0, 2, 5, 7]
    assert read_part(store.read(TEST), "classification")[0].tolist() == [1, 9]
    assert not store.exists(FOLDS)


def test_the_folds_are_stored_and_read_back(store):
    card = stored(store, division(folds=[([0, 5, 1], [6]), (range(7), [7])]))

    examples = read_examples(store, card, "classification")

    folds = [(fit.tolist(), validate.tolist()) for fit, validate in examples.folds]
    assert folds == [([0, 1, 5], [6]), ([*range(7)], [7])]
    assert store.read(FOLDS).decode().splitlines()[:4] == [
        "row,fold_1,fold_2",
        "1,fit,fit",
        "2,fit,fit",
        "3,,fit",
    ]
    again = pickle.loads(pickle.dumps(examples))
    assert [fit.tolist() for fit, _ in again.folds] == [fit for fit, _ in folds]


def test_a_splitter_gets_all_rows_and_then_the_training_rows_alone():
    seen: list[Dataset] = []

    def split(data):
        seen.append(data)
        return [9, 3, 4, 5], [0]

    def folds(data):
        seen.append(data)
        return iter([([0], [1])])

    divide(CLASSES, division(split=split, folds=folds, n_folds=1))

    every, training = seen
    assert every.features.tolist() == CLASSES.features.tolist()
    assert training.features.tolist() == CLASSES.features[[3, 4, 5, 9]].tolist()
    assert training.target.tolist() == ["b", "a", "b", "b"]
    assert training.feature_names == ("x", "y")


def test_a_splitter_cannot_change_the_data():
    def split(data):
        data.features[0] = 7.0
        return TRAINING, TESTING

    with pytest.raises(InputError, match=r"Fixed' failed: ValueError: .*read-only"):
        divide(CLASSES, division(split=split))

    assert CLASSES.features[0].tolist() == [0.0, 1.0]
    assert CLASSES.features.flags.writeable


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (None, "returns 'None' as split; a pair (train and test) is needed"),
        ([1, 2, 3], "returns '[1, 2, 3]' as split; a pair (train and test) is needed"),
        (([], TESTING), "returns none as the train rows of split; at least one is needed"),
        ((TRAINING, ()), "returns none as the test rows of split; at least one is needed"),
        (([0, 12], [1]), "returns 12 among the train rows of split; rows have the numbers 0 to 11"),
        ((TRAINING, [-1]), "returns -1 among the test rows of split; rows have the numbers 0 to"),
        ((TRAINING, [8, 9, 7]), "returns row 7 in both train and test of split; these have to be"),
        (([0, 1, 1], [2]), "returns row 1 twice among the train rows of split"),
        (([0.0, 1.0], [2]), "returns '[0.0, 1.0]' as the train rows of split; a list or an array"),
        (
            (np.arange(3) < 2, [2]),
            "returns 'array([ True, True, False])' as the train rows of split;",
        ),
        ((["a"], [2]), "returns \"['a']\" as the train rows of split; a list or an array of row"),
        (([[0, 1]], [2]), "returns '[[0, 1]]' as the train rows of split; a list or an array of"),
        ((3, [2]), "returns '3' as the train rows of split; a list or an array of row numbers"),
        (([[0], [1, 2]], [3]), "failed: ValueError: "),
        ((range(0, 12, 2), [1]), "leaves nothing to predict: every training row has the target a"),
        (failing(KeyError("site")), "failed: KeyError: 'site'; correct it, or use another"),
        (failing(InputError("no sites")), "failed: InputError: no sites; correct it, or use"),
    ],
)
def test_rows_that_cannot_be_used_are_one_message(split, message):
    with pytest.raises(InputError) as refusal:
        divide(CLASSES, division(split=split))

    assert f"the splitter 'own_splitters.Fixed' {message}" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        (None, "returns 'None' from folds; pairs of rows are needed"),
        (PAIR[:1], "returns 1 fold, but its n_folds is 2"),
        (PAIR + PAIR, "returns more folds, but its n_folds is 2"),
        ([*PAIR[:1], 3], "returns '3' as fold 2 of folds; a pair (fit and validate) is needed"),
        ([PAIR[0], ([], [1])], "returns none as the fit rows of fold 2 of folds"),
        ([PAIR[0], ([1], [])], "returns none as the validate rows of fold 2 of folds"),
        ([([0, 8], [1]), PAIR[1]], "returns 8 among the fit rows of fold 1 of folds; rows have"),
        ([([0, 2], [2]), PAIR[1]], "returns row 2 in both fit and validate of fold 1 of folds"),
        (failing(ZeroDivisionError("by zero")), "failed: ZeroDivisionError: by zero; correct it"),
    ],
)
def test_folds_that_cannot_be_used_are_one_message(folds, message):
    with pytest.raises(InputError) as refusal:
        divide(CLASSES, division(folds=folds))

    assert f"the splitter 'own_splitters.Fixed' {message}" in str(refusal.value)


def test_endless_folds_end():
    def folds(_):
        while True:
            yield PAIR[0]

    with pytest.raises(InputError, match="returns more folds, but its n_folds is 2"):
        divide(CLASSES, division(folds=folds))


def test_one_number_to_predict_in_the_test_is_refused():
    with pytest.raises(InputError, match=r"nothing to predict: every test row has the target 8.0"):
        divide(VALUES, division(split=(TRAINING, [8])))


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("Gone", {}, "the splitter 'own_splitters.Gone' cannot be imported"),
        ("OnlyFolds", {}, "is no splitter: a class with the method split is needed"),
        ("Fixed", {"rows": 3}, "splitter 'own_splitters.Fixed' refuses its settings: "),
        ("Broken", {}, "splitter 'own_splitters.Broken' refuses its settings: 'D9'"),
        ("Uncounted", {}, "has the n_folds 'None'; it must be the number of folds, 0 for none"),
        ("Fixed", {"n_folds": -1}, "has the n_folds '-1'"),
        ("Fixed", {"n_folds": True}, "has the n_folds 'True'"),
        ("Fixed", {"n_folds": 2.0}, "has the n_folds '2.0'"),
    ],
)
def test_what_is_no_splitter_is_refused(name, settings, message):
    with pytest.raises(InputError) as refusal:
        division(name, **settings).splitter()

    assert message in str(refusal.value)


@pytest.mark.parametrize(("n_folds", "number"), [(0, 0), (1, 1), (np.int64(7), 7)])
def test_the_number_of_folds_is_known_without_data(n_folds, number):
    known = division(n_folds=n_folds)

    assert known.n_folds == number
    assert json.dumps(known.identity(0)["folds"]) == str(number)


def test_the_built_in_splitter_is_one_of_them():
    built_in = Division(SHUFFLED, SplitSettings(0.25, seed=3, folds=2), "classification")

    splitter = built_in.splitter()

    train, test = splitter.split(CLASSES)
    expected = split_rows(CLASSES.target, built_in.settings, "classification")
    assert (train.tolist(), test.tolist()) == (expected[0].tolist(), expected[1].tolist())
    folds = make_folds(CLASSES.target[train], built_in.settings, "classification")
    training = replace(CLASSES, features=NUMBERS[train], target=CLASSES.target[train])
    assert [validate.tolist() for _, validate in splitter.folds(training)] == [
        validate.tolist() for _, validate in folds
    ]
    assert splitter.n_folds == built_in.n_folds == 2


def test_the_built_in_splitter_takes_its_settings_from_the_search_alone():
    with pytest.raises(InputError, match="shuffled has no settings here; give test_size, seed, "):
        Division(Part("shuffled", {"folds": 3}), SplitSettings(), "classification").splitter()


def test_the_card_tells_divisions_apart():
    card, _ = divide(CLASSES, division(n_folds=0))

    assert card.is_made_by(division(n_folds=0))
    assert not card.is_made_by(division(n_folds=0, seed=1))
    assert not card.is_made_by(division(n_folds=2))
    assert not card.is_made_by(Division(SHUFFLED, SplitSettings(folds=0), "classification"))
    built_in = Division(SHUFFLED, SplitSettings(folds=2), "classification")
    assert divide(CLASSES, built_in)[0].is_made_by(built_in)
    assert not divide(CLASSES, built_in)[0].is_made_by(division())
    assert not divide(CLASSES, built_in)[0].is_made_by(
        replace(built_in, settings=SplitSettings(folds=2, stratify=False))
    )


def test_an_identity_of_its_own_stands_in_the_card(store):
    card = stored(store, division("Identified", identity={"sites": "ab12", "at": (1, 2)}))

    assert card.splitter is not None
    assert card.splitter["identity"] == {"sites": "ab12", "at": [1, 2]}
    assert card.is_made_by(division("Identified", identity={"sites": "ab12", "at": (1, 2)}))
    for other in ({"sites": "ab13"}, {}):
        changed = replace(division("Identified", identity=other), code=division("Identified").code)
        assert not card.is_made_by(changed)


@pytest.mark.parametrize("identity", [{1, 2}, float("nan"), {"at": object()}])
def test_an_identity_that_is_not_json_is_refused(identity):
    with pytest.raises(InputError, match=r"the splitter 'own_splitters.Identified' failed: "):
        division("Identified", identity=identity).identity(0)


def test_other_folds_make_another_version():
    versions = {
        divide(CLASSES, replace(division(), part=Part("own_splitters.Fixed", {"folds": folds})))[
            0
        ].version
        for folds in (PAIR, PAIR[::-1], PAIR)
    }

    assert len(versions) == 2


def test_a_stored_split_of_any_splitter_is_sound(store):
    stored(store, division(split=([0, 1, 2, 3], [11]), n_folds=0))

    assert split_problems(store, "classification") == []


def test_more_rows_in_neither_part_than_were_left_out_are_a_problem(store):
    card = stored(store, division(split=([0, 1, 2, 3], [11]), n_folds=0))
    store.write(TRAIN, b"".join(store.read(TRAIN).splitlines(keepends=True)[:-1]))

    assert card.left_out == 7
    assert split_problems(store, "classification") == [
        f"{TRAIN} was changed since it was made",
        "1 row in neither part",
    ]


def test_stratification_is_checked_only_where_it_is_promised(store):
    stored(store, division(split=([0, 1, 2, 4, 6, 8, 10], [3, 5, 7, 9, 11]), n_folds=0))
    assert split_problems(store, "classification") == []

    own = read_card(store, CARD, SplitCard)
    store.write(CARD, replace(own, stratify=True).to_bytes())

    assert split_problems(store, "classification") == [
        "class a has 0 test rows instead of about 2.5",
        "class b has 5 test rows instead of about 2.5",
    ]


def test_folds_that_were_changed_are_noticed(store):
    card = stored(store, division())
    store.write(FOLDS, store.read(FOLDS).replace(b"1,fit", b"1,validate", 1))

    with pytest.raises(ArtifactError, match=r"folds.csv is not the file that was recorded"):
        read_examples(store, card, "classification")
    assert split_problems(store, "classification") == [f"{FOLDS} was changed since it was made"]


def test_the_folds_go_when_another_splitter_needs_none(store):
    stored(store, division())
    assert store.exists(FOLDS)

    stored(store, Division(SHUFFLED, SplitSettings(folds=2), "classification"))

    assert not store.exists(FOLDS)


def test_folds_that_somebody_else_wrote_stay(store):
    stored(store, division())
    store.write(FOLDS, b"mine")

    stored(store, Division(SHUFFLED, SplitSettings(folds=2), "classification"))

    assert store.read(FOLDS) == b"mine"


@pytest.mark.parametrize(
    ("train", "notes"),
    [(range(8), []), (range(5), ["the splitter leaves out 3 rows"])],
)
def test_rows_that_are_left_out_are_noted(train, notes):
    card, files = divide(CLASSES, division(split=(train, TESTING), n_folds=0))

    target = read_part(files[TRAIN], "classification")[2]
    assert notes_on_split(card, target, "classification") == notes
