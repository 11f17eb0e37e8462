"""Read the numbers and the labels of a table: in blocks if it is large, else row by row."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.blocks import read_blocks
from iris_hpo.data.cells import is_finite, read_label, read_numbers
from iris_hpo.data.decoding import TextForm
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.rows import Columns, Rows
from iris_hpo.data.tables import DatasetError, Table
from iris_hpo.text import shorten

_NAMED: Final = 10
"""Number of unusable columns that a message names."""

Features = NDArray[np.float64]


@dataclass(frozen=True)
class Cells:
    """The content of some columns.

    Attributes
    ----------
    numbers
        Shape (rows, numbers), float64, finite.
    labels
        A text per row; empty if no column holds labels.
    left_out
        Number of rows without a target that were left out.
    digest
        sha256 of the file's bytes.
    first
        The first row, all columns.
    roles
        What columns say about the rows.
    """

    columns: Columns
    numbers: Features
    labels: list[str]
    left_out: int
    digest: str
    first: Sequence[str]
    roles: RowRoles = field(default_factory=RowRoles)


def read_cells(
    path: Path,
    locate: Callable[[Table], Columns],
    form: TextForm | None = None,
    *,
    keeps_empty: bool = False,
) -> Cells:
    """Read columns of a table.

    Parameters
    ----------
    locate
        Takes the header of a table, and returns the columns to read.
    form, keeps_empty
        As in `Table`.

    Raises
    ------
    DatasetError
        For the first cell that cannot be used.
    """
    with Table(path, form, keeps_empty=keeps_empty) as table:
        columns = locate(table)
        cells = read_in_blocks(table, columns)
        if cells is not None:
            return cells
        if columns.roles or not table.is_large:
            return _read_by_rows(table, columns)
    with Table(path, form, keeps_empty=keeps_empty) as table:
        return _read_by_rows(table, locate(table))


def read_in_blocks(table: Table, columns: Columns) -> Cells | None:
    """Read columns of complete numbers of a large table; None if that cannot be done in blocks."""
    is_plain = not (columns.roles or columns.missing)
    content = read_blocks(table, columns.numbers, columns.label) if is_plain else None
    return None if content is None else Cells(columns, *content, 0, table.digest(), table.first)


def _read_by_rows(table: Table, columns: Columns) -> Cells:
    first, names = [*table.first], [columns.names[at] for at in columns.numbers]
    rows = Rows(table, columns)
    labels = list[str]()
    cells = _number_cells(rows, columns, labels)
    numbers = read_rows(table, names, cells, names_all=columns.names_all)
    return Cells(columns, numbers, labels, rows.left_out, table.digest(), first, rows.roles())


def _number_cells(rows: Rows, columns: Columns, labels: list[str]) -> Iterator[list[str]]:
    """Yield the cells of each row that are numbers; append the label, if any, to a list."""
    label = columns.label
    name = "" if label is None else columns.names[label]
    # Taking one cell out is faster than choosing the others.
    others = [at for at in range(len(columns.names)) if at != label]
    chosen = None if columns.numbers == others else columns.numbers
    for row in rows:
        if label is not None:
            labels.append(read_label(rows.table, name, row[label]))
        if chosen is not None:
            row = [row[at] for at in chosen]  # noqa: PLW2901
        elif label is not None:
            del row[label]
        yield row


def read_rows(
    table: Table, columns: Sequence[str], rows: Iterator[list[str]], *, names_all: bool
) -> Features:
    """Read rows of numbers.

    Parameters
    ----------
    columns
        Names of the numbers, for messages.
    rows
        Rows of the table, each without the cells that are not used.
    names_all
        Whether the message names every column that has such cells; all rows are then read.

    Returns
    -------
    ndarray of shape (rows, numbers)

    Raises
    ------
    DatasetError
        For the first cell that is not a number.
    """
    numbers = array("d")
    for row in rows:
        try:
            numbers.extend(read_numbers(table, columns, row))
        except DatasetError as error:
            if not names_all:
                raise
            raise _with_others(error, table, columns, chain([row], rows)) from error
    return np.frombuffer(numbers, dtype=np.float64).reshape(-1, len(columns))


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
