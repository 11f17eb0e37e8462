"""Columns that identify the rows: what is left out for that, and what is only noted."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from numpy.typing import NDArray

from iris_hpo.data.columns import counts_rows, is_identifier, is_unnamed
from iris_hpo.data.numbers import Features
from iris_hpo.text import legible, shorten

_ENOUGH: Final = 30
"""Number of rows from which on different whole numbers are hardly chance."""


def names_rows(column: NDArray[Any], numbers: Features | None) -> bool:
    """Whether a column counts the rows, or has another text in each, as R's names of rows."""
    if numbers is not None:
        return counts_rows(numbers)
    return len(column) > 1 and len(set(column.tolist())) == len(column)


def left_out(name: str, position: int, numbers: Features | None) -> str:
    """Say that a column without a name of its own is left out."""
    described = f"is named {name!r}" if name else "has no name"
    what = "counts" if numbers is not None else "names"
    return f"column {position + 1} {described} and {what} the rows: it is left out"


def doubts(
    features: Features, numbers: Sequence[Features | None], names: Mapping[int, str]
) -> list[str]:
    """Remarks on features that seem to identify the rows, and on those without a name.

    Parameters
    ----------
    names
        Names of the features by their index.
    """
    if len(features) < 3:
        return []
    remarks = list[tuple[str, str]]()
    for index, name in names.items():
        values = numbers[index]
        remarks.append((name, _doubt(name, features[:, index] if values is None else values)))
    return [
        f"the feature {legible(name)} {remark}; if it only identifies rows, write columns: "
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
        differs = len(values) >= _ENOUGH and len(set(values.tolist())) == len(values)
        return "differs in every row" if differs else ""
    if counts_rows(values):
        return "counts the rows"
    if len(values) >= _ENOUGH and is_identifier(name, values):
        return "differs in every row"
    return ""
