"""What is known of some of scikit-learn's estimators without importing them.

A search that names nothing else is checked by this table. So a process that only looks, or leaves
the work to others, need not import scikit-learn.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from iris_hpo.data.dataset import Task
from iris_hpo.space.values import Value
from iris_hpo.training.choices import Choice
from iris_hpo.training.estimators import Step

_KERNELS: Final = ("linear", "poly", "rbf", "sigmoid")


@dataclass(frozen=True)
class Known:
    """What is known of a class.

    Attributes
    ----------
    task
        What it is for.
    parameters
        Some of its parameters, and values that each takes as a choice.
    """

    task: Task
    parameters: Mapping[str, tuple[Value, ...]]


KNOWN: Final[Mapping[str, Known]] = {
    "sklearn.svm.SVC": Known("classification", {"C": (), "gamma": (), "kernel": _KERNELS}),
    "sklearn.svm.SVR": Known("regression", {"C": (), "gamma": (), "kernel": _KERNELS}),
}
"""Import path: what is known of the class in every version of scikit-learn that is supported."""


def known_task(
    steps: Sequence[Step], parameters: Iterable[str], choices: Sequence[Choice]
) -> Task | None:
    """Return the task of an estimator of which all that a search names is known.

    Parameters
    ----------
    parameters
        What the axes search.

    Returns
    -------
    ``classification`` or ``regression``; None if scikit-learn has to be asked.
    """
    known = KNOWN.get(steps[0].estimator) if len(steps) == 1 and not steps[0].settings else None
    if known is None:
        return None
    named = [*parameters, *(choice.name for choice in choices)]
    if not known.parameters.keys() >= set(named) or len(set(named)) < len(named):
        return None
    offered = all(set(choice.options) <= set(known.parameters[choice.name]) for choice in choices)
    return known.task if offered else None
