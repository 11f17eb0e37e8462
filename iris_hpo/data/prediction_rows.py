"""Read rows to predict: the features of a model, in any columns of a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from iris_hpo.data.cells import is_number
from iris_hpo.data.decoding import TextForm
from iris_hpo.data.headers import counts_columns
from iris_hpo.data.identifiers import counts_rows
from iris_hpo.data.kinds import CellValueError, value_of
from iris_hpo.data.large_mixed import read_large_as
from iris_hpo.data.marks import NO_MARKS, Marks, Missing, locate_marks
from iris_hpo.data.mixed import read_as
from iris_hpo.data.numbers import Features, read_cells
from iris_hpo.data.rows import Columns
from iris_hpo.data.tables import DatasetError, NoRowsError, Table, is_large
from iris_hpo.text import counted, shorten

_NAMED: Final = 10
"""Number of missing features that a message names."""


def read_features(
    path: Path,
    feature_names: Sequence[str],
    target_name: str,
    target: str | int = -1,
    kinds: Sequence[str] = (),
    *,
    skip_lines: int | None = None,
    header: bool | None = None,
    left_out: Sequence[str] = (),
    encoding: str | None = None,
    missing: Missing = (),
) -> Features:
    """Read rows to predict: the features, and the target's column, if any, which is ignored.

    If a header names the features, columns may come in any order and others are ignored. Without a
    header, all columns have their positions in the training file.

    Parameters
    ----------
    target
        Column of the target in the training file, a name or a position, as in `Layout`.
    kinds
        Those of the features in training, if not all were complete numbers: some may be missing.
    skip_lines, header, encoding, missing
        As in `Layout`; lines are skipped only if the first one is neither a header nor a row.
    left_out
        Names of the columns that are neither features nor the target in `Layout`.

    Returns
    -------
    ndarray of shape (rows, features)
        No rows if there is a header alone.

    Raises
    ------
    DatasetError
        If a feature is missing or is not a number, or if it is not clear which columns are the
        features.
    """
    needed = _Needed(feature_names, target_name, target, kinds, header, left_out, missing)
    is_at_once = skip_lines and needed.begins(path, encoding)
    form = TextForm(0 if is_at_once else skip_lines, encoding)
    try:
        if kinds:
            return _read_mixed(path, needed, form)
        return _read_numbers(path, needed, form)
    except NoRowsError as error:
        needed.check_names_of(error, path)
        return np.empty((0, len(feature_names)), dtype=object if kinds else np.float64)


@dataclass(frozen=True)
class _Needed:
    """What a model needs, and where it stood in training, as in `read_features`."""

    features: Sequence[str]
    target_name: str
    target: str | int
    kinds: Sequence[str]
    header: bool | None
    left_out: Sequence[str]
    missing: Missing

    def begins(self, path: Path, encoding: str | None) -> bool:
        """Whether the first line of a file is a header or a row."""
        try:
            with Table(path, TextForm(0, encoding)) as table:
                width = len(table.first)
                return {*self.features} <= {*table.first} or width in self._widths
        except DatasetError:
            return False

    def locate(self, table: Table) -> Columns:
        """Take the header of a table, if there is one, and find the features."""
        if table.columns is None and self._is_header(table):
            table.take_header()
        if table.columns is None:
            return self._by_position(table)
        self.check_names(table.path, table.columns, table.header_line)
        place = {name: index for index, name in enumerate(table.columns)}
        places = [place[name] for name in self.features]
        missing = locate_marks(self.missing, table.columns)
        return Columns(table.columns, places, before="the header has", missing=missing)

    def check_names_of(self, error: NoRowsError, path: Path) -> None:
        """Refuse a file without rows, unless it has a header that names all features."""
        if error.columns is None:
            raise error
        self.check_names(path, error.columns, error.line)

    def check_names(self, path: Path, columns: Sequence[str], line: int | None) -> None:
        """Refuse a header that does not name all features."""
        known = set(columns)
        missing = [shorten(name) for name in self.features if name not in known]
        if missing:
            noun = "feature" if len(missing) == 1 else "features"
            more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
            problem = f"the header does not name the {noun} {', '.join(missing[:_NAMED])}{more}"
            raise DatasetError(str(path), problem, line=line)

    @property
    def _is_unnamed(self) -> bool:
        """Whether the training file had no header."""
        return [*self.features] == [f"feature_{at + 1}" for at in range(len(self.features))]

    @property
    def _marks(self) -> Marks:
        """The marks of missing values in a file without a header, which has no names."""
        return NO_MARKS if isinstance(self.missing, Mapping) else Marks.made_of(self.missing)

    @property
    def _left_out(self) -> set[int]:
        """Positions of columns that are left out in a training file without a header."""
        names = self.left_out if self._is_unnamed else ()
        return {int(name) - 1 for name in names if name.isdigit()}

    @property
    def _widths(self) -> set[int]:
        """Numbers of columns that a file without a header may have."""
        width = len(self.features)
        return {width, width + 1, width + 1 + len(self._left_out)}

    def _is_header(self, table: Table) -> bool:
        first, names = table.first, {*self.features}
        if names <= {*first}:
            if [cell for cell in first if cell in names] != [*self.features] and all(
                map(is_number, self.features)
            ):
                raise table.refusal(
                    "may be a header, or a row; write the header in the order of training: "
                    f"{_header(self.features)}"
                )
            return True
        named = [name for name in names.intersection(first) if not is_number(name)]
        if 2 * len(named) >= len(names):  # it lacks some
            return True
        cells = self._cells(first)
        if self._is_unnamed and (self.header is False or self.kinds):
            return not self._fits(cells)
        return not any(map(is_number, cells)) or bool(counts_columns(table))

    def _cells(self, first: Sequence[str]) -> list[str]:
        """The cells of a row that may be features."""
        width, target = len(first), self.target
        position = width - 1
        if isinstance(target, int) and -width <= target < width:
            position = target % width
        left_out = self._left_out if width == len(self.features) + len(self._left_out) + 1 else ()
        if width != len(self.features) + len(left_out) + 1:
            position = width
        chosen = [cell for at, cell in enumerate(first) if at != position and at not in left_out]
        return self._marks.blank(chosen[: len(self.features)])

    def _fits(self, cells: Sequence[str]) -> bool:
        """Whether cells have the kinds of the features."""
        if not self.kinds:
            return any(map(is_number, cells))
        try:
            for cell, kind in zip(cells, self.kinds, strict=True):
                value_of(cell, kind)
        except (CellValueError, ValueError):
            return False
        return True

    def _by_position(self, table: Table) -> Columns:
        """Find the features of a file without a header."""
        width, expected, left_out = len(table.first), len(self.features), self._left_out
        positions = list(range(width))
        if left_out and width == expected + len(left_out) + 1:
            positions = [at for at in positions if at not in left_out]
            positions.remove(int(self.target) % width)
        elif width == expected + 1 and len(left_out) != 1:
            if isinstance(self.target, str) or not -width <= self.target < width:
                raise table.refusal(
                    f"has {counted(width, 'column')} and no header, so which of them is "
                    f"{self.target_name} is not known; leave it out, or write a header with "
                    f"{self.target_name} and {_header(self.features)} above the rows"
                )
            del positions[self.target]
        elif width != expected:
            raise table.refusal(
                f"has {counted(width, 'column')}; the model needs "
                f"{counted(expected, 'feature')}, with or without {self.target_name} "
                f"{'after them' if self.target == -1 else 'where it stood in training'}"
                f"{', or all columns of the training file' if left_out else ''}"
            )
        names = dict(zip(positions, self.features, strict=True))
        return Columns(
            [names.get(at, self.target_name) for at in range(width)],
            positions,
            is_named=False,
            may_count_rows=self._may_begin_with_row_numbers(table.first),
            missing=dict.fromkeys(positions if self._marks != NO_MARKS else (), self._marks),
        )

    def _may_begin_with_row_numbers(self, first: Sequence[str]) -> bool:
        """Whether the first column may number the rows, and no column be the target.

        In the training file a header distinguishes such a column from the features.
        """
        return (
            not self._is_unnamed
            and len(first) == len(self.features) + 1
            and isinstance(self.target, int)
            and -len(first) <= self.target < len(first)
            and is_number(first[self.target])
        )


def _read_mixed(path: Path, needed: _Needed, form: TextForm) -> Features:
    for only_texts in (False, True) if is_large(path) else ():
        with Table(path, form, keeps_empty=True) as table:
            columns = needed.locate(table)
            features = read_large_as(table, columns, needed.kinds, only_texts=only_texts)
        if features is not None:
            return features
    with Table(path, form, keeps_empty=True) as table:
        return read_as(table, needed.locate(table), needed.kinds)


def _read_numbers(path: Path, needed: _Needed, form: TextForm) -> Features:
    cells = read_cells(path, needed.locate, form, keeps_empty=True)
    features, columns = cells.numbers, cells.columns
    if columns.may_count_rows and len(features) > 1 and counts_rows(features[:, 0]):
        raise DatasetError(
            str(path),
            "has no header, and its first column counts the rows: it may be no feature; write "
            f"the header {_header(needed.features)} above the rows, with a name for every column",
        )
    return features


def _header(names: Sequence[str]) -> str:
    text = ",".join(names)
    return text if len(text) <= 200 else f"{text[:200]}..."
