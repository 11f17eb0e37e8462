"""The parameter space: axes, candidates, and the codec between a candidate and its key.

A key such as ``C0.5_G0.25`` is at once a partition key, a part of file names and a label. It is
made of one piece per axis, in the order of the space: the axis's symbol, then the value. Every
candidate has exactly one key, and every key is read back to exactly its candidate.
"""

import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from iris_hpo.search.errors import InputError, at_field
from iris_hpo.search.simplicity import SIMPLEST, Simplest
from iris_hpo.text import shorten

_TYPES: Final = ("float", "int", "str", "bool")

Value = float | int | str | bool | None
AxisType = Literal["float", "int", "str", "bool"]

MAX_KEY_LENGTH: Final = 200
"""Longest key, in characters: ``model_<key>.json`` and a temporary name fit a file name of 255."""

_NONE_TEXT: Final = "none"
_DECIMAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DIGITS: Final = 18  # of a whole number: it fits 64 bits
_INTEGER: Final = re.compile(rf"[+-]?\d{{1,{_DIGITS}}}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_SYMBOL: Final = re.compile(r"[A-Za-z]{1,16}", re.ASCII)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.-]", re.ASCII)
_ESCAPED: Final = re.compile(r"~([0-9A-F]{2})", re.ASCII)


@dataclass(frozen=True)
class Candidate:
    """One point of a parameter space.

    Attributes
    ----------
    key
        The candidate's name everywhere, for example ``C0.5_G0.25``.
    values
        One value per axis, in the order of the space.
    """

    key: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Axis:
    """One searched parameter.

    Parameters
    ----------
    name
        How parameter files and tables call it, for example ``gamma``.
    symbol
        What it is in a key: letters only, for example ``G``.
    parameter
        The estimator's name for it, for example ``svc__gamma``; the axis's name by default.
    type
        The type of its values.
    positive
        Whether numbers must be greater than zero.
    nullable
        Whether ``none`` is a value too.
    simplest
        Which end of the scale makes the simpler model, for the rule ``one_standard_error``:
        ``low``, ``high``, or ``neither`` for an axis that does not matter. A value that is no
        number, such as ``none`` for no limit, counts as the least simple.
    """

    name: str
    symbol: str
    parameter: str = ""
    type: AxisType = "float"
    positive: bool = False
    nullable: bool = False
    simplest: Simplest | None = None

    def __post_init__(self) -> None:
        if not self.parameter:
            object.__setattr__(self, "parameter", self.name)
        if self.type not in _TYPES:
            raise InputError(
                f"axis {self.name!r}: type {self.type!r} is unknown; use one of {', '.join(_TYPES)}"
            )
        if not _NAME.fullmatch(self.name) or "_parameters" in self.name.lower():
            raise InputError(
                f"axis {self.name!r}: a name is letters, digits and underscores, begins with a "
                "letter and does not contain '_parameters'"
            )
        if not _SYMBOL.fullmatch(self.symbol):
            raise InputError(f"axis {self.name!r}: symbol {self.symbol!r} must be 1 to 16 letters")
        if self.positive and self.type not in ("float", "int"):
            raise InputError(f"axis {self.name!r}: only numbers can be positive, not {self.type}")

        if self.simplest not in (None, *SIMPLEST):
            raise InputError(
                f"axis {self.name!r}: simplest {self.simplest!r} is unknown; use one of "
                f"{', '.join(SIMPLEST)}"
            )
        if self.simplest in ("low", "high") and not self.is_numeric:
            raise InputError(
                f"axis {self.name!r}: {self.type} values have no low and no high end; "
                "write simplest: neither"
            )

    @property
    def is_numeric(self) -> bool:
        """Whether values are numbers that can be put on a scale."""
        return self.type in ("float", "int")

    @property
    def expects(self) -> str:
        """What a value must be, in words for messages."""
        positive = " greater than zero" if self.positive else ""
        words = {
            "float": f"a finite number{positive} such as 0.25 or 1e-3",
            "int": f"a whole number{positive}",
            "str": "a text",
            "bool": "true or false",
        }[self.type]
        return f"{words}, or none" if self.nullable else words

    def parse(self, text: str) -> Value:
        """Read one value as a user writes it.

        Raises
        ------
        ValueError
            With the reason, such as ``is not a number``.
        """
        if self.nullable and text.lower() == _NONE_TEXT:
            return None
        return _PARSERS[self.type](self, text)

    def check(self, value: Value) -> Value:
        """Return a value as this axis holds it, whatever equal form it came in."""
        if value is None:
            if not self.nullable:
                raise ValueError("is none, which this axis does not allow")
            return None
        if self.type == "str":
            if not isinstance(value, str):
                raise ValueError("is not a text")
            return value
        if self.type == "bool":
            if not isinstance(value, bool):
                raise ValueError("is not true or false")
            return value
        if isinstance(value, (bool, str)):
            raise ValueError("is not a number")
        return self._number(value)

    def encode(self, value: Value) -> str:
        """Write a value as it stands in a key."""
        if value is None:
            return "~"
        if isinstance(value, str):
            return _escape(value)
        return repr(value)

    def decode(self, text: str) -> Value:
        """Read a value back from a key; the inverse of `encode`."""
        if text == "~":
            return self.check(None)
        if self.type == "str":
            return self.check(_unescape(text))
        if self.type == "bool":
            return _parse_bool(self, text.lower())
        return _PARSERS[self.type](self, text)

    def sort_key(self, value: Value) -> tuple[int, float, str]:
        """Order values: none, then numbers by size, then texts."""
        if value is None:
            return (0, 0.0, "")
        if isinstance(value, str):
            return (2, 0.0, value)
        return (1, value, "")

    def simplicity(self, value: Value) -> tuple[int, float]:
        """Order values, the simplest first; all are equal where neither end is simpler."""
        if self.simplest not in ("low", "high"):
            return (0, 0.0)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return (1, 0.0)
        return (0, -value if self.simplest == "high" else value)

    def identity(self) -> dict[str, object]:
        """Everything of the axis that decides about candidates, as JSON."""
        return {
            "name": self.name,
            "symbol": self.symbol,
            "parameter": self.parameter,
            "type": self.type,
            "positive": self.positive,
            "nullable": self.nullable,
        }

    def _number(self, number: float) -> float | int:
        try:
            real = float(number)
        except OverflowError as error:
            raise ValueError("is too large for a number") from error
        if math.isnan(real):
            raise ValueError("is not a number")
        if math.isinf(real):
            raise ValueError("is too large for a number")
        if self.type == "int":
            if number != int(number):
                raise ValueError("is not a whole number")
            number = int(number)
            if abs(number) >= 10**_DIGITS:
                raise ValueError(f"is not a whole number of at most {_DIGITS} digits")
        else:
            number = real or 0.0  # -0.0 is 0.0
        if self.positive and number <= 0:
            raise ValueError("is not greater than zero")
        return number


