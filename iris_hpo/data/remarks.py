"""Remarks on features that are probably no categories and texts: parts of a split, numbers."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from numpy.typing import NDArray

from iris_hpo.data.kinds import is_text
from iris_hpo.text import legible, shorten

_PARTS: Final = frozenset(
    "train training test testing val valid validation dev holdout".split()  # noqa: SIM905
)
_MARKED: Final = re.compile(
    r"[-+(]?[$€£¥]? ?[-+]?\d{1,3}([,.' ]\d{3})*([.,]\d+)?\)? ?([$€£¥%]|[A-Za-z]{1,3})?|"
    r"[-+]?\d+([.,]\d+)? ?([$€£¥%]|[A-Za-z]{1,3})"
)
"""A number with thousands apart, a currency, a percent sign or a unit."""
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
