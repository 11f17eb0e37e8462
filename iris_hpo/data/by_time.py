"""The splitter ``time``: the latest rows are the test, and folds are fitted to earlier rows."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Dataset
from iris_hpo.data.splitters import Fold, Rows
from iris_hpo.errors import InputError
from iris_hpo.run_settings import SplitSettings
from iris_hpo.text import counted

Times = NDArray[np.float64]


class ByTime:
    """The splitter ``time``.

    Rows of one time are never divided: borders are moved to the nearest change of the time. Where
    all times differ and there is no gap and no window, folds are those of scikit-learn's
    ``TimeSeriesSplit``.

    Parameters
    ----------
    test_size, folds
        See `SplitSettings`.
    seed
        Not for the splitter, which draws nothing.
    gap
        Rows so close before the rows that are predicted are left out, in units of the column: days
        for dates. They are later than the earliest predicted time less the gap, or equal to it.
    window
        Folds are fitted to rows of so long a time before the gap, in the same units: they roll. By
        default they are fitted to all rows before, and expand.
    """

    def __init__(
        self,
        test_size: float = 0.2,
        seed: int = 0,
        folds: int = 5,
        gap: float = 0.0,
        window: float | None = None,
    ) -> None:
        self.settings = SplitSettings(test_size, seed, folds)
        if _is_no_number(gap) or gap < 0:
            raise InputError(f"gap {gap!r} must be a number of at least 0, such as 7")
        if window is not None and (_is_no_number(window) or window <= 0):
            raise InputError(f"window {window!r} must be a number greater than 0, such as 365")
        self.gap = float(gap)
        self.window = math.inf if window is None else float(window)

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return self.settings.folds

    def split(self, data: Dataset) -> tuple[Rows, Rows]:
        """Choose the latest rows for the test, and those before the gap for training."""
        times = _times(data)
        number = len(times)
        ideal = number - math.ceil(number * self.settings.test_size)
        (start,) = _borders(np.sort(times), [ideal], "a test part needs")
        first = np.sort(times)[start]
        train = self._before(times, first, math.inf)
        if not len(train):
            raise InputError(f"a gap of {self.gap:g} leaves no row before the test; give less")
        return train, np.flatnonzero(times >= first)

    def folds(self, data: Dataset) -> Sequence[Fold]:
        """Choose the folds: each predicts the rows that follow those of the fold before."""
        times, folds = _times(data), self.settings.folds
        if not folds:
            return ()
        ascending = np.sort(times)
        size = len(times) // (folds + 1)
        ideal = [len(times) - (folds - at) * size for at in range(folds)]
        starts = _borders(ascending, ideal, f"{folds} folds need")
        chosen: list[Fold] = []
        for at, start in enumerate(starts):
            first = ascending[start]
            end = ascending[starts[at + 1]] if at + 1 < folds else math.inf
            fit = self._before(times, first, self.window)
            if not len(fit):
                raise InputError(
                    f"fold {at + 1} has no rows to fit: none lies before its gap of {self.gap:g}"
                    + (f", within {self.window:g}" if math.isfinite(self.window) else "")
                    + "; give a smaller gap, a longer window or fewer folds"
                )
            chosen.append((fit, np.flatnonzero((times >= first) & (times < end))))
        return tuple(chosen)

    def _before(self, times: Times, first: float, window: float) -> Rows:
        """Rows before a time less the gap, not earlier than the window."""
        end = first - self.gap
        # The gap is no less than the distance of times: the rows of its own end are within it.
        return np.flatnonzero((times < end) & (times >= end - window))


def _borders(ascending: Times, ideal: Sequence[int], need: str) -> list[int]:
    """Move borders to the nearest changes of the time, so that they stay apart.

    Parameters
    ----------
    ascending
        The times in order.
    ideal
        First positions behind each border, ascending.
    need
        What needs the borders, for the message.
    """
    changes = np.flatnonzero(np.diff(ascending)) + 1
    if len(changes) < len(ideal):
        raise InputError(
            f"{counted(len(ascending), 'row')} have {counted(len(changes) + 1, 'different time')}, "
            f"and {need} {len(ideal) + 1}, as rows of one time stay together"
            + (": choose fewer folds" if len(ideal) > 1 else "")
        )
    borders, first = list[int](), 0
    for at, position in enumerate(ideal):
        last = len(changes) - (len(ideal) - at) + 1
        nearest = first + int(np.abs(changes[first:last] - position).argmin())
        borders.append(int(changes[nearest]))
        first = nearest + 1
    return borders


def _times(data: Dataset) -> Times:
    if data.roles.time is None:
        raise InputError("the splitter time needs a column with the role time")
    return data.roles.time


def _is_no_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return True
    return not math.isfinite(value)
