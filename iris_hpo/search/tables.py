"""Files of rows, read as texts: CSV, whose first line may name the columns, and Parquet."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from iris_hpo.search.errors import InputError
from iris_hpo.text import NotTextError, decode, shorten


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


class Table:
    """The rows of a file.

    Parameters
    ----------
    path
        Of the file; its name tells the format.
    content
        Its bytes.

    Attributes
    ----------
    columns
        Their names; None as long as no header was taken.
    first
        The first row below the header.
    line
        Of the file, from which the last row came.

    Raises
    ------
    DatasetError
        If the file holds no rows, or not its format.
    """

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        self.columns: list[str] | None = None
        self.line = 0
        if path.suffix == ".parquet":
            self._rows = self._parquet_rows(content)
        else:
            self._rows = self._csv_rows(content)
        self.first = self._take_first("the file holds no rows")

    def rows(self) -> Iterator[list[str]]:
        """All rows, once."""
        yield self.first
        yield from self._rows

    def take_header(self) -> None:
        """Take the first row for the names of the columns.

        Raises
        ------
        DatasetError
            If they cannot be told apart, or nothing follows.
        """
        self._check_names(self.first, self.line)
        self.columns = self.first
        self.first = self._take_first("holds a header and no rows")

    def refusal(self, problem: str, column: str | None = None) -> DatasetError:
        """What is wrong with the last row."""
        return DatasetError(str(self.path), problem, line=self.line, column=column)

    def _take_first(self, complaint: str) -> list[str]:
        first = next(self._rows, None)
        if first is None:
            raise DatasetError(str(self.path), f"{complaint}; write one example a line")
        return first

    def _csv_rows(self, content: bytes) -> Iterator[list[str]]:
        try:
            text = decode(content, "save the file as UTF-8")
        except NotTextError as error:
            raise DatasetError(str(self.path), str(error), line=error.line) from error
        reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
        try:
            for row in reader:
                self.line = reader.line_num
                if row and any(cell.strip() for cell in row):
                    yield [cell.strip() for cell in row]
        except csv.Error as error:
            raise DatasetError(
                str(self.path), f"is not CSV: {error}", line=reader.line_num
            ) from error

    def _parquet_rows(self, content: bytes) -> Iterator[list[str]]:
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
        for number, row in enumerate(frame.itertuples(index=False), start=1):
            self.line = number
            # Of a list in a cell, isna would ask each element.
            yield [
                "" if pd.api.types.is_scalar(cell) and pd.isna(cell) else _text(cell)
                for cell in row
            ]

    def _check_names(self, names: Sequence[str], line: int | None) -> None:
        for index, name in enumerate(names):
            if name in names[:index]:
                problem = f"two columns are named {name!r}; rename one"
                raise DatasetError(str(self.path), problem, line=line)
            if is_multiline(name):
                problem = f"the column name {shorten(name)} holds a line break"
                raise DatasetError(str(self.path), problem, line=line)


def is_multiline(text: str) -> bool:
    """Whether a text breaks the line."""
    return "\n" in text or "\r" in text


def _text(cell: object) -> str:
    # The exact value of a number of less precision, not the shortest text that it would round to.
    return str(float(cell)) if isinstance(cell, np.floating) else str(cell)
