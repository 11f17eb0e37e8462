"""Weights of classes, given to the labels as the data spells them."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from iris_hpo.data.dataset import Target
from iris_hpo.training.estimators import Estimator


def match_class_weights(estimator: Estimator, names: Sequence[str], target: Target) -> None:
    """Rename the keys of an estimator's class weights to the labels with the same text.

    YAML reads ``{1: 20.0}`` as a number; in the data the label may be the text ``1.0``.

    Parameters
    ----------
    names
        Names of the parameters that are weights of classes.
    """
    if not names:
        return
    matched = {
        name: _matched(cast("Mapping[Any, object]", value), target)
        for name, value in _values(estimator, names).items()
        if isinstance(value, Mapping)
    }
    if matched:
        estimator.set_params(**matched)


def _values(estimator: Estimator, names: Sequence[str]) -> dict[str, object]:
    from sklearn.base import BaseEstimator

    if type(estimator).get_params is BaseEstimator.get_params and not any("__" in n for n in names):
        return {name: getattr(estimator, name) for name in names}  # it reads all of them like this
    values = estimator.get_params()
    return {name: values.get(name) for name in names}


def _matched(weights: Mapping[Any, object], target: Target) -> dict[Any, object]:
    labels = np.unique(target).tolist()
    renamed = {_label(key, labels): weight for key, weight in weights.items()}
    return renamed if len(renamed) == len(weights) else dict(weights)


def _label(key: object, labels: list[Any]) -> object:
    if key in labels:
        return key
    same = [label for label in labels if str(label) == str(key)]
    number = _number(key)
    equal = [label for label in labels if number is not None and _number(label) == number]
    matching = same or equal
    return matching[0] if len(matching) == 1 else key


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
