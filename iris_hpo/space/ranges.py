"""Read the range of an axis, as a search's description has it, and refuse what is none."""

import math
from typing import TYPE_CHECKING, cast

from iris_hpo.errors import InputError
from iris_hpo.space import values
from iris_hpo.space.domains import stepped
from iris_hpo.space.values import NUMBERS, Number

if TYPE_CHECKING:
    from iris_hpo.space.axes import Axis


def settle_range(axis: "Axis") -> None:
    """Check the range of an axis, and keep its numbers in the axis's own type.

    Raises
    ------
    InputError
        If there is one, and it is no range; with the field that is to be changed.
    """
    given = [name for name in ("low", "high", "step") if getattr(axis, name) is not None]
    if axis.log:
        given.append("log")
    if not given:
        return
    if axis.values:
        raise _refused(axis, given[0], "give either values or a range, not both")
    for name in ("low", "high"):
        if name not in given:
            raise _refused(axis, name, f"a range needs low and high; write {name} too")
    if not set(NUMBERS).intersection(axis.types):
        raise _refused(axis, "low", f"only numbers have a range, not {', '.join(axis.types)}")
    for name in ("low", "high", "step"):
        if name in given:
            object.__setattr__(axis, name, _number(axis, name))
    _check_ends(axis)


def numbers_of(axis: "Axis") -> tuple[Number, Number, Number | None]:
    """Return the ends of a range that was checked, and its step if it has one."""
    return cast("tuple[Number, Number, Number | None]", (axis.low, axis.high, axis.step))


def _check_ends(axis: "Axis") -> None:
    low, high, step = numbers_of(axis)
    if not low < high:
        raise _refused(axis, "high", f"high {high!r} must be greater than low {low!r}")
    if axis.log and low <= 0:
        raise _refused(axis, "low", f"low {low!r} must be greater than zero for log: true")
    if not axis.log and math.isinf(high - low):
        problem = f"high {high!r} is too far from low {low!r}; write a narrower range"
        raise _refused(axis, "high", problem)
    if step is None:
        return
    if step <= (1 if axis.log else 0):
        kind = "a factor, which is greater than 1" if axis.log else "greater than 0"
        raise _refused(axis, "step", f"step {step!r} must be {kind}")
    try:
        stepped(low, high, step, log=axis.log)
    except ValueError as reason:
        raise _refused(axis, "step", f"the range {reason}") from reason


def _number(axis: "Axis", name: str) -> Number:
    kind = "float" if "float" in axis.types else "int"
    given = getattr(axis, name)
    positive = axis.positive and name != "step"
    try:
        number = (
            values.parse(given, kind, positive=positive)
            if isinstance(given, str)
            else values.check(given, kind, positive=positive)
        )
    except ValueError as reason:
        expected = values.expects(kind, positive=positive)
        raise _refused(axis, name, f"{name} {str(given)!r} {reason}; write {expected}") from reason
    return cast("Number", number)


def _refused(axis: "Axis", name: str, problem: str) -> InputError:
    return InputError(f"axis {axis.name!r}: {problem}", field=(name,))
