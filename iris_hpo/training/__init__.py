"""What a worker does: it trains and scores a candidate.

What is trained and scored is an objective: any class with the methods and the attributes of
`Objective`. A scikit-learn estimator, or a pipeline of them, is one; a search names it in
``estimator`` or ``steps``, and every other one in ``objective``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from iris_hpo.data.dataset import Features, Target, Task
    from iris_hpo.data.split import Examples
    from iris_hpo.space.values import Value
    from iris_hpo.training.evaluation import Evaluation

WORKER_MODULES: Final = ("iris_hpo.training.trial", "sklearn.metrics", "sklearn.model_selection")
"""What a worker imports for it; named, as the process that starts workers needs none of them."""

OBJECTIVES: Final = {"estimator": "iris_hpo.training.estimator_objective.EstimatorObjective"}
"""Short names of objectives."""

CALLED: Final = {
    "function": "iris_hpo.training.function.FunctionObjective",
    "program": "iris_hpo.training.program.ProgramObjective",
}
"""Short names of what `iris_hpo.training.called_objective.CalledObjective` calls."""


class Objective(Protocol):
    """Trains and scores candidates.

    Each worker makes one, with the settings of the search, and uses it for every candidate it
    works on. The same parameters and rows give the same model and the same score, in any order and
    on any worker. What a method raises is the failure of its candidate.

    Training and scoring are two steps, as they are two assets: a score can be made again, for
    example on other test rows, without training.

    A class may also have a method ``defaults()``. It returns the parameters that one would take
    without a search; the champion is compared with them.
    """

    @property
    def task(self) -> "Task":
        """``classification`` or ``regression``: how the target is read and the rows are divided."""
        ...

    @property
    def scoring(self) -> str:
        """The name of the score, for tables and figures; a greater score is better."""
        ...

    def identity(self) -> Mapping[str, object]:
        """Return what decides a model beside the settings, the code and the rows, as JSON.

        Results with another identity are out of date. The versions of the packages that the code
        imports are part of it anyway.
        """
        ...

    def train(
        self,
        parameters: Mapping[str, "Value"],
        features: "Features",
        target: "Target",
        weights: "NDArray[np.float64] | None" = ...,
    ) -> object:
        """Train a candidate.

        A class without ``weights`` is refused only if a column has the weights of the rows.

        Parameters
        ----------
        parameters
            The values of the axes, by their ``parameter``.
        features, target
            The training rows: shapes (rows, features) and (rows,).
        weights
            How much each row counts; not given if all count alike.

        Returns
        -------
        object
            The model. It is pickled; one with a method ``predict`` serves ``iris-hpo predict``.
        """
        ...

    def score(
        self, model: object, parameters: Mapping[str, "Value"], examples: "Examples"
    ) -> "Evaluation":
        """Score a model on the test rows and, if the rule needs it, its parameters on the folds.

        Parameters
        ----------
        model
            What `train` returned, in this process or in another.
        parameters
            As for `train`.
        examples
            The training and test rows, and the folds of the training rows.
        """
        ...


@dataclass(frozen=True)
class Kept:
    """What is kept of a call.

    Attributes
    ----------
    beside
        Files beside the model, by the suffix of their names.
    iterations
        Number of iterations of a model that stops early.
    """

    model: object
    beside: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    iterations: int | None = None


@runtime_checkable
class CallingObjective(Protocol):
    """An objective that sees all rows at once, and may leave files beside the model."""

    def call(self, parameters: Mapping[str, "Value"], examples: "Examples") -> Kept:
        """Do the work for a candidate."""
        ...
