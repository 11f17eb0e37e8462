"""Tables in files, read as text: CSV, whose first line may name the columns, Parquet and Arrow."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain, islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from iris_hpo.data.sources import DataFile, DatasetError, text_refusal
from iris_hpo.text import shorten

if TYPE_CHECKING:
    import pandas as pd

MAX_ROW: Final = 2**24
"""Largest number of characters in a row."""
LARGE: Final = 2**21
"""Size of a large file in bytes."""
_FRAMES: Final = {".parquet": "Parquet", ".feather": "Arrow", ".arrow": "Arrow"}
_DELIMITERS: Final = ",\t;|"


class NoRowsError(DatasetError):
    """A file has no rows.

    Attributes
    ----------
    columns
        The names of its columns; None if it has no header.
    """

    columns: Sequence[str] | None = None


class Table:
    """The rows of a file, which is open until the table is left as a context.

    A CSV file whose first row holds no comma may be separated by tabs, semicolons or bars instead.

    Parameters
    ----------
    path
        Path of the file. The suffix ``.parquet`` means Parquet, ``.feather`` and ``.arrow`` mean
        Arrow, any other CSV; ``.gz`` may follow.
    skip_lines
        Number of lines of a CSV file above the table.
    keeps_empty
        Whether a row whose cells are all empty is a row.

    Attributes
    ----------
    columns
        Names of the columns; None until a header is taken.
    header_line
        Line of the header, if there is one.
    first, second
        The first two rows below the header; the second is None if there is only one row.
    line
        Line of the file that the last row comes from.
    is_large
        Whether the file is worth the import of pandas.
    delimiter
        What separates the cells of a CSV file.
    text
        The rest of a CSV file, below the rows that were read.
    frame
        The content of a file that is not CSV.

    Raises
    ------
    DatasetError
        If the file has no rows, or is not of its format.
    """

    def __init__(self, path: Path, skip_lines: int = 0, *, keeps_empty: bool = False) -> None:
        self.path = path
        self._skipped = skip_lines
        self.columns: list[str] | None = None
        self.header_line: int | None = None
        self.keeps_empty = keeps_empty
        self.text: io.TextIOWrapper | None = None
        self.frame: pd.DataFrame | None = None
        self.delimiter = ","
        self._file = DataFile(path)
        self.is_large = self._file.size >= LARGE
        try:
            self._lines = self._frame_rows() if self._file.kind in _FRAMES else self._csv_rows()
            self._take_first(next(self._lines, None), "the file holds no rows")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

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
        self.columns, self.header_line = self.first, self.line
        self._take_first(self._ahead, "holds a header and no rows")

    def refusal(self, problem: str, column: str | None = None) -> DatasetError:
        """Return an error that names the place of the last row."""
        return DatasetError(str(self.path), problem, line=self.line, column=column)

    def digest(self) -> str:
        """sha256 of the file's bytes; no rows can be read afterwards."""
        return self._file.digest()

    def _take_first(self, first: tuple[int, list[str]] | None, complaint: str) -> None:
        if first is None:
            error = NoRowsError(str(self.path), f"{complaint}; write one example a line")
            error.columns, error.line = self.columns, self.header_line
            raise error
        self.line, self.first = first
        self._ahead = next(self._lines, None)
        self.second = self._ahead[1] if self._ahead else None

    def _csv_rows(self) -> Iterator[tuple[int, list[str]]]:
        self.text = self._file.text()
        lines = self._bounded_lines(self.text)
        above = sum(1 for _ in islice(lines, self._skipped))
        blank, first = self._skip_blank(lines)
        self.delimiter = next((mark for mark in _DELIMITERS if mark in first), ",")
        reader = csv.reader(
            chain(repeat("\n", above + blank), [first], lines),
            delimiter=self.delimiter,
            skipinitialspace=True,
            strict=True,
        )
        try:
            for row in reader:
                self._row_size = 0
                cells = list(map(str.strip, row))
                if any(cells) or (self.keeps_empty and len(cells) > 1):
                    yield reader.line_num, cells
        except csv.Error as error:
            raise DatasetError(
                str(self.path), f"is not CSV: {error}", line=reader.line_num
            ) from error

    def _bounded_lines(self, text: io.TextIOWrapper) -> Iterator[str]:
        """Yield lines until a row is too long; quoted line breaks spread a row over many lines."""
        self._row_size, number = 0, 0
        while line := self._read_line(text):
            number += 1
            self._row_size += len(line)
            if self._row_size > MAX_ROW:
                problem = f"a row of more than {MAX_ROW:,} characters; write one example a line"
                raise DatasetError(str(self.path), problem, line=number)
            if "\0" in line:
                raise text_refusal(self.path)
            yield line

    def _read_line(self, text: io.TextIOWrapper) -> str:
        try:
            return text.readline(MAX_ROW + 1)
        except UnicodeError as error:
            raise text_refusal(self.path) from error

    def _skip_blank(self, lines: Iterator[str]) -> tuple[int, str]:
        """Return the number of blank lines, and the first line that is not blank."""
        blank = 0
        for line in lines:
            if line.strip():
                return blank, line
            self._row_size = 0
            blank += 1
        return blank, ""

    def _frame_rows(self) -> Iterator[tuple[int, list[str]]]:
        import pandas as pd

        self.frame = _read_frame(self._file)
        self.columns = [str(name) for name in self.frame.columns]
        self._check_names(self.columns, None)
        for number, row in enumerate(self.frame.itertuples(index=False, name=None), start=1):
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


def _read_frame(file: DataFile) -> "pd.DataFrame":
    import pandas as pd

    name = _FRAMES[file.kind]
    try:
        content = io.BytesIO(file.content.read())
        return pd.read_parquet(content) if name == "Parquet" else pd.read_feather(content)
    except DatasetError:
        raise
    except ImportError as error:
        raise DatasetError(
            str(file.path), f"{name} needs pyarrow: pip install 'iris_hpo[parquet]'"
        ) from error
    except Exception as error:  # pyarrow's errors share no base class
        raise DatasetError(str(file.path), f"is not {name}: {error}") from error


def _text(cell: object) -> str:
    # The exact value of a number of low precision, not the shortest text that rounds to it.
    return str(float(cell)) if isinstance(cell, np.floating) else str(cell)
