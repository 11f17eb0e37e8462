"""Kinds of columns that are not all complete numbers, and the values of their cells.

Numbers, truth values (1 and 0) and dates (days since 1970-01-01) are floats, nan where one is
missing. Categories and texts are texts, empty where one is missing.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from string import whitespace
from typing import Final

from iris_hpo.data.cells import (
    MISSING,
    finite_numbers,
    is_finite,
    is_missing,
    is_truth,
    says_missing,
)
from iris_hpo.data.dates import DATES, all_days, days_of
from iris_hpo.text import shorten

NUMBER: Final = "number"
TRUTH: Final = "truth value"
CATEGORY: Final = "category"
TEXT: Final = "text"

_FEW: Final = 40
"""Largest number of different texts that are categories."""
_NEARLY: Final = 0.9
"""Share of numbers from which on another text is probably a mistake."""
_BEGINS_NUMBERS: Final = frozenset("+-.0123456789tTfF" + whitespace)
"""Characters with which numbers and truth values begin."""


class CellValueError(ValueError):
    """A cell does not have the kind of its column; the message says what to do."""


def read_column(
    cells: Sequence[str], counts: Callable[[], Mapping[str, int]]
) -> tuple[str, list[float | str]]:
    """Find out the kind of a column, and the values of its cells.

    Parameters
    ----------
    cells
        The different cells.
    counts
        Returns the number of rows of each; it is called only if that decides.

    Returns
    -------
    kind, values
        The kind is empty if all cells are missing.

    Raises
    ------
    CellValueError
        If nearly all cells are numbers; the message quotes another one, which `odd_cell` finds.
    """
    present = _present(cells)
    if not present:
        return "", [math.nan] * len(cells)
    if (numbers := finite_numbers(present)) is not None:
        return NUMBER, _filled(cells, numbers)
    if all(map(is_truth, present)):
        return TRUTH, values_of(cells, TRUTH)
    for kind in DATES:
        if (days := all_days(present, kind)) is not None:
            return kind, _filled(cells, days)
    likely = [cell for cell in present if cell[0] in _BEGINS_NUMBERS]
    are_numbers = [*map(is_finite, likely)]
    if len(likely) == len(present) and all(are_numbers):
        return NUMBER, values_of(cells, NUMBER)
    are_nearly_all = False
    if any(are_numbers):
        known = counts()
        numbers = sum(known[cell] for cell in compress(likely, are_numbers))
        are_nearly_all = numbers >= _NEARLY * sum(known[cell] for cell in present)
    is_few = len(present) <= _FEW
    kind = _kind_of_most(present) if are_nearly_all or not is_few else ""
    if are_nearly_all and not kind:
        problem = "is not a number, as nearly all cells of the column are; correct it"
        raise CellValueError(problem)
    kind = kind or (CATEGORY if is_few else TEXT)
    is_complete_text = present is cells and is_text(kind)
    return kind, [*cells] if is_complete_text else values_of(cells, kind)


def _kind_of_most(present: Sequence[str]) -> str:
    """Kind of numbers or dates, if other cells say that a value is missing; empty if it is none."""
    first = next((cell for cell in present if not says_missing(cell)), "")
    is_number = is_finite(first)
    if not (is_number or any(days_of(first, kind) is not None for kind in DATES)):
        return ""  # most texts, of which there may be many
    others = [cell for cell in present if not says_missing(cell)]
    if len(others) == len(present):
        return ""
    if is_number:
        return NUMBER if all(map(is_finite, others)) else ""
    return next((kind for kind in DATES if all_days(others, kind) is not None), "")


def _present(cells: Sequence[str]) -> Sequence[str]:
    if MISSING.isdisjoint(cells):
        return cells
    return [cell for cell in cells if cell not in MISSING]


def _filled(cells: Sequence[str], present: Sequence[float]) -> list[float | str]:
    """Give each cell its value, NaN to the missing ones."""
    if len(present) == len(cells):
        return [*present]
    values = iter(present)
    return [math.nan if cell in MISSING else next(values) for cell in cells]


def each(function: Callable[[str], float | str], cells: Sequence[str]) -> list[float | str]:
    """Call a function once for each different cell; equal cells share one object."""
    values = {cell: function(cell) for cell in {*cells}}
    return [values[cell] for cell in cells]


def odd_cell(cells: Sequence[str]) -> int:
    """Position of the first cell that is no number."""
    return next(
        at for at, cell in enumerate(cells) if not says_missing(cell) and not is_finite(cell)
    )


def values_of(cells: Sequence[str], kind: str) -> list[float | str]:
    """Return the values of cells.

    Raises
    ------
    CellValueError
        For the first cell that does not have the kind.
    """
    present = _present(cells)
    if is_text(kind):
        return [*cells] if present is cells else ["" if cell in MISSING else cell for cell in cells]
    if kind == NUMBER and (numbers := finite_numbers(present)) is not None:
        return _filled(cells, numbers)
    return [value_of(cell, kind) for cell in cells]


def is_text(kind: str) -> bool:
    """Whether the values of a kind are texts."""
    return kind in (CATEGORY, TEXT)


def value_of(cell: str, kind: str) -> float | str:
    """Return the value of a cell.

    Raises
    ------
    CellValueError
        If the cell does not have the kind.
    """
    if is_missing(cell):
        return "" if is_text(kind) else math.nan
    return _READERS[kind](cell) if kind in _READERS else _date(cell, kind)


def _number(cell: str) -> float:
    if is_truth(cell):
        return float(cell.lower() == "true")
    if is_finite(cell):
        return float(cell)
    if says_missing(cell):
        return math.nan
    raise CellValueError(f"{shorten(cell)} is not a number, as in training; correct it")


def _date(cell: str, kind: str) -> float:
    days = days_of(cell, kind)
    if days is None and says_missing(cell):
        return math.nan
    if days is None:
        days = days_of(cell, "date")  # the year first says the order of the parts
    if days is None:
        order = "-".join(DATES[kind])
        raise CellValueError(
            f"{shorten(cell)} is not a date written {order}, as in training; write it so, or with "
            "the year first"
        )
    return days


_READERS: Final[Mapping[str, Callable[[str], float | str]]] = {
    NUMBER: _number,
    TRUTH: _number,
    CATEGORY: str,
    TEXT: str,
}
