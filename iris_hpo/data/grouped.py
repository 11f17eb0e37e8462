"""The splitter ``grouped``: rows of a group are in one part, and in one part of each fold."""

import warnings
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Dataset, Target, Task
from iris_hpo.data.shuffled import seed_of_repeat
from iris_hpo.data.splitters import Fold, Rows, SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.text import counted

Groups = NDArray[np.generic]

_FINEST: Final = 20
"""Most parts that groups are divided into to find those of the test."""


class Grouped:
    """The splitter ``grouped``.

    Folds are those of scikit-learn's ``StratifiedGroupKFold``, or without stratification of
    ``GroupKFold``, with ``shuffle=True`` and the seed. A stratified test part is made of parts of
    ``StratifiedGroupKFold``; another one takes groups in a seeded order as long as they bring the
    number of its rows nearer to the share ``test_size``.

    Parameters
    ----------
    test_size, seed, folds, stratify, repeats
        See `SplitSettings`; here, the folds are drawn once by default.
    """

    def __init__(
        self,
        test_size: float = 0.2,
        seed: int = 0,
        folds: int = 5,
        stratify: bool | None = None,  # noqa: FBT001 - made by keyword
        repeats: int | None = 1,
    ) -> None:
        self.settings = SplitSettings(test_size, seed, folds, stratify, repeats)

    @property
    def n_folds(self) -> int:
        """Number of folds of all repeats; 0 for none."""
        return self.settings.folds * (self.settings.repeats or 1)

    def split(self, data: Dataset) -> tuple[Rows, Rows]:
        """Choose groups for the test; the others are for training."""
        codes = _codes(data)
        number = int(codes.max()) + 1
        if number < 2:
            raise InputError("all rows have one group; at least 2 are needed")
        if self.settings.stratifies(data.task):
            _check_largest(data.target, max(2, self.settings.folds))
            test = _stratified(codes, data.target, self.settings)
        else:
            test = _drawn(codes, self.settings)
        left = number - len(np.unique(codes[test]))
        if left < self.settings.folds:
            raise InputError(
                f"{number} groups leave {left} for training, and {self.settings.folds} folds need "
                "as many: choose fewer folds"
            )
        return np.setdiff1d(np.arange(len(codes)), test), test

    def folds(self, data: Dataset) -> Sequence[Fold]:
        """Choose the folds."""
        return grouped_folds(data.target, _codes(data), self.settings, data.task)


def grouped_folds(
    target: Target, groups: Groups, settings: SplitSettings, task: Task
) -> Sequence[Fold]:
    """Choose folds of whole groups, the same for every candidate.

    Returns
    -------
    sequence of (fit, validate)
        Positions within the rows; a repeat after the first has the `seed_of_repeat`.

    Raises
    ------
    InputError
        If there are too few groups or rows of a class, or repeats would be the same.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    if not settings.folds:
        return ()
    number = len(np.unique(groups))
    if number < settings.folds:
        raise InputError(
            f"the training rows have {counted(number, 'group')}, and {settings.folds} folds need "
            "as many: choose fewer folds"
        )
    stratifies = settings.stratifies(task)
    if stratifies:
        _check_largest(target, settings.folds)
    folder = StratifiedGroupKFold if stratifies else GroupKFold
    folds: list[Fold] = []
    known = set[frozenset[bytes]]()
    for repeat in range(settings.repeats or 1):
        seed = seed_of_repeat(settings.seed, repeat)
        splitter = folder(settings.folds, shuffle=True, random_state=seed)
        drawn = _draw_folds(splitter, target, groups)
        parts = frozenset(validated.tobytes() for _, validated in drawn)
        if parts in known:
            raise InputError(
                f"repeat {repeat + 1} of the folds is the same as one before: the groups cannot "
                "be divided in so many ways; write repeats: 1, or stratify: false"
            )
        known.add(parts)
        folds += drawn
    return tuple(folds)


def _draw_folds(splitter: Any, target: Target, groups: Groups) -> list[Fold]:
    """Draw the folds of a repeat; refuse one without a group."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        drawn: list[Fold] = list(splitter.split(np.zeros(len(target)), target, groups))
    empty = next((at for at, (_, rows) in enumerate(drawn, 1) if not len(rows)), None)
    if empty is not None:
        raise InputError(
            f"fold {empty} gets no group, as groups differ too much; choose fewer folds, or "
            "stratify: false"
        )
    return drawn


def _codes(data: Dataset) -> NDArray[np.intp]:
    """Number of the group of each row, from 0."""
    if data.roles.group is None:
        raise InputError("the splitter grouped needs a column with the role group")
    return np.unique(data.roles.group, return_inverse=True)[1]


def _drawn(codes: NDArray[np.intp], settings: SplitSettings) -> Rows:
    """Draw groups until the test part has about its share of the rows."""
    sizes = np.bincount(codes)
    ideal, taken, total = settings.test_size * len(codes), list[int](), 0
    for group in np.random.default_rng(settings.seed).permutation(len(sizes)).tolist():
        nearer = abs(total + sizes[group] - ideal) < abs(total - ideal)
        if nearer and len(taken) < len(sizes) - 1:
            taken.append(group)
            total += sizes[group]
    return np.flatnonzero(np.isin(codes, taken or [int(sizes.argmin())]))


def _stratified(codes: NDArray[np.intp], target: Target, settings: SplitSettings) -> Rows:
    """Choose groups so that classes keep their proportions, as far as groups allow."""
    from sklearn.model_selection import StratifiedGroupKFold

    _, counts = np.unique(target, return_counts=True)
    most = min(_FINEST, int(codes.max()) + 1, int(counts.max()))
    share = Fraction(settings.test_size).limit_denominator(max(2, most))
    if share in (0, 1):
        share = abs(share - Fraction(1, max(2, most)))
    splitter = StratifiedGroupKFold(share.denominator, shuffle=True, random_state=settings.seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        parts = [rows for _, rows in splitter.split(np.zeros(len(target)), target, codes)]
    test = np.sort(np.concatenate(parts[: share.numerator]))
    return test if 0 < len(test) < len(target) else _drawn(codes, settings)


def _check_largest(target: Target, folds: int) -> None:
    _, counts = np.unique(target, return_counts=True)
    if counts.max() < folds:
        raise InputError(
            f"no class has more than {counted(int(counts.max()), 'row')}, and {folds} stratified "
            "folds need as many of one: choose fewer folds, or stratify: false"
        )
