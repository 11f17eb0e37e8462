"""Labels of classes as scorers of scikit-learn read them: numbers, and 1 for the positive class."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Features, Target
from iris_hpo.text import shorten
from iris_hpo.training.estimators import Estimator

_TRUTH: Final = {"false": 0, "true": 1}
_RESPONSES: Final = ("predict_proba", "decision_function", "predict_log_proba")

Numbers = Mapping[str, int]
"""The number of each label."""


def numbers_of(
    target: Target, estimator: Estimator, pos_label: str | None = None
) -> Numbers | None:
    """Read labels as numbers.

    Parameters
    ----------
    pos_label
        The positive class, which becomes 1, and the other one 0.

    Returns
    -------
    mapping or None
        None if the labels stay as they are: without a positive class, all labels have to be whole
        numbers or truth values, in their order.

    Raises
    ------
    ValueError
        If there is a positive class, and there are not two.
    """
    if target.dtype.kind == "f" or not len(target):
        return None
    if pos_label is not None:
        return _by_positive(pos_label, sorted({*map(str, np.unique(target)), *_classes(estimator)}))
    if target.dtype.kind != "U" or _number(str(target[0])) is None:
        return None
    labels = sorted({*np.unique(target).tolist(), *_classes(estimator)})
    numbers = [_number(str(label)) for label in labels]
    known = [number for number in numbers if number is not None]
    is_truth = {label.lower() in _TRUTH for label in labels}
    # In another order, probabilities would change places.
    if len(known) < len(labels) or len(is_truth) > 1 or known != sorted(set(known)):
        return None
    return dict(zip(labels, known, strict=True))


def renamed(labels: NDArray[np.generic], numbers: Numbers) -> NDArray[np.int64]:
    """Replace labels by their numbers.

    Raises
    ------
    ValueError
        For a label that is no class.
    """
    texts = [str(label) for label in labels.ravel().tolist()]
    unknown = next((text for text in texts if text not in numbers), None)
    if unknown is not None:
        raise ValueError(f"it predicts {shorten(unknown)}, which is no class")
    return np.array([numbers[text] for text in texts], dtype=np.int64)


def numbered(estimator: Any, numbers: Numbers) -> object:
    """Wrap a fitted classifier so that its labels are numbers, in their order."""
    from sklearn.base import BaseEstimator, ClassifierMixin

    classes = renamed(np.asarray(estimator.classes_), numbers)
    is_turned = len(classes) > 1 and bool(classes[0] > classes[-1])  # of two classes

    class Numbered(ClassifierMixin, BaseEstimator):
        def __init__(self) -> None:
            self.classes_ = np.sort(classes)

        def predict(self, rows: Features) -> NDArray[np.int64]:
            return renamed(np.asarray(estimator.predict(rows)), numbers)

        def __getattr__(self, name: str) -> object:
            if name not in _RESPONSES:
                raise AttributeError(name)
            method = getattr(estimator, name)
            return _turned(method) if is_turned else method

    return Numbered()


def same_label(written: str, labels: list[str]) -> str | None:
    """Return the label that a text or a number means; None if it is none of them."""
    if written in labels:
        return written
    number = _number(written)
    equal = [label for label in labels if number is not None and _number(label) == number]
    return equal[0] if len(equal) == 1 else None


def _by_positive(pos_label: str, labels: list[str]) -> Numbers:
    positive = same_label(pos_label, labels)
    if len(labels) > 2:
        raise ValueError("a positive class is for two classes")
    return {label: int(label == positive) for label in labels}


def _turned(method: Any) -> object:
    """Make a method of two classes that takes them in the other order."""

    def turned(rows: Features) -> NDArray[np.floating]:
        values = np.asarray(method(rows))
        return -values if values.ndim == 1 else values[:, ::-1]

    turned.__name__ = method.__name__
    return turned


def _number(label: str) -> int | None:
    if label.lower() in _TRUTH:
        return _TRUTH[label.lower()]
    try:
        number = float(label)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _classes(estimator: Estimator) -> list[str]:
    return [str(label) for label in getattr(estimator, "classes_", ())]
