"""A part of a split as CSV: the row's number, features and target, its group, time and weight.

What is read back is exactly what was written.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Dataset, Features, Target, Task
from iris_hpo.data.kinds import each, is_text
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.splitters import Rows
from iris_hpo.text import quote_cell, unquote_cell

KEPT: Final = ("group", "time", "weight")
"""Roles whose columns stand in the files of the parts, behind the target."""


def write_part(dataset: Dataset, rows: Rows) -> bytes:
    """Write some rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    described = _role_columns(dataset.roles.take(rows))
    names = [*dataset.feature_names, dataset.target_name, *described]
    writer.writerow(["row", *map(quote_cell, names)])
    features = dataset.features[rows]
    cells = _mixed_cells(features, dataset.kinds) if dataset.kinds else _numbers(features)
    target: Sequence[object] = dataset.target[rows].tolist()
    others = zip(*described.values(), strict=True) if described else repeat(())
    for row, shown, label, more in zip(rows.tolist(), cells, target, others, strict=False):
        writer.writerow(
            [row + 1, *shown, quote_cell(label) if isinstance(label, str) else label, *more]
        )
    return text.getvalue().encode()


def _role_columns(roles: RowRoles) -> dict[str, list[str]]:
    """What is known of the rows, as cells by role, in the order of `KEPT`."""
    columns = dict[str, list[str]]()
    for role in roles_kept(roles):
        values: Sequence[str | float] = roles.arrays[role].tolist()
        columns[role] = [quote_cell(one) if isinstance(one, str) else repr(one) for one in values]
    return columns


def roles_kept(roles: RowRoles) -> list[str]:
    """Roles of the columns behind the target in the files."""
    return [role for role in KEPT if role in roles.arrays]


def _numbers(features: Features) -> Iterator[Iterable[str]]:
    rows: Sequence[Sequence[float]] = features.tolist()
    return (map(repr, row) for row in rows)


def _mixed_cells(features: Features, kinds: Sequence[str]) -> Iterator[Iterable[str]]:
    """Write each row's values as cells; what is missing is empty."""
    columns: list[Iterable[Any]] = [
        each(quote_cell, column.tolist()) if is_text(kind) else map(_write, column.tolist())
        for column, kind in zip(features.T, kinds, strict=True)
    ]
    return zip(*columns, strict=True)


def _write(number: float) -> str:
    return "" if math.isnan(number) else repr(number)


def _mixed_features(records: Sequence[Sequence[str]], kinds: Sequence[str]) -> Features:
    features: Any = np.empty((len(records), len(kinds)), dtype=object)
    for at, kind in enumerate(kinds):
        cells = [record[at] for record in records]
        features[:, at] = each(unquote_cell if is_text(kind) else _number, cells)
    return features


def _number(cell: str) -> float:
    return float(cell) if cell else math.nan


def read_part(
    content: bytes, task: Task, kinds: Sequence[str] | None = None, roles: Sequence[str] = ()
) -> tuple[Rows, Features, Target]:
    """Read one part back.

    Parameters
    ----------
    kinds
        Kinds of the features, if not all are complete numbers.
    roles
        Roles of the columns behind the target.

    Returns
    -------
    rows, features, target
        Row numbers in the data set from 0, shape (rows,); then shapes (rows, features), (rows,).
    """
    _, *records = csv.reader(io.StringIO(content.decode()))
    target_at = -1 - len(roles)
    rows = np.array([int(record[0]) - 1 for record in records], dtype=np.intp)
    if kinds:
        features = _mixed_features([record[1:target_at] for record in records], kinds)
    else:
        features = np.array([record[1:target_at] for record in records], dtype=np.float64)
    labels = [unquote_cell(record[target_at]) for record in records]
    target = np.array(labels) if task == "classification" else np.array(labels, dtype=np.float64)
    return rows, features, target


def read_part_roles(content: bytes, roles: Sequence[str]) -> RowRoles:
    """Read back what is known of the rows of a part; ``roles`` are those of its last columns."""
    if not roles:
        return RowRoles()
    _, *records = csv.reader(io.StringIO(content.decode()))
    arrays = dict[str, NDArray[Any]]()
    for at, role in enumerate(roles, -len(roles)):
        cells = [record[at] for record in records]
        if role == "group":
            arrays[role] = np.array([unquote_cell(cell) for cell in cells])
        else:
            arrays[role] = np.array(cells, dtype=np.float64)
    return RowRoles(arrays.get("group"), arrays.get("time"), arrays.get("weight"))
