"""Read a data set, and refuse one that cannot be learnt from.

Features are numbers and are used as they are. The target is a class label or, for regression, a
number. Rows to predict are read in `iris_hpo.data.prediction_rows`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.cells import is_truth
from iris_hpo.data.columns import (
    Layout,
    counts_rows,
    dropped,
    has_header,
    is_identifier,
    is_unnamed,
    target_position,
)
from iris_hpo.data.numbers import Cells, Columns, Features, read_cells
from iris_hpo.data.tables import DatasetError, Table
from iris_hpo.text import counted, legible, shorten

_ENOUGH: Final = 30
"""Number of rows from which on different whole numbers are hardly chance."""

Task = Literal["classification", "regression"]
Target = NDArray[np.str_] | NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    role
        ``feature``, ``target``, ``row number`` or ``dropped``; the last two are not learnt from.
    kind
        ``number``, ``truth value`` or ``category``; empty if nothing is learnt from the column.
    """

    name: str
    role: str
    kind: str


@dataclass(frozen=True)
class Dataset:
    """A data set in memory.

    Attributes
    ----------
    features
        Shape (rows, features), float64, all finite.
    target
        Shape (rows,): class labels as text, or float64 for regression.
    feature_names, target_name
        From the header, or ``feature_1`` and so on, and ``target``.
    digest
        sha256 of the file's bytes.
    notes
        Remarks on the columns and rows: which are left out, which columns may be identifiers.
    columns
        All columns of the file, in its order.
    """

    features: Features
    target: Target
    feature_names: tuple[str, ...]
    target_name: str
    digest: str
    notes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()

    @property
    def task(self) -> Task:
        """Regression if the target is float64, else classification."""
        return "regression" if self.target.dtype.kind == "f" else "classification"

    def rows(self, indices: NDArray[np.intp]) -> tuple[Features, Target]:
        """Return the features and the target of some rows."""
        return self.features[indices], self.target[indices]


def read_dataset(path: Path, layout: Layout, task: Task) -> Dataset:
    """Read a data set with its target.

    A column that counts the rows is left out if it has no name in the header, or the name that
    pandas gives to such a column.

    Raises
    ------
    DatasetError
        For the first cell, row or column that cannot be used.
    """
    cells = read_cells(path, lambda table: _locate(table, layout, task))
    columns, features = cells.columns, cells.numbers
    if columns.label is None:
        features, target = features[:, :-1], features[:, -1].copy()
    else:
        target = np.array(cells.labels)
    if not len(target):
        raise DatasetError(str(path), "no row has a target; name another column")
    positions = [at for at in columns.numbers if at != columns.target]
    return _name(path, columns, positions, features, target, cells)


def _name(
    path: Path,
    columns: Columns,
    positions: Sequence[int],
    features: Features,
    target: Target,
    cells: Cells,
) -> Dataset:
    """Leave out the numbers of rows, and name the features."""
    notes = list[str]()
    names, counting = columns.names, [False] * len(positions)
    if columns.is_named:
        counting = [
            is_unnamed(names[position]) and counts_rows(features[:, index])
            for index, position in enumerate(positions)
        ]
        notes += [_left_out(names[at], at) for at in compress(positions, counting)]
        features = features[:, np.logical_not(counting)] if any(counting) else features
    kept = [at for at, counts in zip(positions, counting, strict=True) if not counts]
    if not kept:
        raise DatasetError(str(path), "holds the numbers of rows and a target; add features")
    feature_names = [names[position] for position in kept]
    if cells.left_out:
        notes.append(f"{counted(cells.left_out, 'row')} without a target: left out")
    notes += _doubts(features, feature_names)
    if not columns.is_named:
        feature_names = [f"feature_{index + 1}" for index in range(len(kept))]
    return Dataset(
        np.ascontiguousarray(features),
        target,
        tuple(feature_names),
        names[columns.target or 0] if columns.is_named else "target",
        cells.digest,
        tuple(notes),
        _described(columns, kept, feature_names, cells),
    )


def _described(
    columns: Columns, kept: Sequence[int], feature_names: Sequence[str], cells: Cells
) -> tuple[Column, ...]:
    """Describe every column of the table, in its order."""
    features = dict(zip(kept, feature_names, strict=True))
    used = {*columns.numbers, columns.label}
    described = list[Column]()
    for at, name in enumerate(columns.names):
        if at in features:
            kind = "truth value" if is_truth(cells.first[at]) else "number"
            described.append(Column(features[at], "feature", kind))
        elif at == columns.target:
            kind = "number" if columns.label is None else "category"
            described.append(Column(name if columns.is_named else "target", "target", kind))
        else:
            described.append(Column(name, "row number" if at in used else "dropped", ""))
    return tuple(described)


def class_counts(target: Target) -> dict[str, int]:
    """Count the rows of each class."""
    classes, counts = np.unique(target, return_counts=True)
    return {str(name): int(count) for name, count in zip(classes, counts, strict=True)}


def _locate(table: Table, layout: Layout, task: Task) -> Columns:
    """Take the header, if there is one, and find the features and the target."""
    if len(table.first) < 2:
        raise _too_narrow(table)
    if table.columns is None and has_header(table, layout):
        table.take_header()
    width = len(table.columns or table.first)
    target = target_position(table, layout.target_column, width)
    names = table.columns or [f"{index + 1}" for index in range(width)]
    left_out = dropped(table, layout, names)
    positions = [at for at in range(width) if at != target and at not in left_out]
    if not positions:
        raise DatasetError(str(table.path), "every column but the target is dropped; keep one")
    is_class = task == "classification"
    return Columns(
        names,
        positions if is_class else [*positions, target],
        target if is_class else None,
        target=target,
        drops=layout.without_target == "drop",
        is_named=table.columns is not None,
    )


def _too_narrow(table: Table) -> DatasetError:
    if table.second is not None and len(table.second) > 1:
        return table.refusal(
            f"has 1 column and the next row {len(table.second)}; remove what stands above the table"
        )
    return table.refusal("has 1 column; features and a target, separated by commas, are needed")


def _left_out(name: str, position: int) -> str:
    described = f"is named {name!r}" if name else "has no name"
    return f"column {position + 1} {described} and counts the rows: it is left out"


def _doubts(features: Features, names: Sequence[str]) -> list[str]:
    """Remarks on features that seem to identify the rows, and on those without a name."""
    if len(features) < 3:
        return []
    remarks = ((name, _doubt(name, features[:, index])) for index, name in enumerate(names))
    return [
        f"the feature {legible(name)} {remark}; if it only identifies rows, write columns: "
        f"{{{shorten(name)}: drop}}"
        for name, remark in remarks
        if remark
    ]


def _doubt(name: str, values: NDArray[np.float64]) -> str:
    """Say why a feature may be an identifier; empty if it is none."""
    if counts_rows(values):
        return "counts the rows"
    if is_unnamed(name):
        return "has no name"
    if len(values) >= _ENOUGH and is_identifier(name, values):
        return "differs in every row"
    return ""
