"""Cells of a table: numbers and labels."""

import math
import re
from collections.abc import Sequence
from itertools import product
from typing import Final

from iris_hpo.data.tables import Table, is_multiline
from iris_hpo.text import shorten

MAX_LABEL: Final = 200
"""Largest number of characters in a label. NumPy stores every label as wide as the longest."""

MISSING: Final = frozenset(
    "".join(letters)
    for text in ("", "na", "n/a", "null", "none", "nan", "?", ".", "<na>", "#n/a")
    for letters in product(*((letter, letter.upper()) for letter in text))
)
"""Cells that mark a missing value, in every spelling."""
_NO_VALUE: Final = frozenset(
    "- -- --- * .. : \\n (null) nil n.a. missing unknown #div/0! #name? #null! #num! #ref! #value! "  # noqa: SIM905
    "#n/d #na -1.#ind 1.#ind -1.#qnan 1.#qnan 0000-00-00".split()
)
_TRUTH: Final = {"true": 1.0, "false": 0.0}
_DATE: Final = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?", re.ASCII)


def is_missing(cell: str) -> bool:
    """Whether a cell marks a missing value."""
    return cell in MISSING


def says_missing(cell: str) -> bool:
    """Whether a cell marks a missing value among numbers or dates; elsewhere it may be a text."""
    return cell in MISSING or cell.lower() in _NO_VALUE


def is_truth(cell: str) -> bool:
    """Whether a cell is a truth value."""
    return cell.lower() in _TRUTH


def is_number(cell: str) -> bool:
    """Whether a cell is a number, finite or not, or a truth value."""
    if is_truth(cell):
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


def is_finite(cell: str) -> bool:
    """Whether a cell is a finite number or a truth value, as features must be."""
    if is_missing(cell) or "_" in cell or not cell.isascii() or not is_number(cell):
        return False
    return cell.lower() in _TRUTH or math.isfinite(float(cell))


def read_numbers(table: Table, columns: Sequence[str], cells: Sequence[str]) -> list[float]:
    """Read cells of the last row as finite numbers; true and false are 1 and 0.

    Raises
    ------
    DatasetError
        For the first cell that is not a finite number.
    """
    numbers = finite_numbers(cells)
    if numbers is not None:
        return numbers
    return [read_number(table, column, cell) for column, cell in zip(columns, cells, strict=True)]


def finite_numbers(cells: Sequence[str]) -> list[float] | None:
    """Read cells as numbers; None if one is not finite, or is a truth value."""
    try:
        numbers = list(map(float, cells))
    except ValueError:
        return None
    text = "".join(cells)
    # float also reads 1_000 and the digits of other scripts.
    if math.isfinite(sum(numbers)) and "_" not in text and text.isascii():
        return numbers
    return None


def read_number(table: Table, column: str, cell: str) -> float:
    """Read a cell of the last row as a finite number; true and false are 1 and 0."""
    if is_finite(cell):
        truth = _TRUTH.get(cell.lower())
        return float(cell) if truth is None else truth
    raise table.refusal(_problem(cell), column)


def read_label(table: Table, column: str, cell: str) -> str:
    """Read a cell of the last row as a class label."""
    if not cell:
        raise table.refusal("the label is missing; fill it in or remove the row", column)
    if is_multiline(cell):
        raise table.refusal(f"the label {shorten(cell)} holds a line break", column)
    if len(cell) > MAX_LABEL:
        problem = f"the label {shorten(cell)} has {len(cell):,} characters; give the class a name"
        raise table.refusal(f"{problem} of at most {MAX_LABEL}", column)
    return cell


def _problem(cell: str) -> str:
    """Say why a cell is not a finite number, and what to do."""
    shown = shorten(cell)
    if is_missing(cell):
        return f"the value is missing ({shown}); fill it in or remove the row"
    if _DATE.fullmatch(cell):
        return f"{shown} is a date; give year, month and day as numbers or drop the column"
    if is_number(cell) and "_" not in cell and cell.isascii():
        return f"{shown} is not finite; remove the row"
    return f"{shown} is not a number; encode it as one or drop the column"
