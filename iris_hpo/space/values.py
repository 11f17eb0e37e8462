"""Values of axes: their types, and how values are read, checked, ordered and written into a key.

An axis may have several types. The spelling of a value decides which type it has: whole numbers,
numbers, true and false, and tuples are spelled differently, and any other spelling is a text.
"""

import math
import re
from collections.abc import Sequence
from typing import Any, Final, Literal, cast

from iris_hpo.text import NUMBER

Number = float | int
Value = float | int | str | bool | tuple[Number, ...] | None
AxisType = Literal["float", "int", "str", "bool", "tuple"]

TYPES: Final[tuple[AxisType, ...]] = ("float", "int", "str", "bool", "tuple")
NUMBERS: Final[tuple[AxisType, ...]] = ("float", "int")

MAX_DIGITS: Final = 18
"""Largest number of digits of a whole number, so that it fits 64 bits."""

_NOT_FINITE: Final = ("nan", "inf", "infinity")
_DECIMAL: Final = re.compile(NUMBER, re.ASCII)
_DIGITS: Final = re.compile(r"[+-]?\d+", re.ASCII)
_INTEGER: Final = re.compile(rf"[+-]?\d{{1,{MAX_DIGITS}}}", re.ASCII)
_WHOLE: Final = re.compile(rf"[+-]?\d{{1,{MAX_DIGITS}}}(\.0*)?", re.ASCII)
_ITEMS: Final = rf"\s*(?:{NUMBER}\s*(?:,\s*{NUMBER}\s*)*,?\s*)?"
_TUPLE: Final = re.compile(rf"\({_ITEMS}\)|\[{_ITEMS}\]", re.ASCII)
_TUPLE_KEY: Final = re.compile(rf"x|(?:{NUMBER}x)+(?:{NUMBER})?", re.ASCII)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.-]", re.ASCII)
_ESCAPED: Final = re.compile(r"~([0-9A-F]{2})", re.ASCII)


def type_of_text(text: str, types: Sequence[AxisType]) -> AxisType:
    """Type of a value as a user writes it; with several types, its spelling decides."""
    if len(types) == 1:
        return types[0]
    if "int" in types and _DIGITS.fullmatch(text):
        return "int"
    if _DECIMAL.fullmatch(text) or text.lower().lstrip("+-") in _NOT_FINITE:
        for kind in NUMBERS:
            if kind in types:
                return kind
    if "bool" in types and text.lower() in ("true", "false"):
        return "bool"
    if "tuple" in types and _TUPLE.fullmatch(text):
        return "tuple"
    return _rest(types)


def type_of_key(text: str, types: Sequence[AxisType]) -> AxisType:
    """Type of a value as it is written in a key."""
    if len(types) == 1:
        return types[0]
    if "tuple" in types and _TUPLE_KEY.fullmatch(text):
        return "tuple"
    if "bool" in types and text in ("True", "False"):
        return "bool"
    if "int" in types and _DIGITS.fullmatch(text):
        return "int"
    for kind in NUMBERS:
        if kind in types and _DECIMAL.fullmatch(text):
            return kind
    return _rest(types)


def type_of_value(value: object, types: Sequence[AxisType]) -> AxisType:
    """Type of a Python value."""
    if len(types) == 1:
        return types[0]
    kinds: dict[type, tuple[AxisType, ...]] = {
        bool: ("bool",),
        int: ("int", "float"),
        float: ("float", "int"),
        str: ("str",),
        tuple: ("tuple",),
        list: ("tuple",),
    }
    for kind in kinds.get(type(value), ()):
        if kind in types:
            return kind
    return _rest(types)


def parse(text: str, kind: AxisType, *, positive: bool) -> Value:
    """Read a value of a type as a user writes it.

    Raises
    ------
    ValueError
        If the text is not such a value; with the reason, such as ``is not a number``.
    """
    if kind == "float":
        if text.lower().lstrip("+-") in _NOT_FINITE:
            raise ValueError("is not a finite number")
        if not _DECIMAL.fullmatch(text):
            raise ValueError("is not a number")
        return check(float(text), kind, positive=positive)
    if kind == "int":
        if not _WHOLE.fullmatch(text):
            raise ValueError(f"is not a whole number of at most {MAX_DIGITS} digits")
        return check(int(text.partition(".")[0]), kind, positive=positive)
    if kind == "bool":
        if text.lower() not in ("true", "false"):
            raise ValueError("is neither true nor false")
        return text.lower() == "true"
    if kind == "tuple":
        if not _TUPLE.fullmatch(text):
            raise ValueError("is not a tuple of numbers")
        return check(_numbers(text[1:-1].split(",")), kind, positive=positive)
    return text