def _parse_float(axis: Axis, text: str) -> Value:
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        raise ValueError("is not a finite number")
    if not _DECIMAL.fullmatch(text):
        raise ValueError("is not a number")
    return axis.check(float(text))


def _parse_int(axis: Axis, text: str) -> Value:
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"is not a whole number of at most {_DIGITS} digits")
    return axis.check(int(text))


def _parse_str(axis: Axis, text: str) -> Value:
    return axis.check(text)


def _parse_bool(axis: Axis, text: str) -> Value:
    if text.lower() not in ("true", "false"):
        raise ValueError("is neither true nor false")
    return axis.check(text.lower() == "true")


_PARSERS: Final[Mapping[AxisType, Callable[[Axis, str], Value]]] = {
    "float": _parse_float,
    "int": _parse_int,
    "str": _parse_str,
    "bool": _parse_bool,
}


def _escape(text: str) -> str:
    """Make any text safe in keys, file names and URLs: ``~`` and two hex digits per UTF-8 byte."""

    def escaped(match: re.Match[str]) -> str:
        return "".join(f"~{byte:02X}" for byte in match.group().encode())

    # Dots are kept, for version-like values, but not two in a row: Dagster reads `...` as a range.
    return _UNSAFE.sub(escaped, text).replace("..", ".~2E")


def _unescape(text: str) -> str:
    raw = _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), text)
    try:
        return raw.encode("latin-1").decode()
    except UnicodeError as error:
        raise ValueError("is not a text that was escaped for a key") from error


