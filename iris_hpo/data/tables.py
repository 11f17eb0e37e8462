"""Tables in files, read as text: CSV, whose first line may name the columns, and Parquet."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from iris_hpo.errors import InputError
from iris_hpo.text import NotTextError, decode, shorten

MAX_ROW: Final = 2**24
"""Largest number of characters in a row."""
_START: Final = 2**16


class DatasetError(InputError):
    """A data set cannot be used; the message names file, line, column and value."""

    def __init__(
        self, source: str, problem: str, *, line: int | None = None, column: str | None = None
    ) -> None:
        place = source
        place += f", line {line}" if line else ""
        place += f", column {column}" if column else ""
        super().__init__(f"{place}: {problem}")
        self.problem = problem
        self.line = line
        self.column = column


class Table:
    """The rows of a file.

    A CSV file whose first row holds no comma may be separated by tabs or semicolons instead.

    Parameters
    ----------
    path
        Path of the file; the suffix ``.parquet`` means Parquet, any other CSV.
    content
        Bytes of the file.

    Attributes
    ----------
    columns
        Names of the columns; None until a header is taken.
    first, second
        The first two rows below the header; the second is None if there is only one row.
    line
        Line of the file that the last row comes from.

    Raises
    ------
    DatasetError
        If the file has no rows, or is not of its format.
    """

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        self.columns: list[str] | None = None
        self._lines = (
            self._parquet_rows(content) if path.suffix == ".parquet" else self._csv_rows(content)
        )
        self._take_first(next(self._lines, None), "the file holds no rows")

    def rows(self) -> Iterator[list[str]]:
        """Yield all rows, once."""
        ahead = [] if self._ahead is None else [self._ahead]
        for line, row in chain([(self.line, self.first)], ahead, self._lines):
            self.line = line
            yield row

    def take_header(self) -> None:
        """Take the first row as the names of the columns.

        Raises
        ------
        DatasetError
            If two names are equal, a name holds a line break, or no row follows.
        """
        self._check_names(self.first, self.line)
        self.columns = self.first
        self._take_first(self._ahead, "holds a header and no rows")

    def refusal(self, problem: str, column: str | None = None) -> DatasetError:
        """Return an error that names the place of the last row."""
        return DatasetError(str(self.path), problem, line=self.line, column=column)

    def _take_first(self, first: tuple[int, list[str]] | None, complaint: str) -> None:
        if first is None:
            raise DatasetError(str(self.path), f"{complaint}; write one example a line")
        self.line, self.first = first
        self._ahead = next(self._lines, None)
        self.second = self._ahead[1] if self._ahead else None

    def _csv_rows(self, content: bytes) -> Iterator[tuple[int, list[str]]]:
        self._check_text(content[: content.find(b"\0") + 1])
        reader = csv.reader(
            self._bounded_lines(content),
            delimiter=_delimiter(content),
            skipinitialspace=True,
            strict=True,
        )
        try:
            for row in reader:
                self._row_size = 0
                cells = list(map(str.strip, row))
                if any(cells):
                    yield reader.line_num, cells
        except csv.Error as error:
            raise DatasetError(
                str(self.path), f"is not CSV: {error}", line=reader.line_num
            ) from error
        except UnicodeDecodeError:
            self._check_text(content)
            raise

    def _bounded_lines(self, content: bytes) -> Iterator[str]:
        """Yield lines until a row is too long; quoted line breaks spread a row over many lines."""
        text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
        self._row_size, number = 0, 0
        while line := text.readline(MAX_ROW + 1):
            number += 1
            self._row_size += len(line)
            if self._row_size > MAX_ROW:
                problem = f"a row of more than {MAX_ROW:,} characters; write one example a line"
                raise DatasetError(str(self.path), problem, line=number)
            yield line

    def _check_text(self, content: bytes) -> None:
        try:
            decode(content, "save the file as UTF-8")
        except NotTextError as error:
            raise DatasetError(str(self.path), str(error), line=error.line) from error

    def _parquet_rows(self, content: bytes) -> Iterator[tuple[int, list[str]]]:
        import pandas as pd

        try:
            frame = pd.read_parquet(io.BytesIO(content))
        except ImportError as error:
            raise DatasetError(
                str(self.path), "Parquet needs pyarrow: pip install 'iris_hpo[parquet]'"
            ) from error
        except Exception as error:  # pyarrow's errors share no base class
            raise DatasetError(str(self.path), f"is not Parquet: {error}") from error
        self.columns = [str(name) for name in frame.columns]
        self._check_names(self.columns, None)
        for number, row in enumerate(frame.itertuples(index=False, name=None), start=1):
            # For a list in a cell, isna would check each element.
            yield (
                number,
                [
                    "" if pd.api.types.is_scalar(cell) and pd.isna(cell) else _text(cell)
                    for cell in row
                ],
            )

    def _check_names(self, names: Sequence[str], line: int | None) -> None:
        seen = set[str]()
        for name in names:
            if name in seen:
                problem = f"two columns are named {shorten(name)}; rename one"
                raise DatasetError(str(self.path), problem, line=line)
            if is_multiline(name):
                problem = f"the column name {shorten(name)} holds a line break"
                raise DatasetError(str(self.path), problem, line=line)
            seen.add(name)


def is_multiline(text: str) -> bool:
    """Whether a text has a line break."""
    return "\n" in text or "\r" in text


def _delimiter(content: bytes) -> str:
    """Return what separates the cells of the first row that is not blank."""
    start = content[:_START].decode("utf-8-sig", "replace")
    first = next((line for line in start.splitlines() if line.strip()), "")
    return next((mark for mark in ",\t;" if mark in first), ",")


def _text(cell: object) -> str:
    # The exact value of a number of low precision, not the shortest text that rounds to it.
    return str(float(cell)) if isinstance(cell, np.floating) else str(cell)
