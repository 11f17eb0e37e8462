"""Features that predict the target alone, as a column does that was made from the target."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Dataset, Target
from iris_hpo.data.kinds import is_text
from iris_hpo.data.values import blocks

_WELL: Final = 0.98
"""Share of the errors of guessing that a feature has to avoid."""
_ROWS: Final = 10_000
"""Largest number of rows that are looked at, for any number of features."""
_FEWEST: Final = 200
"""Number of rows that are looked at if there are very many features."""
_CELLS: Final = 4_000_000
"""Number of cells between these."""
_ERRORS: Final = 20
"""Number of errors of guessing from which on their absence is not chance."""


def too_few_rows(target: Target) -> bool:
    """Whether the absence of errors would be chance: with fewer than 20 errors of guessing."""
    return len(target) * _error_of_guessing(target) < _ERRORS


def well_predicting(dataset: Dataset) -> list[int]:
    """Find features whose nearest other value nearly always belongs to the same target.

    Each row is predicted by the rows before and after it in the order of one feature: its class by
    the nearer one, its number, as a rank, by interpolation. A feature is given if it avoids 98 % of
    the errors of guessing, or explains 98 % of the variance.

    Returns
    -------
    list of int
        Positions of the features. At most 10,000 rows are looked at, evenly spaced over the data,
        and fewer if there are very many features.
    """
    number = max(_FEWEST, min(_ROWS, _CELLS // dataset.features.shape[1]))
    total = len(dataset.target)
    rows = np.unique(np.linspace(0, total - 1, min(number, total)).astype(np.intp))
    # Rows with the same value would otherwise keep their order, in which classes may be sorted.
    rows = np.random.default_rng(0).permutation(rows)
    target = dataset.target[rows]
    if too_few_rows(target):
        return []
    is_number = dataset.task == "regression"
    codes = _ranks(target)
    positions: list[int] = []
    for start, block in blocks(dataset.features):
        values = _numbers(block[rows], dataset.kinds[start : start + block.shape[1]])
        with np.errstate(over="ignore", invalid="ignore"):
            errors = _unexplained(values, codes) if is_number else _wrong(values, codes)
        limit = (1 - _WELL) * (1 if is_number else _error_of_guessing(target))
        positions += [start + int(at) for at in np.flatnonzero(errors <= limit)]
    return positions


def _error_of_guessing(target: Target) -> float:
    """Share of rows that another row, drawn at random, would predict wrongly."""
    counts = np.unique(target, return_counts=True)[1]
    return 1 - float(((counts / len(target)) ** 2).sum())


def _wrong(values: NDArray[np.float64], codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of rows whose nearest neighbour in a column has another class, for each column."""
    order = np.argsort(values, axis=0, kind="stable")
    labels, gaps = codes[order], np.diff(np.take_along_axis(values, order, axis=0), axis=0)
    after = np.ones(values.shape, dtype=bool)
    after[1:-1] = gaps[1:] < gaps[:-1]
    after[-1] = False
    nearest = np.empty_like(labels)
    nearest[:-1] = labels[1:]
    nearest[-1] = labels[-2]
    nearest[1:] = np.where(after[1:], nearest[1:], labels[:-1])
    return (nearest != labels).mean(axis=0)


def _unexplained(values: NDArray[np.float64], ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the variance that interpolating between neighbours leaves, for each column."""
    order = np.argsort(values, axis=0, kind="stable")
    ordered, gaps = ranks[order], np.diff(np.take_along_axis(values, order, axis=0), axis=0)
    before, after = gaps[:-1], gaps[1:]
    both = before + after
    weight = np.where(both > 0, before / np.where(both > 0, both, 1), 0.5)
    predicted = ordered[:-2] * (1 - weight) + ordered[2:] * weight
    return ((predicted - ordered[1:-1]) ** 2).mean(axis=0) / ranks.var()


def _ranks(target: Target) -> NDArray[np.float64]:
    """Ranks of numbers, or of classes; equal ones share a rank."""
    return np.unique(target, return_inverse=True)[1].astype(np.float64)


def _numbers(block: NDArray[Any], kinds: tuple[str, ...]) -> NDArray[np.float64]:
    """Return columns as numbers; texts are numbered in their order, missing values come first."""
    if not kinds:
        return block
    columns = [
        np.unique(column.astype(str), return_inverse=True)[1].astype(np.float64)
        if is_text(kind)
        else column.astype(np.float64)
        for column, kind in zip(block.T, kinds, strict=True)
    ]
    values = np.array(columns).T
    least = np.nan_to_num(np.fmin.reduce(values, axis=0))
    return np.where(np.isnan(values), least - 1, values)
