"""The splitter ``given``: a column says which rows are for the test, or the fold by its number."""

import numpy as np
import pytest

from iris_hpo.data.chosen_rows import choose_rows
from iris_hpo.data.dataset import Dataset
from iris_hpo.data.given import Given
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.shuffled import make_folds
from iris_hpo.data.splitters import Division, SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.parts import Part
from iris_hpo_tests.data.rows_with_roles import SIXTY, dataset, with_roles

NUMBERS = dataset(np.arange(12.0), RowRoles())


def chosen(data: Dataset, folds: int = 5, repeats: int | None = None, **own: object):
    settings = SplitSettings(folds=folds, repeats=repeats)
    return choose_rows(data, Division(Part("given", own), settings, data.task))


def said(*parts: str) -> Dataset:
    return with_roles(NUMBERS, part=[*parts, *[parts[-1]] * (12 - len(parts))])


def test_the_column_says_the_parts() -> None:
    made = chosen(said("test", "Train", "TEST", "training"), folds=3)

    assert made.test.tolist() == [0, 2]
    assert made.train.tolist() == [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    own = make_folds(NUMBERS.target[made.train], SplitSettings(folds=3), "regression")
    assert [fit.tolist() for fit, _ in made.folds] == [fit.tolist() for fit, _ in own]


def test_the_column_numbers_the_folds() -> None:
    made = chosen(said(*"20120120", "1.0", "test", "train", "test"), folds=3)

    assert made.test.tolist() == [9, 11]
    assert [validate.tolist() for _, validate in made.folds] == [[1, 4, 7], [2, 5, 8], [0, 3, 6]]
    assert [len(fit) for fit, _ in made.folds] == [7, 7, 7]


@pytest.mark.parametrize(
    ("parts", "own"),
    [
        (["1", "2", "0"] * 4, {"test": 0}),
        (["yes", "no"] * 6, {"test": "No", "train": "YES"}),
        (["true", "false"] * 6, {"test": True, "train": False}),
    ],
)
def test_other_words_are_settings(parts: list[str], own: dict[str, object]) -> None:
    made = chosen(said(*parts), folds=2, **own)

    word = str(own["test"]).lower()
    assert made.test.tolist() == [at for at, part in enumerate(parts) if part == word]
    assert len(made.folds) == 2


def test_drawn_folds_keep_groups_together() -> None:
    parts = ["test" if n < 12 else "train" for n in range(60)]
    groups = np.asarray(SIXTY.roles.group)

    made = chosen(with_roles(SIXTY, part=parts, group=groups), folds=3)

    for fit, validate in made.folds:
        assert not {*groups[12:][fit]} & {*groups[12:][validate]}


def test_drawn_folds_may_be_repeated() -> None:
    parts = ["test" if n < 12 else "train" for n in range(60)]

    assert len(chosen(with_roles(SIXTY, part=parts), folds=3, repeats=2).folds) == 6
    assert len(chosen(with_roles(SIXTY, part=parts), folds=3).folds) == 3


@pytest.mark.parametrize(
    ("parts", "folds", "message"),
    [
        (["train", "valid"], 5, "says 'valid' in 11 rows; it may say train, test or the number of"),
        (["-1", "test"], 5, "says '-1' in 1 row; it may say"),
        (["train"], 5, "says test in no row; name what it says for test rows"),
        (["test"], 5, "says test in every row"),
        (["1", "2", "test"], 5, "numbers 2 folds .* .1, 2., .* 5: write folds: 2"),
        (["1", "test", "test", "1"], 5, "numbers 1 fold of .*: write folds: 0"),
        (["train"] * 4 + ["test"], 5, "4 training rows cannot be divided into 5 folds"),
    ],
)  # fmt: skip
def test_a_column_that_makes_no_parts_is_refused(parts, folds, message) -> None:
    with pytest.raises(InputError, match=message):
        chosen(said(*parts), folds=folds)


def test_numbered_folds_are_not_repeated() -> None:
    with pytest.raises(InputError, match="numbers the folds; leave repeats out"):
        chosen(said(*"12", "test"), folds=2, repeats=3)


def test_a_class_of_one_training_row_is_refused() -> None:
    data = with_roles(
        dataset(["a", *"bbb", *"cccccccc"], RowRoles()), part=["train"] * 9 + ["test"] * 3
    )

    with pytest.raises(InputError, match="class 'a' has 1 training row"):
        chosen(data)


def test_no_folds_is_none() -> None:
    data = with_roles(SIXTY, part=["test" if n < 12 else "1" for n in range(60)])

    assert Given(folds=0).folds(data) == ()
