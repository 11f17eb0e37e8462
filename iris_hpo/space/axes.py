"""Axes: a parameter of the estimator with its types and its allowed values.

How a value of a type is read and written is in `values`; where to look for values, in `domains`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from iris_hpo.errors import InputError
from iris_hpo.space import values
from iris_hpo.space.domains import Domain, Levels, Range, stepped
from iris_hpo.space.ranges import numbers_of, settle_range
from iris_hpo.space.simplicity import SIMPLEST, Simplest
from iris_hpo.space.values import NUMBERS, TYPES, AxisType, Number, Value

_NONE_TEXT: Final = "none"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_SYMBOL: Final = re.compile(r"[A-Za-z]{1,16}", re.ASCII)


@dataclass(frozen=True)
class Axis:
    """A parameter that is searched.

    Parameters
    ----------
    name
        Name in parameter files and tables, for example ``gamma``.
    symbol
        Symbol in keys: letters only, for example ``G``.
    parameter
        The estimator's name of the parameter, for example ``svc__gamma``; the axis's name by
        default.
    type
        The type of the values, or several: ``("float", "str")`` for 0.1 and ``scale``.
    positive
        Whether numbers must be greater than zero.
    nullable
        Whether ``none`` is a value too.
    simplest
        Which end of the scale makes the simpler model, for the rule ``one_standard_error``:
        ``low``, ``high``, or ``neither`` for an axis that does not matter. Tuples are ordered by
        their sum; a value that is not a number, such as ``none`` for no limit, is the least simple.
    low, high
        Ends of the range in which samplers look for numbers, both included.
    log
        Whether the range is looked through by ratios: 1 to 10 is as far as 10 to 100.
    step
        Difference of neighbours in the range, or their ratio with ``log``; by default any number.
    values
        Listed values, instead of a range.
    when
        Values of axes that stand before this one, by their names, for which this axis exists:
        ``{"kernel": "rbf"}`` or ``{"kernel": ["rbf", "poly"]}``. Elsewhere candidates do not have
        it. By default it always exists.

    Notes
    -----
    The last six say where to look. They are no part of what a candidate is: a range can change
    without making results stale. An axis with parameter files has their values instead.
    """

    name: str
    symbol: str
    parameter: str = ""
    type: AxisType | Sequence[AxisType] = "float"
    positive: bool = False
    nullable: bool = False
    simplest: Simplest | None = None
    low: Number | str | None = None
    high: Number | str | None = None
    log: bool = False
    step: Number | str | None = None
    values: Sequence[Value] = ()
    when: Mapping[str, Value | Sequence[Value]] = field(default_factory=dict, hash=False)

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
        self._settle_values()
        settle_range(self)

    def _settle_type(self) -> None:
        """Check the types, and store several in a fixed order, a single one as a string."""
        given_types = (self.type,) if isinstance(self.type, str) else tuple(self.type)
        for kind in given_types:
            if kind not in TYPES:
                raise InputError(
                    f"axis {self.name!r}: type {kind!r} is unknown; use one of {', '.join(TYPES)}",
                    field=("type",),
                )
        if not given_types:
            raise InputError(
                f"axis {self.name!r}: no type is given; use one of {', '.join(TYPES)}",
                field=("type",),
            )
        kinds = tuple(kind for kind in TYPES if kind in given_types)
        object.__setattr__(self, "type", kinds[0] if len(kinds) == 1 else kinds)

    def _settle_values(self) -> None:
        """Check the listed values, and keep each once."""
        distinct = {
            self.encode(value): value
            for index, given in enumerate(self.values)
            for value in [self.read(given, ("values", index))]
        }
        object.__setattr__(self, "values", tuple(distinct.values()))

    def read(self, given: object, place: tuple[str | int, ...], by: str = "") -> Value:
        """Read a value of a search's description; a text on an axis without texts is parsed.

        Parameters
        ----------
        place, by
            The field, and the axis that it belongs to if it is another one, for the message.

        Raises
        ------
        InputError
            If the axis cannot take the value.
        """
        try:
            if isinstance(given, str) and "str" not in self.types:
                return self.parse(given)
            return self.check(given)
        except ValueError as reason:
            where = " ".join(part for part in place if isinstance(part, str))
            raise InputError(
                f"axis {(by or self.name)!r}: {where} {str(given)!r} {reason}; write "
                f"{self.expects}",
                field=place,
            ) from reason

    @cached_property
    def domain(self) -> Domain | None:
        """Where samplers look for values; None if neither values nor a range are given."""
        if self.values:
            return self._levels(self.values)
        if self.low is None:
            return None
        low, high, step = numbers_of(self)
        if step is None:
            return Range(low, high, self.log, whole="float" not in self.types)
        return self._levels(stepped(low, high, step, log=self.log))

    def _levels(self, listed: Sequence[Value]) -> Levels:
        levels = Levels(tuple(listed), tuple(map(self.encode, listed)))
        if not levels.is_ordered:
            return levels
        ordered = tuple(sorted(listed, key=self.sort_key))
        return Levels(ordered, tuple(map(self.encode, ordered)))

    def covers(self, value: Value) -> bool:
        """Whether a value is where samplers look."""
        if isinstance(self.domain, Range):
            return self.domain.covers(value)
        return self.domain is not None and self.domain.index(self.encode(value)) is not None

    def unit(self, value: Value) -> float:
        """Return the place of a value in the domain, from 0 to 1."""
        if isinstance(self.domain, Range):
            return self.domain.unit(value)
        index = self.domain.index(self.encode(value)) if self.domain else None
        return (
            0.5 if self.domain is None or index is None else (index + 0.5) / len(self.domain.values)
        )

    @property
    def types(self) -> tuple[AxisType, ...]:
        """The types of the values, at least one."""
        return (self.type,) if isinstance(self.type, str) else tuple(self.type)

    @property
    def is_numeric(self) -> bool:
        """Whether values may be numbers, or tuples of numbers, which have an order."""
        return bool({*NUMBERS, "tuple"}.intersection(self.types))

    @property
    def expects(self) -> str:
        """Description of an allowed value, for messages."""
        words = [values.expects(kind, positive=self.positive) for kind in self.types]
        return ", or ".join([*words, *(["none"] if self.nullable else [])])

    def parse(self, text: str) -> Value:
        """Read a value as a user writes it.

        Raises
        ------
        ValueError
            If the axis cannot take the value; with the reason, such as ``is not a number``.
        """
        if self.nullable and text.lower() == _NONE_TEXT:
            return None
        kind = values.type_of_text(text, self.types)
        return values.parse(text, kind, positive=self.positive)

    def check(self, value: object) -> Value:
        """Check a value, and return it in the axis's own type: 1 as 1.0 on an axis of floats.

        Raises
        ------
        ValueError
            If the axis cannot take the value; with the reason.
        """
        if value is None:
            if not self.nullable:
                raise ValueError("is none, which this axis does not allow")
            return None
        if scalar := getattr(value, "item", None):  # NumPy's, as samplers draw
            value = scalar()
        kind = values.type_of_value(value, self.types)
        return values.check(value, kind, positive=self.positive)

    def encode(self, value: Value) -> str:
        """Write a value for a key."""
        return values.encode(value, self.types)

    def decode(self, text: str) -> Value:
        """Read a value back from a key; the inverse of `encode`."""
        if text == "~":
            return self.check(None)
        return values.decode(text, self.types, positive=self.positive)

    def sort_key(self, value: Value) -> tuple[Any, ...]:
        """Sort key of a value: none, then numbers by size, then texts, then tuples."""
        return values.sort_key(value)

    def simplicity(self, value: Value) -> tuple[int, float]:
        """Sort key of a value, the simplest first; all are equal if neither end is simpler."""
        if self.simplest not in ("low", "high"):
            return (0, 0.0)
        if isinstance(value, tuple):
            value = sum(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return (1, 0.0)
        return (0, -value if self.simplest == "high" else value)

    def identity(self) -> dict[str, object]:
        """All fields that decide what a candidate is, as JSON values."""
        return {
            "name": self.name,
            "symbol": self.symbol,
            "parameter": self.parameter,
            "type": self.type if isinstance(self.type, str) else list(self.type),
            "positive": self.positive,
            "nullable": self.nullable,
        }
