"""What pydantic refuses in a search's YAML, as one message per field."""

from typing import Any, Final

from pydantic import ValidationError

Place = tuple[str | int, ...]

_EXPECTED: Final = "Input should be "
_QUOTE: Final = "quote it if it is a text"


def problems(error: ValidationError, attributes: object) -> list[tuple[Place, str]]:
    """List what is wrong, with the place in the YAML where each mistake is written.

    A field that may be one of several types is one mistake, and not one per type; a field that is
    missing is named, since it has no place of its own.
    """
    messages: dict[Place, str] = {}
    texts: set[Place] = set()
    for one in error.errors():
        place = _written(one["loc"], attributes)
        before, message = messages.get(place, ""), one["msg"]
        if one["type"] == "missing":
            message = f"{before}; " * bool(before) + f"{message}: {one['loc'][-1]}"
        elif before:
            message = f"{before}, or {message.removeprefix(_EXPECTED)}"
        messages[place] = message
        if one["type"] == "string_type" and isinstance(one["input"], bool | int | float):
            texts.add(place)
    return [
        (place, f"{message}; {_QUOTE}" if place in texts else message)
        for place, message in messages.items()
    ]


def _written(field: Place, attributes: Any) -> Place:
    """The longest part of a field's place that is written: pydantic adds names of types to it."""
    for length, part in enumerate(field):
        try:
            attributes = attributes[part]
        except (LookupError, TypeError):
            return field[:length]
    return field
