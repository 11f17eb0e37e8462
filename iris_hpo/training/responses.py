"""What scorers of scikit-learn get from estimators: recorded once, and replayed later.

A scorer calls one method of an estimator, such as ``predict`` or ``predict_proba``, and computes
its score from what that returns. With the same returned values the score is the same, bit by bit.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier
from sklearn.utils import get_tags

from iris_hpo.data.dataset import Features
from iris_hpo.training.predictions import Column, Outputs

_PREDICT: Final = "predict"
_METHODS: Final = (_PREDICT, "predict_proba", "decision_function", "predict_log_proba")
_DELEGATED: Final = (*_METHODS, "classes_")


class Recording(BaseEstimator):
    """A fitted estimator for scorers of the same rows, which keeps what its methods return.

    Each method is called once, on a copy of the rows: the estimator may change them.
    """

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator
        self._returned: dict[str, Column] = {}

    def __sklearn_tags__(self) -> Any:
        return get_tags(self._estimator)

    def __getattr__(self, name: str) -> Any:
        if name not in _DELEGATED:
            raise AttributeError(name)
        attribute = getattr(self._estimator, name)
        return attribute if name == "classes_" else self._recorded(name, attribute)

    @property
    def predicted(self) -> Column | None:
        """What ``predict`` returned, of shape (rows,); None if it was not called."""
        returned = self._returned.get(_PREDICT)
        return None if returned is None else returned.ravel()

    @property
    def has_outputs(self) -> bool:
        """Whether another method than ``predict`` was called."""
        return bool(self._returned.keys() - {_PREDICT})

    def outputs(self) -> Outputs | None:
        """Return what the other methods returned; None if that cannot be replayed."""
        values = {name: value for name, value in self._returned.items() if name != _PREDICT}
        classes = np.asarray(getattr(self._estimator, "classes_", ()))
        sound = all(value.dtype.kind == "f" and value.ndim in (1, 2) for value in values.values())
        if not sound or classes.ndim != 1 or not len(classes):
            return None
        if not is_classifier(self):
            return None
        return Outputs(classes, cast("dict[str, NDArray[np.floating]]", values))

    def _recorded(self, name: str, method: Callable[[Features], Any]) -> Callable[[Features], Any]:
        @wraps(method)
        def record(rows: Features) -> Any:
            if name in self._returned:
                return self._returned[name].copy()
            returned = method(rows.copy())
            self._returned[name] = np.array(returned)
            return returned

        return record


class _Replay(BaseEstimator):
    """Returns what was recorded, whatever the rows are."""

    def __init__(self, predicted: Column, outputs: Outputs | None) -> None:
        self.classes_ = np.unique(predicted) if outputs is None else outputs.classes
        self._returned = {_PREDICT: predicted, **(outputs.values if outputs else {})}

    def __getattr__(self, name: str) -> Any:
        returned = vars(self).get("_returned", {})
        if name not in returned:
            raise AttributeError(name)

        def replay(rows: object) -> Column:  # noqa: ARG001 - a scorer gives them
            return returned[name].copy()

        replay.__name__ = name
        return replay


class _ClassifierReplay(ClassifierMixin, _Replay):
    """Likewise; scorers treat probabilities and decision values as those of a classifier."""


def replay(predicted: Column, outputs: Outputs | None) -> Any:
    """Make an estimator that returns what another one returned.

    Parameters
    ----------
    predicted, outputs
        Predictions of rows, and what else was recorded for them.
    """
    kind = _Replay if outputs is None else _ClassifierReplay
    return kind(predicted, outputs)
