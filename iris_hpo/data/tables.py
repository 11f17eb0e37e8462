"""Tables in files, read as text: CSV, whose first line may name the columns, Parquet and Arrow."""

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from iris_hpo.data.decoding import TextForm, open_text, text_refusal
from iris_hpo.data.dialects import AHEAD, Dialect, find_dialect, with_point
from iris_hpo.data.frames import read_frame, text_of
from iris_hpo.data.sources import FRAMES, DataFile, DatasetError, unit_of
from iris_hpo.text import counted, shorten

if TYPE_CHECKING:
    import pandas as pd

MAX_ROW: Final = 2**24
"""Largest number of characters in a row."""
LARGE: Final = 2**21
"""Size of a large file in bytes."""
_AHEAD: Final = 2**16
"""Number of characters after which no further line is looked at ahead."""


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

    Parameters
    ----------
    path
        Path of the file. The suffix ``.parquet`` means Parquet, ``.feather`` and ``.arrow`` mean
        Arrow, any other CSV; ``.gz`` may follow.
    form
        What is known of the text of a CSV file.
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
    dialect
        How a CSV file is written.
    unread, text
        The rest of a CSV file, below the rows that were read: lines, and what follows them.
    frame
        The content of a file that is not CSV.

    Raises
    ------
    DatasetError
        If the file has no rows, or is not of its format.
    """

    def __init__(
        self, path: Path, form: TextForm | None = None, *, keeps_empty: bool = False
    ) -> None:
        self.path = path
        self._form = form or TextForm()
        self.columns: list[str] | None = None
        self.header_line: int | None = None
        self.keeps_empty = keeps_empty
        self.text: io.TextIOWrapper | None = None
        self.frame: pd.DataFrame | None = None
        self.dialect = Dialect()
        self.unread = deque[str]()
        self._file = DataFile(path)
        self.is_large = self._file.size >= LARGE
        try:
            self._lines = self._frame_rows() if self._file.kind in FRAMES else self._csv_rows()
            self._take_first(next(self._lines, None), "holds no rows")
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
        # A separator too many makes columns without a name; they get those of pandas.
        self.first[1:] = [name or f"Unnamed: {at}" for at, name in enumerate(self.first[1:], 1)]
        self._check_names(self.first, self.line)
        self.columns, self.header_line = self.first, self.line
        self._take_first(self._ahead, "holds a header and no rows")

    def refusal(self, problem: str, column: str | None = None) -> DatasetError:
        """Return an error that names the place of the last row."""
        return DatasetError(str(self.path), problem, line=self.line, column=column)

    def notes(self) -> list[str]:
        """Remarks on lines that are no rows, which nobody has named."""
        dialect, notes = self.dialect, list[str]()
        if dialect.above:
            lines = counted(dialect.above, "line")
            notes.append(f"{lines} above the table: left out; skip_lines: 0 reads from line 1")
        if dialect.is_orange:
            notes.append("lines 2 and 3 describe the columns, as Orange writes them: left out")
        return notes

    def digest(self) -> str:
        """sha256 of the file's bytes; no rows can be read afterwards."""
        return self._file.digest()

    def _take_first(self, first: tuple[int, list[str]] | None, complaint: str) -> None:
        if first is None:
            problem = f"{complaint}; write one example a {unit_of(self.path)}"
            error = NoRowsError(str(self.path), problem)
            error.columns, error.line = self.columns, self.header_line
            raise error
        self.line, self.first = first
        self._ahead = next(self._lines, None)
        self.second = self._ahead[1] if self._ahead else None

    def _csv_rows(self) -> Iterator[tuple[int, list[str]]]:
        self.text = open_text(self._file, self._form.encoding)
        lines = self._lines_of(self.text)
        skipped = sum(1 for _ in islice(lines, self._form.skip_lines or 0))
        is_whole = self._look_ahead(lines)
        dialect = self.dialect = find_dialect(
            tuple(self.unread), is_whole=is_whole, may_skip=self._form.skip_lines is None
        )
        for _ in range(dialect.above):
            self.unread.popleft()
        above = skipped + dialect.above
        bounded = self._bounded(chain(self._take_unread(), lines), above)
        reader = csv.reader(
            chain(repeat("\n", above), dialect.evenly(bounded)),
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            skipinitialspace=True,
            strict=True,
        )
        descriptions = (above + 2, above + 3) if dialect.is_orange else ()
        is_first = True
        try:
            for row in reader:
                self._row_size = 0
                cells = list(map(str.strip, row))
                is_row = any(cells) or (self.keeps_empty and len(cells) > 1)
                if not is_row or reader.line_num in descriptions:
                    continue
                if dialect.has_decimal_commas:
                    cells = list(map(with_point, cells))
                yield reader.line_num, dialect.header(cells) if is_first else cells
                is_first = False
        except csv.Error as error:
            problem = f"is not CSV: {error}; correct the line, or save the table as CSV"
            raise DatasetError(str(self.path), problem, line=reader.line_num) from error

    def _look_ahead(self, lines: Iterator[str]) -> bool:
        """Take in the first lines; return whether they are all."""
        size = 0
        while len(self.unread) < AHEAD and size < _AHEAD:
            line = next(lines, None)
            if line is None:
                return True
            self.unread.append(line)
            size += len(line)
        return False

    def _take_unread(self) -> Iterator[str]:
        while self.unread:
            yield self.unread.popleft()

    def _lines_of(self, text: io.TextIOWrapper) -> Iterator[str]:
        for number in count(1):
            line = self._read_line(text)
            if not line:
                return
            if len(line) > MAX_ROW:
                raise self._endless(number)
            if "\0" in line:
                raise text_refusal(self.path, self._form.encoding)
            yield line

    def _bounded(self, lines: Iterator[str], above: int) -> Iterator[str]:
        """Yield lines until a row is too long; quoted line breaks spread a row over many lines."""
        self._row_size = 0
        for number, line in enumerate(lines, above + 1):
            self._row_size += len(line)
            if self._row_size > MAX_ROW:
                raise self._endless(number)
            yield line

    def _endless(self, line: int) -> DatasetError:
        problem = f"a row of more than {MAX_ROW:,} characters; write one example a line"
        return DatasetError(str(self.path), problem, line=line)

    def _read_line(self, text: io.TextIOWrapper) -> str:
        try:
            return text.readline(MAX_ROW + 1)
        except UnicodeError as error:
            raise text_refusal(self.path, self._form.encoding) from error

    def _frame_rows(self) -> Iterator[tuple[int, list[str]]]:
        import pandas as pd

        self.frame = read_frame(self._file)
        self.columns = [str(name) for name in self.frame.columns]
        self._check_names(self.columns, None)
        for number, row in enumerate(self.frame.itertuples(index=False, name=None), start=1):
            # For a list in a cell, isna would check each element.
            yield (
                number,
                [
                    "" if pd.api.types.is_scalar(cell) and pd.isna(cell) else text_of(cell)
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


def is_large(path: Path) -> bool:
    """Whether a file is worth the import of pandas."""
    try:
        return path.stat().st_size >= LARGE
    except OSError:  # opening it says why
        return False


def is_multiline(text: str) -> bool:
    """Whether a text has a line break."""
    return "\n" in text or "\r" in text
