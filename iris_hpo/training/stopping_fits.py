"""How the libraries of boosting stop a fit early: each gets the rows that decide in its own way.

None of the libraries is imported: an estimator is recognised by the classes that it inherits from.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, cast

from iris_hpo.data.dataset import Features, Target
from iris_hpo.errors import InputError
from iris_hpo.training.code_of_others import own_failure
from iris_hpo.training.estimators import Estimator, Recipe
from iris_hpo.training.row_weights import Weights


@dataclass(frozen=True)
class Rows:
    """Rows of a fit; the fit may change them."""

    features: Features
    target: Target
    weights: Weights | None = None


@dataclass(frozen=True)
class _Way:
    """How the estimators of a library stop early.

    Attributes
    ----------
    fit
        Fits an estimator to rows until other rows show no better score; takes the rounds.
    best
        Reads the number of iterations that was best, from 1 on.
    iterations
        Names of the parameter with the number of iterations, the usual one first.
    own
        Names of parameters that do the same in another way.
    """

    fit: Callable[[Any, Rows, Rows, int], object]
    best: Callable[[Any], int | None]
    iterations: Sequence[str]
    own: Sequence[str] = ()


def check_stopping(recipe: Recipe, parameters: Sequence[str]) -> None:
    """Refuse early stopping for an estimator that has none.

    Parameters
    ----------
    parameters
        Names of the searched parameters.

    Raises
    ------
    InputError
        Says what to write instead.
    """
    estimator = _last_step(recipe.build())
    settings: Mapping[str, object] = estimator.get_params()
    way = _way_of(estimator)
    name = type(estimator).__name__
    if way is None:
        raise InputError(f"{name} {_instead(settings)}", field=("early_stopping",))
    stated = {name for name, value in settings.items() if value is not None}
    stated.update(parameter.rpartition("__")[2] for parameter in parameters)
    twice = next((own for own in way.own if own in stated), None)
    if twice is not None:
        raise InputError(
            f"{name} gets {twice} by early_stopping; leave {twice} out", field=("early_stopping",)
        )


def fit_stopping(estimator: Estimator, rows: Rows, evaluation: Rows, rounds: int) -> int:
    """Fit an estimator until the evaluation rows show no better score.

    Steps before the estimator are fitted to the rows alone, and applied to the evaluation rows.

    Returns
    -------
    int
        The best number of iterations, which the estimator predicts with.

    Raises
    ------
    CandidateError
        If the estimator refuses, or does not stop early.
    """
    with own_failure("fitting"):
        return _fit(estimator, rows, evaluation, rounds)


def set_iterations(estimator: Estimator, number: int) -> None:
    """Let a fit to all rows take a number of iterations, and not stop before."""
    last = _last_step(estimator)
    way = _way_of(last)
    if way is None:
        raise InputError(f"{type(last).__name__} has no iterations")
    known = last.get_params()
    stated = [name for name in way.iterations if name in known] or way.iterations[:1]
    last.set_params(**dict.fromkeys(stated, number))


def _fit(estimator: Any, rows: Rows, evaluation: Rows, rounds: int) -> int:
    from sklearn.pipeline import Pipeline

    if isinstance(estimator, Pipeline):
        steps: list[tuple[str, Any]] = estimator.steps
        if len(steps) > 1:
            before: Any = estimator[:-1]
            features = before.fit_transform(rows.features, rows.target)
            rows = Rows(features, rows.target, rows.weights)
            features = before.transform(evaluation.features)
            evaluation = Rows(features, evaluation.target, evaluation.weights)
            steps[:-1] = before.steps
        return _fit(steps[-1][1], rows, evaluation, rounds)
    way = _way_of(estimator)
    if way is None:
        raise ValueError(f"{type(estimator).__name__} cannot stop early")
    way.fit(estimator, rows, evaluation, rounds)
    best = way.best(estimator)
    if not best or best < 1:
        raise ValueError("it does not stop early with these parameters; leave early_stopping out")
    return int(best)


def _last_step(estimator: Any) -> Any:
    from sklearn.pipeline import Pipeline

    while isinstance(estimator, Pipeline):
        steps: list[tuple[str, Any]] = estimator.steps
        estimator = steps[-1][1]
    return estimator


def _fit_lightgbm(model: Any, rows: Rows, evaluation: Rows, rounds: int) -> None:
    import lightgbm

    weighted = {"eval_sample_weight": [evaluation.weights]} if _has_weights(rows) else {}
    given: dict[str, Any] = {"eval_set": [(evaluation.features, evaluation.target)]}
    if "eval_X" in inspect.signature(model.fit).parameters:  # from 4.7 on
        given = {"eval_X": evaluation.features, "eval_y": evaluation.target}
    model.fit(
        rows.features,
        rows.target,
        **given,
        callbacks=[lightgbm.early_stopping(rounds, verbose=False)],
        **_weighted(rows),
        **weighted,
    )


def _fit_xgboost(model: Any, rows: Rows, evaluation: Rows, rounds: int) -> None:
    weighted = {"sample_weight_eval_set": [evaluation.weights]} if _has_weights(rows) else {}
    model.set_params(early_stopping_rounds=rounds)
    model.fit(
        rows.features,
        rows.target,
        eval_set=[(evaluation.features, evaluation.target)],
        verbose=False,
        **_weighted(rows),
        **weighted,
    )


def _fit_catboost(model: Any, rows: Rows, evaluation: Rows, rounds: int) -> None:
    catboost: Any = import_module("catboost")
    pool = catboost.Pool(evaluation.features, evaluation.target, weight=evaluation.weights)
    model.fit(
        rows.features,
        rows.target,
        eval_set=pool,
        early_stopping_rounds=rounds,
        **_weighted(rows),
    )


def _fit_own(model: Any, rows: Rows, evaluation: Rows, rounds: int) -> None:
    weighted = {"eval_sample_weight": [evaluation.weights]} if _has_weights(rows) else {}
    model.fit(
        rows.features,
        rows.target,
        eval_set=[(evaluation.features, evaluation.target)],
        early_stopping_rounds=rounds,
        **_weighted(rows),
        **weighted,
    )


def _has_weights(rows: Rows) -> bool:
    return rows.weights is not None


def _weighted(rows: Rows) -> dict[str, Weights]:
    return {} if rows.weights is None else {"sample_weight": rows.weights}


def _from_zero(best: int | None) -> int | None:
    return None if best is None else best + 1


_WAYS: Final[Mapping[str, _Way]] = {
    "lightgbm": _Way(
        _fit_lightgbm,
        lambda model: model.best_iteration_,
        (
            *("n_estimators", "num_iterations", "num_iteration", "n_iter", "num_tree"),
            *("num_trees", "num_round", "num_rounds", "nrounds", "num_boost_round", "max_iter"),
        ),
        ("early_stopping_round", "early_stopping_rounds", "early_stopping", "n_iter_no_change"),
    ),
    "xgboost": _Way(
        _fit_xgboost,
        lambda model: _from_zero(model.best_iteration),
        ("n_estimators",),
        ("early_stopping_rounds",),
    ),
    "catboost": _Way(
        _fit_catboost,
        lambda model: _from_zero(model.get_best_iteration()),
        ("iterations", "n_estimators", "num_boost_round", "num_trees"),
        ("early_stopping_rounds", "od_type", "od_wait", "od_pval", "use_best_model"),
    ),
}
"""By the package of a class that an estimator inherits from."""

_OWN: Final = _Way(
    _fit_own, lambda model: model.best_iteration_, ("n_estimators", "iterations", "max_iter")
)
"""An estimator of any module whose ``fit`` takes ``eval_set`` and ``early_stopping_rounds``."""


def _way_of(estimator: object) -> _Way | None:
    for base in type(estimator).__mro__:
        way = _WAYS.get(base.__module__.partition(".")[0])
        if way is not None:
            return way
    arguments = inspect.signature(cast("Estimator", estimator).fit).parameters
    return _OWN if {"eval_set", "early_stopping_rounds"} <= {*arguments} else None


def _instead(settings: Mapping[str, object]) -> str:
    """What an estimator of scikit-learn has in place of it, for a message."""
    own = {"early_stopping": "true", "n_iter_no_change": "50", "validation_fraction": "0.1"}
    there = [f"{name}: {value}" for name, value in own.items() if name in settings]
    if len(there) < 2:  # such as a forest
        return (
            "cannot stop early: its fit takes no eval_set and early_stopping_rounds; leave "
            "early_stopping out"
        )
    return (
        "stops early by settings of its own; leave early_stopping out, and write settings: "
        f"{{{', '.join(there)}}}"
    )
