"""The description of a setting, as the field of a dataclass of settings."""

from dataclasses import MISSING, dataclass, field, fields
from types import NoneType
from typing import Any, get_args


@dataclass(frozen=True)
class Setting:
    """The description of a setting.

    Attributes
    ----------
    name
        The field's name in the launchpad and in YAML.
    type
        The type of its values: bool, int, float or str.
    default
        The value where neither a run nor the search gives one; None if there is no fixed value.
    text
        What it does, for the launchpad, ``--help`` and the component's documentation.
    metavar
        How ``--help`` writes its value; None for the names or the type.
    names
        The names that it can be chosen from; empty if it takes any value of its type.
    is_option
        Whether the command has an option for it.
    """

    name: str
    type: type[bool | int | float | str]
    default: object
    text: str
    metavar: str | None = None
    names: tuple[str, ...] = ()
    is_option: bool = True

    @property
    def option(self) -> str:
        """The command's option."""
        return f"--{self.name.replace('_', '-')}"


def described(default: object, text: str, **more: object) -> Any:
    """Make the field of a dataclass with the text, and what else a `Setting` has."""
    return field(default=default, metadata={"text": text, **more})


def settings_of(group: type) -> tuple[Setting, ...]:
    """List the settings of a dataclass whose fields are `described`."""
    return tuple(
        Setting(
            one.name,
            _type_of_values(one.type),
            None if one.default is MISSING else one.default,
            **one.metadata,
        )
        for one in fields(group)
    )


def _type_of_values(annotation: Any) -> type:
    return next((kind for kind in get_args(annotation) if kind is not NoneType), annotation)
