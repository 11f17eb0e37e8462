"""What a candidate's models predict for rows that they were not trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Target
from iris_hpo.data.split import Examples
from iris_hpo.text import counted, shorten

Column = NDArray[np.generic]
"""Predictions of rows: class labels, or float64 in regression. Shape (rows,)."""


@dataclass(frozen=True, eq=False)
class Outputs:
    """Probabilities and decision values of one model for rows, where the scoring needs them.

    Attributes
    ----------
    classes
        The model's classes, in the order of the columns.
    values
        What the model's methods return for the rows, by the method's name, such as
        ``predict_proba``. Shape (rows,) or (rows, columns).
    """

    classes: Column
    values: Mapping[str, NDArray[np.floating]]

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

    # Without defaults on the class: `StoredPredictions` looks up what an instance lacks.
    folds: tuple[Column, ...]
    test: Column
    fold_outputs: tuple[Outputs, ...] = field(default_factory=tuple)
    test_outputs: Outputs | None = field(default_factory=lambda: None)

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


def check_predictions(given: object, examples: Examples) -> Predictions:
    """Check that predictions are those of the rows of a split, and make arrays of them.

    Raises
    ------
    TypeError, ValueError
        If they are no predictions, of other rows, not of the target's kind, or not finite.
    """
    if not isinstance(given, Predictions):
        raise TypeError(f"predictions are a {type(given).__name__}; give Predictions or None")
    rows = [validated for _, validated in examples.folds]
    if len(given.folds) != len(rows):
        raise ValueError(f"predictions for {counted(len(given.folds), 'fold')} of {len(rows)}")
    _check_outputs(given, [*map(len, rows), len(examples.test_target)])
    return Predictions(
        tuple(
            _column(column, examples.target, len(validated), f"fold {number}")
            for number, (column, validated) in enumerate(zip(given.folds, rows, strict=True), 1)
        ),
        _column(given.test, examples.test_target, len(examples.test_target), "the test"),
        given.fold_outputs,
        given.test_outputs,
    )


def check_labels(predictions: Predictions, examples: Examples) -> None:
    """Check that all predicted labels are labels of the rows.

    Raises
    ------
    ValueError
        For the first that is not.
    """
    if examples.target.dtype.kind == "f":
        return
    known = {*examples.target.tolist(), *examples.test_target.tolist()}
    for column in (*predictions.folds, predictions.test):
        unknown = next((label for label in np.asarray(column).tolist() if label not in known), None)
        if unknown is not None:
            raise ValueError(f"it predicts {_shown(unknown)}, which is no class of the rows")


def _check_outputs(given: Predictions, sizes: Sequence[int]) -> None:
    if given.test_outputs is None:
        if given.fold_outputs:
            raise ValueError("probabilities or decision values of the test rows are missing")
        return
    outputs = (*given.fold_outputs, given.test_outputs)
    if len(outputs) != len(sizes):
        raise ValueError("probabilities or decision values of folds are missing")
    for rows, output in zip(sizes, outputs, strict=True):
        for name, value in output.values.items():
            if value.ndim not in (1, 2) or len(value) != rows or value.dtype.kind != "f":
                raise ValueError(f"{name} of shape {value.shape} for {counted(rows, 'row')}")
            if not np.isfinite(value).all():
                raise ValueError(f"not all values of {name} are finite")


def _column(given: object, target: Target, rows: int, where: str) -> Column:
    column = np.asarray(given)
    if column.dtype.kind == "O":
        column = np.array(column.tolist())
    if column.shape == (rows, 1):
        column = column.ravel()
    if column.shape != (rows,):
        raise ValueError(f"predictions of shape {column.shape} for the {rows} rows of {where}")
    kind = column.dtype.kind
    if kind not in "Uiufb" or (kind == "U") != (target.dtype.kind == "U"):
        raise ValueError(
            f"it predicts {_shown(column[0])} for a row of {where}, where targets are such as "
            f"{_shown(target[0])}"
        )
    if kind == "f" and not np.isfinite(column).all():
        raise ValueError(f"not all predictions for the rows of {where} are finite")
    return column


def _shown(value: object) -> str:
    shown = shorten(str(value))
    return shown if isinstance(value, str) else shown[1:-1]


def _are_equal(first: Column, second: Column) -> bool:
    return first.shape == second.shape and bool(np.all(first == second))