def check(value: object, kind: AxisType, *, positive: bool) -> Value:
    """Check a value, and return it in the given type: 1 as 1.0 for ``float``.

    Raises
    ------
    ValueError
        If it is not such a value; with the reason.
    """
    if kind == "str":
        if not isinstance(value, str):
            raise ValueError("is not a text")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError("has half of a character; in YAML, write all of it as \\U0001f600")
        return value
    if kind == "bool":
        if not isinstance(value, bool):
            raise ValueError("is not true or false")
        return value
    if kind == "tuple":
        if not isinstance(value, (tuple, list)):
            raise ValueError("is not a tuple of numbers")
        items = cast("Sequence[Any]", value)
        return tuple(
            _number(item, "int" if isinstance(item, int) else "float", positive=positive)
            for item in items
        )
    return _number(value, kind, positive=positive)


def encode(value: Value, types: Sequence[AxisType]) -> str:
    """Write a value for a key."""
    if value is None:
        return "~"
    if isinstance(value, tuple):
        return "x".join(map(repr, value)) + "x" * (len(value) < 2)
    if not isinstance(value, str):
        return repr(value)
    escaped = _escape(value)
    if len(types) > 1 and type_of_key(escaped, types) != "str":
        return f"~{ord(escaped[0]):02X}{escaped[1:]}"
    return escaped


def decode(text: str, types: Sequence[AxisType], *, positive: bool) -> Value:
    """Read a value back from a key; the inverse of `encode`.

    Raises
    ------
    ValueError
        If the text has none of these types.
    """
    kind = type_of_key(text, types)
    if kind == "str":
        return _unescape(text)
    if kind == "tuple":
        if not _TUPLE_KEY.fullmatch(text):
            raise ValueError("is not a tuple of numbers")
        return check(_numbers(text.split("x")), kind, positive=positive)
    if kind == "int" and not _INTEGER.fullmatch(text):
        raise ValueError(f"is not a whole number of at most {MAX_DIGITS} digits")
    return parse(text, kind, positive=positive)


def sort_key(value: Value) -> tuple[Any, ...]:
    """Sort key of a value: none, then numbers by size, then texts, then tuples."""
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, str):
        return (2, 0.0, value)
    if isinstance(value, tuple):
        return (3, value, encode(value, ()))
    return (1, value, type(value).__name__)  # True == 1 == 1.0


def expects(kind: AxisType, *, positive: bool) -> str:
    """Description of a value of a type, for messages."""
    limit = " greater than zero" if positive else ""
    return {
        "float": f"a finite number{limit} such as 0.25 or 1e-3",
        "int": f"a whole number{limit}",
        "str": "a text",
        "bool": "true or false",
        "tuple": f"a tuple of numbers{limit} such as (50,) or (50, 50)",
    }[kind]


def _rest(types: Sequence[AxisType]) -> AxisType:
    """Type of a value that is spelled like no other type: text, or the first type, to refuse it."""
    return "str" if "str" in types else types[0]


def _numbers(texts: Sequence[str]) -> tuple[Number, ...]:
    stripped = [text.strip() for text in texts]
    return tuple(
        int(text) if _DIGITS.fullmatch(text) and len(text) <= MAX_DIGITS + 2 else float(text)
        for text in stripped
        if text
    )


def _number(number: Any, kind: AxisType, *, positive: bool) -> Number:
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise ValueError("is not a number")
    try:
        real = float(number)
    except OverflowError as error:
        raise ValueError("is too large for a number") from error
    if math.isnan(real):
        raise ValueError("is not a number")
    if math.isinf(real):
        raise ValueError("is too large for a number")
    if kind == "int":
        if number != int(number):
            raise ValueError("is not a whole number")
        number = int(number)
        if abs(number) >= 10**MAX_DIGITS:
            raise ValueError(f"is not a whole number of at most {MAX_DIGITS} digits")
    else:
        number = real or 0.0  # -0.0 is 0.0
    if positive and number <= 0:
        raise ValueError("is not greater than zero")
    return number


def _escape(text: str) -> str:
    """Escape a text for keys, file names and URLs: ``~`` and two hex digits per UTF-8 byte."""

    def escaped(match: re.Match[str]) -> str:
        return "".join(f"~{byte:02X}" for byte in match.group().encode())

    # Dots are kept for values such as versions, but not two in a row: Dagster reads `...` as a
    # range.
    return _UNSAFE.sub(escaped, text).replace("..", ".~2E")


def _unescape(text: str) -> str:
    raw = _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), text)
    try:
        return raw.encode("latin-1").decode()
    except UnicodeError as error:
        raise ValueError("is not a text that was escaped for a key") from error
