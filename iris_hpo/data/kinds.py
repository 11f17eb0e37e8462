"""Kinds of columns that are not all complete numbers, and the values of their cells.

Numbers, truth values (1 and 0) and dates (days since 1970-01-01) are floats, nan where one is
missing. Categories and texts are texts, empty where one is missing.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from typing import Final

from iris_hpo.data.cells import is_finite, is_missing, is_truth
from iris_hpo.text import shorten

NUMBER: Final = "number"
TRUTH: Final = "truth value"
CATEGORY: Final = "category"
TEXT: Final = "text"
DATES: Final = {
    "date": ("year", "month", "day"),
    "date (month first)": ("month", "day", "year"),
    "date (day first)": ("day", "month", "year"),
}
"""Kinds of dates, and the order of their parts."""

_FEW: Final = 40
"""Largest number of different texts that are categories."""
_NEARLY: Final = 0.9
"""Share of numbers from which on another text is probably a mistake."""
_MONTHS: Final = tuple(
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_PART: Final = r"(\d{1,4}|[A-Za-z]{3,9})"
_DATE: Final = re.compile(
    rf"{_PART}(?:[-/.]|\.?,? ){_PART}(?:(?:[-/.]|\.?,? )(\d{{1,4}}))?"
    r"(?:[ T](\d?\d:\d\d[\d:.]*)Z?)?",
    re.ASCII,
)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - dates in tables have no time zone


class CellValueError(ValueError):
    """A cell does not have the kind of its column; the message says what to do."""


def kind_of(cells: Sequence[str]) -> str:
    """Find out the kind of a column; empty if all cells are missing.

    Raises
    ------
    CellValueError
        If nearly all cells are numbers; the message quotes another one, which `odd_cell` finds.
    """
    counts = Counter(cells)
    present = [cell for cell in counts if not is_missing(cell)]
    if not present:
        return ""
    if all(map(is_truth, present)):
        return TRUTH
    rows = sum(counts[cell] for cell in present)
    numbers = sum(counts[cell] for cell in present if is_finite(cell))
    if numbers == rows:
        return NUMBER
    for kind in DATES:
        if all(_days(cell, kind) is not None for cell in present):
            return kind
    if numbers >= _NEARLY * rows:
        raise CellValueError("is not a number, as nearly all cells of the column are; correct it")
    return CATEGORY if len(present) <= _FEW else TEXT


def each(function: Callable[[str], float | str], cells: Sequence[str]) -> list[float | str]:
    """Call a function once for each different cell; equal cells share one object."""
    values = {cell: function(cell) for cell in {*cells}}
    return [values[cell] for cell in cells]


def odd_cell(cells: Sequence[str]) -> int:
    """Position of the first cell that is no number."""
    return next(at for at, cell in enumerate(cells) if not is_missing(cell) and not is_finite(cell))


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
    raise CellValueError(f"{shorten(cell)} is not a number, as in training; correct it")


def _date(cell: str, kind: str) -> float:
    days = _days(cell, kind)
    if days is None:
        order = "-".join(DATES[kind])
        raise CellValueError(f"{shorten(cell)} is not a date written {order}, as in training")
    return days


_READERS: Final[Mapping[str, Callable[[str], float | str]]] = {
    NUMBER: _number,
    TRUTH: _number,
    CATEGORY: str,
    TEXT: str,
}


def _days(cell: str, kind: str) -> float | None:
    """Days since 1970-01-01; None if it is not a date of the kind.

    A month may be a name, such as ``Jan``, and a date that begins with the year may have no day.
    """
    matched = _DATE.fullmatch(cell)
    if matched is None:
        return None
    parts = dict(zip(DATES[kind], matched.group(1, 2, 3), strict=True))
    if kind == "date":
        parts["day"] = parts["day"] or "1"
    hour = matched[4]
    try:
        year, day = int(parts["year"] or ""), int(parts["day"])
        date = datetime(year, _month(parts["month"]), day)  # noqa: DTZ001 - as above
        at = time.fromisoformat(hour if hour[1].isdigit() else f"0{hour}") if hour else time()
    except ValueError:
        return None
    if year < 1000:  # two digits have no century
        return None
    return (datetime.combine(date, at) - _EPOCH).total_seconds() / 86_400


def _month(text: str) -> int:
    """Read a month: a number, or a name, which may be cut after three letters."""
    names = [at for at, name in enumerate(_MONTHS, 1) if name.startswith(text.lower())]
    return names[0] if names else int(text)
