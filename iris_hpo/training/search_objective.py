"""From what a search names as its objective to the objective itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from iris_hpo.errors import InputError
from iris_hpo.parts import Part
from iris_hpo.text import shorten
from iris_hpo.training import CALLED
from iris_hpo.training.called_objective import CalledObjective
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.function import address_of
from iris_hpo.training.named_objective import NamedObjective

_WAYS: Final = {"function": "function", "command": "program", "use": ""}
"""Fields that say what is tuned, and the short name of the part that each makes."""


def as_part(objective: object) -> Part | None:
    """Return the part that a function or a mapping means; a part stays as it is, and so does None.

    Raises
    ------
    InputError
        If workers could not import the function, or it is nothing of the kind.
    """
    if objective is None or isinstance(objective, Part):
        return objective
    if isinstance(objective, Mapping):
        return _part_of(cast("Mapping[str, object]", objective))
    if not callable(objective):
        raise InputError(
            f"the objective {shorten(str(objective))} must be a function, or a mapping with one of "
            f"{', '.join(_WAYS)}",
            field=("objective",),
        )
    return Part("function", {"function": address_of(objective)})


def _part_of(fields: Mapping[str, object]) -> Part:
    """Make the part that fields describe as YAML does."""
    ways = [name for name in _WAYS if fields.get(name)]
    if len(ways) != 1:
        raise InputError(f"give one of {', '.join(_WAYS)}", field=("objective",))
    if ways != ["use"]:
        return Part(_WAYS[ways[0]], dict(fields))
    try:
        return Part(**cast("dict[str, Any]", dict(fields)))
    except TypeError as error:
        raise InputError(
            f"beside use there are settings alone: {error}", field=("objective",)
        ) from error


def objective_of(part: Part, home: Path, scoring: str | Part) -> NamedObjective | CalledObjective:
    """Make the objective that a part names.

    Parameters
    ----------
    home
        The project's folder.
    scoring
        The search's scoring; empty if it names none.
    """
    if part.use not in CALLED:
        return NamedObjective(part)
    if isinstance(scoring, Part):
        raise InputError(
            f"scoring {shorten(scoring.use)}: estimators that a function returns are scored by a "
            "scoring of scikit-learn; give its name"
        )
    return CalledObjective(part, home, scoring)


SearchObjective = EstimatorObjective | NamedObjective | CalledObjective
"""What a search trains and scores by: an objective, and what is known of its origin."""
