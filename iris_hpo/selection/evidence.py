"""The rows that candidates were scored on, and what they are compared with.

What follows from them is in `estimates`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Target, Task
from iris_hpo.data.splitters import Rows
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.learning_curve import LearningCurve


@dataclass(frozen=True, eq=False)
class Evidence:
    """The rows that candidates were scored on.

    Attributes
    ----------
    task, target, test_target
        Classification or regression; targets of the training rows and of the test rows.
    folds
        For each fold, the positions of its validation rows within the training rows.
    seed
        The search's seed.
    groups, test_groups
        For each row a label of the group that it belongs to; None if rows are independent.
    is_ordered
        Whether the order of the rows matters, as in a time series.
    weights, test_weights
        How much each row counts in scores; None if all count alike.
    positive
        The label of the positive class; None if none is named.
    """

    task: Task
    target: Target
    test_target: Target
    folds: Sequence[Rows]
    seed: int = 0
    groups: NDArray[np.generic] | None = None
    test_groups: NDArray[np.generic] | None = None
    is_ordered: bool = False
    weights: NDArray[np.float64] | None = None
    test_weights: NDArray[np.float64] | None = None
    positive: str | None = None

    @cached_property
    def all_weights(self) -> NDArray[np.float64] | None:
        """Weights of the training rows, then of the test rows."""
        if self.weights is None or self.test_weights is None:
            return None
        return np.concatenate([self.weights, self.test_weights])

    @cached_property
    def repeats(self) -> int | None:
        """How often each training row is validated; None if not all are equally often."""
        times = np.zeros(len(self.target), dtype=np.intp)
        for rows in self.folds:
            np.add.at(times, rows, 1)
        return int(times[0]) if len(times) and times[0] and (times == times[0]).all() else None

    @cached_property
    def folds_by_repeat(self) -> Sequence[range] | None:
        """Positions of the folds of each repeat; None if the folds do not follow by repeats."""
        if not self.repeats or len(self.folds) % self.repeats:
            return None
        size = len(self.folds) // self.repeats
        ranges = [range(first, first + size) for first in range(0, len(self.folds), size)]
        for folds in ranges:
            rows = np.concatenate([self.folds[fold] for fold in folds])
            if len(np.unique(rows)) < len(rows):
                return None
        return ranges


@dataclass(frozen=True, eq=False)
class Reference:
    """What the champion is compared with, evaluated on the same folds and test rows."""

    name: str
    evaluation: Evaluation


@dataclass(frozen=True, eq=False)
class Curve:
    """How the champion's predictions improve with more training rows.

    Attributes
    ----------
    fits
        Predictions by fits to parts of all rows.
    rows
        Number of rows that the delivered model is trained on.
    """

    fits: LearningCurve
    rows: int
