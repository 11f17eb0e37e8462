"""Weights of rows: which estimators and scorings take them, and how they reach a fit."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.errors import InputError
from iris_hpo.training.estimators import Estimator, Recipe

Weights = NDArray[np.float64]
"""How much each row counts. Shape (rows,)."""

_ARGUMENT: Final = "sample_weight"


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
    return _ARGUMENT if has_fit_parameter(estimator, _ARGUMENT) else None


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


def check_weighted(recipe: Recipe, scoring: str, column: str) -> None:
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
    instead = f"leave weights out, by columns: {{{column}: drop}}"
    if weight_argument(recipe.build()) is None:
        raise InputError(
            f"the column {column!r} has the weights of the rows, and {recipe.describe()} takes no "
            f"sample_weight in fit; choose another estimator, or {instead}",
            field=("columns", column),
        )
    if not _takes_weights(scoring):
        raise InputError(
            f"the column {column!r} has the weights of the rows, and the scoring {scoring!r} takes "
            f"none; choose another scoring, or {instead}",
            field=("scoring",),
        )


def _takes_weights(scoring: str) -> bool:
    from sklearn.dummy import DummyRegressor
    from sklearn.metrics import get_scorer

    features, target = np.zeros((4, 1)), np.array([0.0, 1.0, 2.0, 4.0])
    guess = DummyRegressor().fit(features, target)
    try:
        get_scorer(scoring)(guess, features, target, sample_weight=np.ones(4))
    except TypeError as error:
        return _ARGUMENT not in str(error)
    except Exception:  # noqa: BLE001 - it is for another target; weights were taken
        return True
    return True
