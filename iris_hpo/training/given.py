"""What a function or a program gives: the number to rank by, and metrics beside it."""

from collections.abc import Mapping
from typing import cast

from iris_hpo.errors import CandidateError
from iris_hpo.training.evaluation import checked_number
from iris_hpo.training.metric_names import check_metric

Numbers = Mapping[str, float]
"""Finite numbers by name."""


def read_numbers(given: object, metric: str) -> Numbers:
    """Read the numbers that a call gave; the first is the one to rank by.

    Parameters
    ----------
    given
        A number, or a mapping of names to numbers.
    metric
        The name of the number to rank by.

    Raises
    ------
    CandidateError
        If the number is missing, or one is infinite, not a number, or something else.
    """
    values: dict[object, object] = {metric: given}
    if is_mapping(given):
        values = dict(cast("Mapping[object, object]", given))
    if metric not in values:
        names = ", ".join(map(repr, values)) or "nothing"
        raise CandidateError(
            f"it gave {names[:200]}, and no {metric!r} to rank by; give it, or name "
            "another number by metric"
        )
    numbers: dict[str, float] = {}
    for name in (metric, *(name for name in values if name != metric)):
        try:
            check_metric(name)
            numbers[str(name)] = checked_number(values[name], str(name))
        except (TypeError, ValueError) as error:
            raise CandidateError(f"it gave no usable numbers: {error}") from error
    return numbers


def is_mapping(given: object) -> bool:
    """Whether a call gave numbers by name."""
    return isinstance(given, Mapping)


def is_estimator(given: object) -> bool:
    """Whether a call gave something that predicts."""
    return callable(getattr(given, "predict", None)) and not isinstance(given, type)
