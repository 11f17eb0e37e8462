"""Candidates and their keys: the codec between a candidate and the name of its partition.

A key such as ``C0.5_G0.25`` is a partition key, a part of file names and a label at once. It has
one piece per axis, in the order of the space: the axis's symbol, then the value. Every candidate
has exactly one key, and every key gives exactly its candidate.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from iris_hpo.errors import InputError, at_field
from iris_hpo.space.axes import Axis
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
        One value per axis, in the order of the space.
    """

    key: str
    values: tuple[Value, ...]


class ParameterSpace:
    """The axes of a search, and the codec of its keys.

    Parameters
    ----------
    axes
        Axes, at least one. Names, parameters and symbols are distinct, and no symbol begins with
        another one, so that a reader cannot confuse them in a key.
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
            If an axis cannot take its value or the key would be too long.
        """
        if len(values) != len(self.axes):
            raise ValueError(
                f"has {counted(len(values), 'value')} for {counted(len(self.axes), 'axis', 'axes')}"
            )
        checked = tuple(_check(axis, value) for axis, value in zip(self.axes, values, strict=True))
        key = "_".join(
            axis.symbol + axis.encode(value) for axis, value in zip(self.axes, checked, strict=True)
        )
        if len(key) > MAX_KEY_LENGTH:
            raise ValueError(f"makes a key of {len(key)} characters; {MAX_KEY_LENGTH} is the limit")
        return Candidate(key, checked)

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
        """Return a candidate's values by the estimator's parameter names."""
        return {
            axis.parameter: value for axis, value in zip(self.axes, candidate.values, strict=True)
        }

    def named(self, candidate: Candidate) -> dict[str, Value]:
        """Return a candidate's values by the names of the axes."""
        return {axis.name: value for axis, value in zip(self.axes, candidate.values, strict=True)}

    def order(self, candidate: Candidate) -> tuple[tuple[Any, ...], ...]:
        """Sort key of a candidate: by the first axis, then the second, and so on."""
        return tuple(
            axis.sort_key(value) for axis, value in zip(self.axes, candidate.values, strict=True)
        )

    def simplicity(self, candidate: Candidate) -> tuple[tuple[int, float], ...]:
        """Sort key of a candidate, the simplest first: by the first axis, then the second."""
        return tuple(
            axis.simplicity(value) for axis, value in zip(self.axes, candidate.values, strict=True)
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


def _check(axis: Axis, value: Value) -> Value:
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
