"""Read the numbers and the labels of a table: in blocks if it is large, else row by row."""

import operator
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.blocks import read_blocks
from iris_hpo.data.cells import is_finite, is_missing, read_label, read_numbers
from iris_hpo.data.roles import RowRoles, read_roles
from iris_hpo.data.tables import DatasetError, Table
from iris_hpo.text import counted, shorten

_NAMED: Final = 10
"""Number of unusable columns that a message names."""
MOST_LEFT_OUT: Final = 1 / 2
"""Largest number of rows without a target, for each with one, that are left out by themselves."""

Features = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """The columns of a table that are read.

    Attributes
    ----------
    names
        Names of all columns of the table, for messages.
    numbers
        Positions of the columns of numbers, in the order in which they are returned.
    label
        Position of the column of labels, if there is one.
    target
        Position of the target, of labels or numbers, if rows have to have one.
    without_target
        What to do with rows that have no target, as in `Layout`.
    is_named
        Whether the names are those of a header.
    before
        What has as many columns as there are names, for messages.
    may_count_rows
        Whether the first column, though it is read, may number the rows.
    roles
        Positions of the columns that describe rows, by their role.
    names_all
        Whether a message names all columns with cells that are no numbers, for which all rows are
        read.
    notes
        Remarks on the file.
    kept
        Names of the columns that stay features though they count the rows.
    """

    names: Sequence[str]
    numbers: Sequence[int]
    label: int | None = None
    target: int | None = None
    without_target: str = "refuse"
    is_named: bool = True
    before: str = "the lines before have"
    may_count_rows: bool = False
    roles: Mapping[str, int] = field(default_factory=dict[str, int])
    names_all: bool = True
    notes: Sequence[str] = ()
    kept: Sequence[str] = ()


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
    skip_lines: int | None = None,
    *,
    keeps_empty: bool = False,
) -> Cells:
    """Read columns of a table.

    Parameters
    ----------
    locate
        Takes the header of a table, and returns the columns to read.
    skip_lines, keeps_empty
        As in `Table`.

    Raises
    ------
    DatasetError
        For the first cell that cannot be used.
    """
    with Table(path, skip_lines, keeps_empty=keeps_empty) as table:
        columns = locate(table)
        cells = read_in_blocks(table, columns)
        if cells is not None:
            return cells
        if columns.roles or not table.is_large:
            return _read_by_rows(table, columns)
    with Table(path, skip_lines, keeps_empty=keeps_empty) as table:
        return _read_by_rows(table, locate(table))


def read_in_blocks(table: Table, columns: Columns) -> Cells | None:
    """Read columns of complete numbers of a large table; None if that cannot be done in blocks."""
    content = None if columns.roles else read_blocks(table, columns.numbers, columns.label)
    return None if content is None else Cells(columns, *content, 0, table.digest(), table.first)


def _read_by_rows(table: Table, columns: Columns) -> Cells:
    first, names = [*table.first], [columns.names[at] for at in columns.numbers]
    rows = Rows(table, columns)
    labels = list[str]()
    cells = _number_cells(rows, columns, labels)
    numbers = read_rows(table, names, cells, names_all=columns.names_all)
    return Cells(columns, numbers, labels, rows.left_out, table.digest(), first, rows.roles())


class Rows:
    """The rows of a table with a target, each as long as the others.

    Attributes
    ----------
    left_out
        Number of rows without a target that were left out until now.
    """

    def __init__(self, table: Table, columns: Columns) -> None:
        self.table = table
        self.left_out = 0
        self._columns = columns
        self._lines = list[int]()
        self._cells = {role: list[str]() for role in columns.roles}

    def __iter__(self) -> Iterator[list[str]]:
        columns, width, target = self._columns, len(self._columns.names), self._columns.target
        # A label may be any text.
        missing = is_missing if columns.label is None else operator.not_
        rows, kept, first = self.table.rows(), 0, None
        for row in rows:
            if len(row) != width:
                raise self.table.refusal(
                    f"has {counted(len(row), 'column')}; {columns.before} {width}; "
                    "correct or remove the line"
                )
            if target is None or not missing(row[target]):
                kept += 1
                self._keep_roles(row)
                yield row
                continue
            self.left_out += 1
            first = first or self.table.line
            if columns.without_target == "refuse":
                with suppress(DatasetError):
                    self.left_out += sum(len(row) > target and missing(row[target]) for row in rows)
                raise self._refusal(first)
        if columns.without_target == "auto" and self.left_out > MOST_LEFT_OUT * kept:
            raise self._refusal(first)

    def roles(self) -> RowRoles:
        """Return what columns say about the rows that were yielded.

        Raises
        ------
        DatasetError
            For the first cell that cannot be used.
        """
        names = {role: self._columns.names[at] for role, at in self._columns.roles.items()}
        return read_roles(str(self.table.path), names, self._cells, self._lines)

    def _keep_roles(self, row: Sequence[str]) -> None:
        if self._cells:
            self._lines.append(self.table.line)
            for role, at in self._columns.roles.items():
                self._cells[role].append(row[at])

    def _refusal(self, line: int | None) -> DatasetError:
        columns = self._columns
        what = "the label" if columns.label is not None else "the target"
        return DatasetError(
            str(self.table.path),
            f"{what} is missing in {counted(self.left_out, 'row')}; fill it in, or write "
            "without_target: drop to leave such rows out",
            line=line,
            column=columns.names[columns.target or 0],
        )


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
