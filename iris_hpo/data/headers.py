"""Whether the first row of a table names the columns, or is a row."""

import re
from typing import Final

from iris_hpo.data.cells import is_missing, is_number
from iris_hpo.data.columns import Layout
from iris_hpo.data.tables import Table

_UNNAMED: Final = re.compile(r"(Unnamed: \d+(\.\d+)?)?", re.ASCII)
_WHOLE: Final = re.compile(r"[+-]?\d+", re.ASCII)
_TELLING: Final = 4
"""Number of columns from which on a first row 0, 1, 2, 3 is hardly chance."""


def has_header(table: Table, layout: Layout) -> bool:
    """Whether the first row names the columns.

    Raises
    ------
    DatasetError
        If it may be a row of numbers too.
    """
    if layout.header is not None:
        return layout.header
    target = layout.target_column
    if isinstance(target, str) or (layout.columns and layout.columns.keys() <= {*table.first}):
        return True
    width = len(table.first)
    if _repeats_texts(table):
        return False
    target = target % width if -width <= target < width else None
    skipped = {target, 0} if is_unnamed(table.first[0]) else {target}
    names = [cell for index, cell in enumerate(table.first) if index not in skipped]
    if not any(is_missing(name) or is_number(name) for name in names):
        return bool(names)
    if all(names) and not any(map(is_number, names)) and _has_text_above_number(table):
        return True  # Na may be the name of sodium
    counting = counts_columns(table, target)
    if counting is None:
        raise table.refusal(
            f"{','.join(table.first)} may be a row, or a header as pandas writes it; set header: "
            "true or header: false"
        )
    return counting


def _has_text_above_number(table: Table) -> bool:
    pairs = zip(table.first, table.second or (), strict=False)
    return any(
        is_number(below) and not is_missing(below) and not is_missing(cell) and not is_number(cell)
        for cell, below in pairs
    )


def _repeats_texts(table: Table) -> bool:
    """Whether a text occurs twice in the first row, above texts: names do not."""
    second = table.second or []
    texts = [
        cell
        for cell, below in zip(table.first, second, strict=False)
        if cell and not is_missing(below) and not is_number(below)
    ]
    return len({*texts}) < len(texts)


def counts_columns(table: Table, target: int | None = None) -> bool | None:
    """Whether the first row is 0, 1, 2 and so on, which are pandas' names for unnamed columns.

    Parameters
    ----------
    target
        Position of a column that may have another name.

    Returns
    -------
    bool or None
        None if the first row counts the columns, but may be a row of numbers.
    """
    offset = int(_begins_with_row_number(table))
    names = table.first[offset:]
    other = [index for index, name in enumerate(names) if name != str(index)]
    second = table.second
    if second is None or len(names) < 2 or len(second) != len(table.first):
        return False
    if other and (len(other) > 1 or other[0] + offset != target):
        return False
    if offset or len(names) - len(other) >= _TELLING:
        return True
    if other:
        return not is_number(table.first[other[0]]) and is_number(second[other[0]])
    return True if len(names) > 2 and not any(map(_WHOLE.fullmatch, second)) else None


def is_unnamed(column: str) -> bool:
    """Whether a name in a header is one that R and pandas give to a column of row numbers."""
    return _UNNAMED.fullmatch(column) is not None


def _begins_with_row_number(table: Table) -> bool:
    """Whether the first column has no name in the first row, and a row number in the second."""
    second = table.second or [""]
    return is_unnamed(table.first[0]) and second[0] in ("0", "1")
