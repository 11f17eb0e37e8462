"""What columns say about the rows beside features and target: group, time, weight, part."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.cells import MAX_LABEL, is_finite, is_missing, is_truth
from iris_hpo.data.columns import ROW_ROLES, Layout
from iris_hpo.data.dates import DATES
from iris_hpo.data.kinds import CATEGORY, NUMBER, CellValueError, value_of
from iris_hpo.data.tables import DatasetError, Table, is_multiline
from iris_hpo.text import shorten

MOMENT: Final = "ISO date"
"""Kind of ISO texts, with or without a time of day and a time zone."""


@dataclass(frozen=True, eq=False)
class RowRoles:
    """What columns say about the rows; None where no column has the role. Shapes (rows,).

    Attributes
    ----------
    group
        Labels of the groups that rows belong to.
    time
        Numbers; days since 1970-01-01 for dates.
    weight
        How much a row counts, greater than 0.
    part
        The part or the fold that a row is for, as it is written.
    time_kind
        Kind of the times: a number, or how dates are written; empty without times.
    """

    group: NDArray[np.str_] | None = None
    time: NDArray[np.float64] | None = None
    weight: NDArray[np.float64] | None = None
    part: NDArray[np.str_] | None = None
    time_kind: str = ""

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is known, by role."""
        known: dict[str, NDArray[Any] | None] = {role: getattr(self, role) for role in ROW_ROLES}
        return {role: array for role, array in known.items() if array is not None}

    def each(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Self:
        """Return the same with another array in place of each."""
        return replace(self, **{role: change(array) for role, array in self.arrays.items()})

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return what is known of some rows."""
        return self.each(lambda array: array[rows])

    def followed_by(self, other: Self) -> Self:
        """Return what is known of these rows, then about others with the same roles."""
        both = {role: [array, other.arrays[role]] for role, array in self.arrays.items()}
        return replace(self, **{role: np.concatenate(pair) for role, pair in both.items()})

    def kind(self, role: str) -> str:
        """Kind of the column with a role, for people."""
        return {"time": self.time_kind, "weight": NUMBER}.get(role, CATEGORY)


def locate_roles(table: Table, layout: Layout, names: Sequence[str], target: int) -> dict[str, int]:
    """Positions of the columns that describe rows, by their role.

    Raises
    ------
    DatasetError
        If one of them is the target.
    """
    positions = {role: names.index(name) for role, name in layout.row_roles.items()}
    for role, at in positions.items():
        if at == target:
            raise DatasetError(
                str(table.path),
                f"the column {names[at]!r} is the target, the one at position {layout.target}, and "
                f"`columns` makes it the {role}; name the target, as in target: {names[0]!r}",
            )
    return positions


def read_roles(
    source: str,
    names: Mapping[str, str],
    cells: Mapping[str, Sequence[str]],
    lines: Sequence[int],
) -> RowRoles:
    """Read the cells of columns that have a role.

    Parameters
    ----------
    source
        Name of the file, for messages.
    names, cells
        The column's name, and its cells, by its role.
    lines
        The line of each row.

    Raises
    ------
    DatasetError
        For the first cell that cannot be used.
    """
    kind = _kind_of_times(cells["time"]) if cells.get("time") else ""
    readers: Mapping[str, Callable[[str], object]] = {
        "group": _label,
        "time": lambda cell: _time(cell, kind),
        "weight": _weight,
        "part": _label,
    }
    arrays = dict[str, NDArray[Any]]()
    for role, column in cells.items():
        values = list[object]()
        for at, cell in enumerate(column):
            try:
                if is_missing(cell):
                    raise CellValueError(f"the {role} is missing; fill it in, or take the row out")
                values.append(readers[role](cell))
            except CellValueError as error:
                raise DatasetError(
                    source, str(error), line=lines[at], column=names[role]
                ) from error
        arrays[role] = np.array(values)
    return RowRoles(**arrays, time_kind=kind)


def _label(cell: str) -> str:
    if is_multiline(cell) or len(cell) > MAX_LABEL:
        problem = (
            f"{shorten(cell)} is no label: it has line breaks, or more than {MAX_LABEL} characters"
        )
        raise CellValueError(f"{problem}; give it a shorter name")
    return cell


def _weight(cell: str) -> float:
    if not is_finite(cell) or is_truth(cell) or float(cell) <= 0:
        raise CellValueError(
            f"the weight {shorten(cell)} is no number greater than 0; correct it, or take the row "
            "out"
        )
    return float(cell)


def _time(cell: str, kind: str) -> float:
    try:
        if kind == NUMBER:
            return _number(cell)
        return _moment(cell) if kind == MOMENT else float(value_of(cell, kind))
    except (CellValueError, ValueError, OverflowError) as error:
        what = "number" if kind == NUMBER else "date such as 2024-03-31"
        raise CellValueError(
            f"the time {shorten(cell)} is no {what}, as the others of the column are; correct it"
        ) from error


def _kind_of_times(cells: Sequence[str]) -> str:
    """Kind of the cells: of all if possible, otherwise of the first."""
    readable = [kind for kind in (NUMBER, MOMENT, *DATES) if _is_time(cells[0], kind)]
    whole = (kind for kind in readable if all(_is_time(cell, kind) for cell in cells))
    return next(whole, readable[0] if readable else MOMENT)


def _is_time(cell: str, kind: str) -> bool:
    try:
        _time(cell, kind)
    except CellValueError:
        return False
    return True


def _number(cell: str) -> float:
    if not is_finite(cell):
        raise CellValueError
    return float(cell)


def _moment(cell: str) -> float:
    """Days since 1970-01-01 in UTC; what has no time zone counts as UTC."""
    moment = datetime.fromisoformat(cell)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return moment.timestamp() / 86_400
