"""Reading a data set, and refusing one that cannot be learnt from.

Features are numbers and are used as they are. The target is a class label or, for regression, a
number. CSV (with or without a header) and Parquet are read.
"""

import csv
import hashlib
import io
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from iris_hpo.search.errors import InputError
from iris_hpo.search.space import shorten

_MISSING: Final = ("", "na", "n/a", "null", "none", "nan", "?")

Task = Literal["classification", "regression"]
Features = NDArray[np.float64]
Target = NDArray[np.str_] | NDArray[np.int64] | NDArray[np.float64]


class DatasetError(InputError):
    """A data set cannot be used; the message names file, line, column and value."""

    def __init__(
        self, source: str, problem: str, *, line: int | None = None, column: str | None = None
    ) -> None:
        place = source
        place += f", line {line}" if line else ""
        place += f", column {column}" if column else ""
        super().__init__(f"{place}: {problem}")
        self.line = line
        self.column = column


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
    """

    features: Features
    target: Target
    feature_names: tuple[str, ...]
    target_name: str
    digest: str

    def rows(self, indices: NDArray[np.intp]) -> tuple[Features, Target]:
        """Give the features and the target of some rows."""
        return self.features[indices], self.target[indices]


@dataclass(frozen=True)
class Layout:
    """Where things stand in a row.

    Parameters
    ----------
    target
        The target's column: a name from the header, or a position (0 is the first, -1 the last).
    header
        Whether the first line names the columns; None finds out: it does if none of its
        features is a number.
    """

    target: str | int = -1
    header: bool | None = None


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes.

    Raises
    ------
    DatasetError
        If the file cannot be read.
    """
    return hashlib.sha256(_read_bytes(path)).hexdigest()


def read_dataset(path: Path, layout: Layout, task: Task) -> Dataset:
    """Read a data set with its target.

    Raises
    ------
    DatasetError
        For the first cell, row or column that cannot be used.
    """
    content = _read_bytes(path)
    columns, lines, rows = _table(path, content)
    first = next(rows, None)
    if first is None:
        raise DatasetError(str(path), "the file holds no rows; write one example a line")
    width = len(first)
    if width < 2:
        raise DatasetError(
            str(path),
            f"has {width} column; features and a target, separated by commas, are needed",
            line=lines.number,
        )
    if columns is None and _is_header(first, layout):
        columns, first = _take_header(path, first, rows, lines)
    target = _target_position(path, layout.target, columns, width)
    numbers, labels = array("d"), list[str]()
    for row in _chain(first, rows):
        if len(row) != width:
            raise DatasetError(
                str(path),
                f"has {len(row)} columns; the lines before have {width}",
                line=lines.number,
            )
        for index, cell in enumerate(row):
            column = columns[index] if columns else f"{index + 1}"
            if index == target and task == "classification":
                labels.append(_label(path, lines.number, column, cell))
            else:
                numbers.append(_number(path, lines.number, column, cell))
    table = np.frombuffer(numbers, dtype=np.float64)
    if task == "classification":
        features, values = table.reshape(-1, width - 1), np.array(labels)
    else:
        table = table.reshape(-1, width)
        features, values = np.delete(table, target, axis=1), table[:, target].copy()
    target_name = columns[target] if columns else "target"
    feature_names = tuple(
        columns[index] if columns else f"feature_{index + 1 - (index > target)}"
        for index in range(width)
        if index != target
    )
    return Dataset(
        np.ascontiguousarray(features),
        values,
        feature_names,
        target_name,
        hashlib.sha256(content).hexdigest(),
    )


def read_features(path: Path, feature_names: Sequence[str], target_name: str) -> Features:
    """Read rows to predict: the features alone, or with the target's column, which is ignored.

    With a header that names the features, columns may come in any order and others are ignored.
    Without, the features come first, in the order of training.

    Returns
    -------
    ndarray of shape (rows, features)
    """
    columns, lines, rows = _table(path, _read_bytes(path))
    first = next(rows, None)
    if first is None:
        raise DatasetError(str(path), "the file holds no rows; write one example a line")
    expected = len(feature_names)
    if columns is None and (
        set(feature_names) <= set(first) or not any(_is_number(cell) for cell in first[:expected])
    ):
        _check_features(path, first, feature_names, lines.number)
        columns, first = _take_header(path, first, rows, lines)
    elif columns is not None:
        _check_features(path, columns, feature_names, None)
    numbers = array("d")
    for row in _chain(first, rows):
        if columns is not None and len(row) != len(columns):
            raise DatasetError(
                str(path),
                f"has {len(row)} columns; the header has {len(columns)}",
                line=lines.number,
            )
        if columns is None and len(row) not in (expected, expected + 1):
            raise DatasetError(
                str(path),
                f"has {len(row)} columns; the model needs {expected} features, with or without "
                f"{target_name} after them",
                line=lines.number,
            )
        for index, name in enumerate(feature_names):
            cell = row[columns.index(name)] if columns is not None else row[index]
            numbers.append(_number(path, lines.number, name, cell))
    return np.frombuffer(numbers, dtype=np.float64).reshape(-1, expected)


class _Lines:
    """The number of the line that was read last."""

    number = 0


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(str(path), f"the data cannot be read: {error.strerror}") from error


