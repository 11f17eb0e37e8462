"""What a search names of its estimator: axes and choices that it can have."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import NoneType

from iris_hpo.errors import InputError, at_field
from iris_hpo.space.axes import Axis
from iris_hpo.space.simplicity import Simplest, known_simplest
from iris_hpo.space.values import Value
from iris_hpo.training.choices import Choice
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.parameter_names import OPEN
from iris_hpo.training.settings import states

Steps = tuple[Step, ...]


def with_values(steps: Steps, values: Mapping[str, Value]) -> Steps:
    """Give the steps the values of choices, by the choices' names."""
    for name, value in values.items():
        prefix, _, setting = name.rpartition("__")
        steps = tuple(
            replace(step, settings={**step.settings, setting: value})
            if len(steps) == 1 or step.name == prefix
            else step
            for step in steps
        )
    return steps


def check_estimator(steps: Steps, axes: Sequence[Axis], choices: Sequence[Choice]) -> None:
    """Check settings, choices and axes against the estimator.

    Raises
    ------
    InputError
        If a search cannot work with it.
    """
    for index, choice in enumerate(choices):
        with at_field("choices", index):
            _check_choice(steps, axes, choice, choices[:index])
    chosen = with_values(steps, {choice.name: choice.default for choice in choices})
    for index, axis in enumerate(axes):
        with at_field("axes", index, "parameter"):
            Recipe(chosen).build({axis.parameter: None})
            if _is_fixed(steps, axis.parameter):
                raise InputError(
                    f"axis {axis.name!r} searches {axis.parameter!r}, which the settings fix too"
                )
    recipe = Recipe(chosen)
    for name, value in recipe.build({axis.parameter: None for axis in axes}).get_params().items():
        if value is OPEN:
            raise InputError(
                f"{recipe.describe()} requires {name!r}: give it in the settings, or search it",
                field=("estimator",),
            )


def default_values(recipe: Recipe, axes: Sequence[Axis]) -> dict[str, Value]:
    """Return what the estimator uses for the axes' parameters if nothing is searched, by parameter.

    Values that no axis can have, such as a nested estimator, are left out.
    """
    own = recipe.build().get_params()
    values = {axis.parameter: own.get(axis.parameter) for axis in axes}
    plain = (bool, int, float, str, tuple, NoneType)
    return {name: value for name, value in values.items() if isinstance(value, plain)}


def simplest_end(steps: Steps, axis: Axis) -> Simplest | None:
    """Look up which end of an axis makes the simpler model; None where nothing is known."""
    if not axis.is_numeric:
        return None
    prefix, _, parameter = axis.parameter.rpartition("__")
    for step in steps:
        if prefix == (step.name if len(steps) > 1 else ""):
            return known_simplest(step.estimator, parameter)
    return None


def _check_choice(
    steps: Steps, axes: Sequence[Axis], choice: Choice, earlier: Sequence[Choice]
) -> None:
    if choice.name in [axis.parameter for axis in axes]:
        raise InputError(f"{choice.name!r} is both an axis and a choice")
    if choice.name in [other.name for other in earlier]:
        raise InputError(f"two choices are named {choice.name!r}")
    prefix = choice.name.rpartition("__")[0]
    prefixes = [step.name for step in steps] if len(steps) > 1 else [""]
    if prefix not in prefixes:
        names = " or ".join(f"{step}__<setting>".removeprefix("__") for step in prefixes)
        raise InputError(f"choice {choice.name!r} names no setting of a step; write {names}")
    if _is_fixed(steps, choice.name):
        raise InputError(f"choice {choice.name!r} is offered, but the settings fix it")
    for option in choice.options:
        Recipe(with_values(steps, {choice.name: option})).build()


def _is_fixed(steps: Steps, parameter: str) -> bool:
    if len(steps) == 1:
        return states(steps[0].settings, parameter)
    prefix, _, name = parameter.partition("__")
    return any(prefix == step.name and states(step.settings, name) for step in steps)
