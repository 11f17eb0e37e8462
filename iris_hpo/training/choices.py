"""Choices: settings of the estimator that a run may change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from iris_hpo.errors import InputError
from iris_hpo.space.values import Value


@dataclass(frozen=True)
class Choice:
    """A fixed setting that a run may change, such as the kernel of an SVM.

    Parameters
    ----------
    name
        The estimator's parameter, ``svc__kernel`` in a pipeline.
    default
        Its value where a run says nothing.
    options
        The values a run may choose from: texts, numbers, truth values, none. A run names them by
        their `texts`.
    description
        Shown in the launchpad.
    """

    name: str
    default: Value
    options: tuple[Value, ...]
    description: str = ""

    def __post_init__(self) -> None:
        for text in self.texts:
            if self.texts.count(text) > 1:
                raise InputError(f"{self.name}: two options are both written {text}")
        self.value(self.default_text)

    @property
    def texts(self) -> tuple[str, ...]:
        """How the options are written in a run's settings."""
        return tuple(map(_spelled, self.options))

    @property
    def default_text(self) -> str:
        """How the default is written."""
        return _spelled(self.default)

    def value(self, text: str) -> Value:
        """Return the option with this text.

        Raises
        ------
        InputError
            If there is none.
        """
        if text not in self.texts:
            raise InputError(
                f"{self.name} {text!r} is unknown; choose one of {', '.join(self.texts)}"
            )
        return self.options[self.texts.index(text)]


def choose(choices: Sequence[Choice], chosen: Mapping[str, str]) -> dict[str, Value]:
    """Return the value of every choice: the chosen option, or the default.

    Parameters
    ----------
    chosen
        Options by the names of their choices, as texts.

    Raises
    ------
    InputError
        For a choice that is not offered, or an option that there is not.
    """
    offered = {choice.name: choice for choice in choices}
    unknown = next((name for name in chosen if name not in offered), None)
    if unknown is not None:
        raise InputError(
            f"this search has no choice {unknown!r}; it has {', '.join(offered) or 'none'}"
        )
    defaults = {choice.name: choice.default for choice in choices}
    return defaults | {name: offered[name].value(text) for name, text in chosen.items()}


def _spelled(value: Value) -> str:
    """Write a value as YAML and parameter files do."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
