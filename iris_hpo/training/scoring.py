"""Score fitted classifiers and regressors with scikit-learn's scorers."""

import warnings
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Features, Target, Task
from iris_hpo.errors import InputError
from iris_hpo.text import listed, shorten
from iris_hpo.training.estimators import Estimator

_TRUTH: Final = {"false": 0, "true": 1}
_FOR_ALL_CLASSES: Final = ("accuracy", "balanced_accuracy")


def check_scoring(scoring: str, task: Task) -> None:
    """Check that scikit-learn knows a scoring, and that it is for the task.

    Raises
    ------
    InputError
        Otherwise.
    """
    from sklearn.dummy import DummyRegressor
    from sklearn.metrics import get_scorer, get_scorer_names

    try:
        scorer = get_scorer(scoring)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"scoring {scoring!r} is unknown to scikit-learn; it knows "
            f"{', '.join(get_scorer_names())}"
        ) from error
    if task == "classification":
        return
    features, target = np.zeros((4, 1)), np.array([0.5, 1.25, 2.5, 4.75])
    guess = DummyRegressor().fit(features, target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            scorer(guess, features, target)
        except (ValueError, TypeError, AttributeError) as error:
            raise InputError(
                f"scoring {scoring!r} is for classes, and this search predicts numbers"
            ) from error


def check_classes(scoring: str, *targets: Target) -> None:
    """Check that a scoring can judge the classes of targets.

    Scorings such as ``f1`` are for two classes of which one is 1.

    Raises
    ------
    InputError
        Names the classes and what to write.
    """
    if scoring in _FOR_ALL_CLASSES:
        return
    from sklearn.dummy import DummyClassifier

    classes = np.array(
        sorted({label for target in targets for label in np.unique(target).tolist()})
    )
    tried = np.repeat(classes[:3], 2)  # three are as many as more
    features = np.zeros((len(tried), 1))
    guess: Any = DummyClassifier().fit(features, tried)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            score_by(scoring, guess, features, tried)
        except (ValueError, TypeError) as error:
            shown = listed([str(label) for label in classes.tolist()])
            raise InputError(
                f"scoring {scoring!r} cannot judge the classes {shown}; choose "
                f"{_instead(scoring, len(classes))}"
            ) from error


def score_by(scoring: str, estimator: Estimator, features: Features, target: Target) -> float:
    """Score as scikit-learn does when it reads labels such as ``1.0`` and ``True`` as numbers."""
    from sklearn.metrics import get_scorer

    scorer = get_scorer(scoring)
    numbers = _numbers(target, estimator)
    if numbers is None:
        return float(scorer(estimator, features, target))
    return float(scorer(_numbered(estimator, numbers), features, _renamed(target, numbers)))


def _instead(scoring: str, classes: int) -> str:
    from sklearn.metrics import get_scorer_names

    known = get_scorer_names()
    other = next(
        (f"{scoring}_{end}" for end in ("macro", "ovr") if f"{scoring}_{end}" in known),
        "another, such as balanced_accuracy",
    )
    return f"{other}, or write the labels as 0 and 1" if classes == 2 else other


def _numbers(target: Target, estimator: Estimator) -> Mapping[str, int] | None:
    """Read the labels as whole numbers or truth values, in their order; None if they are not."""
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


def _renamed(labels: NDArray[np.generic], numbers: Mapping[str, int]) -> NDArray[np.int64]:
    texts = [str(label) for label in labels.ravel().tolist()]
    unknown = next((text for text in texts if text not in numbers), None)
    if unknown is not None:
        raise ValueError(f"it predicts {shorten(unknown)}, which is no class")
    return np.array([numbers[text] for text in texts], dtype=np.int64)


def _numbered(estimator: Any, numbers: Mapping[str, int]) -> object:
    """Wrap a fitted classifier so that its labels are numbers."""
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Numbered(ClassifierMixin, BaseEstimator):
        def __init__(self) -> None:
            self.classes_ = _renamed(np.asarray(estimator.classes_), numbers)

        def predict(self, rows: Features) -> NDArray[np.int64]:
            return _renamed(np.asarray(estimator.predict(rows)), numbers)

        def __getattr__(self, name: str) -> object:
            if name in ("predict_proba", "decision_function", "predict_log_proba"):
                return getattr(estimator, name)
            raise AttributeError(name)

    return Numbered()
