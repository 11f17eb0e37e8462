"""Conditions: for which values of other axes an axis exists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from iris_hpo.errors import InputError
from iris_hpo.space.absent import Absent
from iris_hpo.space.axes import Axis
from iris_hpo.space.values import Value


@dataclass(frozen=True)
class Condition:
    """A condition of an axis: another axis has one of some values.

    Attributes
    ----------
    index
        Index of the other axis in the space.
    axis
        The other axis.
    keys
        Its values, as they are spelled in keys.
    """

    index: int
    axis: Axis
    keys: frozenset[str]

    def holds(self, values: Sequence[Value | Absent]) -> bool:
        """Whether it is met by the values of the axes that stand before."""
        value = values[self.index]
        return not isinstance(value, Absent) and self.axis.encode(value) in self.keys


def needed_keys(
    conditions: Sequence[Condition], needed_before: Sequence[Mapping[int, frozenset[str]]]
) -> Mapping[int, frozenset[str]]:
    """What an axis needs to exist: for other axes, by index, the keys of which they have one.

    Parameters
    ----------
    needed_before
        The same for each axis that stands before: an axis that is to have a value has to exist.
    """
    needed: dict[int, frozenset[str]] = {}
    for condition in conditions:
        own = {condition.index: condition.keys}
        for index, keys in (*own.items(), *needed_before[condition.index].items()):
            needed[index] = needed.get(index, keys) & keys
    return needed


def conditions_of(axis: Axis, earlier: Sequence[Axis]) -> tuple[Condition, ...]:
    """Read the conditions of an axis; all must be met.

    Raises
    ------
    InputError
        If they name no axis that stands before it, or a value that such an axis does not take.
    """
    by_name = {other.name: index for index, other in enumerate(earlier)}
    conditions: list[Condition] = []
    for name, given in cast("Mapping[str, object]", axis.when).items():
        if name not in by_name:
            raise InputError(
                f"axis {axis.name!r}: when names {name!r}, which is no axis before it; list the "
                f"axis {name!r} above {axis.name!r}"
                if name != axis.name
                else f"axis {axis.name!r}: when names the axis itself; name one above it",
                field=("when", name),
            )
        other = earlier[by_name[name]]
        is_list = isinstance(given, list) or (
            isinstance(given, tuple) and "tuple" not in other.types
        )
        listed = list(cast("Sequence[object]", given)) if is_list else [given]
        if not listed:
            raise InputError(
                f"axis {axis.name!r}: when {name!r} lists no value, so this axis never exists; "
                "list at least one",
                field=("when", name),
            )
        keys = [other.encode(other.read(value, ("when", name), by=axis.name)) for value in listed]
        conditions.append(Condition(by_name[name], other, frozenset(keys)))
    return tuple(conditions)
