"""The parameter space: axes, candidates, and the codec between a candidate and its key.

A key such as ``C0.5_G0.25`` is at once a partition key, a part of file names and a label. It is
made of one piece per axis, in the order of the space: the axis's symbol, then the value. Every
candidate has exactly one key, and every key is read back to exactly its candidate.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from iris_hpo.search import values
from iris_hpo.search.errors import InputError, at_field
from iris_hpo.search.simplicity import SIMPLEST, Simplest
from iris_hpo.search.values import NUMBERS, TYPES, AxisType, Value
from iris_hpo.text import shorten

MAX_KEY_LENGTH: Final = 200
"""Longest key, in characters: ``model_<key>.json`` and a temporary name fit a file name of 255."""

_NONE_TEXT: Final = "none"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_SYMBOL: Final = re.compile(r"[A-Za-z]{1,16}", re.ASCII)


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
        The type of its values, or several: ``("float", "str")`` for 0.1 and ``scale``.
    positive
        Whether numbers must be greater than zero.
    nullable
        Whether ``none`` is a value too.
    simplest
        Which end of the scale makes the simpler model, for the rule ``one_standard_error``:
        ``low``, ``high``, or ``neither`` for an axis that does not matter. Tuples go by their
        sum; what is no number, such as ``none`` for no limit, counts as the least simple.
    """

    name: str
    symbol: str
    parameter: str = ""
    type: AxisType | Sequence[AxisType] = "float"
    positive: bool = False
    nullable: bool = False
    simplest: Simplest | None = None

    def __post_init__(self) -> None:
        if not self.parameter:
            object.__setattr__(self, "parameter", self.name)
        self._settle_type()
        if not _NAME.fullmatch(self.name) or "_parameters" in self.name.lower():
            raise InputError(
                f"axis {self.name!r}: a name is letters, digits and underscores, begins with a "
                "letter and does not contain '_parameters'"
            )
        if not _SYMBOL.fullmatch(self.symbol):
            raise InputError(f"axis {self.name!r}: symbol {self.symbol!r} must be 1 to 16 letters")
        if self.positive and not {*NUMBERS, "tuple"}.intersection(self.types):
            raise InputError(
                f"axis {self.name!r}: only numbers can be positive, not {', '.join(self.types)}"
            )
        if self.simplest not in (None, *SIMPLEST):
            raise InputError(
                f"axis {self.name!r}: simplest {self.simplest!r} is unknown; use one of "
                f"{', '.join(SIMPLEST)}"
            )
        if self.simplest in ("low", "high") and not self.is_numeric:
            raise InputError(
                f"axis {self.name!r}: {', '.join(self.types)} values have no low and no high end; "
                "write simplest: neither"
            )

    def _settle_type(self) -> None:
        """Hold several types in one order, and one as itself."""
        stated = (self.type,) if isinstance(self.type, str) else tuple(self.type)
        for kind in stated:
            if kind not in TYPES:
                raise InputError(
                    f"axis {self.name!r}: type {kind!r} is unknown; use one of {', '.join(TYPES)}",
                    field=("type",),
                )
        if not stated:
            raise InputError(
                f"axis {self.name!r}: no type is given; use one of {', '.join(TYPES)}",
                field=("type",),
            )
        kinds = tuple(kind for kind in TYPES if kind in stated)
        object.__setattr__(self, "type", kinds[0] if len(kinds) == 1 else kinds)

    @property
    def types(self) -> tuple[AxisType, ...]:
        """The types of its values, at least one."""
        return (self.type,) if isinstance(self.type, str) else tuple(self.type)

    @property
    def is_numeric(self) -> bool:
        """Whether there are numbers, or tuples of them, that can be put on a scale."""
        return bool({*NUMBERS, "tuple"}.intersection(self.types))

    @property
    def expects(self) -> str:
        """What a value must be, in words for messages."""
        words = [values.expects(kind, positive=self.positive) for kind in self.types]
        return ", or ".join([*words, *(["none"] if self.nullable else [])])

    def parse(self, text: str) -> Value:
        """Read one value as a user writes it.

        Raises
        ------
        ValueError
            With the reason, such as ``is not a number``.
        """
        if self.nullable and text.lower() == _NONE_TEXT:
            return None
        kind = values.type_of_text(text, self.types)
        return values.parse(text, kind, positive=self.positive)

    def check(self, value: object) -> Value:
        """Return a value as this axis holds it, whatever equal form it came in."""
        if value is None:
            if not self.nullable:
                raise ValueError("is none, which this axis does not allow")
            return None
        kind = values.type_of_value(value, self.types)
        return values.check(value, kind, positive=self.positive)

    def encode(self, value: Value) -> str:
        """Write a value as it stands in a key."""
        return values.encode(value, self.types)

    def decode(self, text: str) -> Value:
        """Read a value back from a key; the inverse of `encode`."""
        if text == "~":
            return self.check(None)
        return values.decode(text, self.types, positive=self.positive)

    def sort_key(self, value: Value) -> tuple[Any, ...]:
        """Order values: none, then numbers by size, then texts, then tuples."""
        return values.sort_key(value)

    def simplicity(self, value: Value) -> tuple[int, float]:
        """Order values, the simplest first; all are equal where neither end is simpler."""
        if self.simplest not in ("low", "high"):
            return (0, 0.0)
        if isinstance(value, tuple):
            value = sum(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return (1, 0.0)
        return (0, -value if self.simplest == "high" else value)

    def identity(self) -> dict[str, object]:
        """Everything of the axis that decides about candidates, as JSON."""
        return {
            "name": self.name,
            "symbol": self.symbol,
            "parameter": self.parameter,
            "type": self.type if isinstance(self.type, str) else list(self.type),
            "positive": self.positive,
            "nullable": self.nullable,
        }


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
        found: list[Value] = []
        for axis, piece in zip(self.axes, pieces, strict=True):
            if not piece.startswith(axis.symbol):
                raise ValueError(f"{shorten(key)} is no candidate: a key has the form {form}")
            text = piece[len(axis.symbol) :]
            try:
                found.append(axis.decode(text))
            except ValueError as reason:
                raise ValueError(
                    f"{shorten(key)} is no candidate: {axis.name} {text!r} {reason}"
                ) from reason
        candidate = self.candidate(found)
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

    def order(self, candidate: Candidate) -> tuple[tuple[Any, ...], ...]:
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
