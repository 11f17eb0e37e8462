"""Remarks on what is probably something else: parts of a split, numbers, dates, totals."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.kinds import NUMBER, is_text
from iris_hpo.text import counted, legible, shorten

_PARTS: Final = frozenset(
    "train training test testing val valid validation dev holdout".split()  # noqa: SIM905
)
_MARKED: Final = re.compile(
    r"[-+(]?[$€£¥]? ?[-+]?\d{1,3}([,.' ]\d{3})*([.,]\d+)?\)? ?([$€£¥%]|[A-Za-z]{1,3})?|"
    r"[-+]?\d+([.,]\d+)? ?([$€£¥%]|[A-Za-z]{1,3})"
)
"""A number with thousands apart, a currency, a percent sign or a unit."""
_TOTALS: Final = frozenset(
    "total totals sum sums average mean summe gesamt insgesamt mittelwert totale somme".split()  # noqa: SIM905
)
_NINES: Final = (-99, -999, -9999, -99999, 999, 9999, 99999)
"""Numbers that often mark a missing value."""
_FIRST_DAY, _LAST_DAY = 19_000_101, 21_001_231
_SAMPLE: Final = 200
"""Number of texts that are looked at first."""
_FIRST_NUMBERS: Final = 2_000
"""Number of numbers that are looked at first: most columns have no mark."""


def remarks(
    columns: Sequence[NDArray[Any]], names: Sequence[str], kinds: Sequence[str]
) -> list[str]:
    """Say which features divide the rows already, or seem to be of another kind.

    Parameters
    ----------
    columns
        The values of each feature, shape (rows,): float64, or objects for texts.
    names, kinds
        Name and kind of each feature; the kind is empty if all features are complete numbers.
    """
    notes = list[str]()
    for name, kind, column in zip(names, kinds, columns, strict=True):
        if is_text(kind):
            notes.append(_remark_on_texts(name, kind, column))
        elif kind in ("", NUMBER) and len(column) > 2:
            notes.append(_remark_on_numbers(name, column))
    return [note for note in notes if note]


def _remark_on_texts(name: str, kind: str, column: NDArray[Any]) -> str:
    first = {cell for cell in islice(column, _SAMPLE) if cell}
    if _ends_with_total(column):
        return (
            f"the last row has {shorten(column[-1])} as {legible(name)}; remove it if it sums up "
            "the others"
        )
    if {cell.lower() for cell in first} <= _PARTS and _is_divided(column):
        return (
            f"the feature {legible(name)} says train or test; write columns: "
            f"{{{shorten(name)}: part}} to divide the rows so, or {{{shorten(name)}: drop}}"
        )
    if all(map(_MARKED.fullmatch, first)) and _holds_numbers(column):
        return (
            f"the feature {legible(name)} seems to hold numbers, such as {shorten(min(first))}, "
            f"and is read as {kind}; write them plainly, such as 1033.9"
        )
    return ""


def _remark_on_numbers(name: str, column: NDArray[np.float64]) -> str:
    mark = _mark(column)
    if mark is not None:
        rows = counted(int((column == mark).sum()), "row")
        return (
            f"the feature {legible(name)} is {mark} in {rows}; if that says that a value is "
            f"missing, write missing: [{mark}]"
        )
    if _are_dates(column):
        return (
            f"the feature {legible(name)} seems to hold dates, such as {column[0]:.0f}, and is "
            "read as number; write them as 2024-01-31"
        )
    return ""


def _mark(values: NDArray[np.float64]) -> int | None:
    """Return a number of nines that is far from all others; None if there is none."""
    first = values[:_FIRST_NUMBERS]
    for mark in (np.fmin.reduce(first), np.fmax.reduce(first)):
        if mark not in _NINES:
            continue
        others = values[(values != mark) & ~np.isnan(values)]
        if not len(others):
            continue
        low, high = others.min(), others.max()
        is_far = min(abs(low - mark), abs(high - mark)) > high - low > 0
        if is_far or (mark < 0 <= low < high):
            return int(mark)
    return None


def _are_dates(values: NDArray[np.float64]) -> bool:
    """Whether all numbers are days, such as 20240131."""
    if not _FIRST_DAY <= values[0] <= _LAST_DAY or np.isnan(values).any():
        return False
    day, month = values % 100, values // 100 % 100
    are_days = (values >= _FIRST_DAY) & (values <= _LAST_DAY) & (values == np.rint(values))
    are_days &= (day >= 1) & (day <= 31) & (month >= 1) & (month <= 12)
    return bool(are_days.all())


def _ends_with_total(column: NDArray[Any]) -> bool:
    last = column[-1]
    return last.lower().strip(":") in _TOTALS and column.tolist().count(last) == 1


def _is_divided(column: NDArray[Any]) -> bool:
    cells = {cell.lower() for cell in set(column.tolist()) if cell}
    return cells <= _PARTS and len(cells) > 1


def _holds_numbers(column: NDArray[Any]) -> bool:
    """Whether all cells are numbers with marks, and one has a mark."""
    cells = {cell for cell in set(column.tolist()) if cell}
    return (
        len(cells) > 1
        and all(map(_MARKED.fullmatch, cells))
        and not all(cell.isalnum() for cell in cells)
    )
