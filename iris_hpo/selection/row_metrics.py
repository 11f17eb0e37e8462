"""Scorings that follow from sums over rows, so that matrix products compute them in many draws.

Each has the name of a scoring of scikit-learn, and gives the same numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Task
from iris_hpo.selection.choosing import Scores
from iris_hpo.training.labels import same_label
from iris_hpo.training.predictions import Column, Outputs

Truth = NDArray[Any]
"""Codes of the classes of rows, or their numbers. Shape (rows,)."""

Part = tuple[slice | NDArray[np.intp], NDArray[Any]]
"""Rows, and for each of them what every candidate adds to a sum. Shape (rows, candidates)."""


LOG_LOSS: Final = "neg_log_loss"


class RowMetric(Protocol):
    """A scoring, computed from sums over rows; greater is better.

    Attributes
    ----------
    perfect
        The score without any error, if errors are compared by their ratio; else None.
    """

    @property
    def perfect(self) -> float | None:
        """The score without any error."""
        ...

    def parts(self, truth: Truth, columns: NDArray[Any]) -> Sequence[Part]:
        """What each candidate adds to each sum.

        Parameters
        ----------
        columns
            What the candidates predict, or their losses. Shape (rows, candidates).
        """
        ...

    def totals(self, truth: Truth) -> Sequence[Scores]:
        """What a row adds to the sums that are the same for all candidates. Shapes (rows,)."""
        ...

    def combine(self, sums: Sequence[Scores], totals: Sequence[Scores]) -> Scores:
        """Compute scores; nan where the rows do not define one.

        Parameters
        ----------
        sums
            One for each part. Shapes (draws, candidates).
        totals
            Shapes (draws, 1).
        """
        ...


class Accuracy:
    """Share of the rows whose class is predicted."""

    perfect = None

    def parts(self, truth: Truth, columns: NDArray[Any]) -> Sequence[Part]:
        """Mark the rows that are predicted right."""
        return [(slice(None), (columns == truth[:, None]).astype(np.float32))]

    def totals(self, truth: Truth) -> Sequence[Scores]:
        """Count rows."""
        return [np.ones(len(truth))]

    def combine(self, sums: Sequence[Scores], totals: Sequence[Scores]) -> Scores:
        """Divide."""
        return sums[0] / totals[0]


@dataclass(frozen=True)
class BalancedAccuracy:
    """Mean over the classes of the share of their rows whose class is predicted."""

    classes: int
    perfect = None

    def parts(self, truth: Truth, columns: NDArray[Any]) -> Sequence[Part]:
        """Mark the rows of each class that are predicted right."""
        return [
            (rows, (columns[rows] == code).astype(np.float32))
            for code in range(self.classes)
            for rows in [np.flatnonzero(truth == code)]
        ]

    def totals(self, truth: Truth) -> Sequence[Scores]:
        """Count the rows of each class."""
        return [(truth == code).astype(float) for code in range(self.classes)]

    def combine(self, sums: Sequence[Scores], totals: Sequence[Scores]) -> Scores:
        """Average over the classes that have rows."""
        present = sum((total > 0).astype(float) for total in totals)
        recalls = [
            np.where(total > 0, hits / np.maximum(total, 1e-300), 0.0)
            for hits, total in zip(sums, totals, strict=True)
        ]
        return cast("Scores", sum(recalls) / present)


@dataclass(frozen=True)
class F1:
    """The F1 score of one class, or its mean over the classes.

    Attributes
    ----------
    codes
        The classes.
    average
        ``macro``: a class counts once, if it has rows or is predicted; ``weighted``: by its rows.
    """

    codes: Sequence[int]
    average: str
    perfect = None

    def parts(self, truth: Truth, columns: NDArray[Any]) -> Sequence[Part]:
        """Mark the rows of each class that are predicted right, and the rows predicted as it."""
        members = [np.flatnonzero(truth == code) for code in self.codes]
        return [
            *(
                (rows, columns[rows] == code)
                for code, rows in zip(self.codes, members, strict=True)
            ),
            *((slice(None), columns == code) for code in self.codes),
        ]

    def totals(self, truth: Truth) -> Sequence[Scores]:
        """Count the rows of each class, and all."""
        return [*((truth == code).astype(float) for code in self.codes), np.ones(len(truth))]

    def combine(self, sums: Sequence[Scores], totals: Sequence[Scores]) -> Scores:
        """Compute the F1 score of each class, and average."""
        number = len(self.codes)
        score, weight = 0.0 * sums[0], 0.0 * sums[0]
        for hits, claimed, actual in zip(sums, sums[number:], totals[:number], strict=False):
            size = actual + claimed
            of_class = actual + 0.0 * size if self.average == "weighted" else (size > 0) * 1.0
            score += of_class * np.where(size > 0, 2 * hits / np.where(size > 0, size, 1.0), 0.0)
            weight += of_class
        if self.average == "binary":  # without such rows and predictions it is 0
            weight = np.ones_like(score)
        return np.where(totals[-1] > 0, score / weight, np.nan)


@dataclass(frozen=True)
class MeanLoss:
    """A mean over rows of what a prediction loses, or its root; negative.

    Attributes
    ----------
    loss
        The loss of rows, from the truth and the columns.
    """

    loss: Callable[[Truth, NDArray[Any]], Scores]
    is_root: bool = False
    perfect = 0.0

    def parts(self, truth: Truth, columns: NDArray[Any]) -> Sequence[Part]:
        """Losses of the rows."""
        return [(slice(None), self.loss(truth[:, None], columns))]

    def totals(self, truth: Truth) -> Sequence[Scores]:
        """Count rows."""
        return [np.ones(len(truth))]

    def combine(self, sums: Sequence[Scores], totals: Sequence[Scores]) -> Scores:
        """Divide."""
        mean = sums[0] / totals[0]
        return -np.sqrt(np.maximum(mean, 0.0)) if self.is_root else -mean


class R2:
    """The coefficient of determination; nan where all rows have one target."""

    perfect = 1.0

    def parts(self, truth: Truth, columns: NDArray[Any]) -> Sequence[Part]:
        """Squared errors of the rows."""
        return [(slice(None), _squared(truth[:, None], columns))]

    def totals(self, truth: Truth) -> Sequence[Scores]:
        """Count rows, and sum targets and their squares."""
        return [np.ones(len(truth)), truth, truth**2]

    def combine(self, sums: Sequence[Scores], totals: Sequence[Scores]) -> Scores:
        """Divide by the squared deviations of the same rows."""
        rows, target, squares = totals
        spread = squares - target**2 / rows
        return 1.0 - sums[0] / np.where(spread > 1e-12 * squares, spread, np.nan)


def _squared(truth: Truth, columns: NDArray[Any]) -> Scores:
    return (columns - truth) ** 2


def _absolute(truth: Truth, columns: NDArray[Any]) -> Scores:
    return np.abs(columns - truth)


def _as_given(truth: Truth, columns: NDArray[Any]) -> Scores:  # noqa: ARG001 - one signature
    return columns


def log_losses(truth: Column, outputs: Outputs) -> Scores:
    """Log loss of each row: the negative logarithm of the probability of its class.

    Raises
    ------
    KeyError
        If there are no probabilities, or a class is unknown to the model.
    """
    values = outputs.values["predict_proba"]
    places = {label: place for place, label in enumerate(outputs.classes.tolist())}
    at = np.array([places[label] for label in truth.tolist()], dtype=np.intp)
    limit = np.finfo(values.dtype).eps
    chosen = values[np.arange(len(truth)), at]
    return -np.log(np.clip(chosen, limit, 1 - limit))


_NUMBERS: Final[Mapping[str, RowMetric]] = {
    "r2": R2(),
    "neg_mean_squared_error": MeanLoss(_squared),
    "neg_root_mean_squared_error": MeanLoss(_squared, is_root=True),
    "neg_mean_absolute_error": MeanLoss(_absolute),
}

_CLASSES: Final[Mapping[str, Callable[[Sequence[int]], RowMetric]]] = {
    "accuracy": lambda _: Accuracy(),
    "balanced_accuracy": lambda codes: BalancedAccuracy(len(codes)),
    "f1_micro": lambda _: Accuracy(),
    "f1_macro": lambda codes: F1(codes, "macro"),
    "f1_weighted": lambda codes: F1(codes, "weighted"),
    LOG_LOSS: lambda _: MeanLoss(_as_given),
}

_POSITIVE: Final = {1, "1", "1.0", "True", "true", "TRUE"}
"""How a table may write the positive class of the scoring ``f1``."""


ROW_METRICS: Final[Mapping[Task, Sequence[str]]] = {
    "classification": [*_CLASSES, "f1"],
    "regression": [*_NUMBERS],
}
"""The scorings that follow from sums over rows."""


def row_metric(
    scoring: str, task: Task, labels: Column, positive: str | None = None
) -> RowMetric | None:
    """Look up a scoring; None if it does not follow from sums over rows.

    Parameters
    ----------
    labels
        The classes, sorted; empty if numbers are predicted.
    positive
        The positive class; by default the one that is written as 1 or true.
    """
    if task == "regression":
        return _NUMBERS.get(scoring)
    if scoring == "f1":
        names = _POSITIVE if positive is None else {same_label(positive, [*map(str, labels)])}
        codes = [code for code, label in enumerate(labels.tolist()) if label in names]
        return F1(codes, "binary") if len(codes) == 1 and len(labels) == 2 else None
    make = _CLASSES.get(scoring)
    return make(range(len(labels))) if make else None
