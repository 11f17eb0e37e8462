"""The marks for missing values that a user names, such as -999, beside those of every table."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.cells import is_finite
from iris_hpo.errors import InputError
from iris_hpo.text import shorten

Mark = str | int | float
Missing = Sequence[Mark] | Mapping[str, Sequence[Mark]]
"""Marks of all columns, or of each column by its name."""


@dataclass(frozen=True)
class Marks:
    """What marks a missing value in a column.

    Attributes
    ----------
    texts
        Cells as they are written.
    numbers
        Numbers, however a cell writes them.
    """

    texts: frozenset[str]
    numbers: frozenset[float]

    @classmethod
    def made_of(cls, marks: Iterable[Mark]) -> "Marks":
        """Divide marks into numbers and other texts."""
        cells = [str(mark).strip() for mark in marks]
        numbers = frozenset(float(cell) for cell in cells if is_finite(cell))
        return cls(frozenset(cell for cell in cells if not is_finite(cell)), numbers)

    def __contains__(self, cell: str) -> bool:
        if cell in self.texts:
            return True
        return bool(self.numbers) and is_finite(cell) and float(cell) in self.numbers

    def blank(self, cells: Iterable[str]) -> list[str]:
        """Return cells, empty where they are marks."""
        return ["" if cell in self else cell for cell in cells]

    def without(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return numbers, NaN where they are marks."""
        if not self.numbers:
            return numbers
        return np.where(np.isin(numbers, [*self.numbers]), np.nan, numbers)


NO_MARKS = Marks(frozenset(), frozenset())


def as_missing(written: Mark | Missing | Mapping[str, Mark | Sequence[Mark]]) -> Missing:
    """Return marks in lists, where one alone may have been written without."""
    if isinstance(written, Mapping):
        return {name: _listed(marks) for name, marks in written.items()}
    return _listed(written)


def _listed(marks: Mark | Sequence[Mark]) -> Sequence[Mark]:
    return (marks,) if isinstance(marks, (str, int, float)) else (*marks,)


def check_missing(missing: Missing) -> None:
    """Refuse marks that YAML reads as something else than a number or a text."""
    for place, marks in _by_place(missing).items():
        for mark in marks:
            if isinstance(mark, bool) or not isinstance(mark, (str, int, float)):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise InputError(
                    f"missing {shorten(str(mark))} must be a number or a text; quote a word that "
                    "YAML reads as a truth value, as in missing: ['no']",
                    field=("missing", *([place] if place else ())),
                )
            if isinstance(mark, float) and not math.isfinite(mark):
                raise InputError(
                    f"missing {mark} is no finite number; quote it as it is in the cells, as in "
                    "missing: ['.inf']; nan is missing in any table",
                    field=("missing", *([place] if place else ())),
                )


def marks_content(missing: Missing) -> object:
    """Return what the metadata of assets says."""
    if isinstance(missing, Mapping):
        return {name: [*marks] for name, marks in missing.items()}
    return [*missing]


def _by_place(missing: Missing) -> Mapping[str, Sequence[Mark]]:
    return missing if isinstance(missing, Mapping) else {"": missing}


def locate_marks(missing: Missing, names: Sequence[str]) -> dict[int, Marks]:
    """Return the marks of columns by their position; names that there are not are left out."""
    if isinstance(missing, Mapping):
        return {
            names.index(name): Marks.made_of(marks)
            for name, marks in missing.items()
            if name in names and marks
        }
    return dict.fromkeys(range(len(names)), Marks.made_of(missing)) if missing else {}
