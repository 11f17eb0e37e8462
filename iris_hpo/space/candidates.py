"""Candidates and their keys: the codec between a candidate and the name of its partition.

A key such as ``C0.5_G0.25`` is a partition key, a part of file names and a label at once. It has
one piece per axis that the candidate has, in the order of the space: the axis's symbol, then the
value. Every candidate has exactly one key, and every key gives exactly its candidate.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from iris_hpo.errors import InputError, at_field
from iris_hpo.space.absent import ABSENT, Absent
from iris_hpo.space.axes import Axis
from iris_hpo.space.conditions import Condition, conditions_of, needed_keys
from iris_hpo.space.values import Value
from iris_hpo.text import counted, shorten

MAX_KEY_LENGTH: Final = 200
"""Longest key, in characters: ``model_<key>.json`` and a temporary name fit a file name of 255."""


@dataclass(frozen=True)
class Candidate:
    """A point of a parameter space.

    Attributes
    ----------
    key
        The candidate's name in partitions, files and tables, for example ``C0.5_G0.25``.
    values
        One value per axis, in the order of the space; `ABSENT` where the condition of an axis is
        not met.
    """

    key: str
    values: tuple[Value | Absent, ...]


class ParameterSpace:
    """The axes of a search, and the codec of its keys.

    Parameters
    ----------
    axes
        Axes, at least one. Names, parameters and symbols are distinct, and no symbol begins with
        another one, so that a reader cannot confuse them in a key. A condition names axes that
        stand before.
    """

    def __init__(self, axes: Sequence[Axis]) -> None:
        if not axes:
            raise InputError("a search needs at least one axis")
        for (_, first), (index, second) in itertools.combinations(enumerate(axes), 2):
            with at_field(index):
                _refuse_confusion(first, second)
        self.axes = tuple(axes)
        self._conditions: list[tuple[Condition, ...]] = []
        self._needed: list[Mapping[int, frozenset[str]]] = []
        for index, axis in enumerate(axes):
            with at_field(index):
                self._conditions.append(conditions_of(axis, axes[:index]))
                self._needed.append(needed_keys(self._conditions[-1], self._needed))
        self.has_conditions = any(self._conditions)

    def candidate(self, values: Sequence[Value | Absent]) -> Candidate:
        """Make the candidate with these values, one per axis.

        The value of an axis whose condition is not met does not matter: the candidate has
        `ABSENT`, so that two points that differ in nothing else are one candidate.

        Raises
        ------
        ValueError
            If an axis cannot take its value or the key would be too long.
        """
        if len(values) != len(self.axes):
            raise ValueError(
                f"has {counted(len(values), 'value')} for {counted(len(self.axes), 'axis', 'axes')}"
            )
        checked: list[Value | Absent] = []
        pieces: list[str] = []
        for axis, value, has_axis in zip(self.axes, values, self._presence(checked), strict=True):
            if not has_axis:
                checked.append(ABSENT)
                continue
            own = _check(axis, value)
            checked.append(own)
            pieces.append(axis.symbol + axis.encode(own))
        key = "_".join(pieces)
        if len(key) > MAX_KEY_LENGTH:
            raise ValueError(f"makes a key of {len(key)} characters; {MAX_KEY_LENGTH} is the limit")
        return Candidate(key, tuple(checked))

    def parse_key(self, key: str) -> Candidate:
        """Return the candidate of a key.

        Only the canonical spelling is a key: ``C0.50_G1.0`` is refused, ``C0.5_G1.0`` is not. An
        accepted key is safe as a part of a file name.

        Raises
        ------
        ValueError
            If the key breaks a rule; the message names the rule.
        """
        if len(key) > MAX_KEY_LENGTH:
            raise ValueError(
                f"{shorten(key)} is no candidate: its {len(key)} characters are more "
                f"than {MAX_KEY_LENGTH}"
            )
        pieces = key.split("_")
        if not self.has_conditions and len(pieces) != len(self.axes):
            raise self._malformed(key)
        values: list[Value | Absent] = []
        for axis, has_axis in zip(self.axes, self._presence(values), strict=True):
            if not has_axis:
                values.append(ABSENT)
                continue
            if not pieces or not pieces[0].startswith(axis.symbol):
                raise self._malformed(key)
            text = pieces.pop(0)[len(axis.symbol) :]
            try:
                values.append(axis.decode(text))
            except ValueError as reason:
                raise ValueError(
                    f"{shorten(key)} is no candidate: {axis.name} {text!r} {reason}"
                ) from reason
        if pieces:
            raise self._malformed(key)
        candidate = self.candidate(values)
        if candidate.key != key:
            raise ValueError(f"{shorten(key)} is no candidate: it is spelled {candidate.key!r}")
        return candidate

    def is_key(self, key: str) -> bool:
        """Whether a key is that of a candidate."""
        try:
            self.parse_key(key)
        except ValueError:
            return False
        return True

    def has_axis(self, index: int, values: Sequence[Value | Absent]) -> bool:
        """Whether candidates with these values of the axes before have the axis at an index."""
        return all(condition.holds(values) for condition in self._conditions[index])

    def may_have_axis(self, index: int) -> bool:
        """Whether candidates can have the axis at an index, by where the axes before it look."""
        return all(
            any(axis.domain is None or axis.covers(axis.decode(key)) for key in keys)
            for at, keys in self._needed[index].items()
            for axis in (self.axes[at],)
        )

    def grid(self, values: Sequence[Sequence[Value]]) -> Iterator[Candidate]:
        """Cross the values of the axes; each candidate comes once."""
        points: Iterable[tuple[Value | Absent, ...]] = itertools.product(*values)
        if self.has_conditions:
            points = self._points(values, ())
        return map(self.candidate, points)

    def count(self, values: Sequence[Sequence[Value]], limit: int) -> int:
        """Count the candidates of a grid without making them; conditions may stop above a limit."""
        if not self.has_conditions:
            return math.prod(map(len, values))
        return sum(1 for _ in itertools.islice(self._points(values, ()), limit + 1))

    def covers(self, candidate: Candidate) -> bool:
        """Whether all values of a candidate are where samplers look."""
        return all(axis.covers(value) for axis, value in self._present(candidate))

    def parameters(self, candidate: Candidate) -> dict[str, Value]:
        """Return the values that a candidate has, by the estimator's parameter names."""
        return {axis.parameter: value for axis, value in self._present(candidate)}

    def named(self, candidate: Candidate) -> dict[str, Value]:
        """Return the values that a candidate has, by the names of the axes."""
        return {axis.name: value for axis, value in self._present(candidate)}

    def cells(self, candidate: Candidate) -> dict[str, Value]:
        """Return a value per axis for a table, by the names of the axes; None for absent ones."""
        return {
            axis.name: None if isinstance(value, Absent) else value
            for axis, value in zip(self.axes, candidate.values, strict=True)
        }

    def order(self, candidate: Candidate) -> tuple[tuple[Any, ...], ...]:
        """Sort key of a candidate: by the first axis, then the second; absent ones come first."""
        return tuple(
            (-1,) if isinstance(value, Absent) else axis.sort_key(value)
            for axis, value in zip(self.axes, candidate.values, strict=True)
        )

    def simplicity(self, candidate: Candidate) -> tuple[tuple[int, float], ...]:
        """Sort key of a candidate, the simplest first: by the first axis, then the second.

        An axis that a candidate does not have makes it simpler.
        """
        return tuple(
            (-1, 0.0) if isinstance(value, Absent) else axis.simplicity(value)
            for axis, value in zip(self.axes, candidate.values, strict=True)
        )

    def check_simplicity(self, rule: str) -> None:
        """Refuse an axis if it is not known which end of its scale makes the simpler model.

        Parameters
        ----------
        rule
            Name of the rule that has to know.

        Raises
        ------
        InputError
            If there is such an axis; the message says what to write.
        """
        for index, axis in enumerate(self.axes):
            if axis.simplest is None:
                write = "low, high or neither" if axis.is_numeric else "neither"
                raise InputError(
                    f"rule {rule!r} chooses the simplest, and nothing is known of the "
                    f"axis {axis.name!r}: write simplest: {write} to it, or choose the rule cv",
                    field=("axes", index),
                )

    def _present(self, candidate: Candidate) -> Iterator[tuple[Axis, Value]]:
        for axis, value in zip(self.axes, candidate.values, strict=True):
            if not isinstance(value, Absent):
                yield axis, value

    def _presence(self, values: Sequence[Value | Absent]) -> Iterator[bool]:
        """Yield whether each axis exists, once ``values`` holds those of the axes before it."""
        if not self.has_conditions:
            return itertools.repeat(True, len(self.axes))
        return (self.has_axis(index, values) for index in range(len(self.axes)))

    def _points(
        self, values: Sequence[Sequence[Value]], point: tuple[Value | Absent, ...]
    ) -> Iterator[tuple[Value | Absent, ...]]:
        """Cross values, the last axis fastest; only those of axes that exist."""
        index = len(point)
        if index == len(self.axes):
            yield point
            return
        own = values[index] if self.has_axis(index, point) else (ABSENT,)
        for value in own:
            yield from self._points(values, (*point, value))

    def _malformed(self, key: str) -> ValueError:
        pieces = [f"{axis.symbol}<{axis.name}>" for axis in self.axes]
        form = "_".join(
            f"[{piece}]" if conditions else piece
            for piece, conditions in zip(pieces, self._conditions, strict=True)
        )
        return ValueError(f"{shorten(key)} is no candidate: a key has the form {form}")


def _check(axis: Axis, value: Value | Absent) -> Value:
    if isinstance(value, Absent):
        raise ValueError(f"has no {axis.name}, which it must have")
    try:
        return axis.check(value)
    except ValueError as reason:
        raise ValueError(f"has {axis.name} {shorten(str(value))}, which {reason}") from reason


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
