"""What pydantic refuses in a search's YAML, as one message per field."""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from iris_hpo.component.templates import refused_template
from iris_hpo.text import listed, near_name

Place = tuple[str | int, ...]

_EXPECTED: Final = "Input should be "
_QUOTE: Final = "quote it if it is a text"
_TEXT: Final = "write a text, or leave the field out"
_ADVICE: Final = {
    "list_type": "write a list: each item after a dash",
    "dict_type": "write fields below it",
    "model_type": "write fields below it",
}


def problems(
    error: ValidationError, attributes: object, model: type[BaseModel]
) -> list[tuple[Place, str]]:
    """List what is wrong, with the place in the YAML where each mistake is written.

    A field that may be one of several types is one mistake, and not one per type; a field that is
    missing is named, since it has no place of its own; for one that does not exist those that do
    are named.

    Parameters
    ----------
    attributes
        What was validated.
    model
        The class that refused it.
    """
    messages: dict[Place, str] = {}
    advice: dict[Place, str] = {}
    errors = [(_written(one["loc"], attributes), one) for one in error.errors()]
    for place, one in errors:
        is_mapping = isinstance(one["input"], dict)
        if is_mapping and one["type"] == "string_type" and _is_within(errors, place):
            continue  # it may be a text too; the mistakes in its fields say more
        before, message = messages.get(place, ""), one["msg"].partition(" or instance of ")[0]
        if one["type"] == "missing":
            message = f"{before}; " * bool(before) + f"{message}: {one['loc'][-1]}"
        elif one["type"] == "extra_forbidden":
            message = _no_such_field(model, one["loc"])
        elif before:
            message = f"{before}, or {message.removeprefix(_EXPECTED)}"
        if template := refused_template(one["input"]):
            messages[place], advice[place] = template, ""
            continue
        messages[place] = message
        if not before or one["type"] == "string_type":
            advice[place] = _what_to_write(one["type"], one["input"])
    return [
        (place, "; ".join(filter(None, (message, advice.get(place)))))
        for place, message in messages.items()
    ]


def _what_to_write(kind: str, value: object) -> str:
    """Say what to write in place of a value of the wrong type; empty if there is nothing to add."""
    if kind == "string_type":
        return _QUOTE if isinstance(value, bool | int | float) else _TEXT
    if kind == "bool_type":
        return "write true or false, without quotes"
    if kind in ("int_type", "float_type"):
        return f"write {_number(value, whole=kind == 'int_type')}"
    return _ADVICE.get(kind, "")


def _number(value: object, *, whole: bool) -> str:
    """The number that was meant, or an example."""
    with suppress(ValueError):
        number = float(value) if isinstance(value, str | float) else math.nan
        if math.isfinite(number) and (number.is_integer() or not whole):
            return f"{int(number) if whole else number}, without quotes"
    return "a whole number such as 5" if whole else "a number such as 0.2"


def _written(field: Place, attributes: Any) -> Place:
    """What of a field's place is written: pydantic adds names of types to it, also within it."""
    place: list[str | int] = []
    for part in field:
        if isinstance(attributes, dict | list):
            with suppress(LookupError, TypeError):
                attributes = cast("Any", attributes)[part]
                place.append(part)
    return tuple(place)


def _no_such_field(model: type[BaseModel], place: Place) -> str:
    known = _fields(model, place[:-1])
    near = near_name(str(place[-1]), known)
    advice = f"did you mean {near!r}?" if near else f"choose from {listed(known)}"
    return f"there is no such field; {advice}"


def _fields(model: type[BaseModel], place: Sequence[str | int]) -> Sequence[str]:
    """Names of the fields that may be written at a place."""
    models = [model]
    for part in place:  # between fields there are indexes, and names of types
        fields = [one.model_fields[part] for one in models if part in one.model_fields]
        models = [one for field in fields for one in _models(field.annotation)] or models
    return list(dict.fromkeys(name for one in models for name in one.model_fields))


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The classes with fields that a type allows."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _is_within(errors: list[tuple[Place, ErrorDetails]], place: Place) -> bool:
    """Whether there is a mistake in one of its fields, or a field is missing."""
    return any(
        len(other) > len(place) or one["type"] == "missing"
        for other, one in errors
        if other[: len(place)] == place
    )
