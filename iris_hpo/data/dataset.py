"""Read a data set, and refuse one that cannot be learnt from.

Rows to predict are read in `iris_hpo.data.prediction_rows`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import compress
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.cells import is_truth
from iris_hpo.data.columns import Layout
from iris_hpo.data.dates import DATES
from iris_hpo.data.identifiers import doubts, left_out, names_rows
from iris_hpo.data.large_mixed import read_large
from iris_hpo.data.locate import locate_columns
from iris_hpo.data.mixed import MixedCells, as_array, read_mixed
from iris_hpo.data.numbers import Cells, Features, read_cells, read_in_blocks
from iris_hpo.data.remarks import remarks
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.rows import Columns
from iris_hpo.data.tables import DatasetError, Table, is_large
from iris_hpo.text import counted, legible

Task = Literal["classification", "regression"]
Target = NDArray[np.str_] | NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    role
        ``feature`` or ``target``; ``group``, ``time``, ``weight`` or ``part`` if the column
        describes rows; ``row number``, ``dropped`` or ``empty`` if it is not used.
    kind
        The kind of its values, such as ``number``; empty if it is not used.
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
        Shape (rows, features): float64, all finite; or objects, if ``kinds`` are given.
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
    kinds
        Kind of each feature (`iris_hpo.data.kinds`); empty if all are complete numbers.
    roles
        What columns say about the rows: their group, time, weight and part.
    """

    features: Features
    target: Target
    feature_names: tuple[str, ...]
    target_name: str
    digest: str
    notes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    kinds: tuple[str, ...] = ()
    roles: RowRoles = field(default_factory=RowRoles)

    @property
    def task(self) -> Task:
        """Regression if the target is float64, else classification."""
        return "regression" if self.target.dtype.kind == "f" else "classification"

    def rows(self, indices: NDArray[np.intp]) -> tuple[Features, Target]:
        """Return the features and the target of some rows."""
        return self.features[indices], self.target[indices]

    def take(self, indices: NDArray[np.intp]) -> "Dataset":
        """Return a data set of some rows."""
        features, target = self.rows(indices)
        return replace(self, features=features, target=target, roles=self.roles.take(indices))


def read_dataset(path: Path, layout: Layout, task: Task, *, mixed: bool = False) -> Dataset:
    """Read a data set with its target.

    A column that counts the rows is left out if it has no name in the header, or the name that
    pandas gives to such a column.

    Parameters
    ----------
    mixed
        Whether features may be other than complete numbers.

    Raises
    ------
    DatasetError
        For the first cell, row or column that cannot be used.
    """
    find = partial(locate_columns, layout=layout, task=task, names_all=not mixed)
    categories = layout.with_role("category")
    if (mixed or layout.row_roles) and is_large(path):
        dataset = _read_large(path, find, layout)
        if dataset is not None and (mixed or not dataset.kinds):
            return dataset
    if not (mixed and categories):
        try:
            return _of_numbers(path, read_cells(path, find, layout.form))
        except DatasetError as error:
            if not mixed or error.column is None:
                raise
            with Table(path, layout.form) as table:
                columns = find(table)
            if error.column == columns.names[columns.target or 0]:
                raise
    with Table(path, layout.form) as table:
        columns = find(table)
        return _of_mixed(table, columns, read_mixed(table, columns, categories))


def _read_large(path: Path, find: Callable[[Table], Columns], layout: Layout) -> Dataset | None:
    """Read a large table by columns; None if it has to be read row by row."""
    categories = layout.with_role("category")
    if not categories:
        with Table(path, layout.form) as table:
            columns = find(table)
            cells = read_in_blocks(table, columns)
        if cells is not None:
            return _of_numbers(path, cells)
    for only_texts in (False, True):
        with Table(path, layout.form) as table:
            columns = find(table)
            mixed = read_large(table, columns, categories, only_texts=only_texts)
            if mixed is not None:
                return _of_mixed(table, columns, mixed)
    return None


def _of_mixed(table: Table, columns: Columns, cells: MixedCells) -> Dataset:
    is_label = columns.label is not None
    target = np.array(cells.target) if is_label else np.array(cells.target, dtype=np.float64)
    features = [at for at in columns.numbers if at != columns.target]
    read = _Read(table.path, columns, cells.left_out, cells.digest, table.first, cells.roles)
    return _name(read, list(cells.kinds) or features, cells.columns, target, cells.kinds)


