"""Remarks on what is probably something else: parts of a split, numbers, dates, totals."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.kinds import is_text
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
"""Number of cells that are looked at first."""


def remarks(features: NDArray[Any], names: Sequence[str], kinds: Sequence[str]) -> list[str]:
    """Say which features divide the rows already, or hold numbers that are read as texts.

    Parameters
    ----------
    features
        Shape (rows, features), objects where kinds are given.
    names, kinds
        Name and kind of each feature; the kind may be empty.
    """
    notes = list[str]()
    for index, kind in enumerate(kinds):
        if not is_text(kind):
            continue
        column, name = features[:, index], names[index]
        if _ends_with_total(column):
            notes.append(
                f"the last row has {shorten(column[-1])} as {legible(name)}; remove it if it sums "
                "up the others"
            )
        first = {cell for cell in islice(column, _SAMPLE) if cell}
        if {cell.lower() for cell in first} <= _PARTS and _is_divided(column):
            notes.append(
                f"the feature {legible(name)} says train or test; write columns: "
                f"{{{shorten(name)}: part}} to divide the rows so, or {{{shorten(name)}: drop}}"
            )
        elif all(map(_MARKED.fullmatch, first)) and _holds_numbers(column):
            notes.append(
                f"the feature {legible(name)} seems to hold numbers, such as "
                f"{shorten(min(first))}, and is read as {kind}; write them plainly, such as 1033.9"
            )
    return notes


def number_remarks(
    numbers: Sequence[NDArray[np.float64] | None], names: Sequence[str]
) -> list[str]:
    """Say which features are numbers that may be marks of missing values, or dates.

    Parameters
    ----------
    numbers
        The values of each feature; None for texts.
    """
    notes = list[str]()
    for values, name in zip(numbers, names, strict=True):
        if values is None or len(values) < 3:
            continue
        if (mark := _mark(values)) is not None:
            rows = counted(int((values == mark).sum()), "row")
            notes.append(
                f"the feature {legible(name)} is {mark} in {rows}; if that says that a value is "
                f"missing, write missing: [{mark}]"
            )
        elif _are_dates(values):
            notes.append(
                f"the feature {legible(name)} seems to hold dates, such as {values[0]:.0f}, and is "
                "read as number; write them as 2024-01-31"
            )
    return notes


def _mark(values: NDArray[np.float64]) -> int | None:
    """Return a number of nines that is far from all others; None if there is none."""
    for mark in (np.nanmin(values), np.nanmax(values)) if not np.isnan(values).all() else ():
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
