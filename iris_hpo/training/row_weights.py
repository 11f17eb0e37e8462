"""Weights of rows: which estimators and scorings take them, and how they reach a fit."""

import inspect
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.errors import InputError
from iris_hpo.parts import import_object
from iris_hpo.training.estimators import Estimator, Recipe
from iris_hpo.training.scorers import Scoring, Scorings

Weights = NDArray[np.float64]
"""How much each row counts. Shape (rows,)."""

_ARGUMENT: Final = "sample_weight"


def weights_of(weights: Weights | None, rows: NDArray[np.intp]) -> Weights | None:
    """Return the weights of some rows; None without weights."""
    return None if weights is None else weights[rows]


def weight_argument(estimator: object) -> str | None:
    """Name the argument of ``fit`` that takes the weights of rows.

    Returns
    -------
    str or None
        ``sample_weight``; for a pipeline that of its last step, such as ``svc__sample_weight``.
        None if there is none.
    """
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import has_fit_parameter

    if isinstance(estimator, Pipeline):
        steps: list[tuple[str, Any]] = estimator.steps
        name, last = steps[-1]
        argument = weight_argument(last)
        return f"{name}__{argument}" if argument else None
    fitted = getattr(estimator, "own_class", estimator)
    return _ARGUMENT if has_fit_parameter(fitted, _ARGUMENT) else None


def fit_arguments(estimator: Estimator, weights: Weights | None) -> dict[str, Weights]:
    """Return the weights of rows as ``fit`` takes them; nothing without weights.

    Raises
    ------
    ValueError
        If the estimator takes none.
    """
    if weights is None:
        return {}
    argument = weight_argument(estimator)
    if argument is None:
        raise ValueError(f"{type(estimator).__name__} takes no weights of rows in fit")
    return {argument: weights}


def check_weights(recipe: Recipe, scorings: Scorings, column: str) -> None:
    """Refuse weights of rows that an estimator or a scoring does not take.

    Parameters
    ----------
    column
        Name of the column with the weights, for messages.

    Raises
    ------
    InputError
        Says what to write.
    """
    if weight_argument(recipe.build()) is None:
        raise InputError(
            f"{recipe.describe()} takes no weights of rows (sample_weight in fit), and the column "
            f"{column!r} has the role weight; {_INSTEAD.format('estimator', column)}",
            field=("columns", column),
        )
    check_weighted_scorings(scorings, column)


def check_weighted_scorings(scorings: Scorings, column: str) -> None:
    """Refuse weights of rows that a scoring does not take; ``column`` has them.

    Raises
    ------
    InputError
        Says what to write.
    """
    for scoring in scorings.all:
        if not _takes_weights(scoring):
            raise InputError(
                f"the scoring {scoring.name} takes no weights of rows (sample_weight), and the "
                f"column {column!r} has the role weight; {_INSTEAD.format('scoring', column)}",
                field=("columns", column),
            )


_INSTEAD: Final = "choose another {}, or leave the weights out by columns: {{{}: drop}}"


def _takes_weights(scoring: Scoring) -> bool:
    """Whether a scoring takes weights: a function names them, a scorer of scikit-learn is tried."""
    if scoring.is_own:
        function: Any = import_object(scoring.part.use, "scoring", "a function", field="use")
        if callable(function) and not isinstance(function, type):
            return _ARGUMENT in inspect.signature(function).parameters
    from sklearn.dummy import DummyRegressor

    features, target = np.zeros((4, 1)), np.array([0.0, 1.0, 2.0, 4.0])
    guess = DummyRegressor().fit(features, target)
    try:
        scoring.scorer.score(guess, features, target, sample_weight=np.ones(4))
    except TypeError as error:
        return _ARGUMENT not in str(error)
    except Exception:  # noqa: BLE001 - it is for another target, and looked at weights first
        return True
    return True
