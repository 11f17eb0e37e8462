"""Read the columns of a large table, whatever stands in them, with pandas.

Numbers are read as in `iris_hpo.data.blocks`; of other columns each different cell is kept once.
What pandas might read otherwise than by rows gives None, and the table is read row by row.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.blocks import BLOCK, WIDE, OddTextError, PlainLines, exact_numbers
from iris_hpo.data.cells import MISSING, is_finite, is_truth
from iris_hpo.data.dialects import with_point
from iris_hpo.data.marks import NO_MARKS, Marks
from iris_hpo.data.tables import Table, text_of

_BEFORE_CELL: Final = '\r\n" '
"""Characters that may stand before a cell, beside the delimiter."""


@dataclass(frozen=True)
class Texts:
    """A column of texts.

    Attributes
    ----------
    cells
        The different cells.
    codes
        Position of each row's cell among them, shape (rows,).
    """

    cells: Sequence[str]
    codes: NDArray[np.intp]

    def take(self, rows: NDArray[np.bool_]) -> "Texts":
        """Return the same of some rows."""
        occurring, codes = np.unique(self.codes[rows], return_inverse=True)
        return Texts([self.cells[int(at)] for at in occurring], codes)

    def counts(self) -> dict[str, int]:
        """Number of rows of each cell."""
        counts = np.bincount(self.codes, minlength=len(self.cells)).tolist()
        return dict(zip(self.cells, counts, strict=True))

    def where(self, chosen: Sequence[bool]) -> NDArray[np.bool_]:
        """Rows whose cell is chosen, shape (rows,); ``chosen`` has a truth value for each cell."""
        return np.array(chosen, dtype=bool)[self.codes]

    def each(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the value of each row, shape (rows,); ``values`` has one for each cell."""
        return values[self.codes]

    def texts(self) -> list[str]:
        """Return the cell of each row."""
        return list(map(self.cells.__getitem__, self.codes.tolist()))


ColumnContent = NDArray[np.float64] | Texts
"""The content of a column: numbers, which may be missing (NaN) in a file that is not CSV."""


def read_columns(
    table: Table,
    positions: Sequence[int],
    texts: Sequence[int],
    *,
    only_texts: bool = False,
    missing: Mapping[int, Marks],
) -> Mapping[int, ColumnContent] | None:
    """Read columns of all rows.

    Parameters
    ----------
    table
        A large table of which no row was taken but the header.
    positions
        Positions of the columns.
    texts
        Positions of those whose cells are needed as they are written.
    only_texts
        Whether to read every column as it is written. Otherwise the answer is None if only some
        blocks of a column are numbers.
    missing
        As in `Columns`.

    Returns
    -------
    mapping or None
        The content of each column by its position; None if the text is not plain CSV.
    """
    if len(table.first) > WIDE or not table.dialect.is_plain:
        return None
    if table.frame is not None:
        return {
            at: _without(
                _of_frame(table.frame.iloc[:, at], is_text=at in texts), missing.get(at, NO_MARKS)
            )
            for at in positions
        }
    try:
        return _of_text(table, positions, {*positions} if only_texts else {*texts}, missing)
    except (OddTextError, ValueError, TypeError):  # such as a row of another width
        return None


def _of_text(
    table: Table, positions: Sequence[int], texts: set[int], missing: Mapping[int, Marks]
) -> Mapping[int, ColumnContent]:
    head = [row for row in (table.first, table.second) if row is not None]
    lines = _CountedLines(table)
    texts = texts.union(at for row in head for at in positions if is_truth(row[at]))
    blocks, rows = {at: list[Any]() for at in positions}, 0
    for block in _blocks(table, lines, texts, missing):
        rows += len(block)
        for at in positions:
            blocks[at].append(block[at])
    # Rows that are too long are errors, so that none is too short if no delimiter is missing.
    if lines.delimiters != rows * (len(table.first) - 1):
        raise OddTextError
    content = dict[int, ColumnContent]()
    for at in positions:
        marks = missing.get(at, NO_MARKS)
        cells, parts = marks.blank(row[at] for row in head), blocks.pop(at)
        numbers = None if at in texts else _numbers(cells, parts, lines)
        column = _stripped(cells, parts, table) if numbers is None else numbers
        content[at] = _without(column, marks)
    return content


def _without(column: ColumnContent, marks: Marks) -> ColumnContent:
    """Return a column without the values that are marks."""
    if marks is NO_MARKS:
        return column
    if not isinstance(column, Texts):
        return marks.without(column)
    plain = marks.blank(column.cells)
    return column if plain == column.cells else _joined(plain, column.codes)


