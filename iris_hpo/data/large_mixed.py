"""Read large tables with columns that are not all complete numbers, as by rows but by columns.

Whatever is refused gives None here: the table is then read row by row, which finds the line.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.blocks import is_label_text
from iris_hpo.data.cells import is_missing
from iris_hpo.data.kinds import (
    CATEGORY,
    NUMBER,
    TRUTH,
    CellValueError,
    is_text,
    read_column,
    values_of,
)
from iris_hpo.data.mixed import MixedCells, as_array, as_column
from iris_hpo.data.roles import RowRoles, read_roles
from iris_hpo.data.rows import MOST_LEFT_OUT, Columns
from iris_hpo.data.tables import DatasetError, Table
from iris_hpo.data.text_columns import ColumnContent, Texts, read_columns


class _RefusedError(Exception):
    """A cell or a row cannot be used."""


def read_large(
    table: Table, columns: Columns, categories: Sequence[str], *, only_texts: bool = False
) -> MixedCells | None:
    """Read all rows.

    Parameters
    ----------
    table
        A large table of which no row was taken but the header.
    categories
        Names of the columns that are categories, whatever stands in them.
    only_texts
        As in `read_columns`.

    Returns
    -------
    MixedCells or None
        The same as by rows. If all features are complete numbers, they are float64 and have no
        kinds.
    """
    target = columns.target or 0
    features = [at for at in columns.numbers if at != target]
    named = {at for at in features if columns.names[at] in categories}
    texts = [*named, *columns.roles.values(), *([] if columns.label is None else [target])]
    used = [*features, target, *columns.roles.values()]
    content = read_columns(table, used, texts, only_texts=only_texts, missing=columns.missing)
    if content is None:
        return None
    with suppress(_RefusedError, CellValueError, DatasetError):
        rows = _rows_with_target(table, columns, content)
        kept = {at: _take(column, rows) for at, column in content.items()}
        labels = _target(kept[target], is_label=columns.label is not None)
        kinds, values = _values({at: kept[at] for at in features}, named)
        return MixedCells(
            kinds,
            values,
            labels,
            len(rows) - len(labels),
            table.digest(),
            _roles(table, columns, kept),
        )
    return None


def read_large_as(
    table: Table, columns: Columns, kinds: Sequence[str], *, only_texts: bool = False
) -> NDArray[Any] | None:
    """Read features of known kinds, to predict them; None if that has to be done row by row."""
    is_read = [is_text(kind) or kind == TRUTH for kind in kinds]
    texts = [*compress(columns.numbers, is_read)]
    content = read_columns(
        table, columns.numbers, texts, only_texts=only_texts, missing=columns.missing
    )
    if content is None:
        return None
    values = list[NDArray[Any]]()
    with suppress(CellValueError):
        for at, kind in zip(columns.numbers, kinds, strict=True):
            column = content[at]
            if isinstance(column, Texts):
                values.append(column.each(as_column(values_of(column.cells, kind), kind)))
            elif kind == NUMBER:
                values.append(column)
            else:
                return None
        return as_array(values)
    return None


def _rows_with_target(
    table: Table, columns: Columns, content: Mapping[int, ColumnContent]
) -> NDArray[np.bool_]:
    """Find the rows that have a target, shape (rows,)."""
    missing = _missing(content[columns.target or 0], is_label=columns.label is not None)
    left_out, kept = int(missing.sum()), int((~missing).sum())
    if left_out and table.frame is None:
        is_empty = missing
        for column in content.values():
            is_empty = is_empty & _missing(column, is_label=True)
        if is_empty.any():  # a row without any cell is none, but it may have one that is not used
            raise _RefusedError
    most = {"refuse": 0.0, "auto": MOST_LEFT_OUT * kept}.get(columns.without_target, left_out)
    if not kept or left_out > most:
        raise _RefusedError
    return ~missing


def _missing(column: ColumnContent, *, is_label: bool) -> NDArray[np.bool_]:
    """Find the rows without a cell, or with one that marks a missing value and is no label."""
    if not isinstance(column, Texts):
        return np.isnan(column)
    return column.where([not cell if is_label else is_missing(cell) for cell in column.cells])


def _take(column: ColumnContent, rows: NDArray[np.bool_]) -> ColumnContent:
    if rows.all():
        return column
    return column.take(rows) if isinstance(column, Texts) else column[rows]


def _values(
    content: Mapping[int, ColumnContent], categories: Collection[int]
) -> tuple[dict[int, str], list[NDArray[Any]]]:
    """Return kinds and values of the features, as in `MixedCells`."""
    kinds, values = dict[int, str](), list[NDArray[Any]]()
    is_complete = not categories
    for at, column in content.items():
        if not isinstance(column, Texts):
            kind, of_rows = "" if np.isnan(column).all() else NUMBER, column
        else:
            kind, different = (
                (CATEGORY, values_of(column.cells, CATEGORY))
                if at in categories
                else read_column(column.cells, column.counts)
            )
            of_rows = column.each(as_column(different, kind))
        kinds[at] = kind
        if kind:
            values.append(of_rows)
        is_complete = is_complete and kind in (NUMBER, TRUTH) and not np.isnan(of_rows).any()
    return {} if is_complete else kinds, values


def _target(column: ColumnContent, *, is_label: bool) -> list[Any]:
    if not isinstance(column, Texts):
        return column.tolist()
    if is_label and not all(map(is_label_text, column.cells)):
        raise _RefusedError
    if is_label:
        return column.texts()
    return column.each(as_column(values_of(column.cells, NUMBER), NUMBER)).tolist()


def _roles(table: Table, columns: Columns, content: Mapping[int, ColumnContent]) -> RowRoles:
    names = {role: columns.names[at] for role, at in columns.roles.items()}
    cells = dict[str, list[str]]()
    for role, at in columns.roles.items():
        column = content[at]
        cells[role] = column.texts() if isinstance(column, Texts) else []
    lines = range(max(map(len, cells.values()), default=0))  # an error is found again by rows
    return read_roles(str(table.path), names, cells, lines)
