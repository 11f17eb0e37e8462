"""A class with ``fit`` and ``predict`` and nothing else of scikit-learn, as an estimator.

Each fit makes a new object of the class, with keyword arguments.
"""

import inspect
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils.metaestimators import available_if

from iris_hpo.errors import InputError
from iris_hpo.training.parameter_names import OPEN, arguments
from iris_hpo.training.settings import import_class, make_arguments

_METHODS: Final = ("fit", "predict")
_ONLY_CLASSIFIERS: Final = ("predict_proba", "decision_function")


def is_plain_class(named: object) -> bool:
    """Whether something is a class with ``fit`` and ``predict``, and without ``get_params``."""
    has = [hasattr(named, method) for method in _METHODS]
    return inspect.isclass(named) and all(has) and not hasattr(named, "get_params")


def plain_estimator(path: str, settings: Mapping[str, object]) -> "PlainEstimator":
    """Make an estimator of a plain class.

    Parameters
    ----------
    path
        Its import path.
    settings
        Arguments of its constructor.

    Raises
    ------
    InputError
        If the class takes no such setting, or it is not known what it predicts.
    """
    named: Any = import_class(path)
    given = make_arguments(named, settings)
    kind = getattr(named, "_estimator_type", None)
    if kind == "classifier" or (
        kind is None and any(hasattr(named, name) for name in _ONLY_CLASSIFIERS)
    ):
        return PlainClassifier(path, given)
    if kind == "regressor":
        return PlainRegressor(path, given)
    raise InputError(
        f"{path!r} does not say whether it classifies; give the class an attribute "
        "_estimator_type = 'classifier' or 'regressor'",
        field=("estimator",),
    )


class PlainEstimator(BaseEstimator):
    """An estimator whose parameters are the arguments of a class.

    Parameters
    ----------
    path
        Import path of the class.
    given
        Arguments; others have the defaults of the class.

    Attributes
    ----------
    model
        After `fit`, the object of the class.
    """

    model: Any

    def __init__(self, path: str, given: Mapping[str, object]) -> None:
        self.path = path
        self._given = dict(given)

    @cached_property
    def own_class(self) -> Any:
        """The class."""
        return import_class(self.path)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002, FBT001, FBT002
        """Return all arguments by name, with a mark for those that are required and not given."""
        names = arguments(self.own_class)[0]
        signature = inspect.signature(self.own_class).parameters
        return {**{name: signature[name].default for name in names}, **self._given}

    def set_params(self, **parameters: Any) -> Self:
        """Set arguments."""
        known, takes_more = arguments(self.own_class)
        for name in parameters:
            if name not in known and not takes_more:
                raise ValueError(f"{self.own_class.__name__} has no argument {name!r}")
        self._given.update(parameters)
        return self

    def fit(self, X: Any, y: Any, **more: Any) -> Self:  # noqa: N803
        """Make an object of the class, and fit it."""
        given = {name: value for name, value in self._given.items() if value is not OPEN}
        self.model = self.own_class(**given)
        self.model.fit(X, y, **more)
        return self

    def predict(self, X: Any) -> NDArray[np.generic]:  # noqa: N803
        """Predict rows."""
        return np.asarray(self.model.predict(X))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model")

    def __sklearn_clone__(self) -> Self:
        given = {name: clone(value, safe=False) for name, value in self._given.items()}
        return type(self)(self.path, given)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "own_class"}

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:  # noqa: N803 - as its base class
        arguments_given = ", ".join(f"{name}={value!r}" for name, value in self._given.items())
        return f"{self.own_class.__name__}({arguments_given})"


class PlainRegressor(RegressorMixin, PlainEstimator):
    """A regressor."""


def _has(name: str) -> Any:
    def own_class_has(estimator: PlainEstimator) -> bool:
        return hasattr(estimator.own_class, name)

    return available_if(own_class_has)


class PlainClassifier(ClassifierMixin, PlainEstimator):
    """A classifier.

    Attributes
    ----------
    classes_
        After `fit`, those of the object, or the sorted labels of its rows if it names none.
    """

    classes_: NDArray[Any]

    def fit(self, X: Any, y: Any, **more: Any) -> Self:  # noqa: N803
        """Make an object of the class, and fit it."""
        labels = np.unique(y)
        super().fit(X, y, **more)
        self.classes_ = np.asarray(getattr(self.model, "classes_", labels))
        return self

    @_has("predict_proba")
    def predict_proba(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return the probabilities of the classes. Shape (rows, classes)."""
        return np.asarray(self.model.predict_proba(X))

    @_has("decision_function")
    def decision_function(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return the decision values of the rows."""
        return np.asarray(self.model.decision_function(X))