def _joined(cells: Sequence[str], codes: NDArray[np.intp]) -> Texts:
    """Keep each different cell once, where some have become equal."""
    import pandas as pd

    again = _texts(pd.Series(cells, dtype=object))
    return Texts(again.cells, again.codes[codes])


def _blocks(
    table: Table, lines: "_CountedLines", texts: set[int], missing: Mapping[int, Marks]
) -> Iterator[Any]:
    """Yield the rows below the first two, with positions as the names of the columns."""
    import pandas as pd

    width, source = len(table.first), lines
    reader: Any = pd.read_csv(
        source,  # type: ignore[arg-type]
        sep=table.dialect.delimiter,
        header=None,
        skipinitialspace=True,
        keep_default_na=False,
        na_values={
            at: MISSING | missing.get(at, NO_MARKS).texts for at in range(width) if at not in texts
        },
        dtype=dict.fromkeys(texts, object),
        chunksize=max(1, BLOCK // width),
        low_memory=False,  # otherwise a block may have numbers among its texts
        **exact_numbers(pd.__version__),
    )
    for block in reader:
        if block.shape[1] != width:
            raise OddTextError
        yield block


def _numbers(
    head: Sequence[str], blocks: Sequence[Any], lines: "_CountedLines"
) -> NDArray[np.float64] | None:
    """Join the blocks of a column of numbers; None if all of them are texts."""
    kinds = {block.dtype.kind for block in blocks}
    if kinds.isdisjoint("fiub"):
        return None
    if not (kinds <= {*"fiu"} and all(cell in MISSING or is_finite(cell) for cell in head)):
        raise OddTextError
    if lines.has_negative_zero and any(
        block.dtype.kind == "i" and (block == 0).any() for block in blocks
    ):
        raise OddTextError  # whole numbers do not keep the sign of -0
    above = [math.nan if cell in MISSING else float(cell) for cell in head]
    numbers = np.concatenate([above, *(block.to_numpy(float) for block in blocks)])
    if np.isinf(numbers).any():
        raise OddTextError
    return numbers


def _stripped(head: Sequence[str], blocks: Sequence[Any], table: Table) -> Texts:
    """Join the blocks of a column of texts, without spaces around the cells."""
    import pandas as pd

    texts = _texts(pd.concat([pd.Series(head, dtype=blocks[0].dtype), *blocks], ignore_index=True))
    plain = list(map(str.strip, texts.cells))
    if table.dialect.has_decimal_commas:
        plain = [*map(with_point, plain)]
    if plain == texts.cells:
        return texts
    return _joined(plain, texts.codes)


def _texts(column: Any) -> Texts:
    """Keep each different cell once; what pandas takes for missing is an empty cell."""
    import pandas as pd

    codes, different = pd.factorize(column)
    return _filled(codes, different.tolist())


def _filled(codes: NDArray[np.intp], cells: list[str]) -> Texts:
    """Return a column in which missing cells, with the code -1, are empty ones."""
    missing = codes < 0
    if not missing.any():
        return Texts(cells, codes)
    if "" not in cells:
        cells.append("")
    return Texts(cells, np.where(missing, cells.index(""), codes))


def _of_frame(column: Any, *, is_text: bool) -> ColumnContent:
    """Read a column of a file that is not CSV, whose cells are texts as `Table` has them."""
    import pandas as pd

    if column.dtype.kind in "fiu" and not is_text:
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        if not np.isinf(numbers).any():
            return numbers
    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        return _texts(column)
    if column.dtype.kind == "M":
        codes, different = pd.factorize(column)
        return _filled(codes, [*map(text_of, different)])
    is_missing = column.isna().tolist()
    cells = [
        "" if missing else text_of(cell) for cell, missing in zip(column, is_missing, strict=True)
    ]
    return _texts(pd.Series(cells, dtype=object))


class _CountedLines(PlainLines):
    """Lines whose cells are counted.

    Attributes
    ----------
    delimiters
        Number of delimiters between cells until now.
    has_negative_zero
        Whether a cell until now may be a whole -0.
    """

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.delimiters = 0
        self.has_negative_zero = False
        self._delimiter = table.dialect.delimiter
        ends = re.escape(f"{_BEFORE_CELL}{self._delimiter}")
        self._negative_zero = re.compile(rf"-0+(?![^{ends}])")

    def note(self, text: str, unquoted: str) -> None:
        """Count delimiters, and look for -0."""
        self.delimiters += unquoted.count(self._delimiter)
        if not self.has_negative_zero:
            before = f"{_BEFORE_CELL}{self._delimiter}"
            zeros = self._negative_zero.finditer(text)
            self.has_negative_zero = any(text[zero.start() - 1] in before for zero in zeros)
