"""Estimators by import path: one alone, or a pipeline of steps."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Features, Target, Task
from iris_hpo.errors import InputError, at_field
from iris_hpo.space.values import Value
from iris_hpo.text import names_for, one_line, shorten
from iris_hpo.training.origin import Origin
from iris_hpo.training.parameter_names import accepts, misspelt
from iris_hpo.training.preparation import VERSION as PREPARATION
from iris_hpo.training.preparation import prepare
from iris_hpo.training.settings import construct, identity, import_class, import_paths
from iris_hpo.training.source_code import loaded_code


class Estimator(Protocol):
    """The methods of a scikit-learn estimator that are used."""

    def fit(self, X: Features, y: Target, **more: Any) -> object:  # noqa: N803
        """Learn from rows."""
        ...

    def predict(self, X: Features) -> NDArray[np.generic]:  # noqa: N803
        """Predict rows."""
        ...

    def get_params(self) -> dict[str, object]:
        """Return all parameters, those of steps as ``step__parameter``."""
        ...

    def set_params(self, **parameters: object) -> object:
        """Set parameters."""
        ...


@dataclass(frozen=True)
class Step:
    """One estimator: its import path, such as ``sklearn.svm.SVC``, and its fixed settings.

    Settings are plain values, lists and mappings; nested estimators and functions stand in them by
    their import paths, see `iris_hpo.training.settings`.
    """

    estimator: str
    settings: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def name(self) -> str:
        """The step's name in a pipeline: the class's in lower case, as scikit-learn's own."""
        return self.estimator.rpartition(".")[2].lower()

    @property
    def import_paths(self) -> tuple[str, ...]:
        """The estimator's import path, then those of estimators and functions in its settings."""
        return (self.estimator, *import_paths(self.settings))


