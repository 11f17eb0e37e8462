"""The methods of an Optuna trial, answered with the values of a candidate. Optuna is not needed."""

import json
import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Final, NoReturn

from iris_hpo.errors import CandidateError, WholeRunError
from iris_hpo.space.values import Value
from iris_hpo.training.evaluation import checked_number

_ADVICE: Final = "change the objective, or the parameter files, so that they agree"


class NoParameterError(CandidateError, KeyError):
    """A call asks for a parameter that its candidate does not have."""

    __str__ = Exception.__str__  # KeyError's has quotes


class Parameters(dict[str, Value]):
    """The values of a candidate; the error of a missing one names those that there are."""

    def __missing__(self, name: object) -> NoReturn:
        names = ", ".join(map(repr, self)) or "no parameters"
        raise NoParameterError(
            f"the function asks for the parameter {name!r}, and the candidate has {names}"
        )


class Suggestions:
    """What an objective written for Optuna uses of its trial.

    A name that is no axis, or a value that is not within what the objective allows, ends the run:
    the objective and the axes do not fit each other.

    Attributes
    ----------
    steps
        What was reported: pairs of step and value.
    user_attrs
        What was set by `set_user_attr`.
    """

    def __init__(self, parameters: Mapping[str, Value]) -> None:
        self.parameters = Parameters(parameters)
        self.steps: list[tuple[int, float]] = []
        self.user_attrs: dict[str, object] = {}

    @property
    def params(self) -> dict[str, Value]:
        """The values of the candidate."""
        return Parameters(self.parameters)

    def suggest_float(
        self,
        name: str,
        low: float,
        high: float,
        *,
        step: float | None = None,
        log: bool = False,  # noqa: ARG002 - as Optuna has it
    ) -> float:
        """Return the value of an axis, if it lies between ``low`` and ``high``."""
        value = self._number(name, f"a number from {low} to {high}")
        self._check_range(name, value, low, high, step)
        return float(value)

    def suggest_int(
        self,
        name: str,
        low: int,
        high: int,
        *,
        step: int = 1,
        log: bool = False,  # noqa: ARG002 - as Optuna has it
    ) -> int:
        """Return the value of an axis, if it is a whole number between ``low`` and ``high``."""
        allowed = f"a whole number from {low} to {high}"
        value = self._number(name, allowed)
        if value != int(value):
            raise self._misfit(name, allowed)
        self._check_range(name, value, low, high, step)
        return int(value)

    def suggest_categorical(self, name: str, choices: Sequence[Value]) -> Value:
        """Return the value of an axis, if it is one of the choices."""
        value = self._value(name)
        for choice in choices:
            if choice == value and isinstance(choice, bool) == isinstance(value, bool):
                return choice
        raise self._misfit(name, f"one of {', '.join(map(repr, choices))}")

    def report(self, value: float, step: int) -> None:
        """Keep an intermediate value; Optuna's order of arguments."""
        try:
            self.steps.append((int(step), checked_number(value, f"the value of step {step}")))
        except (TypeError, ValueError) as error:
            raise CandidateError(
                f"report({repr(value)[:60]}, {repr(step)[:60]}): {error}; it takes a "
                "number, then a whole number"
            ) from error

    def should_prune(self) -> bool:
        """Never: every candidate is worked on to its end."""
        return False

    def set_user_attr(self, key: str, value: object) -> None:
        """Keep a value that can be written as JSON, in ``user_attrs.json``."""
        try:
            json.dumps({str(key): value})
        except (TypeError, ValueError, RecursionError) as error:
            raise CandidateError(
                f"set_user_attr({repr(key)[:60]}): {error}; give what can be written as JSON"
            ) from error
        self.user_attrs[str(key)] = value

    def _value(self, name: str) -> Value:
        if name not in self.parameters:
            axes = ", ".join(map(repr, self.parameters))
            raise WholeRunError(
                f"the objective asks for {name!r}, which no axis searches: the axes search {axes}; "
                f"{_ADVICE}"
            )
        return self.parameters[name]

    def _number(self, name: str, allowed: str) -> float:
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._misfit(name, allowed)
        return value

    def _check_range(
        self, name: str, value: float, low: float, high: float, step: float | None
    ) -> None:
        allowed = f"a number from {low} to {high}"
        bounds: tuple[object, ...] = (low, high, 0 if step is None else step)
        for bound in bounds:
            if isinstance(bound, bool) or not isinstance(bound, Real):
                raise WholeRunError(
                    f"the objective wants {name!r} to be {allowed}, and {bound!r} is no number; "
                    "change the objective"
                )
        if step is not None and step != 1:
            allowed += f" in steps of {step}"
        if not low <= value <= high or not _is_on_grid(value - low, step):
            raise self._misfit(name, allowed)

    def _misfit(self, name: str, allowed: str) -> WholeRunError:
        return WholeRunError(
            f"the objective wants {name!r} to be {allowed}, and a candidate has "
            f"{self.parameters[name]!r}; {_ADVICE}"
        )


def _is_on_grid(distance: float, step: float | None) -> bool:
    steps = distance / step if step else 0.0
    return math.isclose(steps, round(steps), rel_tol=0.0, abs_tol=1e-8 * max(1.0, abs(steps)))
