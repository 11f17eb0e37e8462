"""Features of a mixed table as processes share them: arrays of numbers in place of objects.

Objects are copied into each process; these arrays may be mapped from one file.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.numbers import Features

_CODES: Final = (np.uint8, np.uint16, np.uint32)


class SharedColumns:
    """Columns of floats and of texts, which become an array of objects where rows are taken.

    It stands in place of that array, with as much of its interface as training uses. Taken rows
    are a copy.

    Parameters
    ----------
    features
        Shape (rows, features), objects: in each column floats or texts.

    Attributes
    ----------
    shape
        Numbers of rows and features.
    """

    dtype = np.dtype(object)
    ndim = 2

    def __init__(self, features: NDArray[Any]) -> None:
        self.shape: tuple[int, int] = features.shape
        self._columns = [_column(column.tolist()) for column in features.T]

    @property
    def size(self) -> int:
        """Number of values."""
        return self.shape[0] * self.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Return rows, shape (rows, features), or with a pair of rows and a position a column."""
        if isinstance(key, tuple):
            rows, at = cast("tuple[Any, int]", key)
            return self._columns[at].take(rows)
        if isinstance(key, (int, np.integer)):
            return self[key : key + 1][0]
        taken = [column.take(key) for column in self._columns]
        features = np.empty((len(taken[0]), len(taken)), dtype=object)
        for at, values in enumerate(taken):
            features[:, at] = values
        return features

    def __array__(self, dtype: Any = None, **_: Any) -> NDArray[Any]:
        return self.copy() if dtype is None else self.copy().astype(dtype)

    def copy(self) -> NDArray[Any]:
        """Return all rows."""
        return self[:]


class _Numbers:
    def __init__(self, values: Sequence[float]) -> None:
        self._values = np.array(values, dtype=np.float64)

    def take(self, rows: Any) -> NDArray[Any]:
        return self._values[rows].astype(object)


class _Texts:
    """Texts: the different ones one behind the other, and which of them each row has."""

    def __init__(self, texts: Sequence[str]) -> None:
        known = {text: code for code, text in enumerate(dict.fromkeys(texts))}
        kind = next(kind for kind in _CODES if len(known) <= np.iinfo(kind).max + 1)
        self._codes = np.fromiter((known[text] for text in texts), dtype=kind, count=len(texts))
        self._joined = np.frombuffer("".join(known).encode("utf-8", "surrogatepass"), np.uint8)
        self._ends = np.array([0, *accumulate(map(len, known))])

    def take(self, rows: Any) -> NDArray[Any]:
        """Return the texts of rows; equal ones are one object."""
        joined = self._joined.tobytes().decode("utf-8", "surrogatepass")
        different = np.empty(len(self._ends) - 1, dtype=object)
        different[:] = [joined[start:end] for start, end in pairwise(self._ends.tolist())]
        return different[self._codes[rows]]


def _column(values: Sequence[Any]) -> _Numbers | _Texts:
    return _Texts(values) if values and isinstance(values[0], str) else _Numbers(values)


def shared(features: Features) -> Features:
    """Return features as processes can share them: those of mixed tables as `SharedColumns`."""
    is_mixed = isinstance(features, np.ndarray) and features.dtype == object  # pyright: ignore[reportUnnecessaryIsInstance]
    return cast("Features", SharedColumns(features)) if is_mixed else features