def _of_numbers(path: Path, cells: Cells) -> Dataset:
    columns, features = cells.columns, cells.numbers
    if columns.label is None:
        features, target = features[:, :-1], features[:, -1].copy()
    else:
        target = np.array(cells.labels)
    positions = [at for at in columns.numbers if at != columns.target]
    read = _Read(path, columns, cells.left_out, cells.digest, cells.first, cells.roles)
    return _name(read, positions, [*features.T], target, {}, features)


@dataclass(frozen=True)
class _Read:
    """What is known of a table that was read; ``first`` is its first row."""

    path: Path
    columns: Columns
    left_out: int
    digest: str
    first: Sequence[str]
    roles: RowRoles


def _name(
    read: _Read,
    positions: list[int],
    values: Sequence[NDArray[Any]],
    target: Target,
    kinds: Mapping[int, str],
    features: Features | None = None,
) -> Dataset:
    """Leave out what numbers rows or is empty, and name the features; kinds are by position.

    If the values of the features are columns of one array, that is given too.
    """
    if not len(target):
        raise DatasetError(str(read.path), "no row has a target; name another column")
    columns, names = read.columns, read.columns.names
    empty = [at for at, kind in kinds.items() if not kind]
    notes = [*columns.notes]
    notes += [f"the column {legible(names[at])} is empty: it is left out" for at in empty]
    positions = [at for at in positions if at not in empty]
    counting = _name_rows(read, positions, values)
    notes += [
        left_out(names[at], at, column)
        for at, column in compress(zip(positions, values, strict=True), counting)
    ]
    if any(counting):
        chosen = np.logical_not(counting)
        features, values = None, [*compress(values, chosen)]
        positions = [*compress(positions, chosen)]
    if not positions:
        raise DatasetError(str(read.path), "holds the numbers of rows and a target; add features")
    if read.left_out:
        notes.append(f"{counted(read.left_out, 'row')} without a target: left out")
    feature_names = [names[at] for at in positions]
    notes += _remarks(values, feature_names, [kinds.get(at, "") for at in positions])
    if not columns.is_named:
        feature_names = [f"feature_{index + 1}" for index in range(len(positions))]
    return Dataset(
        as_array(values, is_mixed=bool(kinds))
        if features is None
        else np.ascontiguousarray(features),
        target,
        tuple(feature_names),
        names[columns.target or 0] if columns.is_named else "target",
        read.digest,
        tuple(notes),
        _described(read, dict(zip(positions, feature_names, strict=True)), kinds),
        tuple(kinds[at] for at in positions) if kinds else (),
        read.roles,
    )


def _name_rows(read: _Read, positions: Sequence[int], values: Sequence[NDArray[Any]]) -> list[bool]:
    """Find the columns that are named so and count or name the rows."""
    names, kept = read.columns.names, read.columns.kept
    return [
        read.columns.is_named
        and names[at] not in kept
        and names_rows(names[at], column, read.left_out)
        for at, column in zip(positions, values, strict=True)
    ]


def _remarks(
    values: Sequence[NDArray[Any]], names: Sequence[str], kinds: Sequence[str]
) -> list[str]:
    """Remarks on features that are perhaps no features, or of another kind."""
    named = {index: names[index] for index, kind in enumerate(kinds) if kind not in DATES}
    return doubts(values, named) + remarks(values, names, kinds)


def _described(
    read: _Read, features: Mapping[int, str], kinds: Mapping[int, str]
) -> tuple[Column, ...]:
    """Describe every column of the table, in its order; ``features`` are names by position."""
    columns, described = read.columns, list[Column]()
    used = {*columns.numbers, columns.label}
    roles = {at: role for role, at in columns.roles.items()}
    for at, name in enumerate(columns.names):
        if at in features:
            known = "truth value" if is_truth(read.first[at]) else "number"
            described.append(Column(features[at], "feature", kinds.get(at, known)))
        elif at == columns.target:
            kind = "number" if columns.label is None else "category"
            described.append(Column(name if columns.is_named else "target", "target", kind))
        elif at in roles:
            described.append(Column(name, roles[at], read.roles.kind(roles[at])))
        elif at in used:
            described.append(Column(name, "row number" if kinds.get(at, "x") else "empty", ""))
        else:
            described.append(Column(name, "dropped", ""))
    return tuple(described)


def class_counts(target: Target) -> dict[str, int]:
    """Count the rows of each class."""
    classes, counts = np.unique(target, return_counts=True)
    return {str(name): int(count) for name, count in zip(classes, counts, strict=True)}
