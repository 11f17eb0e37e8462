"""A part of a split as CSV: the row's number, the features and the target, read back exactly."""

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from iris_hpo.data.dataset import Dataset, Features, Target, Task
from iris_hpo.data.kinds import is_text
from iris_hpo.data.splitters import Rows
from iris_hpo.text import quote_cell, unquote_cell


def write_part(dataset: Dataset, rows: Rows) -> bytes:
    """Write some rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", *map(quote_cell, [*dataset.feature_names, dataset.target_name])])
    features: Sequence[Sequence[float | str]] = dataset.features[rows].tolist()
    write = _write_mixed if dataset.kinds else repr
    target: Sequence[object] = dataset.target[rows].tolist()
    for row, numbers, label in zip(rows.tolist(), features, target, strict=True):
        shown = quote_cell(label) if isinstance(label, str) else label
        writer.writerow([row + 1, *map(write, numbers), shown])
    return text.getvalue().encode()


def _write_mixed(value: float | str) -> str:
    """Write a value as a cell; what is missing is empty."""
    if isinstance(value, str):
        return quote_cell(value)
    return "" if math.isnan(value) else repr(value)


def _mixed_features(records: Sequence[Sequence[str]], kinds: Sequence[str]) -> Features:
    features: Any = np.empty((len(records), len(kinds)), dtype=object)
    for at, kind in enumerate(kinds):
        cells = [record[at] for record in records]
        if is_text(kind):
            features[:, at] = [unquote_cell(cell) for cell in cells]
        else:
            features[:, at] = [float(cell) if cell else math.nan for cell in cells]
    return features


def read_part(
    content: bytes, task: Task, kinds: Sequence[str] | None = None
) -> tuple[Rows, Features, Target]:
    """Read one part back.

    Parameters
    ----------
    kinds
        Kinds of the features, if not all are complete numbers.

    Returns
    -------
    rows, features, target
        Row numbers in the data set from 0, shape (rows,); then shapes (rows, features), (rows,).
    """
    _, *records = csv.reader(io.StringIO(content.decode()))
    rows = np.array([int(record[0]) - 1 for record in records], dtype=np.intp)
    if kinds:
        features = _mixed_features([record[1:-1] for record in records], kinds)
    else:
        features = np.array([record[1:-1] for record in records], dtype=np.float64)
    labels = [unquote_cell(record[-1]) for record in records]
    target = np.array(labels) if task == "classification" else np.array(labels, dtype=np.float64)
    return rows, features, target
