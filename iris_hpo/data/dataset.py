"""Read a data set, and refuse one that cannot be learnt from.

Features are numbers and are used as they are. The target is a class label or, for regression, a
number. Files are CSV, with or without a header, or Parquet. Rows to predict are read in
`iris_hpo.data.prediction_rows`.
"""

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, compress
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.cells import is_finite, read_label, read_numbers
from iris_hpo.data.columns import Layout, counts_rows, has_header, is_unnamed, target_position
from iris_hpo.data.tables import DatasetError, Table
from iris_hpo.files import memory_bytes, open_regular, read_regular
from iris_hpo.text import counted, legible, shorten

_NAMED: Final = 10
"""Number of unusable columns that a message names."""

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
    notes
        Remarks on the columns: which are left out, which may be row numbers.
    """

    features: Features
    target: Target
    feature_names: tuple[str, ...]
    target_name: str
    digest: str
    notes: tuple[str, ...] = ()

    @property
    def task(self) -> Task:
        """Regression if the target is float64, else classification."""
        return "regression" if self.target.dtype.kind == "f" else "classification"

    def rows(self, indices: NDArray[np.intp]) -> tuple[Features, Target]:
        """Return the features and the target of some rows."""
        return self.features[indices], self.target[indices]


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes.

    Raises
    ------
    DatasetError
        If the file cannot be read.
    """
    try:
        with open_regular(path, _largest()) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def read_dataset(path: Path, layout: Layout, task: Task) -> Dataset:
    """Read a data set with its target.

    A column that counts the rows is left out if it has no name in the header, or the name that
    pandas gives to such a column.

    Raises
    ------
    DatasetError
        For the first cell, row or column that cannot be used.
    """
    content = read_bytes(path)
    table = Table(path, content)
    if len(table.first) < 2:
        raise _too_narrow(table)
    if table.columns is None and has_header(table, layout):
        table.take_header()
    width = len(table.columns or table.first)
    target = target_position(table, layout.target, width)
    names = table.columns or [f"{index + 1}" for index in range(width)]
    features, values = _read_cells(table, names, target, task)
    positions = [position for position in range(width) if position != target]
    notes = list[str]()
    if table.columns is not None:
        counting = [
            is_unnamed(names[position]) and counts_rows(features[:, index])
            for index, position in enumerate(positions)
        ]
        notes += [_left_out(names[at], at) for at in compress(positions, counting)]
        features = features[:, np.logical_not(counting)] if any(counting) else features
        positions = [at for at, counts in zip(positions, counting, strict=True) if not counts]
    if not positions:
        raise DatasetError(str(path), "holds the numbers of rows and a target; add features")
    feature_names = [names[position] for position in positions]
    notes += _doubts(features, feature_names)
    if table.columns is None:
        feature_names = [f"feature_{index + 1}" for index in range(len(positions))]
    return Dataset(
        np.ascontiguousarray(features),
        values,
        tuple(feature_names),
        names[target] if table.columns else "target",
        hashlib.sha256(content).hexdigest(),
        tuple(notes),
    )


def class_counts(target: Target) -> dict[str, int]:
    """Count the rows of each class."""
    classes, counts = np.unique(target, return_counts=True)
    return {str(name): int(count) for name, count in zip(classes, counts, strict=True)}


def read_rows(table: Table, columns: Sequence[str], rows: Iterator[list[str]]) -> Features:
    """Read rows of numbers.

    Parameters
    ----------
    columns
        Names of the numbers, for messages.
    rows
        Rows of the table, each without the cells that are not used.

    Returns
    -------
    ndarray of shape (rows, numbers)

    Raises
    ------
    DatasetError
        For the first cell that is not a number; the message names every column that has such cells.
    """
    numbers = array("d")
    for row in rows:
        try:
            numbers.extend(read_numbers(table, columns, row))
        except DatasetError as error:
            raise _with_others(error, table, columns, chain([row], rows)) from error
    return np.frombuffer(numbers, dtype=np.float64).reshape(-1, len(columns))


def read_bytes(path: Path) -> bytes:
    """Read a data file.

    Raises
    ------
    DatasetError
        If it cannot be read, or is not a regular file.
    """
    try:
        return read_regular(path, _largest())
    except OSError as error:
        raise _unreadable(path, error) from error


def _read_cells(
    table: Table, names: Sequence[str], target: int, task: Task
) -> tuple[Features, Target]:
    """Read the features, without the target's column, and the target."""
    if task == "regression":
        cells = read_rows(table, names, _examples(table, names, target, None))
        return np.delete(cells, target, axis=1), cells[:, target].copy()
    labels = list[str]()
    columns = [name for index, name in enumerate(names) if index != target]
    features = read_rows(table, columns, _examples(table, names, target, labels))
    return features, np.array(labels)


def _examples(
    table: Table, names: Sequence[str], target: int, labels: list[str] | None
) -> Iterator[list[str]]:
    """Yield the rows with the cells that are numbers; append the labels, if any, to a list."""
    for row in table.rows():
        if len(row) != len(names):
            raise table.refusal(
                f"has {counted(len(row), 'column')}; the lines before have {len(names)}"
            )
        if labels is not None:
            labels.append(read_label(table, names[target], row.pop(target)))
        yield row


def _with_others(
    error: DatasetError, table: Table, columns: Sequence[str], rows: Iterator[list[str]]
) -> DatasetError:
    """Add the other columns with cells that are not numbers to an error's message."""
    others = dict[str, str]()
    with suppress(DatasetError):
        for row in rows:
            for column, cell in zip(columns, row, strict=True):
                if column != error.column and column not in others and not is_finite(cell):
                    others[column] = f"{column} (line {table.line}, {shorten(cell)})"
    if not others:
        return error
    named = ", ".join(list(others.values())[:_NAMED])
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    return DatasetError(
        str(table.path),
        f"{error.problem}; the same holds for {named}{more}",
        line=error.line,
        column=error.column,
    )


def _too_narrow(table: Table) -> DatasetError:
    if table.second is not None and len(table.second) > 1:
        return table.refusal(
            f"has 1 column and the next row {len(table.second)}; remove what stands above the table"
        )
    return table.refusal("has 1 column; features and a target, separated by commas, are needed")


def _left_out(name: str, position: int) -> str:
    described = f"is named {name!r}" if name else "has no name"
    return f"column {position + 1} {described} and counts the rows: it is left out"


def _doubts(features: Features, names: Sequence[str]) -> list[str]:
    """Remarks on features that seem to number the rows, and on those without a name."""
    if len(features) < 3:
        return []
    return [
        f"the feature {legible(name) if name else 'without a name'} counts the rows; if it only "
        "numbers them, remove the column"
        if counts
        else f"the feature {legible(name)} has no name; if it numbers rows, remove the column"
        for index, name in enumerate(names)
        for counts in [counts_rows(features[:, index])]
        if counts or is_unnamed(name)
    ]


def _unreadable(path: Path, error: OSError) -> DatasetError:
    return DatasetError(str(path), f"the data cannot be read: {error.strerror}")


def _largest() -> int:
    """Largest size of a data file in bytes: its bytes and its numbers have to fit in memory."""
    return memory_bytes() // 2