class ParameterSpace:
    """The axes of a search, and the codec of its keys.

    Parameters
    ----------
    axes
        At least one; names, parameters and symbols are distinct, and no symbol begins with
        another, so that a person cannot misread a key either.
    """

    def __init__(self, axes: Sequence[Axis]) -> None:
        if not axes:
            raise InputError("a search needs at least one axis")
        for (_, first), (index, second) in itertools.combinations(enumerate(axes), 2):
            with at_field(index):
                _refuse_confusion(first, second)
        self.axes = tuple(axes)

    def candidate(self, values: Sequence[Value]) -> Candidate:
        """Make the candidate with these values, one per axis.

        Raises
        ------
        ValueError
            If a value does not belong to its axis or the key would be too long.
        """
        if len(values) != len(self.axes):
            raise ValueError(f"has {len(values)} values for {len(self.axes)} axes")
        checked = tuple(axis.check(value) for axis, value in zip(self.axes, values, strict=True))
        key = "_".join(
            axis.symbol + axis.encode(value) for axis, value in zip(self.axes, checked, strict=True)
        )
        if len(key) > MAX_KEY_LENGTH:
            raise ValueError(f"makes a key of {len(key)} characters; {MAX_KEY_LENGTH} is the limit")
        return Candidate(key, checked)

    def parse_key(self, key: str) -> Candidate:
        """Read a key back to its candidate.

        Only the one canonical spelling is a key: ``C0.50_G1.0`` is refused, ``C0.5_G1.0`` is read.
        A key that was read is safe as a part of a file name.

        Raises
        ------
        ValueError
            With the rule that the key breaks.
        """
        if len(key) > MAX_KEY_LENGTH:
            raise ValueError(
                f"{shorten(key)} is no candidate: its {len(key)} characters are more "
                f"than {MAX_KEY_LENGTH}"
            )
        pieces = key.split("_")
        form = "_".join(f"{axis.symbol}<{axis.name}>" for axis in self.axes)
        if len(pieces) != len(self.axes):
            raise ValueError(f"{shorten(key)} is no candidate: a key has the form {form}")
        values: list[Value] = []
        for axis, piece in zip(self.axes, pieces, strict=True):
            if not piece.startswith(axis.symbol):
                raise ValueError(f"{shorten(key)} is no candidate: a key has the form {form}")
            text = piece[len(axis.symbol) :]
            try:
                values.append(axis.decode(text))
            except ValueError as reason:
                raise ValueError(
                    f"{shorten(key)} is no candidate: {axis.name} {text!r} {reason}"
                ) from reason
        candidate = self.candidate(values)
        if candidate.key != key:
            raise ValueError(f"{shorten(key)} is no candidate: it is spelled {candidate.key!r}")
        return candidate

    def grid(self, values: Sequence[Iterable[Value]]) -> Iterable[Candidate]:
        """Cross the values of the axes."""
        return (self.candidate(point) for point in itertools.product(*values))

    def parameters(self, candidate: Candidate) -> dict[str, Value]:
        """Give a candidate's values under the estimator's names."""
        return {
            axis.parameter: value for axis, value in zip(self.axes, candidate.values, strict=True)
        }

    def named(self, candidate: Candidate) -> dict[str, Value]:
        """Give a candidate's values under the axes' names."""
        return {axis.name: value for axis, value in zip(self.axes, candidate.values, strict=True)}

    def order(self, candidate: Candidate) -> tuple[tuple[int, float, str], ...]:
        """Order candidates: by the first axis, then the second, and so on."""
        return tuple(
            axis.sort_key(value) for axis, value in zip(self.axes, candidate.values, strict=True)
        )

    def simplicity(self, candidate: Candidate) -> tuple[tuple[int, float], ...]:
        """Order candidates, the simplest first: by the first axis, then the second, and so on."""
        return tuple(
            axis.simplicity(value) for axis, value in zip(self.axes, candidate.values, strict=True)
        )

    def check_simplicity(self) -> None:
        """Refuse axes of which it is not known which end of their scale is simple.

        Raises
        ------
        InputError
            Says what to write.
        """
        for index, axis in enumerate(self.axes):
            if axis.simplest is None:
                write = "low, high or neither" if axis.is_numeric else "neither"
                raise InputError(
                    f"rule 'one_standard_error' chooses the simplest, and nothing is known of the "
                    f"axis {axis.name!r}: write simplest: {write} to it, or choose the rule cv",
                    field=("axes", index),
                )


def _refuse_confusion(first: Axis, second: Axis) -> None:
    if first.name.lower() == second.name.lower():
        raise InputError(
            f"two axes are named {second.name!r}; names must differ in more than case",
            field=("name",),
        )
    if first.parameter == second.parameter:
        raise InputError(
            f"axes {first.name!r} and {second.name!r} both set the parameter {second.parameter!r}",
            field=("parameter",),
        )
    shorter, longer = sorted((first, second), key=lambda axis: len(axis.symbol))
    if longer.symbol.lower().startswith(shorter.symbol.lower()):
        raise InputError(
            f"axes {first.name!r} and {second.name!r}: the symbols {first.symbol!r} and "
            f"{second.symbol!r} could be confused in a key; choose symbols that do not begin alike",
            field=("symbol",),
        )
