"""Hints for messages: what to write to an axis whose type does not fit its values or estimator."""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

from iris_hpo.errors import CandidateError
from iris_hpo.space.axes import Axis
from iris_hpo.space.values import Value

_WORD: Final = re.compile(r"[A-Za-z]\w+", re.ASCII)
_NOT_FINITE: Final = ("nan", "inf", "infinity")
_WANTS_WHOLE: Final = re.compile(r"\bint\b|\bintegers?\b|'float' object|\bwhole\b")
_NAMES_NONE: Final = re.compile(r"'float' object|must be integers|slice indices")
_NUMBERS_CLASSES: Final = re.compile(r"Invalid classes inferred")  # XGBoost's words
_TEXTS: Final = (
    (re.compile(r"[(\[].*[)\]]"), "tuple"),
    (re.compile(r"[+-]?\d+"), "int"),
    (re.compile(r"[+-]?[\d.]+([eE][+-]?\d+)?"), "float"),
    (re.compile(r"true|false", re.IGNORECASE), "bool"),
)


def hint_for_value(axis: Axis, text: str) -> str:
    """Hint on what to write to the axis, if a value looks like one of another type; else empty."""
    if text.lower() == "none":
        return "; for none, write nullable: true to the axis"
    if _WORD.fullmatch(text) and text.lower() not in _NOT_FINITE and "str" not in axis.types:
        return f"; for texts too, write type: [{', '.join(axis.types)}, str] to the axis"
    if text[:1] in ("(", "[") and "tuple" not in axis.types:
        return "; for tuples, write type: tuple to the axis"
    return ""


@contextmanager
def types_explained(parameters: Mapping[str, Value]) -> Generator[None]:
    """Add a hint to a candidate's failure if an axis may have the wrong type.

    Raises
    ------
    CandidateError
        If the block raises one; the message has the hint at its end.
    """
    try:
        yield
    except CandidateError as error:
        raise CandidateError(f"{error}{hint_for_failure(str(error), parameters)}") from error


def hint_for_failure(reason: str, parameters: Mapping[str, Value]) -> str:
    """Hint on what to write to an axis, if its type may cause an estimator's error; else empty."""
    if _NUMBERS_CLASSES.search(reason):
        return "; number the classes 0, 1, 2, ... in the data: this estimator takes no other labels"
    whole = [
        name
        for name, value in parameters.items()
        if isinstance(value, float) and value.is_integer() and _WANTS_WHOLE.search(reason)
    ]
    named = [name for name in whole if _names(reason, name)]
    if named or (whole and _NAMES_NONE.search(reason)):
        names = " or ".join(named or whole)
        return f"; if {names} must be a whole number, write type: int to its axis"
    for name, value in parameters.items():
        if not isinstance(value, str) or not _names(reason, name):
            continue
        if value.lower() == "none":
            return f"; if {name} may be none, write nullable: true to its axis"
        for form, kind in _TEXTS:
            if form.fullmatch(value):
                return f"; {name} is the text {value!r}: write type: {kind} to its axis"
    return ""


def _names(reason: str, name: str) -> bool:
    """Whether an error names a parameter, or its part after the last ``__``."""
    return any(
        re.search(rf"\b{re.escape(text)}\b", reason) for text in (name, name.rpartition("__")[2])
    )
