"""What every splitter promises."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from iris_hpo.data.dataset import Dataset
from iris_hpo.data.splitters import Splitter
from iris_hpo.testing.randomness import disturb


class SplitterContract(ABC):
    """What every splitter promises."""

    @abstractmethod
    def make_splitter(self) -> Splitter:
        """Make the splitter to test; called twice, it makes one like the first."""

    def make_data(self) -> Dataset:
        """Make data that it can divide: by default 60 rows of 3 classes and 2 features."""
        numbers = np.arange(120, dtype=np.float64).reshape(60, 2)
        labels = np.array(["a", "b", "c"] * 20)
        return Dataset(numbers, labels, ("first", "second"), "kind", "digest")

    def rows(self) -> tuple[list[int], list[int]]:
        """Training and test rows of a new splitter, which cannot change the data."""
        train, test = self.make_splitter().split(_read_only(self.make_data()))
        return np.asarray(train).tolist(), np.asarray(test).tolist()

    def folds(self) -> list[tuple[list[int], list[int]]]:
        """Folds of a new splitter on its own training rows."""
        data = self.make_data()
        train, _ = self.make_splitter().split(_read_only(data))
        training = _read_only(data.take(np.sort(np.asarray(train, dtype=np.intp))))
        return [
            (np.asarray(fit).tolist(), np.asarray(validate).tolist())
            for fit, validate in self.make_splitter().folds(training)
        ]

    def test_each_row_is_in_one_part_at_most(self) -> None:
        """Rows are numbers from 0; neither part is empty."""
        number = len(self.make_data().target)
        train, test = self.rows()

        assert train
        assert test
        assert len({*train, *test}) == len(train) + len(test)
        assert {*train, *test} <= set(range(number))

    def test_there_is_something_to_predict(self) -> None:
        """The training rows have two classes or numbers at least."""
        train, _ = self.rows()

        assert len(set(self.make_data().target[train].tolist())) > 1

    def test_there_are_as_many_folds_as_it_says(self) -> None:
        """The number is known without data, and is 0 for none."""
        number: Any = self.make_splitter().n_folds

        assert isinstance(number, int | np.integer)
        assert number >= 0
        if number:
            assert len(self.folds()) == number

    def test_each_training_row_is_in_one_part_of_a_fold_at_most(self) -> None:
        """Folds have positions within the training rows; no part is empty."""
        if not self.make_splitter().n_folds:
            return
        train, _ = self.rows()
        for fit, validate in self.folds():
            assert fit
            assert validate
            assert len({*fit, *validate}) == len(fit) + len(validate)
            assert {*fit, *validate} <= set(range(len(train)))

    def test_the_same_data_has_the_same_rows_and_folds(self) -> None:
        """In any process, whatever other code does with random numbers."""
        has_folds = self.make_splitter().n_folds > 0
        disturb(1)
        first = self.rows(), self.folds() if has_folds else []
        disturb(2)
        second = self.rows(), self.folds() if has_folds else []

        assert first == second

    def test_its_identity_is_json_and_always_the_same(self) -> None:
        """If it has one; it is stored in the card of the split."""
        identities = [
            json.dumps(splitter.identity(), sort_keys=True, allow_nan=False)
            for splitter in (self.make_splitter(), self.make_splitter())
            if isinstance(splitter, _Identified)
        ]

        assert len(set(identities)) <= 1


@runtime_checkable
class _Identified(Protocol):
    def identity(self) -> Mapping[str, object]: ...


def _read_only(data: Dataset) -> Dataset:
    """Return the data with arrays that cannot be changed, as a search gives them."""
    roles = data.roles.each(_locked)
    return replace(data, features=_locked(data.features), target=_locked(data.target), roles=roles)


def _locked(array: Any) -> Any:
    copied = array.copy()
    copied.flags.writeable = False
    return copied
