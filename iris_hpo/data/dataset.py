"""Read a data set, and refuse one that cannot be learnt from.

Features are numbers and are used as they are. The target is a class label or, for regression, a
number. Rows to predict are read in `iris_hpo.data.prediction_rows`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.columns import Layout, counts_rows, has_header, is_unnamed, target_position
from iris_hpo.data.numbers import Columns, Features, read_cells
from iris_hpo.data.tables import DatasetError, Table
from iris_hpo.text import legible

Task = Literal["classification", "regression"]
Target = NDArray[np.str_] | NDArray[np.int64] | NDArray[np.float64]


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
        Remarks on the columns: which are left out, which may be row numbers.
    """

    features: Features
    target: Target
    feature_names: tuple[str, ...]
    target_name: str
    digest: str
    notes: tuple[str, ...] = ()

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
        *positions, target = columns.numbers
        features, values = features[:, :-1], features[:, -1].copy()
    else:
        positions, target, values = [*columns.numbers], columns.label, np.array(cells.labels)
    notes = list[str]()
    names = columns.names
    if columns.is_named:
        counting = [
            is_unnamed(names[position]) and counts_rows(features[:, index])
            for index, position in enumerate(positions)
        ]
        notes += [_left_out(names[at], at) for at in compress(positions, counting)]
        features = features[:, np.logical_not(counting)] if any(counting) else features
        positions = [at for at, counts in zip(positions, counting, strict=True) if not counts]
    if not positions:
        raise DatasetError(str(path), "holds the numbers of rows and a target; add features")
    feature_names = [names[position] for position in positions]
    notes += _doubts(features, feature_names)
    if not columns.is_named:
        feature_names = [f"feature_{index + 1}" for index in range(len(positions))]
    return Dataset(
        np.ascontiguousarray(features),
        values,
        tuple(feature_names),
        names[target] if columns.is_named else "target",
        cells.digest,
        tuple(notes),
    )


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
    target = target_position(table, layout.target, width)
    names = table.columns or [f"{index + 1}" for index in range(width)]
    positions = [position for position in range(width) if position != target]
    if task == "classification":
        return Columns(names, positions, target, is_named=table.columns is not None)
    return Columns(names, [*positions, target], None, is_named=table.columns is not None)


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
    """Remarks on features that seem to number the rows, and on those without a name."""
    if len(features) < 3:
        return []
    return [
        f"the feature {legible(name) if name else 'without a name'} counts the rows; if it only "
        "numbers them, remove the column"
        if counts
        else f"the feature {legible(name)} has no name; if it numbers rows, remove the column"
        for index, name in enumerate(names)
        for counts in [counts_rows(features[:, index])]
        if counts or is_unnamed(name)
    ]
