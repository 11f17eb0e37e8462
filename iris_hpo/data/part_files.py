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
from iris_hpo.data.large_parts import is_large_part, read_columns_of_part, width_of_part
from iris_hpo.data.mixed import as_array
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
    if is_large_part(content):
        return _read_large(content, task, kinds, len(roles))
    _, *records = csv.reader(io.StringIO(content.decode()))
    target_at = -1 - len(roles)
    if kinds:
        features = _mixed_features([record[1:target_at] for record in records], kinds)
    else:
        features = np.array([record[1:target_at] for record in records], dtype=np.float64)
    return _rows(records), features, _target(records, task, len(roles))


def read_target(content: bytes, task: Task, roles: Sequence[str] = ()) -> tuple[Rows, Target]:
    """Read the row numbers and the target of one part, as `read_part` does."""
    if not is_large_part(content):
        _, *records = csv.reader(io.StringIO(content.decode()))
        return _rows(records), _target(records, task, len(roles))
    rows, _, target = _read_large(content, task, None, len(roles), with_features=False)
    return rows, target


def _rows(records: Sequence[Sequence[str]]) -> Rows:
    return np.array([int(record[0]) - 1 for record in records], dtype=np.intp)


def _target(records: Sequence[Sequence[str]], task: Task, roles: int) -> Target:
    labels = [unquote_cell(record[-1 - roles]) for record in records]
    return np.array(labels) if task == "classification" else np.array(labels, dtype=np.float64)


def _read_large(
    content: bytes,
    task: Task,
    kinds: Sequence[str] | None,
    roles: int,
    *,
    with_features: bool = True,
) -> tuple[Rows, Features, Target]:
    target_at = width_of_part(content) - 1 - roles
    features = [*range(1, target_at)] if with_features else []
    texts = [at for at, kind in enumerate(kinds or (), 1) if is_text(kind)]
    if task == "classification":
        texts.append(target_at)
    numbers = [at for at in [0, *features, target_at] if at not in texts]
    columns = read_columns_of_part(content, numbers, texts)
    values = [columns[at] for at in features]
    return (
        columns[0].astype(np.intp) - 1,
        as_array(values, is_mixed=bool(kinds)) if values else np.empty((len(columns[0]), 0)),
        np.array(columns[target_at].tolist()),
    )


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
