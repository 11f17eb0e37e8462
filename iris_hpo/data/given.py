"""The splitter ``given``: a column says which rows are for the test, or the fold by its number."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.cells import is_finite, is_truth
from iris_hpo.data.dataset import Dataset
from iris_hpo.data.grouped import grouped_folds
from iris_hpo.data.shuffled import check_training, make_folds
from iris_hpo.data.splitters import Fold, Rows, SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.text import counted, listed, shorten

_TRAIN: Final = ("train", "training")
_TEST: Final = ("test", "testing")


class Given:
    """The splitter ``given``.

    A cell of the column is ``train`` or ``test``, or a whole number: the row is for training, and
    validated in the fold of this number. If no row has a number, the folds are drawn: of whole
    groups if a column has this role, otherwise as by the splitter ``shuffled``.

    Parameters
    ----------
    seed, folds, stratify, repeats
        See `SplitSettings`; here, the folds are drawn once by default.
    train, test
        What the column says in place of train and test.
    """

    def __init__(
        self,
        seed: int = 0,
        folds: int = 5,
        stratify: bool | None = None,  # noqa: FBT001 - made by keyword
        repeats: int | None = 1,
        train: object = None,
        test: object = None,
    ) -> None:
        self.settings = SplitSettings(
            seed=seed, folds=folds, stratify=stratify, repeats=repeats or 1
        )
        self._train = _TRAIN if train is None else (_spelling(train),)
        self._test = _TEST if test is None else (_spelling(test),)

    @property
    def n_folds(self) -> int:
        """Number of folds; 0 for none."""
        return self.settings.folds * (self.settings.repeats or 1)

    def split(self, data: Dataset) -> tuple[Rows, Rows]:
        """Choose the rows that the column says."""
        parts, numbers = _parts(data)
        is_test = np.isin(parts, self._test)
        is_train = ~is_test & (np.isin(parts, self._train) | (numbers >= 0))
        unknown = np.flatnonzero(~is_test & ~is_train)
        if len(unknown):
            raise InputError(
                f"the column with the role part says {shorten(str(parts[unknown[0]]))} in "
                f"{counted(len(unknown), 'row')}; it may say {self._train[0]}, {self._test[0]} or "
                "the number of a fold. Write other words as settings of the splitter: "
                "{use: given, settings: {train: ..., test: ...}}"
            )
        if not is_test.any():
            raise InputError(
                f"the column with the role part says {self._test[0]} in no row; name what it says "
                "for test rows, which may be the number of a fold: "
                "splitter: {use: given, settings: {test: ...}}"
            )
        if not is_train.any():
            raise InputError(f"the column with the role part says {self._test[0]} in every row")
        return np.flatnonzero(is_train), np.flatnonzero(is_test)

    def folds(self, data: Dataset) -> Sequence[Fold]:
        """Choose the folds that the column numbers; draw them if there are no numbers."""
        settings, (_, numbers) = self.settings, _parts(data)
        known = np.unique(numbers[numbers >= 0])
        if not settings.folds:
            return ()
        if len(known):
            return self._numbered(numbers, known)
        if data.roles.group is not None:
            return grouped_folds(data.target, data.roles.group, settings, data.task)
        if len(data.target) < settings.folds:
            raise InputError(
                f"{counted(len(data.target), 'training row')} cannot be divided into "
                f"{settings.folds} folds; choose fewer folds"
            )
        if data.task == "classification":
            check_training(data.target, settings, stratify=settings.stratifies(data.task))
        return make_folds(data.target, settings, data.task)

    def _numbered(self, numbers: NDArray[np.int64], known: NDArray[np.int64]) -> Sequence[Fold]:
        settings = self.settings
        if (settings.repeats or 1) > 1:
            raise InputError("the column with the role part numbers the folds; leave repeats out")
        if len(known) != settings.folds:
            raise InputError(
                f"the column with the role part numbers {counted(len(known), 'fold')} of the "
                f"training rows ({listed([str(number) for number in known.tolist()])}), and the "
                f"search has {settings.folds}: write folds: {len(known) if len(known) > 1 else 0}"
            )
        return tuple((np.flatnonzero(numbers != at), np.flatnonzero(numbers == at)) for at in known)


def _parts(data: Dataset) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """What the column says, in lower case, and the number of the fold, -1 for none."""
    if data.roles.part is None:
        raise InputError("the splitter given needs a column with the role part")
    spelt = {cell: _spelling(cell) for cell in np.unique(data.roles.part).tolist()}
    parts = np.array([spelt[cell] for cell in data.roles.part.tolist()])
    number = {part: int(part) if part.isdecimal() else -1 for part in spelt.values()}
    return parts, np.array([number[part] for part in parts.tolist()], dtype=np.int64)


def _spelling(part: object) -> str:
    """How a part is compared: without regard to case, numbers as whole numbers."""
    text = str(part).strip().lower()
    if is_finite(text) and not is_truth(text) and float(text).is_integer():
        return str(int(float(text)))
    return text
