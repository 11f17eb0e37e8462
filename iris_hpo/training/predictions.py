"""What a candidate's models predict for rows that they were not trained on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.generic]
"""Predictions of rows: class labels, or float64 in regression. Shape (rows,)."""


@dataclass(frozen=True, eq=False)
class Outputs:
    """Probabilities and decision values of one model for rows, where the scoring needs them.

    Attributes
    ----------
    classes
        The model's classes, in the order of the columns; None if it predicts numbers.
    values
        What the model's methods return for the rows, by the method's name, such as
        ``predict_proba``. Shape (rows,) or (rows, classes).
    """

    classes: Column | None
    values: Mapping[str, NDArray[np.float64]]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Outputs):
            return NotImplemented
        return (
            _are_equal(self.classes, other.classes)
            and self.values.keys() == other.values.keys()
            and all(_are_equal(self.values[name], other.values[name]) for name in self.values)
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a candidate's models predict for rows that they were not trained on.

    Attributes
    ----------
    folds
        For each fold, predictions of its validation rows, in the fold's order, by the model that
        was fitted to its other rows. Empty without folds.
    test
        Predictions of the test rows by the stored model.
    fold_outputs, test_outputs
        Probabilities and decision values for the same rows; empty and None if the scoring needs
        predictions only.
    """

    folds: tuple[Column, ...]
    test: Column
    fold_outputs: tuple[Outputs, ...] = field(default=())
    test_outputs: Outputs | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Predictions):
            return NotImplemented
        return (
            len(self.folds) == len(other.folds)
            and all(map(_are_equal, self.folds, other.folds))
            and _are_equal(self.test, other.test)
            and self.fold_outputs == other.fold_outputs
            and self.test_outputs == other.test_outputs
        )

    __hash__ = None  # type: ignore[assignment]


def _are_equal(first: Column | None, second: Column | None) -> bool:
    if first is None or second is None:
        return first is second
    return first.shape == second.shape and bool(np.all(first == second))
