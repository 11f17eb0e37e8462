"""The splitter ``shuffled``: scikit-learn's seeded split, and its shuffled folds.

The same rows always fall on the same side. Classes keep their proportions; for regression, rows are
only shuffled.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Final, overload

import numpy as np

from iris_hpo.data.dataset import Dataset, Target, Task, class_counts
from iris_hpo.data.splitters import Fold, Rows, SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.text import counted, legible

_JOIN: Final = "join small classes under one label, remove their rows, or write stratify: false"

_NAMED: Final = 10
"""Number of small classes that a message names."""


class Shuffled:
    """The splitter ``shuffled``: seeded, stratified for classes.

    Parameters
    ----------
    test_size, seed, folds, stratify, repeats
        See `SplitSettings`; here, the folds are drawn once by default.
    call
        How to call `split_rows`, which imports scikit-learn; in this process by default.
    """

    def __init__(
        self,
        test_size: float = 0.2,
        seed: int = 0,
        folds: int = 5,
        stratify: bool | None = None,  # noqa: FBT001 - made by keyword
        repeats: int | None = 1,
        call: Callable[..., tuple[Rows, Rows]] | None = None,
    ) -> None:
        self.settings = SplitSettings(test_size, seed, folds, stratify, repeats)
        self._call = call

    @property
    def n_folds(self) -> int:
        """Number of folds of all repeats; 0 for none."""
        return _fold_count(self.settings)

    def split(self, data: Dataset) -> tuple[Rows, Rows]:
        """Choose the training rows and the test rows."""
        if self._call is None:
            return split_rows(data.target, self.settings, data.task)
        return self._call(split_rows, data.target, self.settings, data.task)

    def folds(self, data: Dataset) -> Sequence[Fold]:
        """Choose the folds."""
        return make_folds(data.target, self.settings, data.task)


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
            f"{counted(len(target), 'row')} leave{'s' * (len(target) == 1)} {train_rows} for "
            f"training; with test_size {settings.test_size} and {settings.folds} folds that is "
            "too few"
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
        check_training(target[train], settings, stratify=stratify)
    else:
        for part, rows in (("training", train), ("test", test)):
            _check_numbers(target[rows], f"every {part} row", "choose another seed or test_size")
    return train, test


def notes_on_folds(target: Target, settings: SplitSettings, task: Task) -> list[str]:
    """Name the classes that have fewer training rows than there are folds.

    Parameters
    ----------
    target
        Target of the training rows.
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


def make_folds(target: Target, settings: SplitSettings, task: Task) -> Sequence[Fold]:
    """Choose the folds, the same for every candidate.

    Returns
    -------
    sequence of (fit, validate)
        Positions within the training rows. They are scikit-learn's own: ``StratifiedKFold`` or
        ``KFold`` with ``shuffle=True`` and the seed, or for a repeat after the first, the
        `seed_of_repeat`.
    """
    if not settings.folds:
        return ()
    from sklearn.model_selection import KFold, StratifiedKFold

    folder = StratifiedKFold if settings.stratifies(task) else KFold
    folds: list[Fold] = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # see `notes_on_folds`
        for repeat in range(settings.repeats or 1):
            seed = seed_of_repeat(settings.seed, repeat)
            splitter = folder(settings.folds, shuffle=True, random_state=seed)
            folds += splitter.split(np.zeros(len(target)), target)
    return tuple(folds)


def seed_of_repeat(seed: int, repeat: int) -> int:
    """Derive the seed of the folds of a repeat; the first, 0, has the seed itself."""
    if not repeat:
        return seed
    return int(np.random.SeedSequence([seed, repeat]).generate_state(1)[0])


class LazyFolds(Sequence[Fold]):
    """The folds of `make_folds`, made on first use.

    scikit-learn is imported on first use; only the settings are pickled, not the folds.
    """

    def __init__(self, target: Target, settings: SplitSettings, task: Task) -> None:
        self._target = target
        self._settings = settings
        self._task: Task = task
        self._made: Sequence[Fold] | None = None

    def __len__(self) -> int:
        return _fold_count(self._settings)

    @overload
    def __getitem__(self, index: int) -> Fold: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Fold]: ...

    def __getitem__(self, index: int | slice) -> object:
        if self._made is None:
            self._made = make_folds(self._target, self._settings, self._task)
        return self._made[index]


def _fold_count(settings: SplitSettings) -> int:
    return settings.folds * (settings.repeats or 1)


def _check_classes(
    target: Target, settings: SplitSettings, test_rows: int, *, stratify: bool
) -> None:
    counts = class_counts(target)
    if len(counts) < 2:
        raise InputError(
            f"every row has the label {next(iter(counts))!r}; at least two classes are needed: "
            "give another target"
        )
    if not stratify:
        return
    single = [name for name, count in counts.items() if count < 2]
    if single:
        more = f" and {counted(len(single) - 1, 'other')} have 1 row each" if single[1:] else ""
        raise InputError(
            f"class {single[0]!r}{more or ' has 1 row'}; the split needs 2 of each class: {_JOIN}"
        )
    if min(test_rows, len(target) - test_rows) < len(counts):
        size = "greater" if test_rows < len(counts) else "smaller"
        raise InputError(
            f"test_size {settings.test_size} of {len(target)} rows leaves less than one row per "
            f"class for one side of the split; there are {len(counts)} classes: choose a {size} "
            f"test_size, or {_JOIN}"
        )


def check_training(target: Target, settings: SplitSettings, *, stratify: bool) -> None:
    """Refuse classes of training rows that cannot be divided into folds."""
    counts = class_counts(target)
    smallest = min(counts, key=lambda name: counts[name])
    if len(counts) < 2:
        raise InputError(
            f"all training rows have the label {smallest!r}; write stratify: true, or give another "
            "target"
        )
    if not stratify or not settings.folds:
        return
    need = f"; {settings.folds} folds need 2 of each class and {settings.folds} of one: "
    largest = max(counts.values())
    if counts[smallest] < 2:
        raise InputError(f"class {smallest!r} has 1 training row{need}{_JOIN}")
    if largest < settings.folds:
        raise InputError(
            f"no class has more than {largest} training rows{need}choose fewer folds, or write "
            "stratify: false"
        )


def _check_numbers(target: Target, rows: str, advice: str) -> None:
    if np.all(target == target[0]):
        raise InputError(
            f"{rows} has the target {target[0]:.12g}; there is nothing to predict: {advice}"
        )
