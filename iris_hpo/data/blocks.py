"""Read the numbers of a large table in blocks, with pandas: about nine times faster than by rows.

Only complete numbers are read here. For anything else the answer is None: the table is then read
row by row, which finds the cell and its line. Small tables are always read row by row, because
importing pandas alone takes longer.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.cells import MAX_LABEL, is_finite
from iris_hpo.data.tables import MAX_ROW, Table, is_multiline

WIDE: Final = 2_000
"""Number of columns from which on pandas has no advantage."""
BLOCK: Final = 2**20
"""Number of cells of a block."""
_WHOLE: Final = re.compile(r"[+-]?\d+", re.ASCII)
_EXACT: Final = (3, 1)
"""The version of pandas from which on numbers are read exactly by default."""


class OddTextError(Exception):
    """The text has to be read in another way."""


def read_blocks(
    table: Table, numbers: Sequence[int], label: int | None
) -> tuple[NDArray[np.float64], list[str]] | None:
    """Read the rows of a table.

    Parameters
    ----------
    table
        A table of which no row was taken but the header.
    numbers
        Positions of the columns of numbers.
    label
        Position of the column of labels, if there is one.

    Returns
    -------
    numbers, labels
        Shapes (rows, numbers) and (rows,), the same as by rows; None if the table is small, or a
        cell is no finite number, or the text is not plain CSV.
    """
    if not table.is_large or len(table.first) > WIDE or not table.dialect.is_plain:
        return None
    values, labels = list[NDArray[np.float64]](), list[str]()
    try:
        for block in _frames(table, numbers, label):
            if label is not None:
                labels += map(str.strip, block.pop(label).tolist())
            values.append(_as_written(block, numbers))
    except (OddTextError, ValueError, TypeError):  # no number, or a row of another width
        return None
    if not all(map(is_label_text, set(labels))):
        return None
    return _joined(values), labels


def _joined(blocks: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Join blocks of rows, and release each."""
    rows = np.empty((sum(map(len, blocks)), blocks[0].shape[1]))
    end = len(rows)
    while blocks:
        block = blocks.pop()
        rows[end - len(block) : end] = block
        end -= len(block)
    return rows


def _as_written(block: Any, numbers: Sequence[int]) -> NDArray[np.float64]:
    """Return columns of numbers, shape (rows, numbers), as they are written."""
    types: Iterable[tuple[int, Any]] = block.dtypes.items()
    for at, kind in types:
        # Whole numbers do not keep the sign of -0.
        if kind.kind not in "fiub" or (kind.kind == "i" and (block[at] == 0).any()):
            raise OddTextError
    chosen = block if block.columns.tolist() == [*numbers] else block[[*numbers]]
    values = chosen.to_numpy(np.float64, na_value=np.nan)
    if not np.isfinite(values).all():
        raise OddTextError
    return values


def _frames(table: Table, numbers: Sequence[int], label: int | None) -> Iterator[Any]:
    """Yield the rows in blocks, with positions as the names of the columns."""
    import pandas as pd

    used = [*numbers] if label is None else [*numbers, label]
    if table.frame is not None:
        frame: Any = table.frame.set_axis(range(table.frame.shape[1]), axis=1)[used]
        whole = [at for at in numbers if frame[at].dtype.kind == "i"]
        yield frame.astype(dict.fromkeys(whole, np.float64))
        return
    width = len(table.first)
    head = [row for row in (table.first, table.second) if row is not None]
    if not all(len(row) == width and all(is_finite(row[at]) for at in numbers) for row in head):
        raise OddTextError
    floats = dict.fromkeys(numbers, np.float64)
    first: Any = pd.DataFrame(head)
    yield first[used].astype(floats)
    # It is faster to find out the types of the others than to name them.
    whole = {at: np.float64 for at in numbers if _WHOLE.fullmatch(head[-1][at])}
    lines: Any = PlainLines(table)
    types: Any = whole | ({} if label is None else {label: object})
    blocks: Any = pd.read_csv(
        lines,
        sep=table.dialect.delimiter,
        header=None,
        skipinitialspace=True,
        na_filter=False,
        dtype=types,
        chunksize=max(1, BLOCK // width),
        **exact_numbers(pd.__version__),
    )
    for block in blocks:
        if block.shape[1] != width:
            raise OddTextError
        yield block if len(used) == width else block[used]


def exact_numbers(version: str) -> Mapping[str, Any]:
    """Return what pandas' reader is called with to read numbers exactly."""
    major, minor = map(int, version.split(".")[:2])
    return {} if (major, minor) >= _EXACT else {"float_precision": "round_trip"}


def is_label_text(label: str) -> bool:
    """Whether a text may be a class label."""
    return 0 < len(label) <= MAX_LABEL and not is_multiline(label)


class PlainLines:
    """The rest of a table's text in whole lines, refused where pandas might read it otherwise.

    Those are rows without an end, and quotes that do not enclose a cell of one line.
    """

    def __init__(self, table: Table) -> None:
        self._unread, self._text = table.unread, table.text
        mark = re.escape(table.dialect.delimiter)
        self._quoted = re.compile(rf'(?<![^{mark}\r\n]) *"(?:[^"\r\n]|"")*"(?=[{mark}\r\n]|\Z)')

    def __iter__(self) -> Iterator[str]:
        return chain(self._unread, self._text or ())

    def read(self, size: int = -1) -> str:
        """Read about as many characters."""
        if self._text is None:
            return ""
        text = "".join(self._unread) or self._text.read(size)
        self._unread.clear()
        end = self._text.readline(MAX_ROW) if text else ""
        if len(end) == MAX_ROW or "\0" in text or "\0" in end:
            raise OddTextError
        text += end
        unquoted = self._quoted.sub("", text) if '"' in text else text
        if '"' in unquoted:
            raise OddTextError
        self.note(text, unquoted)
        return text

    def note(self, text: str, unquoted: str) -> None:
        """Take note of what is read; ``unquoted`` is the same without its quoted cells."""
