"""Read parameter files: the texts and tables in which users list values and candidates.

``<axis>_parameters*.txt`` holds values of one axis, one a line; all files of an axis are pooled.
``*.csv`` with a header naming the axes holds explicit candidates, one a row. What is made of them
is in `parameter_files`.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from iris_hpo.errors import InputError
from iris_hpo.files import MEBIBYTE, read_regular
from iris_hpo.space.absent import ABSENT, Absent
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.space.hints import hint_for_value
from iris_hpo.space.values import Value
from iris_hpo.text import NotTextError, counted, decode, shorten

MAX_BYTES: Final = 64 * MEBIBYTE
"""Largest parameter file: several hundred bytes for each of the most candidates."""

_NONE: Final = "none"


class ParameterFileError(InputError):
    """A parameter file cannot be used; the message names file, line and value."""

    def __init__(self, path: Path, line: int | None, problem: str) -> None:
        place = f"{path}, line {line}" if line else f"{path}"
        super().__init__(f"{place}: {problem}")
        self.path = path
        self.line = line


Pooled = dict[str, dict[str, Value]]
"""Per axis name, values by their spelling in keys."""


@dataclass(frozen=True)
class Listing:
    """What the parameter files of a folder list.

    Attributes
    ----------
    pooled
        Per axis name, the values of its files by their spelling in keys; empty without a file.
    explicit
        The candidates of tables, by key.
    """

    pooled: Pooled
    explicit: dict[str, Candidate]

    def looked_in(self, space: ParameterSpace) -> ParameterSpace:
        """Return the space in which samplers look: an axis with files has their values."""
        axes = [
            replace(axis, values=values, low=None, high=None, log=False, step=None)
            if (values := tuple(self.pooled[axis.name].values()))
            else axis
            for axis in space.axes
        ]
        return ParameterSpace(axes)


def read_listing(folder: Path, space: ParameterSpace) -> Listing:
    """Read the parameter files of a folder, without crossing their values.

    A folder that does not exist lists nothing, if each axis says itself where to look.

    Raises
    ------
    ParameterFileError
        For the first value, row or file that cannot be used.
    """
    listing = Listing({axis.name: {} for axis in space.axes}, {})
    if all(axis.domain for axis in space.axes) and not folder.exists():
        return listing
    for path in visible_files(folder):
        if path.suffix == ".txt":
            axis = axis_of(path, space.axes)
            values = _read_values(path, axis)
            listing.pooled[axis.name].update({axis.encode(value): value for value in values})
        else:
            listing.explicit.update({row.key: row for row in _read_candidates(path, space)})
    return listing


def visible_files(folder: Path) -> list[Path]:
    """List the parameter files of a folder.

    Raises
    ------
    ParameterFileError
        If the folder cannot be read.
    """
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise ParameterFileError(
            folder, None, f"this folder of parameter files cannot be read: {error.strerror}"
        ) from error
    return [
        path
        for path in paths
        if path.suffix in (".txt", ".csv")
        and not path.name.startswith((".", "#", "~"))
        and not path.is_dir()
    ]


def axis_of(path: Path, axes: Sequence[Axis]) -> Axis:
    """Return the axis that a file names.

    Raises
    ------
    ParameterFileError
        If it names none.
    """
    name, marker, _ = path.name.partition("_parameters")
    for axis in axes:
        if marker and axis.name.lower() == name.lower():
            return axis
    files = ", ".join(f"{axis.name.lower()}_parameters*.txt" for axis in axes)
    raise ParameterFileError(
        path,
        None,
        f"the name does not begin with a known axis; parameter files are called {files} or *.csv",
    )


def _read_text(path: Path) -> str:
    try:
        text = decode(read_regular(path, MAX_BYTES), "save it as UTF-8")
    except OSError as error:
        raise ParameterFileError(path, None, f"cannot be read: {error.strerror}") from error
    except NotTextError as error:
        raise ParameterFileError(path, error.line, str(error)) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_values(path: Path, axis: Axis) -> Iterator[Value]:
    is_empty = True
    for number, line in enumerate(_read_text(path).split("\n"), start=1):
        text = line.partition("#")[0].strip()
        if text:
            is_empty = False
            yield _read_value(path, number, axis, text, ", one a line")
    if is_empty:
        raise ParameterFileError(path, None, f"holds no value; write {axis.expects}, one a line")


def _read_value(path: Path, line: int, axis: Axis, text: str, form: str = "") -> Value:
    try:
        return axis.parse(text)
    except ValueError as reason:
        raise ParameterFileError(
            path,
            line,
            f"{axis.name} {shorten(text)} {reason}; write {axis.expects}{form}"
            f"{hint_for_value(axis, text)}",
        ) from reason


def _read_candidates(path: Path, space: ParameterSpace) -> Iterator[Candidate]:
    # Comments go first: a quote in one is not CSV's, and a quoted "#1" is no comment.
    lines = (
        "\n" if line.strip()[:1] in ("", "#") else line for line in io.StringIO(_read_text(path))
    )
    rows = csv.reader(lines, skipinitialspace=True, strict=True)
    names = [axis.name for axis in space.axes]
    columns: list[str] | None = None
    is_empty = True
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            line = rows.line_num
            if not any(cells):
                if columns is not None and row and all(axis.nullable for axis in space.axes):
                    raise ParameterFileError(
                        path,
                        line,
                        "is blank, and none is a value of every axis; write none, or delete it",
                    )
                continue
            if columns is None:
                columns = _checked_header(path, line, cells, names)
                continue
            if len(cells) != len(columns):
                raise ParameterFileError(
                    path, line, f"has {counted(len(cells), 'cell')}; the header has {len(columns)}"
                )
            texts = dict(zip(columns, cells, strict=True))
            values: list[Value | Absent] = []
            for index, axis in enumerate(space.axes):
                if not space.has_axis(index, values):
                    values.append(ABSENT)
                    continue
                # pandas, and our own table of candidates, leave the cell of none blank.
                text = texts[axis.name] or (_NONE if axis.nullable else "")
                values.append(_read_value(path, line, axis, text))
            is_empty = False
            yield _make_candidate(path, line, space, values)
    except csv.Error as error:
        raise ParameterFileError(path, rows.line_num, f"is not CSV: {error}") from error
    if is_empty:
        raise ParameterFileError(
            path, None, f"holds no candidate; write the header {','.join(names)}, then one a row"
        )


def _checked_header(path: Path, line: int, cells: list[str], names: list[str]) -> list[str]:
    if sorted(cells) == sorted(names):
        return cells
    unknown = [cell for cell in cells if cell not in names]
    missing = [name for name in names if name not in cells]
    problem = (
        f"{shorten(unknown[0])} is not an axis"
        if unknown
        else f"the axis {missing[0]!r} is missing"
        if missing
        else "an axis is named twice"
    )
    raise ParameterFileError(path, line, f"{problem}; the header must be {','.join(names)}")


def _make_candidate(
    path: Path, line: int, space: ParameterSpace, values: Sequence[Value | Absent]
) -> Candidate:
    try:
        return space.candidate(values)
    except ValueError as reason:
        raise ParameterFileError(path, line, f"this candidate {reason}") from reason
