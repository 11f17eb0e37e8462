"""Dividing the rows: training and test rows, and the folds of cross-validation.

Seeded, so that the same rows always fall on the same side. Classes keep their proportions; for
regression, rows are only shuffled.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Target, Task
from iris_hpo.errors import InputError
from iris_hpo.text import legible

Rows = NDArray[np.intp]

_NAMED: Final = 10
"""So many small classes are named in a message."""


@dataclass(frozen=True)
class SplitSettings:
    """How to divide the rows.

    Parameters
    ----------
    test_size
        The share of rows kept for the test, between 0 and 1.
    seed
        Of the shuffles: the split's and the folds'.
    folds
        Number of cross-validation folds on the training rows; 0 for none.
    stratify
        Whether classes keep their proportions; None for yes if the target is a class.
    """

    test_size: float = 0.2
    seed: int = 0
    folds: int = 5
    stratify: bool | None = None

    def __post_init__(self) -> None:
        if not 0 < self.test_size < 1:
            raise InputError(
                f"test_size {self.test_size} must lie between 0 and 1, such as 0.2",
                field=("test_size",),
            )
        if not 0 <= self.seed < 2**32:
            raise InputError(
                f"seed {self.seed} must lie between 0 and {2**32 - 1}", field=("seed",)
            )
        if self.folds < 0 or self.folds == 1:
            raise InputError(f"folds {self.folds} must be 0 (off) or at least 2", field=("folds",))

    def stratifies(self, task: Task) -> bool:
        """Whether classes keep their proportions for this task."""
        if self.stratify and task == "regression":
            raise InputError("stratify needs classes; regression targets have none")
        return task == "classification" if self.stratify is None else self.stratify


def split_rows(target: Target, settings: SplitSettings, task: Task) -> tuple[Rows, Rows]:
    """Choose training and test rows.

    Returns
    -------
    train, test
        Row numbers from 0, ascending, disjoint and together complete.

    Raises
    ------
    InputError
        If there are too few rows, or too few of a class, for the split and the folds.
    """
    from sklearn.model_selection import train_test_split

    stratify = settings.stratifies(task)
    test_rows = int(np.ceil(len(target) * settings.test_size))
    train_rows = len(target) - test_rows
    if train_rows < max(2, settings.folds):
        raise InputError(
            f"{len(target)} rows leave {train_rows} for training; with test_size "
            f"{settings.test_size} and {settings.folds} folds that is too few"
        )
    if task == "classification":
        _check_classes(target, settings, test_rows, stratify=stratify)
    elif test_rows < 2:
        raise InputError(
            f"test_size {settings.test_size} of {len(target)} rows leaves 1 row for the test; "
            "regression scores need at least 2"
        )
    else:
        _check_numbers(target, "every row", "give another target")
    train, test = train_test_split(
        np.arange(len(target)),
        test_size=settings.test_size,
        random_state=settings.seed,
        stratify=target if stratify else None,
    )
    train, test = np.sort(train), np.sort(test)
    if task == "classification":
        _check_training(target[train], settings, stratify=stratify)
    else:
        for part, rows in (("training", train), ("test", test)):
            _check_numbers(target[rows], f"every {part} row", "choose another seed or test_size")
    return train, test


def notes_on_folds(target: Target, settings: SplitSettings, task: Task) -> list[str]:
    """Name the classes that have fewer training rows than there are folds.

    Parameters
    ----------
    target
        Of the training rows.
    """
    if not settings.folds or not settings.stratifies(task):
        return []
    few = {name: count for name, count in class_counts(target).items() if count < settings.folds}
    if not few:
        return []
    named = [f"{legible(name)} ({count})" for name, count in few.items()]
    more = f" and {len(few) - _NAMED} more" if len(few) > _NAMED else ""
    note = f"fewer training rows than the {settings.folds} folds have the classes "
    return [f"{note}{', '.join(named[:_NAMED])}{more}: some folds are scored without them"]


def make_folds(target: Target, settings: SplitSettings, task: Task) -> Sequence[tuple[Rows, Rows]]:
    """Choose the folds, the same for every candidate.

    Returns
    -------
    sequence of (fit, validate)
        Positions within the training rows. They are scikit-learn's own: ``StratifiedKFold`` or
        ``KFold`` with ``shuffle=True`` and the seed.
    """
    if not settings.folds:
        return ()
    from sklearn.model_selection import KFold, StratifiedKFold

    folder = StratifiedKFold if settings.stratifies(task) else KFold
    splitter = folder(settings.folds, shuffle=True, random_state=settings.seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # see `notes_on_folds`
        return tuple(splitter.split(np.zeros(len(target)), target))


class LazyFolds(Sequence[tuple[Rows, Rows]]):
    """The folds of `make_folds`, chosen when the first is asked for.

    So only those who use them import scikit-learn, and between processes travels how to make them.
    """

    def __init__(self, target: Target, settings: SplitSettings, task: Task) -> None:
        self._target = target
        self._settings = settings
        self._task: Task = task
        self._made: Sequence[tuple[Rows, Rows]] | None = None

    def __len__(self) -> int:
        return self._settings.folds

    @overload
    def __getitem__(self, index: int) -> tuple[Rows, Rows]: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[Rows, Rows]]: ...

    def __getitem__(self, index: int | slice) -> object:
        if self._made is None:
            self._made = make_folds(self._target, self._settings, self._task)
        return self._made[index]


def class_counts(target: Target) -> dict[str, int]:
    """Count the rows of each class."""
    classes, counts = np.unique(target, return_counts=True)
    return {str(name): int(count) for name, count in zip(classes, counts, strict=True)}


def _check_classes(
    target: Target, settings: SplitSettings, test_rows: int, *, stratify: bool
) -> None:
    counts = class_counts(target)
    if len(counts) < 2:
        raise InputError(
            f"every row has the label {next(iter(counts))!r}; at least two classes are needed"
        )
    smallest = min(counts, key=lambda name: counts[name])
    if stratify and counts[smallest] < 2:
        raise InputError(
            f"class {smallest!r} has {counts[smallest]} row; the split needs 2 of each class"
        )
    if stratify and min(test_rows, len(target) - test_rows) < len(counts):
        raise InputError(
            f"test_size {settings.test_size} of {len(target)} rows leaves less than one row per "
            f"class for one side of the split; there are {len(counts)} classes"
        )


def _check_training(target: Target, settings: SplitSettings, *, stratify: bool) -> None:
    counts = class_counts(target)
    smallest = min(counts, key=lambda name: counts[name])
    if len(counts) < 2:
        raise InputError(f"all training rows have the label {smallest!r}; stratify the split")
    if not stratify or not settings.folds:
        return
    largest = max(counts.values())
    if counts[smallest] < 2 or largest < settings.folds:
        found = (
            f"class {smallest!r} has 1 training row"
            if counts[smallest] < 2
            else (f"no class has more than {largest} training rows")
        )
        raise InputError(
            f"{found}; {settings.folds} folds need 2 of each class and {settings.folds} of one: "
            "choose fewer folds or add rows"
        )


def _check_numbers(target: Target, rows: str, advice: str) -> None:
    if np.all(target == target[0]):
        raise InputError(
            f"{rows} has the target {target[0]:.12g}; there is nothing to predict: {advice}"
        )
