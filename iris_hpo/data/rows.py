"""The columns that are read of a table, and its rows with a target."""

import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from iris_hpo.data.cells import is_missing
from iris_hpo.data.marks import Marks
from iris_hpo.data.roles import RowRoles, read_roles
from iris_hpo.data.tables import DatasetError, Table
from iris_hpo.text import counted

MOST_LEFT_OUT: Final = 1 / 2
"""Largest number of rows without a target, for each with one, that are left out by themselves."""


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
    missing
        What marks a missing value, beside the marks of every table, by the column's position.
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
    missing: Mapping[int, Marks] = field(default_factory=dict[int, Marks])


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
            for at, marks in columns.missing.items():
                if row[at] in marks:
                    row[at] = ""
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
