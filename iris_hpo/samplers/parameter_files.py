"""Parameter files: texts and tables in which users list the candidates of a search.

``<axis>_parameters*.txt`` holds values of one axis, one a line; all files of an axis are pooled and
the axes are crossed. ``*.csv`` with a header naming the axes holds explicit candidates, one a row.
This module only reads: the same folder always gives the same candidates in the same order.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

from iris_hpo.errors import InputError
from iris_hpo.files import MEBIBYTE, read_regular
from iris_hpo.samplers import MAX_CANDIDATES, Observation
from iris_hpo.samplers.parameter_list import CandidateList, ordered_values
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.space.hints import hint_for_value
from iris_hpo.space.values import Value
from iris_hpo.text import NotTextError, counted, decode, shorten

MAX_BYTES: Final = 64 * MEBIBYTE
"""Largest parameter file: several hundred bytes for each of the most candidates."""

_NONE: Final = "none"

_Pooled = dict[str, dict[str, Value]]
"""Per axis name, the values of its files by their spelling in keys."""


class ParameterFileError(InputError):
    """A parameter file cannot be used; the message names file, line and value."""

    def __init__(self, path: Path, line: int | None, problem: str) -> None:
        place = f"{path}, line {line}" if line else f"{path}"
        super().__init__(f"{place}: {problem}")
        self.path = path
        self.line = line


@dataclass(frozen=True)
class ParameterFilesSampler:
    """Proposes what the parameter files of a folder list.

    Parameters
    ----------
    folder
        The folder; a relative path starts at the current folder.
    limit
        Largest number of candidates.
    """

    folder: Path | str
    limit: int = MAX_CANDIDATES

    def propose(
        self,
        space: ParameterSpace,
        observations: Sequence[Observation],  # noqa: ARG002 - the files list all
        running: Sequence[Candidate],  # noqa: ARG002
    ) -> CandidateList:
        """Read all candidates, whatever is known of some."""
        return read_parameter_files(Path(self.folder), space, max_candidates=self.limit)


def read_parameter_files(
    folder: Path, space: ParameterSpace, *, max_candidates: int = MAX_CANDIDATES
) -> CandidateList:
    """Read all parameter files of a folder: ``.txt`` files are crossed, ``.csv`` files explicit.

    Raises
    ------
    ParameterFileError
        For the first value, row or file that cannot be used. Nothing is skipped in silence, except
        hidden files, editors' backups, and files that are neither ``.txt`` nor ``.csv``.
    """
    pooled: _Pooled = {axis.name: {} for axis in space.axes}
    explicit: dict[str, Candidate] = {}
    for path in _visible_files(folder):
        if path.suffix == ".txt":
            axis = _axis_of(path, space.axes)
            values = _read_values(path, axis)
            pooled[axis.name].update({axis.encode(value): value for value in values})
        else:
            explicit.update({row.key: row for row in _read_candidates(path, space)})
    _check_axes_have_values(folder, space, pooled, explicit)
    _check_number(folder, space, pooled, explicit, max_candidates)
    axis_values = ordered_values(space, pooled)
    crossed = {candidate.key: candidate for candidate in _cross(folder, space, axis_values)}
    candidates = {**explicit, **crossed}
    return CandidateList.ordered(candidates, space, axis_values, explicit=len(explicit))


def check_axis_files(folder: Path, axes: Sequence[Axis]) -> None:
    """Refuse an axis for which there is no file at all.

    Raises
    ------
    InputError
        For the first such axis; the message names the file to write.
    """
    paths = _visible_files(folder) if folder.exists() else []
    if any(path.suffix == ".csv" for path in paths):
        return
    named = {_axis_of(path, axes).name for path in paths}
    for index, axis in enumerate(axes):
        if axis.name not in named:
            raise InputError(
                f"the axis {axis.name!r} has no file; write its values, one a line, into "
                f"{folder / f'{axis.name.lower()}_parameters.txt'}",
                field=(index,),
            )


def _check_axes_have_values(
    folder: Path, space: ParameterSpace, pooled: _Pooled, explicit: Mapping[str, Candidate]
) -> None:
    empty = [axis.name for axis in space.axes if not pooled[axis.name]]
    if empty and (len(empty) < len(space.axes) or not explicit):
        raise ParameterFileError(
            folder,
            None,
            f"the axis {empty[0]!r} has no values; put them into "
            f"{empty[0].lower()}_parameters.txt, one a line",
        )


def _check_number(
    folder: Path,
    space: ParameterSpace,
    pooled: _Pooled,
    explicit: Mapping[str, Candidate],
    max_candidates: int,
) -> None:
    """Count candidates before they are made: a grid that is too large may not fit in memory."""
    sizes = [len(pooled[axis.name]) for axis in space.axes]
    total = prod(sizes) + sum(
        any(
            axis.encode(value) not in pooled[axis.name]
            for axis, value in zip(space.axes, candidate.values, strict=True)
        )
        for candidate in explicit.values()
    )
    if total > max_candidates:
        raise ParameterFileError(
            folder,
            None,
            f"{' x '.join(map(str, sizes))} value{'s' * (sizes != [1])} and "
            f"{counted(len(explicit), 'row')} make {total} candidates; the limit is "
            f"{max_candidates}, set it with max_candidates",
        )


def _visible_files(folder: Path) -> list[Path]:
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


def _axis_of(path: Path, axes: Sequence[Axis]) -> Axis:
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
            yield _read_value(path, number, axis, text)
    if is_empty:
        raise ParameterFileError(path, None, f"holds no value; write {axis.expects}, one a line")


def _read_value(path: Path, line: int, axis: Axis, text: str) -> Value:
    try:
        return axis.parse(text)
    except ValueError as reason:
        raise ParameterFileError(
            path,
            line,
            f"{axis.name} {shorten(text)} {reason}; write {axis.expects}, one a line"
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
            # pandas, and our own table of candidates, leave the cell of none blank.
            values = [
                _read_value(path, line, axis, texts[axis.name] or (_NONE if axis.nullable else ""))
                for axis in space.axes
            ]
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


def _cross(
    folder: Path, space: ParameterSpace, axis_values: Mapping[str, tuple[Value, ...]]
) -> Iterator[Candidate]:
    try:
        yield from space.grid([axis_values[axis.name] for axis in space.axes])
    except ValueError as reason:
        raise ParameterFileError(folder, None, f"a combination of the values {reason}") from reason


def _make_candidate(
    path: Path, line: int, space: ParameterSpace, values: Sequence[Value]
) -> Candidate:
    try:
        return space.candidate(values)
    except ValueError as reason:
        raise ParameterFileError(path, line, f"this candidate {reason}") from reason
