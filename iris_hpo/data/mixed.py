"""Read tables with columns that are not all complete numbers: an object per cell."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.cells import read_label, read_number
from iris_hpo.data.kinds import (
    CATEGORY,
    CellValueError,
    is_text,
    odd_cell,
    read_column,
    value_of,
    values_of,
)
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.rows import Columns, Rows
from iris_hpo.data.tables import DatasetError, Table
from iris_hpo.text import shorten


@dataclass(frozen=True)
class MixedCells:
    """The content of some columns.

    Attributes
    ----------
    kinds
        Kind of each feature by its position, in the order of the table; empty if it has no cells.
        There are none if all features are complete numbers.
    columns
        The values of each feature with a kind, shape (rows,): float64, or objects for texts.
    target
        A label or a number per row.
    left_out
        Number of rows without a target that were left out.
    roles
        What columns say about the rows.
    """

    kinds: Mapping[int, str]
    columns: Sequence[NDArray[Any]]
    target: list[Any]
    left_out: int
    digest: str
    roles: RowRoles


def read_mixed(table: Table, columns: Columns, categories: Sequence[str]) -> MixedCells:
    """Read all rows.

    Parameters
    ----------
    categories
        Names of the columns that are categories, whatever stands in them.

    Raises
    ------
    DatasetError
        For the first cell that cannot be used.
    """
    rows, lines, texts, target = Rows(table, columns), list[int](), list[list[str]](), list[Any]()
    name = columns.names[columns.target or 0]
    is_label = columns.label is not None
    features = [at for at in columns.numbers if at != columns.target]
    for row in rows:
        cell = row[columns.target or 0]
        target.append(read_label(table, name, cell) if is_label else read_number(table, name, cell))
        texts.append([row[at] for at in features])
        lines.append(table.line)
    kinds, values = dict[int, str](), list[NDArray[Any]]()
    for at, cells in zip(features, zip(*texts, strict=True), strict=True):
        name, counts = columns.names[at], Counter(cells)
        try:
            if name in categories:
                kinds[at], different = CATEGORY, values_of([*counts], CATEGORY)
            else:
                kinds[at], different = read_column([*counts], lambda counts=counts: counts)
        except CellValueError as error:
            odd = odd_cell(cells)
            shown = shorten(cells[odd])
            describes = "" if odd else ", remove the line if it describes the columns"
            raise DatasetError(
                str(table.path),
                f"{shown} {error}{describes}, write missing: [{shown}] if it says that a value is "
                f"missing, or write columns: {{{name!r}: category}}",
                line=lines[odd],
                column=name,
            ) from error
        if kinds[at]:
            known = dict(zip(counts, different, strict=True))
            values.append(as_column([known[cell] for cell in cells], kinds[at]))
    return MixedCells(kinds, values, target, rows.left_out, table.digest(), rows.roles())


def read_as(table: Table, columns: Columns, kinds: Sequence[str]) -> NDArray[Any]:
    """Read features of known kinds, to predict them.

    Raises
    ------
    DatasetError
        For the first cell that does not have the kind of its column.
    """
    values = list[list[float | str]]()
    for row in Rows(table, columns):
        cells = list[float | str]()
        for at, kind in zip(columns.numbers, kinds, strict=True):
            try:
                cells.append(value_of(row[at], kind))
            except CellValueError as error:
                raise table.refusal(str(error), columns.names[at]) from error
        values.append(cells)
    return np.array(values, dtype=object)


def as_column(values: Sequence[float | str], kind: str) -> NDArray[Any]:
    """Return values of a kind as an array: float64, or objects for texts."""
    if not is_text(kind):
        return np.array(values, dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def as_array(columns: Sequence[NDArray[Any]], *, is_mixed: bool = True) -> NDArray[Any]:
    """Return columns as one array, of objects or of numbers, shape (rows, columns)."""
    dtype = object if is_mixed else np.float64
    features = np.empty((len(columns[0]), len(columns)), dtype=dtype)
    for at, values in enumerate(columns):
        features[:, at] = values
    return features
