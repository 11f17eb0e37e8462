"""Reading a data set, and refusing one that cannot be learnt from.

Features are numbers and are used as they are. The target is a class label or, for regression, a
number. CSV (with or without a header) and Parquet are read.
"""

import hashlib
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from iris_hpo.search.tables import DatasetError, Table, is_multiline
from iris_hpo.text import shorten

_MISSING: Final = ("", "na", "n/a", "null", "none", "nan", "?")

Task = Literal["classification", "regression"]
Features = NDArray[np.float64]
Target = NDArray[np.str_] | NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True)
class Dataset:
    """A data set in memory.

    Attributes
    ----------
    features
        Shape (rows, features), float64, all finite.
    target
        Shape (rows,): class labels as text, or float64 for regression.
    feature_names, target_name
        From the header, or ``feature_1`` and so on, and ``target``.
    digest
        sha256 of the file's bytes.
    """

    features: Features
    target: Target
    feature_names: tuple[str, ...]
    target_name: str
    digest: str

    def rows(self, indices: NDArray[np.intp]) -> tuple[Features, Target]:
        """Give the features and the target of some rows."""
        return self.features[indices], self.target[indices]


@dataclass(frozen=True)
class Layout:
    """Where things stand in a row.

    Parameters
    ----------
    target
        The target's column: a name from the header, or a position (0 is the first, -1 the last).
    header
        Whether the first line names the columns; None finds out: it does if none of its
        features is a number.
    """

    target: str | int = -1
    header: bool | None = None


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes.

    Raises
    ------
    DatasetError
        If the file cannot be read.
    """
    return hashlib.sha256(_read_bytes(path)).hexdigest()


def read_dataset(path: Path, layout: Layout, task: Task) -> Dataset:
    """Read a data set with its target.

    Raises
    ------
    DatasetError
        For the first cell, row or column that cannot be used.
    """
    content = _read_bytes(path)
    table = Table(path, content)
    width = len(table.first)
    if width < 2:
        raise table.refusal(
            f"has {width} column; features and a target, separated by commas, are needed"
        )
    if table.columns is None and _is_header(table.first, layout):
        table.take_header()
    columns = table.columns
    target = _target_position(path, layout.target, columns, width)
    numbers, labels = array("d"), list[str]()
    for row in table.rows():
        if len(row) != width:
            raise table.refusal(f"has {len(row)} columns; the lines before have {width}")
        for index, cell in enumerate(row):
            column = columns[index] if columns else f"{index + 1}"
            if index == target and task == "classification":
                labels.append(_label(table, column, cell))
            else:
                numbers.append(_number(table, column, cell))
    cells = np.frombuffer(numbers, dtype=np.float64)
    if task == "classification":
        features, values = cells.reshape(-1, width - 1), np.array(labels)
    else:
        cells = cells.reshape(-1, width)
        features, values = np.delete(cells, target, axis=1), cells[:, target].copy()
    target_name = columns[target] if columns else "target"
    feature_names = tuple(
        columns[index] if columns else f"feature_{index + 1 - (index > target)}"
        for index in range(width)
        if index != target
    )
    return Dataset(
        np.ascontiguousarray(features),
        values,
        feature_names,
        target_name,
        hashlib.sha256(content).hexdigest(),
    )


def read_features(path: Path, feature_names: Sequence[str], target_name: str) -> Features:
    """Read rows to predict: the features alone, or with the target's column, which is ignored.

    With a header that names the features, columns may come in any order and others are ignored.
    Without, the features come first, in the order of training.

    Returns
    -------
    ndarray of shape (rows, features)
    """
    table = Table(path, _read_bytes(path))
    expected = len(feature_names)
    if table.columns is not None:
        _check_features(path, table.columns, feature_names, None)
    elif set(feature_names) <= set(table.first) or not any(map(_is_number, table.first[:expected])):
        _check_features(path, table.first, feature_names, table.line)
        table.take_header()
    columns = table.columns
    numbers = array("d")
    for row in table.rows():
        if columns is not None and len(row) != len(columns):
            raise table.refusal(f"has {len(row)} columns; the header has {len(columns)}")
        if columns is None and len(row) not in (expected, expected + 1):
            raise table.refusal(
                f"has {len(row)} columns; the model needs {expected} features, with or without "
                f"{target_name} after them"
            )
        for index, name in enumerate(feature_names):
            cell = row[columns.index(name)] if columns is not None else row[index]
            numbers.append(_number(table, name, cell))
    return np.frombuffer(numbers, dtype=np.float64).reshape(-1, expected)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(str(path), f"the data cannot be read: {error.strerror}") from error


def _is_header(row: Sequence[str], layout: Layout) -> bool:
    if layout.header is not None:
        return layout.header
    if isinstance(layout.target, str):
        return True
    position = layout.target % len(row) if -len(row) <= layout.target < len(row) else -1
    features = [cell for index, cell in enumerate(row) if index != position]
    return not any(_is_missing(cell) or _is_number(cell) for cell in features)


def _is_missing(cell: str) -> bool:
    return cell.lower() in _MISSING


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _target_position(
    path: Path, target: str | int, columns: Sequence[str] | None, width: int
) -> int:
    if isinstance(target, int):
        if not -width <= target < width:
            raise DatasetError(
                str(path), f"has {width} columns; there is no target at position {target}"
            )
        return target % width
    if columns is None:
        raise DatasetError(
            str(path), f"has no header; give the target {target!r} as a position instead"
        )
    if target not in columns:
        raise DatasetError(
            str(path), f"has no column {target!r} for the target; there are {', '.join(columns)}"
        )
    return columns.index(target)


def _check_features(
    path: Path, columns: Sequence[str], feature_names: Sequence[str], line: int | None
) -> None:
    for name in feature_names:
        if name not in columns:
            raise DatasetError(
                str(path), f"the header does not name the feature {name!r}", line=line
            )


def _label(table: Table, column: str, cell: str) -> str:
    if not cell:
        raise table.refusal("the label is missing; fill it in or remove the row", column)
    if is_multiline(cell):
        raise table.refusal(f"the label {shorten(cell)} holds a line break", column)
    return cell


def _number(table: Table, column: str, cell: str) -> float:
    if _is_missing(cell):
        raise table.refusal(
            f"the value is missing ({shorten(cell)}); fill it in or remove the row", column
        )
    try:
        if "_" in cell or not cell.isascii():
            raise ValueError
        number = float(cell)
    except ValueError as error:
        raise table.refusal(
            f"{shorten(cell)} is not a number; encode it as one or drop the column", column
        ) from error
    if not math.isfinite(number):
        raise table.refusal(f"{shorten(cell)} is not finite; remove the row", column)
    return number
