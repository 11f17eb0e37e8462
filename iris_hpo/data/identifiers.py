"""Columns that identify the rows: what is left out for that, and what is only noted."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.headers import is_unnamed
from iris_hpo.text import legible, shorten

_ROW_NUMBER: Final = re.compile(
    r"(obs(ervation)?|row|record)?[ _.]?(no|nr|num|number)\.?|obs(ervation)?\.?|row[ _.]?(names?)?|"
    r"s[rl]?\.? ?no\.?|index|idx|level_0|#",
    re.ASCII | re.IGNORECASE,
)
_IDENTIFIER: Final = re.compile(r"(^|[^a-zA-Z])(id|ID|Id|key|index)($|[^a-zA-Z])|[a-z]I[dD]$")
IDENTIFIES: Final = "if it only identifies rows"
"""Words of the remarks on features that seem to identify the rows, and of no others."""
_ENOUGH: Final = 30
"""Number of rows from which on different whole numbers are hardly chance."""


def counts_rows(values: NDArray[np.float64], gaps: int = 0) -> bool:
    """Whether a column is 0, 1, 2 and so on, or 1, 2, 3 and so on.

    Parameters
    ----------
    gaps
        Number of rows that were left out, so that their numbers are missing.
    """
    first, last, rows = values[0], values[-1], len(values)
    if not (0 <= first <= 1 + gaps and rows - 1 <= last - first <= rows - 1 + gaps):
        return False
    steps = np.diff(values)
    return bool(np.all(steps >= 1) and np.array_equal(values, np.rint(values)))


def is_identifier(name: str, values: NDArray[np.float64]) -> bool:
    """Whether whole numbers that differ in every row are in order, or named like an identifier."""
    first = values[:_ENOUGH]  # most columns are none, and need not be read to the end
    if not np.array_equal(first, np.rint(first)) or len(np.unique(first)) < len(first):
        return False
    if not np.array_equal(values, np.rint(values)):
        return False
    steps = np.diff(values)
    if np.all(steps > 0) or np.all(steps < 0):
        return True
    return bool(_IDENTIFIER.search(name)) and len(np.unique(values)) == len(values)


def names_rows(name: str, column: NDArray[Any], gaps: int) -> bool:
    """Whether a column that is named so counts the rows, or has another text in each.

    Whole numbers without a name are pandas' index also where they are in another order, as after a
    shuffle, and a column named as an identifier may count the rows.

    Parameters
    ----------
    gaps
        Number of rows that were left out.
    """
    if column.dtype != object:
        if is_unnamed(name) and _are_different(column):
            return True
        named = is_unnamed(name) or _ROW_NUMBER.fullmatch(name) or _IDENTIFIER.search(name)
        return bool(named) and counts_rows(column, gaps)
    if not (is_unnamed(name) or _ROW_NUMBER.fullmatch(name)):
        return False
    return len(column) > 1 and _all_differ(column)


def _are_different(values: NDArray[np.float64]) -> bool:
    """Whether values are whole numbers, another one in each row, in enough rows."""
    if len(values) < _ENOUGH or not np.array_equal(values, np.rint(values)):
        return False
    return bool(values.min() >= 0) and len(np.unique(values)) == len(values)


def left_out(name: str, position: int, column: NDArray[Any]) -> str:
    """Say that a column is left out; the name of one that has its own is enough to keep it."""
    what = "names"
    if column.dtype != object:
        what = "counts" if np.all(np.diff(column) > 0) else "numbers"
    if not is_unnamed(name):
        keeping = f"columns: {{{shorten(name)}: feature}} keeps it"
        return f"the column {legible(name)} {what} the rows: it is left out; {keeping}"
    described = f"is named {name!r}" if name else "has no name"
    return f"column {position + 1} {described} and {what} the rows: it is left out"


def doubts(columns: Sequence[NDArray[Any]], names: Mapping[int, str]) -> list[str]:
    """Remarks on features that seem to identify the rows, and on those without a name.

    Parameters
    ----------
    columns
        The values of each feature, shape (rows,): float64, or objects for texts.
    names
        Names of the features by their index.
    """
    if len(columns[0]) < 3:
        return []
    remarks = [(name, _doubt(name, columns[index])) for index, name in names.items()]
    return [
        f"the feature {legible(name)} {remark}; {IDENTIFIES}, write columns: "
        f"{{{shorten(name)}: drop}}"
        for name, remark in remarks
        if remark
    ]


def _doubt(name: str, values: NDArray[Any]) -> str:
    """Say why a feature may be an identifier; empty if it is none."""
    if is_unnamed(name):
        return (
            "counts the rows" if values.dtype != object and counts_rows(values) else "has no name"
        )
    if values.dtype == object:
        return "differs in every row" if len(values) >= _ENOUGH and _all_differ(values) else ""
    if counts_rows(values):
        return "counts the rows"
    if len(values) >= _ENOUGH and is_identifier(name, values):
        return "differs in every row"
    return ""


def _all_differ(values: NDArray[Any]) -> bool:
    """Whether texts differ; the first ones show it for most columns."""
    firsts = (values[:rows] for rows in (_ENOUGH, _ENOUGH**2, _ENOUGH**3, len(values)))
    return all(len(set(first.tolist())) == len(first) for first in firsts)
