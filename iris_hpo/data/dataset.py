"""Reading a data set, and refusing one that cannot be learnt from.

Features are numbers and are used as they are. The target is a class label or, for regression, a
number. CSV (with or without a header) and Parquet are read. Rows to predict are read in
`iris_hpo.data.prediction_rows`.
"""

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.cells import is_finite, read_label, read_numbers
from iris_hpo.data.columns import Layout, counts_rows, has_header, is_unnamed, target_position
from iris_hpo.data.tables import DatasetError, Table
from iris_hpo.files import memory_bytes, open_regular, read_regular
from iris_hpo.text import legible, shorten

_NAMED: Final = 10
"""So many columns that cannot be used are named in a message."""

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
        What a user should know about the columns: which are left out, which may be row numbers.
    """

    features: Features
    target: Target
    feature_names: tuple[str, ...]
    target_name: str
    digest: str
    notes: tuple[str, ...] = ()

    def rows(self, indices: NDArray[np.intp]) -> tuple[Features, Target]:
        """Give the features and the target of some rows."""
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

    A column without a name in the header, or with the name that pandas then gives, is left out if
    it counts the rows.

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
    labels: list[str] | None = [] if task == "classification" else None
    columns = [name for index, name in enumerate(names) if labels is None or index != target]
    cells = read_rows(table, columns, _examples(table, names, target, labels))
    values = cells[:, target].copy() if labels is None else np.array(labels)
    if labels is None:
        cells = np.delete(cells, target, axis=1)
    positions = [position for position in range(width) if position != target]
    notes = list[str]()
    if table.columns is not None:
        numbering = [
            index
            for index, position in enumerate(positions)
            if is_unnamed(names[position]) and counts_rows(cells[:, index])
        ]
        notes += [_left_out(names[positions[index]], positions[index]) for index in numbering]
        cells = np.delete(cells, numbering, axis=1) if numbering else cells
        positions = [position for index, position in enumerate(positions) if index not in numbering]
    if not positions:
        raise DatasetError(str(path), "holds the numbers of rows and a target; add features")
    notes += _doubts(cells, [names[position] for position in positions])
    return Dataset(
        np.ascontiguousarray(cells),
        values,
        tuple(
            names[position] if table.columns else f"feature_{index + 1}"
            for index, position in enumerate(positions)
        ),
        names[target] if table.columns else "target",
        hashlib.sha256(content).hexdigest(),
        tuple(notes),
    )


def read_rows(table: Table, columns: Sequence[str], rows: Iterator[list[str]]) -> Features:
    """Read rows of numbers.

    Parameters
    ----------
    columns
        Names of the numbers, for messages.
    rows
        The rows of the table, each without the cells that are not used.

    Returns
    -------
    ndarray of shape (rows, numbers)

    Raises
    ------
    DatasetError
        For the first cell that is no number; it names all columns in which there are such.
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
        If it cannot be read, or is no regular file.
    """
    try:
        return read_regular(path, _largest())
    except OSError as error:
        raise _unreadable(path, error) from error


def _examples(
    table: Table, names: Sequence[str], target: int, labels: list[str] | None
) -> Iterator[list[str]]:
    """Give the rows as numbers are read from them; labels are taken out and added to a list."""
    for row in table.rows():
        if len(row) != len(names):
            raise table.refusal(f"has {len(row)} columns; the lines before have {len(names)}")
        if labels is not None:
            labels.append(read_label(table, names[target], row.pop(target)))
        yield row


def _with_others(
    error: DatasetError, table: Table, columns: Sequence[str], rows: Iterator[list[str]]
) -> DatasetError:
    """The error, with all other columns that hold what is no number."""
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
    """What to look at: features that seem to number the rows, and those without a name."""
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
    """Largest size in bytes of a data file: its bytes and its numbers must find room in memory."""
    return memory_bytes() // 2
