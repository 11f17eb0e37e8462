"""The dialect of a CSV file, found in its first lines: separator, quotes, lines above the table.

How the rows are read is in `iris_hpo.data.tables`.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

AHEAD: Final = 20
"""Number of lines that show the dialect."""
SPACES: Final = " "
"""The delimiter of a table whose columns are separated by any number of spaces and tabs."""

_MARKS: Final = ",\t;|"
_NOT_DECIMAL: Final = re.compile(r"(?<!\d),|,(?!\d)", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d*),\d+(?:[eE][+-]?\d+)?", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_ORANGE_TYPES: Final = ["c", "d", "s", "t", "continuous", "discrete", "string", "time"]
_ORANGE_FLAGS: Final = ("", "class", "meta", "ignore", "m", "i")
_EXCEL: Final = re.compile(r'"?sep=(.)"?\s*')
"""The line above the table in which Excel names the separator."""
_NO_FEATURES: Final = ("meta", "ignore", "m", "i")


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Attributes
    ----------
    delimiter, quote
        A character each.
    above
        Number of lines above the table.
    names_rows
        Whether the first column, of names or numbers of the rows, has no cell in the header.
    ends_empty
        Whether a separator ends each row, but not the header.
    is_orange
        Whether the two lines below the header describe the columns, as Orange writes them.
    no_features
        Positions of the columns that these lines exclude.
    """

    delimiter: str = ","
    quote: str = '"'
    above: int = 0
    names_rows: bool = False
    ends_empty: bool = False
    is_orange: bool = False
    no_features: tuple[int, ...] = ()

    def evenly(self, lines: Iterator[str]) -> Iterator[str]:
        """Yield lines as a reader of CSV takes them: tabs as spaces, where both separate."""
        if self.delimiter != SPACES:
            return lines
        return (f"{line.strip()}\n".replace("\t", SPACES) for line in lines)

    @property
    def is_plain(self) -> bool:
        """Whether marks separate the columns, quotes are double, and all rows are rows."""
        return self.delimiter != SPACES and self.quote == '"' and not self.is_orange

    @property
    def has_decimal_commas(self) -> bool:
        """Whether numbers may have decimal commas."""
        return self.delimiter == ";"

    def header(self, row: list[str]) -> list[str]:
        """Complete the first row, if it may name all columns but the first or the last."""
        return ["", *row] if self.names_rows else [*row, ""] if self.ends_empty else row


@dataclass(frozen=True)
class _Row:
    """A row, and the number of lines above it."""

    above: int
    cells: list[str]


def find_dialect(lines: Sequence[str], *, is_whole: bool, may_skip: bool) -> Dialect:
    """Find the dialect that makes a regular table of the first lines.

    If none does, the first line decides: what separates it is a comma, or else a tab, a semicolon
    or a bar.

    Parameters
    ----------
    lines
        The first lines of a file, with their ends.
    is_whole
        Whether no line follows.
    may_skip
        Whether lines above the table are looked for.
    """
    if may_skip and lines and (excel := _EXCEL.fullmatch(lines[0])):
        dialect = find_dialect(lines[1:], is_whole=is_whole, may_skip=True)
        return replace(dialect, delimiter=excel[1], above=dialect.above + 1)
    first = next((line for line in lines if line.strip()), "")
    plain = Dialect(next((mark for mark in _MARKS if mark in first), ","), _quote(first))
    regular = dict[str, Dialect]()
    for mark in _MARKS + SPACES:
        dialect = replace(plain, delimiter=mark)
        if mark == SPACES and any(other in line for line in lines for other in ",;|"):
            continue
        rows = _rows(dialect.evenly(iter(lines)), dialect, is_whole=is_whole)
        if (fitting := _regular(dialect, rows, may_skip=may_skip)) is not None:
            regular[mark] = fitting
    decimal = plain.delimiter == "," and ";" in first and ";" in regular
    if decimal and not any(map(_NOT_DECIMAL.search, lines)):
        return regular[";"]
    dialect = regular.get(plain.delimiter) or next(iter(regular.values()), plain)
    is_tab = dialect.delimiter == "\t" and not dialect.above
    return _as_orange(dialect, lines) if is_tab else dialect


