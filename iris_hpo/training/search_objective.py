"""From what a search names as its objective to the objective itself."""

from collections.abc import Callable
from pathlib import Path

from iris_hpo.errors import InputError
from iris_hpo.parts import Part
from iris_hpo.text import shorten
from iris_hpo.training import CALLED
from iris_hpo.training.called_objective import CalledObjective
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.function import address_of
from iris_hpo.training.named_objective import NamedObjective


def as_part(objective: Part | Callable[..., object] | None) -> Part | None:
    """Return the part that names a function; a part stays as it is, and so does None.

    Raises
    ------
    InputError
        If workers could not import the function.
    """
    if objective is None or isinstance(objective, Part):
        return objective
    return Part("function", {"function": address_of(objective)})


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
