"""The stored split: CSV with the row's number, the features and the target, and its card."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Dataset, Features, Target, Task
from iris_hpo.data.splitters import LazyFolds, Rows, SplitSettings, class_counts, split_rows
from iris_hpo.store.cards import Card, read_card
from iris_hpo.store.digests import digest_of
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.text import legible, quote_cell, unquote_cell


@dataclass(frozen=True)
class Examples:
    """The rows of a split, as workers hold them.

    Attributes
    ----------
    features, target
        Training rows: shapes (rows, features) and (rows,).
    test_features, test_target
        Test rows.
    folds
        Pairs of positions (fit, validate) within the training rows.
    """

    features: Features
    target: Target
    test_features: Features
    test_target: Target
    folds: Sequence[tuple[Rows, Rows]]

    def __setstate__(self, state: Mapping[str, object]) -> None:
        """Give arrays that come from another process NumPy's own types.

        A model inherits the type objects of its rows, and its pickle shows whether they are one
        object or several equal ones. So models have the same bytes on all engines.
        """
        for name, value in state.items():
            object.__setattr__(self, name, _with_own_type(value))


def _with_own_type(value: object) -> object:
    if isinstance(value, np.ndarray):
        array: NDArray[np.generic] = value
        own = np.dtype(array.dtype.type)
        return array.view(own) if own == array.dtype else array  # texts have a length
    return value


@dataclass(frozen=True)
class SplitCard(Card):
    """What `split` made: settings, digests of both parts, and of the data they came from."""

    data_digest: str
    test_size: float
    seed: int
    folds: int
    stratify: bool
    train_rows: int
    test_rows: int
    train_digest: str
    test_digest: str
    feature_names: list[str]
    target_name: str


CARD = "split/split.json"
TRAIN = "split/train.csv"
TEST = "split/test.csv"

RowChoice = Callable[[Target, SplitSettings, Task], tuple[Rows, Rows]]

_WHOLE: Final = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)


def divide(
    dataset: Dataset, settings: SplitSettings, task: Task, choose: RowChoice = split_rows
) -> tuple[SplitCard, bytes, bytes]:
    """Divide a data set.

    Parameters
    ----------
    choose
        `split_rows`, or a way to call it.

    Returns
    -------
    card, train, test
        The two parts as CSV; floats are written so that they are read back exactly.
    """
    train_rows, test_rows = choose(dataset.target, settings, task)
    train, test = _to_csv(dataset, train_rows), _to_csv(dataset, test_rows)
    card = SplitCard(
        data_digest=dataset.digest,
        test_size=settings.test_size,
        seed=settings.seed,
        folds=settings.folds,
        stratify=settings.stratifies(task),
        train_rows=len(train_rows),
        test_rows=len(test_rows),
        train_digest=digest_of(train),
        test_digest=digest_of(test),
        feature_names=list(dataset.feature_names),
        target_name=dataset.target_name,
    )
    return card, train, test


def write_split(store: ArtifactStore, card: SplitCard, train: bytes, test: bytes) -> None:
    """Store a split; the card last, so that it never vouches for parts that are not there."""
    store.write_together({TRAIN: train, TEST: test, CARD: card.to_bytes()})


def read_part(content: bytes, task: Task) -> tuple[Rows, Features, Target]:
    """Read one part back.

    Returns
    -------
    rows, features, target
        Row numbers in the data set from 0, shape (rows,); then shapes (rows, features), (rows,).
    """
    _, *records = csv.reader(io.StringIO(content.decode()))
    rows = np.array([int(record[0]) - 1 for record in records], dtype=np.intp)
    features = np.array([record[1:-1] for record in records], dtype=np.float64)
    labels = [unquote_cell(record[-1]) for record in records]
    target = np.array(labels) if task == "classification" else np.array(labels, dtype=np.float64)
    return rows, features, target


def read_examples(store: ArtifactStore, card: SplitCard, task: Task) -> Examples:
    """Read a stored split, verified, with its folds.

    Classes that are whole numbers are given as numbers: scorers such as ``f1`` take the class 1,
    not the text "1", for the positive one.

    Raises
    ------
    ArtifactError
        If a part is missing or was changed.
    """
    _, features, target = read_part(read_verified(store, TRAIN, card.train_digest), task)
    _, test_features, test_target = read_part(read_verified(store, TEST, card.test_digest), task)
    if task == "classification" and all(map(_WHOLE.fullmatch, {*target, *test_target})):
        target, test_target = target.astype(np.int64), test_target.astype(np.int64)
    folds = LazyFolds(target, settings_of(card), task)
    return Examples(features, target, test_features, test_target, folds)


def settings_of(card: SplitCard) -> SplitSettings:
    """The settings that a split was made with."""
    return SplitSettings(card.test_size, card.seed, card.folds, card.stratify)


def _to_csv(dataset: Dataset, rows: Rows) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", *map(quote_cell, [*dataset.feature_names, dataset.target_name])])
    features: Sequence[Sequence[float]] = dataset.features[rows].tolist()
    target: Sequence[object] = dataset.target[rows].tolist()
    for row, numbers, label in zip(rows.tolist(), features, target, strict=True):
        shown = quote_cell(label) if isinstance(label, str) else label
        writer.writerow([row + 1, *map(repr, numbers), shown])
    return text.getvalue().encode()


def split_problems(store: ArtifactStore, task: Task) -> list[str]:
    """What is wrong with a stored split; empty if nothing is."""
    card = read_card(store, CARD, SplitCard)
    train, test = store.read(TRAIN), store.read(TEST)
    problems = [
        f"{name} was changed since it was made"
        for name, content, digest in (
            (TRAIN, train, card.train_digest),
            (TEST, test, card.test_digest),
        )
        if digest_of(content) != digest
    ]
    try:
        train_rows, _, train_target = read_part(train, task)
        test_rows, _, test_target = read_part(test, task)
    except (ValueError, IndexError):  # of what was changed
        return problems
    rows = np.concatenate([train_rows, test_rows])
    shared = np.intersect1d(train_rows, test_rows)
    if len(shared):
        problems.append(f"{len(shared)} rows are in both parts")
    absent = np.setdiff1d(np.arange(card.train_rows + card.test_rows), rows)
    if len(absent):
        problems.append(f"{len(absent)} rows are in neither part")
    if card.stratify:
        share = len(test_rows) / max(1, len(rows))
        train_counts, test_counts = class_counts(train_target), class_counts(test_target)
        for name in sorted({*train_counts, *test_counts}):
            in_test = test_counts.get(name, 0)
            expected = share * (in_test + train_counts.get(name, 0))
            if abs(in_test - expected) > 1:
                problems.append(
                    f"class {legible(name)} has {in_test} test rows instead of about {expected:.1f}"
                )
    return problems