def _table(path: Path, content: bytes) -> tuple[list[str] | None, _Lines, Iterator[list[str]]]:
    """Column names if the format has them, a line counter, and the rows as texts."""
    lines = _Lines()
    if path.suffix == ".parquet":
        names, rows = _parquet_rows(path, content, lines)
        return names, lines, rows
    return None, lines, _csv_rows(path, content, lines)


def _csv_rows(path: Path, content: bytes, lines: _Lines) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(
            str(path),
            f"byte 0x{error.object[error.start]:02x} is not UTF-8 text; save the file as UTF-8",
            line=_line_at(error.object, error.start),
        ) from error
    if b"\0" in content:
        raise DatasetError(
            str(path),
            "holds a NUL byte; this is not a text file",
            line=_line_at(content, content.index(b"\0")),
        )
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    try:
        for row in reader:
            lines.number = reader.line_num
            if row and any(cell.strip() for cell in row):
                yield [cell.strip() for cell in row]
    except csv.Error as error:
        raise DatasetError(str(path), f"is not CSV: {error}", line=reader.line_num) from error


def _parquet_rows(
    path: Path, content: bytes, lines: _Lines
) -> tuple[list[str], Iterator[list[str]]]:
    import pandas as pd

    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except ImportError as error:
        raise DatasetError(
            str(path), "Parquet needs pyarrow: pip install 'iris_hpo[parquet]'"
        ) from error
    except Exception as error:  # pyarrow's errors share no base class
        raise DatasetError(str(path), f"is not Parquet: {error}") from error

    def rows() -> Iterator[list[str]]:
        for number, row in enumerate(frame.itertuples(index=False), start=1):
            lines.number = number
            # Of a list in a cell, isna would ask each element.
            yield [
                "" if pd.api.types.is_scalar(cell) and pd.isna(cell) else _text(cell)
                for cell in row
            ]

    names = [str(name) for name in frame.columns]
    _check_names(path, names, None)
    return names, rows()


def _text(cell: object) -> str:
    # The exact value of a number of less precision, not the shortest text that it would round to.
    return str(float(cell)) if isinstance(cell, np.floating) else str(cell)


def _line_at(content: bytes, position: int) -> int:
    """Number of the line, however lines end, on which a byte stands."""
    return len((content[:position] + b".").splitlines())


def _chain(first: list[str], rest: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rest


def _take_header(
    path: Path, header: list[str], rows: Iterator[list[str]], lines: _Lines
) -> tuple[list[str], list[str]]:
    """Column names, and the first row below them."""
    _check_names(path, header, lines.number)
    first = next(rows, None)
    if first is None:
        raise DatasetError(str(path), "holds a header and no rows; write one example a line")
    return header, first


def _is_header(row: Sequence[str], layout: Layout) -> bool:
    if layout.header is not None:
        return layout.header
    if isinstance(layout.target, str):
        return True
    position = layout.target % len(row) if -len(row) <= layout.target < len(row) else -1
    features = [cell for index, cell in enumerate(row) if index != position]
    return not any(_is_missing(cell) or _is_number(cell) for cell in features)


def _is_missing(cell: str) -> bool:
    return cell.lower() in _MISSING


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _target_position(
    path: Path, target: str | int, columns: Sequence[str] | None, width: int
) -> int:
    if isinstance(target, int):
        if not -width <= target < width:
            raise DatasetError(
                str(path), f"has {width} columns; there is no target at position {target}"
            )
        return target % width
    if columns is None:
        raise DatasetError(
            str(path), f"has no header; give the target {target!r} as a position instead"
        )
    if target not in columns:
        raise DatasetError(
            str(path), f"has no column {target!r} for the target; there are {', '.join(columns)}"
        )
    return columns.index(target)


def _check_names(path: Path, names: Sequence[str], line: int | None) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise DatasetError(str(path), f"two columns are named {name!r}; rename one", line=line)
        if _is_multiline(name):
            raise DatasetError(
                str(path), f"the column name {shorten(name)} holds a line break", line=line
            )


def _check_features(
    path: Path, columns: Sequence[str], feature_names: Sequence[str], line: int | None
) -> None:
    for name in feature_names:
        if name not in columns:
            raise DatasetError(
                str(path), f"the header does not name the feature {name!r}", line=line
            )


def _is_multiline(text: str) -> bool:
    return "\n" in text or "\r" in text


def _label(path: Path, line: int, column: str, cell: str) -> str:
    if not cell:
        raise DatasetError(
            str(path),
            "the label is missing; fill it in or remove the row",
            line=line,
            column=column,
        )
    if _is_multiline(cell):
        raise DatasetError(
            str(path), f"the label {shorten(cell)} holds a line break", line=line, column=column
        )
    return cell


def _number(path: Path, line: int, column: str, cell: str) -> float:
    if _is_missing(cell):
        raise DatasetError(
            str(path),
            f"the value is missing ({shorten(cell)}); fill it in or remove the row",
            line=line,
            column=column,
        )
    try:
        if "_" in cell or not cell.isascii():
            raise ValueError
        number = float(cell)
    except ValueError as error:
        raise DatasetError(
            str(path),
            f"{shorten(cell)} is not a number; encode it as one or drop the column",
            line=line,
            column=column,
        ) from error
    if not math.isfinite(number):
        raise DatasetError(
            str(path), f"{shorten(cell)} is not finite; remove the row", line=line, column=column
        )
    return number