def with_point(cell: str) -> str:
    """Write a number with a decimal comma, such as ``1.234,5``, with a point; other cells stay."""
    if "," in cell and _DECIMAL.fullmatch(cell):
        return cell.replace(".", "").replace(",", ".")
    return cell


def _quote(first: str) -> str:
    begins = first.lstrip().startswith("'")
    return "'" if begins and '"' not in first and first.count("'") % 2 == 0 else '"'


def _rows(lines: Iterator[str], dialect: Dialect, *, is_whole: bool) -> list[_Row]:
    """The rows of some lines that are not empty; the last may be cut, and is left out."""
    rows, above = list[_Row](), 0
    reader = csv.reader(
        lines, delimiter=dialect.delimiter, quotechar=dialect.quote, skipinitialspace=True
    )
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append(_Row(above, cells))
            above = reader.line_num
    except csv.Error:
        return []
    return rows if is_whole else rows[:-1]


def _regular(dialect: Dialect, rows: Sequence[_Row], *, may_skip: bool) -> Dialect | None:
    """Complete a dialect; None if it makes no regular table of the rows."""
    widths = [len(row.cells) for row in rows]
    if not rows or widths[-1] < 2:
        return None
    width = widths[-1]
    start = next(at for at in range(len(widths)) if set(widths[at:]) == {width})
    if may_skip and start < 2 < len(rows) and _counts_itself(rows[0].cells, width):
        return replace(dialect, above=rows[1].above)
    if not start and len(rows) > 1:
        titles = _titles(rows) if may_skip else 0
        return replace(dialect, above=rows[titles].above) if titles else dialect
    if len(rows) - start < 2:  # the last row alone, and others of another width
        return None if start or dialect.delimiter == SPACES else dialect
    if start == 1 and widths[0] == width - 1:
        ends_empty = not any(row.cells[-1] for row in rows[1:])
        if ends_empty or _names_rows(rows):
            return replace(dialect, ends_empty=ends_empty, names_rows=not ends_empty)
    is_above = may_skip and all(2 * other <= width for other in widths[:start])
    return replace(dialect, above=rows[start].above) if is_above else None


def _titles(rows: Sequence[_Row]) -> int:
    """Number of first rows that have one text alone, above one that names all columns."""
    names = next((at for at, row in enumerate(rows) if sum(map(bool, row.cells)) > 1), 0)
    cells = [row.cells[0] for row in rows[:names]] + rows[names].cells
    is_header = names + 1 < len(rows) and len(rows[names].cells) > 2
    return names if is_header and all(cells) and not any(map(_NUMBER.fullmatch, cells)) else 0


def _counts_itself(cells: Sequence[str], width: int) -> bool:
    """Whether a line says the numbers of rows and features and the classes, as scikit-learn's."""
    is_counts = len(cells) > 2 and cells[0].isdigit() and cells[1] == f"{width - 1}"
    return is_counts and not any(map(_NUMBER.fullmatch, cells[2:]))


def _names_rows(rows: Sequence[_Row]) -> bool:
    """Whether the header of R names all columns but the first, which names or counts the rows."""
    if any(map(_NUMBER.fullmatch, rows[0].cells)):
        return False
    names = [row.cells[0] for row in rows[1:]]
    if all(name.isdigit() for name in names):
        return all(int(after) == int(name) + 1 for name, after in pairwise(names))
    return len({*names}) == len(names) and not any(map(_NUMBER.fullmatch, names))


def _as_orange(dialect: Dialect, lines: Sequence[str]) -> Dialect:
    """Complete a dialect, if two lines below the header describe the columns."""
    if len(lines) < 3:
        return dialect
    names, types, flags = ([cell.strip() for cell in line.split("\t")] for line in lines[:3])
    known = sum(cell in _ORANGE_TYPES for cell in types)
    is_types = all(cell in _ORANGE_TYPES or not cell or " " in cell for cell in types)
    is_flags = all(cell in _ORANGE_FLAGS or "=" in cell for cell in flags)
    if not (len(types) == len(names) <= 2 * known and is_types and is_flags):
        return dialect
    excluded = tuple(at for at, flag in enumerate(flags) if flag.split(" ")[0] in _NO_FEATURES)
    return replace(dialect, is_orange=True, no_features=excluded)