@dataclass(frozen=True)
class Recipe(Origin):
    """How to build the estimator of a candidate.

    Parameters
    ----------
    steps
        One for a single estimator; more are a pipeline, whose parameters are addressed as
        ``svc__C``.
    seed
        Given to every ``random_state`` that the settings leave open, so that results repeat.
    kinds
        Kinds of the features that have to be prepared for the estimator; nothing if all are
        complete numbers.
    """

    steps: tuple[Step, ...]
    seed: int = 0
    kinds: tuple[str, ...] = ()

    @property
    def import_paths(self) -> tuple[str, ...]:
        """The import paths of all steps, and of estimators and functions in their settings."""
        return tuple(path for step in self.steps for path in step.import_paths)

    def build(self, parameters: Mapping[str, Value] | None = None) -> Estimator:
        """Make an unfitted estimator as scikit-learn's searches do.

        A clone of the base, which has all settings, gets the parameters: with a constructor that
        derives something from its arguments, this is not the same as constructing it with them.

        Raises
        ------
        InputError
            For an import path, a setting or a parameter that does not exist, and for an estimator
            that cannot be cloned.
        """
        self._check_names(parameters or {})
        estimator = _clone(self._base)
        estimator.set_params(**{name: _clone(value) for name, value in (parameters or {}).items()})
        return estimator

    def prepared(self, estimator: Estimator) -> Estimator:
        """Put in front of an unfitted estimator what its features need."""
        return prepare(estimator, self.kinds, self.seed) if self.kinds else estimator

    @cached_property
    def _base(self) -> Estimator:
        estimator = self._assemble()
        loaded_code(self.import_paths)
        seeds = {
            name: self.seed
            for name, value in estimator.get_params().items()
            if value is None and name.rpartition("__")[2] == "random_state"
        }
        estimator.set_params(**seeds)
        try:
            _clone(estimator)
        except (RuntimeError, TypeError) as error:
            raise InputError(
                f"{self.describe()} cannot be cloned: {one_line(error)}",
                field=("steps", len(self.steps) - 1, "estimator"),
            ) from error
        return estimator

    def doubts(self, parameters: Iterable[str]) -> Sequence[str]:
        """List the settings and parameters that are accepted and are probably misspelt."""
        doubts: list[str] = []
        for name in (*self._stated, *parameters):
            if name not in self._meant:
                self._meant[name] = misspelt(self._base, name)
            if self._meant[name]:
                doubts.append(
                    f"{self.describe()} does not know the parameter {shorten(name)}; did you mean "
                    f"{self._meant[name]!r}? It may have no effect"
                )
        return doubts

    @cached_property
    def _meant(self) -> dict[str, str | None]:
        return {}

    @property
    def _stated(self) -> Iterator[str]:
        """Names of all settings, as ``set_params`` takes them."""
        for step in self.steps:
            prefix = f"{step.name}__" if len(self.steps) > 1 else ""
            yield from (prefix + name for name in step.settings)

    def __getstate__(self) -> dict[str, object]:
        """Return all fields and the code; workers construct the estimator themselves."""
        state: dict[str, object] = {"steps": self.steps, "seed": self.seed, "code": self.code}
        return state | ({"kinds": self.kinds} if self.kinds else {})

    @cached_property
    def class_weights(self) -> tuple[str, ...]:
        """Names of the parameters that are weights of classes."""
        return tuple(
            name for name in self._base.get_params() if name.rpartition("__")[2] == "class_weight"
        )

    @cached_property
    def _checked(self) -> set[str]:
        return set()

    def _check_names(self, parameters: Mapping[str, Value]) -> None:
        if self._checked.issuperset(parameters):
            return  # every fold builds one, and an estimator takes long to name its parameters
        known = self._base.get_params()
        whole = ("steps", *(step.name for step in self.steps)) if len(self.steps) > 1 else ()
        for name in parameters:
            if name in whole:
                raise InputError(
                    f"{name!r} is a part of the pipeline, not a parameter of a step; write "
                    "<step>__<parameter>"
                )
            if not accepts(self._base, known, name):
                raise InputError(
                    f"{self.describe()} has no parameter {shorten(name)}; "
                    f"{names_for(name, sorted(known))}"
                )
        self._checked.update(parameters)

    def _assemble(self) -> Estimator:
        if not self.steps:
            raise InputError(
                "a search needs an estimator, such as sklearn.svm.SVC", field=("steps",)
            )
        made: dict[str, Estimator] = {}
        for index, step in enumerate(self.steps):
            with at_field("steps", index):
                if step.name in made:
                    raise InputError(
                        f"two steps of the pipeline are both {step.name!r}", field=("estimator",)
                    )
                made[step.name] = _construct(step)
        if len(made) == 1:
            return next(iter(made.values()))
        from sklearn.pipeline import Pipeline

        return cast("Estimator", Pipeline(list(made.items())))

    def task(self) -> Task:
        """Return the task of the estimator.

        Raises
        ------
        InputError
            If it is neither a classifier nor a regressor.
        """
        from sklearn.base import is_classifier, is_regressor

        estimator = self.build()
        if is_classifier(estimator):
            return "classification"
        if is_regressor(estimator):
            return "regression"
        raise InputError(
            f"{self.describe()} is neither a classifier nor a regressor",
            field=("steps", len(self.steps) - 1, "estimator"),
        )

    def describe(self) -> str:
        """Name the estimator in a line, such as ``StandardScaler -> SVC``."""
        return " -> ".join(step.estimator.rpartition(".")[2] for step in self.steps)

    def identity(self) -> dict[str, object]:
        """Return what of the recipe decides a fitted model, as JSON."""
        return {
            "steps": [[step.estimator, identity(step.settings)] for step in self.steps],
            "seed": self.seed,
            **({"prepare": [PREPARATION, *self.kinds]} if self.kinds else {}),
            **self.origin_identity(),
        }


def _clone(value: Any) -> Any:
    """Make an unfitted estimator with the same parameters, or a copy of another value."""
    from sklearn.base import clone

    return clone(value, safe=False)


def _construct(step: Step) -> Estimator:
    estimator_class = import_class(step.estimator)
    if inspect.isclass(estimator_class) and hasattr(estimator_class, "get_params"):
        return cast("Estimator", construct(step.estimator, step.settings))
    from iris_hpo.training.plain_class import is_plain_class, plain_estimator

    if is_plain_class(estimator_class):
        return plain_estimator(step.estimator, step.settings)
    raise InputError(
        f"{step.estimator!r} is neither a scikit-learn estimator class nor one with fit and "
        "predict",
        field=("estimator",),
    )
