"""An objective that a search names by a part, such as one of a user's own."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast, get_args

from iris_hpo.data.dataset import Features, Target, Task
from iris_hpo.data.split import Examples
from iris_hpo.errors import InputError
from iris_hpo.parts import Part, make_part
from iris_hpo.space.values import Value
from iris_hpo.store.cards import fingerprint
from iris_hpo.text import shorten
from iris_hpo.training import OBJECTIVES, Objective
from iris_hpo.training.code_of_others import describe, own_failure
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.metric_names import check_metric
from iris_hpo.training.origin import Origin
from iris_hpo.training.predictions import check_labels, check_predictions
from iris_hpo.training.row_weights import Weights
from iris_hpo.training.settings import identity
from iris_hpo.training.source_code import loaded_code


@dataclass(frozen=True)
class NamedObjective(Origin):
    """Makes an objective where it is needed, and protects the rows from it.

    Only its name and settings are pickled: a worker imports the class.

    Parameters
    ----------
    part
        Names it.
    """

    part: Part

    @property
    def origin(self) -> Origin:
        """The code and the packages of the objective."""
        return self

    @property
    def import_paths(self) -> tuple[str, ...]:
        """The import path of the class."""
        return (OBJECTIVES.get(self.part.use, self.part.use),)

    @property
    def task(self) -> Task:
        """What the objective is for."""
        return self._made.task

    @property
    def scoring(self) -> str:
        """The name of its score."""
        return self._made.scoring

    def identity(self) -> Mapping[str, object]:
        """Return what decides a model, as JSON.

        Raises
        ------
        InputError
            If the objective cannot say so.
        """
        try:
            own = dict(self._made.identity())
            settings = identity(self.part.settings)
            fingerprint(identity=own, settings=settings)
        except Exception as error:
            raise InputError(
                f"the identity of the objective {shorten(self.part.use)} cannot be written as "
                f"JSON: {describe(error)}; identity returns a mapping of names to numbers, texts, "
                "lists and mappings, and settings are such too",
                field=("use",),
            ) from error
        return {
            "objective": self.part.use,
            "settings": settings,
            "identity": own,
            **self.origin_identity(),
        }

    def scoring_identity(self) -> Mapping[str, object]:
        """Return nothing: the code of the objective decides its models too."""
        return {}

    def describe(self) -> str:
        """Name the class."""
        return self.part.use.rpartition(".")[2]

    def load(self) -> None:
        """Import the class and make the objective.

        Raises
        ------
        InputError
            If that is not possible, or it has no task or scoring.
        """
        self._made  # noqa: B018 - makes it

    def order(self, parameters: Mapping[str, Value]) -> str:  # noqa: ARG002 - they share no work
        """Keep the order in which candidates were registered."""
        return ""

    def check_rows(self, examples: Examples) -> None:
        """Take any rows: whether they can be scored is for the objective to say."""

    def train(
        self,
        parameters: Mapping[str, Value],
        features: Features,
        target: Target,
        weights: Weights | None = None,
    ) -> object:
        """Train a candidate on copies of the rows."""
        copies = features.copy(), target.copy()
        if weights is None:
            return self._made.train(dict(parameters), *copies)
        return self._made.train(dict(parameters), *copies, weights=weights.copy())

    @property
    def takes_weights(self) -> bool:
        """Whether it can train on rows that do not count alike."""
        return "weights" in inspect.signature(self._made.train).parameters

    def score(
        self, model: object, parameters: Mapping[str, Value], examples: Examples
    ) -> Evaluation:
        """Score a model on copies of the rows, and check the predictions that it gives."""
        evaluation = self._made.score(
            model,
            dict(parameters),
            replace(
                examples,
                features=examples.features.copy(),
                target=examples.target.copy(),
                test_features=examples.test_features.copy(),
                test_target=examples.test_target.copy(),
            ),
        )
        if getattr(evaluation, "predictions", None) is None:
            return evaluation
        predictions = check_predictions(evaluation.predictions, examples)
        check_labels(predictions, examples)
        return replace(evaluation, predictions=predictions)

    def references(self) -> Mapping[str, tuple["NamedObjective", Mapping[str, Value]]]:
        """Return what the champion is compared with: ``default``, if the objective can name it."""
        defaults: Callable[[], object] | None = getattr(self._made, "defaults", None)
        if defaults is None:
            return {}
        with own_failure("naming the defaults"):
            return {"default": (self, dict(cast("Mapping[str, Value]", defaults())))}

    def __getstate__(self) -> dict[str, object]:
        """The part and the code; workers make the objective themselves."""
        return {"part": self.part, "code": self.code}

    @cached_property
    def _made(self) -> Objective:
        if self.part.use == "estimator":
            raise InputError(
                "an estimator is named in the field estimator, or in steps, instead of objective",
                field=("use",),
            )
        made = make_part(self.part, OBJECTIVES, "objective", "identity", "train", "score")
        loaded_code(self.import_paths)
        task = getattr(made, "task", None)
        if task not in get_args(Task):
            raise InputError(
                f"the objective {shorten(self.part.use)} has the task {repr(task)[:60]}; give "
                f"it an attribute task that is {' or '.join(get_args(Task))}",
                field=("use",),
            )
        try:
            check_metric(getattr(made, "scoring", None))
        except ValueError as error:
            raise InputError(
                f"the objective {shorten(self.part.use)} has no attribute scoring that names its "
                f"score: {error}",
                field=("use",),
            ) from error
        return cast("Objective", made)
