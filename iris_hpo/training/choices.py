"""Settings of the estimator that are chosen for a run."""

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
        """Return the option that is written so.

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


def _spelled(value: Value) -> str:
    """A value as YAML and parameter files write it."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
