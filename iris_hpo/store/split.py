"""The split as files: CSV with the row's number, the features, and the target."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from iris_hpo.search.dataset import Dataset, Features, Target, Task
from iris_hpo.search.evaluation import Examples
from iris_hpo.search.splitting import LazyFolds, Rows, SplitSettings, split_rows
from iris_hpo.store.artifacts import ArtifactStore, digest_of, read_verified
from iris_hpo.store.cards import SplitCard
from iris_hpo.text import quote_cell, unquote_cell

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
