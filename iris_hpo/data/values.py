"""Facts on all values of a data set: which columns are constant or missing, which rows are equal.

Columns are looked at in blocks, so that no copy of a large table is made.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.numbers import Features

_CELLS: Final = 2**20
"""Number of cells of a block."""
_FIRST: Final = np.uint64(0xFF51AFD7ED558CCD)
_SECOND: Final = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT: Final = np.uint64(33)
"""Constants of the 64-bit finaliser of MurmurHash3 (A. Appleby, public domain)."""


def blocks(features: Features) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield blocks of whole columns, each with the position of its first column."""
    width = max(1, _CELLS // max(1, len(features)))
    for start in range(0, features.shape[1], width):
        yield start, features[:, start : start + width]


def constant_columns(features: Features) -> list[int]:
    """Positions of the columns with the same value, not a missing one, in every row."""
    constant: list[int] = []
    for start, block in blocks(features):
        if block.dtype != object:
            same = block.min(axis=0) == block.max(axis=0)
        else:
            same = np.array([len({*column.tolist()}) == 1 for column in block.T])
            same &= ~np.array([is_missing(value) for value in block[0]])
        constant += [start + int(at) for at in np.flatnonzero(same)]
    return constant


def missing_shares(features: Features) -> NDArray[np.float64]:
    """Share of missing values of each column."""
    if features.dtype != object:  # all numbers are complete
        return np.zeros(features.shape[1])
    counts = [sum(map(is_missing, column.tolist())) for column in features.T]
    return np.array(counts, dtype=np.float64) / len(features)


def row_codes(features: Features) -> NDArray[np.uint64]:
    """Compute a number per row, the same in this process for rows with the same features.

    Different rows have the same number with a probability of about 1 to 2**64.
    """
    codes = np.zeros(len(features), dtype=np.uint64)
    for start, block in blocks(features):
        bits = _bits(block) if block.dtype != object else np.array([*map(_hashes, block.T)]).T
        salts = np.arange(start + 1, start + 1 + block.shape[1], dtype=np.uint64) * _SECOND
        codes += _mixed(bits ^ salts).sum(axis=1, dtype=np.uint64)
    return codes


def is_missing(value: object) -> bool:
    """Whether a value of a mixed table is missing: an empty text, or NaN."""
    return value == "" or value != value  # noqa: PLR0124 - of unknown type


def _bits(block: NDArray[np.float64]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(block + 0.0).view(np.uint64)  # -0 is 0


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for factor in (_FIRST, _SECOND):
        bits = (bits ^ (bits >> _SHIFT)) * factor
    return bits ^ (bits >> _SHIFT)


def _hashes(column: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a number for each value of a column of texts or of numbers."""
    if isinstance(column[0], str):
        return np.array([*map(hash, column.tolist())], dtype=np.int64).view(np.uint64)
    return _bits(np.where(np.isnan(values := column.astype(np.float64)), np.nan, values))
