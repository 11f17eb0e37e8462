"""Dividing the rows: scikit-learn's own split and folds, repeatable, with refusals that say why."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

from iris_hpo.data.dataset import class_counts
from iris_hpo.data.shuffled import LazyFolds, make_folds, notes_on_folds, split_rows
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.errors import InputError

BALANCED = np.repeat(["a", "b", "c"], 20)
NUMBERS = np.linspace(0.0, 1.0, 50)


def labels(**counts):
    return np.repeat(list(counts), list(counts.values()))


def test_the_defaults_keep_a_fifth_of_each_class_for_the_test(noisy_iris):
    train, test = split_rows(noisy_iris.target, SplitSettings(), "classification")

    assert (len(train), len(test)) == (120, 30)
    assert class_counts(noisy_iris.target[train]) == {
        "Iris-setosa": 40,
        "Iris-versicolor": 40,
        "Iris-virginica": 40,
    }


@pytest.mark.parametrize("test_size", [0.05, 0.2, 0.33, 0.5, 0.9])
@pytest.mark.parametrize(
    ("target", "task"), [(BALANCED, "classification"), (NUMBERS, "regression")]
)
def test_the_parts_are_scikit_learns_in_ascending_order(target, task, test_size):
    settings = SplitSettings(test_size, seed=7, folds=0)

    train, test = split_rows(target, settings, task)

    wanted = train_test_split(
        np.arange(len(target)),
        test_size=test_size,
        random_state=7,
        stratify=target if task == "classification" else None,
    )
    assert train.tolist() == sorted(wanted[0])
    assert test.tolist() == sorted(wanted[1])


@given(
    test_size=st.floats(0.1, 0.8),
    seed=st.integers(0, 2**32 - 1),
    counts=st.lists(st.integers(8, 20), min_size=2, max_size=4),
    task=st.sampled_from(["classification", "regression"]),
)
def test_every_row_falls_on_one_side_and_always_the_same(test_size, seed, counts, task):
    target = np.repeat(np.arange(len(counts)), counts)
    settings = SplitSettings(test_size, seed, folds=0)

    train, test = split_rows(target, settings, task)

    assert sorted([*train, *test]) == list(range(len(target)))
    assert len(test) == int(np.ceil(len(target) * test_size))
    again = split_rows(target, settings, task)
    assert (again[0].tolist(), again[1].tolist()) == (train.tolist(), test.tolist())


@given(test_size=st.floats(0.1, 0.8), counts=st.lists(st.integers(8, 40), min_size=2, max_size=4))
def test_classes_keep_their_proportions(test_size, counts):
    target = np.repeat([f"class {index}" for index in range(len(counts))], counts)

    _, test = split_rows(target, SplitSettings(test_size, folds=0), "classification")

    found = class_counts(target[test])
    for name, count in class_counts(target).items():
        assert abs(found[name] - len(test) * count / len(target)) < 1


@pytest.mark.parametrize("stratify", [None, False])
def test_another_seed_gives_another_split_and_other_folds(stratify):
    one = SplitSettings(seed=1, stratify=stratify)
    two = SplitSettings(seed=2, stratify=stratify)

    first, second = (split_rows(BALANCED, seed, "classification")[1] for seed in (one, two))
    folds, others = (make_folds(BALANCED, seed, "classification") for seed in (one, two))

    assert first.tolist() != second.tolist()
    assert [fold[1].tolist() for fold in folds] != [fold[1].tolist() for fold in others]


@pytest.mark.parametrize(
    ("target", "task", "stratify", "splitter"),
    [
        (BALANCED, "classification", None, StratifiedKFold),
        (BALANCED, "classification", True, StratifiedKFold),
        (BALANCED, "classification", False, KFold),
        (NUMBERS, "regression", None, KFold),
        (NUMBERS, "regression", False, KFold),
    ],
)
@pytest.mark.parametrize("folds", [2, 5, 10])
def test_the_folds_are_scikit_learns(target, task, stratify, splitter, folds):
    found = make_folds(target, SplitSettings(seed=3, folds=folds, stratify=stratify), task)

    wanted = splitter(folds, shuffle=True, random_state=3).split(target[:, None], target)
    assert [(fit.tolist(), validate.tolist()) for fit, validate in found] == [
        (fit.tolist(), validate.tolist()) for fit, validate in wanted
    ]
    assert sorted(np.concatenate([validate for _, validate in found])) == list(range(len(target)))


def test_no_folds_is_none():
    assert make_folds(BALANCED, SplitSettings(folds=0), "classification") == ()
    assert make_folds(BALANCED, SplitSettings(folds=0, repeats=3), "classification") == ()


def test_each_repeat_has_the_folds_of_a_seed_of_its_own():
    settings = SplitSettings(seed=7, folds=4, repeats=3)

    found = make_folds(BALANCED, settings, "classification")

    repeats = [
        [validate.tolist() for _, validate in found[start : start + 4]] for start in (0, 4, 8)
    ]
    once = make_folds(BALANCED, replace(settings, repeats=1), "classification")
    assert repeats[0] == [validate.tolist() for _, validate in once]
    assert len({str(repeat) for repeat in repeats}) == 3
    for repeat, seed in zip(repeats, (7, 369571992, 1009178997), strict=True):
        folds = StratifiedKFold(4, shuffle=True, random_state=seed)
        wanted = folds.split(BALANCED[:, None], BALANCED)
        assert repeat == [validate.tolist() for _, validate in wanted]


@pytest.mark.parametrize("repeats", [0, -1])
def test_folds_are_drawn_at_least_once(repeats):
    with pytest.raises(InputError, match=f"repeats {repeats} must be at least 1"):
        SplitSettings(repeats=repeats)


@pytest.mark.parametrize(
    ("stratify", "task", "stratified"),
    [
        (None, "classification", True),
        (True, "classification", True),
        (False, "classification", False),
        (None, "regression", False),
        (False, "regression", False),
    ],
)
def test_classes_are_stratified_unless_told_otherwise(stratify, task, stratified):
    assert SplitSettings(stratify=stratify).stratifies(task) is stratified


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"test_size": 0.0}, "test_size 0.0 must lie between 0 and 1, such as 0.2"),
        ({"test_size": 1.0}, "test_size 1.0 must lie between 0 and 1, such as 0.2"),
        ({"test_size": -0.2}, "test_size -0.2 must lie between 0 and 1, such as 0.2"),
        ({"test_size": 30}, "test_size 30 must lie between 0 and 1, such as 0.2"),
        ({"test_size": float("nan")}, "test_size nan must lie between 0 and 1, such as 0.2"),
        ({"seed": -1}, "seed -1 must lie between 0 and 4294967295"),
        ({"seed": 2**32}, "seed 4294967296 must lie between 0 and 4294967295"),
        ({"folds": 1}, "folds 1 must be 0 (off) or at least 2"),
        ({"folds": -5}, "folds -5 must be 0 (off) or at least 2"),
    ],
)
def test_settings_are_refused_with_their_rule(settings, message):
    with pytest.raises(InputError) as refusal:
        SplitSettings(**settings)

    assert str(refusal.value) == message
    assert refusal.value.field == tuple(settings)


def test_a_regression_cannot_be_stratified():
    settings = SplitSettings(stratify=True)

    for attempt in (settings.stratifies, lambda task: split_rows(NUMBERS, settings, task)):
        with pytest.raises(InputError) as refusal:
            attempt("regression")
        assert str(refusal.value) == "stratify needs classes; regression targets have none"


JOIN = "join small classes under one label, remove their rows, or write stratify: false"
FEW = "rows leave {} for training; with test_size {} and {} folds that is too few"


@pytest.mark.parametrize(
    ("target", "task", "settings", "message"),
    [
        (labels(a=2, b=2), "classification", SplitSettings(), "4 " + FEW.format(3, 0.2, 5)),
        (labels(a=1, b=1), "classification", SplitSettings(folds=0), "2 " + FEW.format(1, 0.2, 0)),
        (NUMBERS[:5], "regression", SplitSettings(0.9, folds=2), "5 " + FEW.format(0, 0.9, 2)),
        (
            NUMBERS[:5],
            "regression",
            SplitSettings(folds=2),
            "test_size 0.2 of 5 rows leaves 1 row for the test; regression scores need at least 2",
        ),
        (
            labels(a=50),
            "classification",
            SplitSettings(),
            "every row has the label 'a'; at least two classes are needed: give another target",
        ),
        (
            labels(a=50),
            "classification",
            SplitSettings(stratify=False),
            "every row has the label 'a'; at least two classes are needed: give another target",
        ),
        (
            labels(a=49, b=1),
            "classification",
            SplitSettings(),
            f"class 'b' has 1 row; the split needs 2 of each class: {JOIN}",
        ),
        (
            labels(a=47, b=1, c=1, d=1),
            "classification",
            SplitSettings(),
            f"class 'b' and 2 others have 1 row each; the split needs 2 of each class: {JOIN}",
        ),
        (
            labels(a=10, b=10, c=10),
            "classification",
            SplitSettings(0.05, folds=0),
            (
                "test_size 0.05 of 30 rows leaves less than one row per class for one side of the "
                f"split; there are 3 classes: choose a greater test_size, or {JOIN}"
            ),
        ),
        (
            labels(a=10, b=10, c=10),
            "classification",
            SplitSettings(0.92, folds=2),
            (
                "test_size 0.92 of 30 rows leaves less than one row per class for one side of the "
                f"split; there are 3 classes: choose a smaller test_size, or {JOIN}"
            ),
        ),
        (
            labels(a=50, b=2),
            "classification",
            SplitSettings(0.5),
            (f"class 'b' has 1 training row; 5 folds need 2 of each class and 5 of one: {JOIN}"),
        ),
        (
            labels(a=5, b=5, c=5),
            "classification",
            SplitSettings(),
            (
                "no class has more than 4 training rows; 5 folds need 2 of each class and 5 of "
                "one: choose fewer folds, or write stratify: false"
            ),
        ),
        (
            np.full(50, 3.5),
            "regression",
            SplitSettings(),
            "every row has the target 3.5; there is nothing to predict: give another target",
        ),
        (
            np.array([2.0, 2.0, 2.0, 2.0, 7.0]),
            "regression",
            SplitSettings(0.4, folds=2),
            (
                "every test row has the target 2; there is nothing to predict: choose another "
                "seed or test_size"
            ),
        ),
        (
            np.array([2.0, 2.0, 7.0, 2.0, 2.0]),
            "regression",
            SplitSettings(0.4, folds=2),
            (
                "every training row has the target 2; there is nothing to predict: choose another "
                "seed or test_size"
            ),
        ),
        (
            labels(a=50, b=1),
            "classification",
            SplitSettings(0.5, seed=1, stratify=False),
            "all training rows have the label 'a'; write stratify: true, or give another target",
        ),
    ],
)
def test_rows_that_cannot_be_divided_are_refused(target, task, settings, message):
    with pytest.raises(InputError) as refusal:
        split_rows(target, settings, task)

    assert str(refusal.value) == message


def test_a_class_with_fewer_rows_than_folds_is_named_and_has_scikit_learns_folds():
    target, settings = labels(a=30, b=3, c=2), SplitSettings()

    (note,) = notes_on_folds(target, settings, "classification")
    assert note == (
        "fewer training rows than the 5 folds have the classes b (3), c (2): some folds are scored "
        "without them"
    )
    folds = make_folds(target, settings, "classification")  # a warning would be an error here
    with pytest.warns(UserWarning, match="The least populated class"):
        wanted = list(
            StratifiedKFold(5, shuffle=True, random_state=0).split(target[:, None], target)
        )
    assert [fold[1].tolist() for fold in folds] == [validate.tolist() for _, validate in wanted]


@pytest.mark.parametrize(
    ("target", "settings", "task"),
    [
        (labels(a=5, b=5), SplitSettings(), "classification"),
        (labels(a=5, b=2), SplitSettings(folds=0), "classification"),
        (labels(a=5, b=2), SplitSettings(stratify=False), "classification"),
        (np.arange(3.0), SplitSettings(), "regression"),
    ],
)
def test_other_folds_need_no_note(target, settings, task):
    assert notes_on_folds(target, settings, task) == []


def test_the_fewest_rows_that_can_be_divided_are():
    target = labels(a=7, b=6)

    train, _ = split_rows(target, SplitSettings(), "classification")

    assert class_counts(target[train]) == {"a": 5, "b": 5}


def test_classes_are_counted():
    assert class_counts(labels(b=2, a=1)) == {"a": 1, "b": 2}


def test_lazy_folds_are_the_folds_and_travel_without_them():
    target, settings = labels(a=20, b=10), SplitSettings(folds=3, seed=5)
    made = make_folds(target, settings, "classification")

    lazy = LazyFolds(target, settings, "classification")
    content = pickle.dumps(lazy)

    assert len(lazy) == 3
    for fold, expected in zip(lazy, made, strict=True):
        for rows, wanted in zip(fold, expected, strict=True):
            assert rows.tolist() == wanted.tolist()
    assert len(content) < len(pickle.dumps(lazy))
    assert [len(fit) for fit, _ in pickle.loads(content)[1:]] == [20, 20]


def test_no_folds_are_none_lazily():
    lazy = LazyFolds(labels(a=2, b=2), SplitSettings(folds=0), "classification")

    assert len(lazy) == 0
    assert list(lazy) == []
    assert not lazy
