"""The objective of a search that calls a function or a program."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

from iris_hpo.data.dataset import Features, Target, Task
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.split import Examples
from iris_hpo.errors import InputError
from iris_hpo.parts import Part, make_part
from iris_hpo.space.values import Value
from iris_hpo.store.cards import fingerprint
from iris_hpo.training import CALLED, Kept
from iris_hpo.training.artifacts import Workplace, pack
from iris_hpo.training.call import Data
from iris_hpo.training.called import FILES, LOG, Called, Site
from iris_hpo.training.code_of_others import describe
from iris_hpo.training.declared import digests_of, named_files
from iris_hpo.training.estimator_objective import BASELINES, EstimatorObjective
from iris_hpo.training.estimators import Recipe
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.function import import_function
from iris_hpo.training.given import read_numbers
from iris_hpo.training.origin import Origin
from iris_hpo.training.returned import ReturnedEstimators, check_numbers
from iris_hpo.training.row_weights import Weights
from iris_hpo.training.scorers import Scorings
from iris_hpo.training.settings import identity
from iris_hpo.training.source_code import code_of, loaded_code


@dataclass(frozen=True)
class CalledObjective(Origin):
    """Calls a function or a program for each candidate, and scores what it gives.

    Parameters
    ----------
    part
        Names it.
    home
        The project's folder.
    given_scoring
        The scoring of the estimators that it returns; empty, or the name of its own number, if it
        gives the scores itself.
    seed
        The search's seed.
    columns
        Names of the features, then that of the target; empty without a table.
    kinds
        Kinds of the features, if not all are complete numbers.
    """

    part: Part
    home: Path
    given_scoring: str = ""
    seed: int = 0
    columns: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    @property
    def origin(self) -> Origin:
        """The code, the inputs and the packages."""
        return self

    @property
    def import_paths(self) -> tuple[str, ...]:
        """The import path of a function."""
        return self.made.import_paths

    @property
    def task(self) -> Task:
        """How the target of a table is read."""
        return self.made.task

    @property
    def estimator_scoring(self) -> str:
        """The scoring of the estimators that it returns; empty if it gives the scores itself."""
        return "" if self.given_scoring == self.made.metric else self.given_scoring

    @property
    def scoring(self) -> str:
        """The name of the score."""
        return self.estimator_scoring or self.made.metric

    @property
    def scores_itself(self) -> bool:
        """Whether it gives the scores, and not estimators to be scored."""
        return not self.estimator_scoring

    @property
    def minimizes(self) -> bool:
        """Whether the least score is the best."""
        return self.made.direction == "minimize"

    @cached_property
    def code(self) -> Mapping[str, str]:
        """What decides a result: digests of the source and of the inputs, or a version instead."""
        return self._declared(code_of(self.import_paths).digests)

    def loaded(self) -> Mapping[str, str]:
        """What this process has loaded, and the inputs as they are now."""
        return self._declared(loaded_code(self.import_paths).digests)

    def package_versions(self) -> dict[str, str]:
        """Versions of the packages that the function's own code imports; none for a program."""
        if not self.import_paths:
            return {}
        versions = super().package_versions()
        if "sklearn" not in code_of(self.import_paths).packages and self.scores_itself:
            versions.pop("scikit-learn", None)
        return versions

    def identity(self) -> Mapping[str, object]:
        """Return what decides a result, as JSON.

        Raises
        ------
        InputError
            If the settings cannot be written so, or an input cannot be read.
        """
        own: dict[str, object] = {"objective": self.part.use, **self.made.identity()}
        try:
            own["settings"] = identity(self.made.settings)
            fingerprint(**own)
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(
                f"the settings of the objective cannot be written as JSON: {describe(error)}",
                field=("settings",),
            ) from error
        packages = {} if self.made.version is not None else self.package_versions()
        return {**own, "seed": self.seed, "packages": packages, "code": dict(self.code)}

    @property
    def takes_weights(self) -> bool:
        """Calls get the weights of rows."""
        return True

    def scoring_identity(self) -> Mapping[str, object]:
        """Return nothing: the name of the score decides it."""
        return {}

    def describe(self) -> str:
        """Name what is called."""
        return self.made.describe()

    def load(self) -> None:
        """Import what is called.

        Raises
        ------
        InputError
            If that is not possible.
        """
        self.made.load()
        if self.made.predict:
            import_function(self.made.predict, "predict")

    def check(self, parameters: Sequence[str], *, has_table: bool) -> None:
        """Check what is called with the parameters of the axes, and whether it gets rows.

        Raises
        ------
        InputError
            If a search cannot work with it.
        """
        if self.estimator_scoring and self.minimizes:
            raise InputError(
                "direction: estimators are scored by scikit-learn, whose scorings are all better "
                "if greater; leave direction out"
            )
        if self.estimator_scoring and self.part.use == "program":
            raise InputError("a program gives its scores itself; leave scoring out")
        if self.made.predict and self.estimator_scoring:
            raise InputError(
                "predict is for an objective that scores itself; an estimator that the function "
                "returns predicts, so leave predict out",
                field=("predict",),
            )
        self.made.check_axes(parameters, has_table=has_table)
        self.identity()

    def order(self, parameters: Mapping[str, Value]) -> str:  # noqa: ARG002 - they share no work
        """Keep the order in which candidates were registered."""
        return ""

    def check_rows(self, examples: Examples) -> None:
        """Take any rows."""

    def call(self, parameters: Mapping[str, Value], examples: Examples) -> Kept:
        """Call it for a candidate; give an estimator, or a number or several by name, to store.

        Raises
        ------
        CandidateError
            If the call fails, or does not give what it should.
        """
        rows = None
        if self.columns:
            rows = Data(examples, self.columns, self.kinds, shows_test=self.scores_itself)
        with closing(Workplace()) as workplace:
            site = Site(dict(parameters), self.seed, self.home, rows, workplace)
            returned = self.made.call(site)
            files = pack(workplace.folder) if workplace.is_used else None
        self.check_code()  # an input may have been edited since the work was planned
        beside = {FILES: files, LOG: returned.log}
        kept = {suffix: content for suffix, content in beside.items() if content}
        if self.scores_itself:
            return Kept(check_numbers(returned.value, self.made.metric), kept)
        return Kept(self._estimators.check(returned.value), kept)

    def train(
        self,
        parameters: Mapping[str, Value],
        features: Features,
        target: Target,
        weights: Weights | None = None,
    ) -> object:
        """Call it with training rows alone; give the model."""
        none, roles = (features[:0], target[:0]), RowRoles(weight=weights)
        return self.call(parameters, Examples(features, target, *none, (), roles)).model

    def score(
        self, model: object, parameters: Mapping[str, Value], examples: Examples
    ) -> Evaluation:
        """Give the numbers of the call, or score the estimator that it returned.

        Fold scores of estimators take a call for each fold.

        Raises
        ------
        CandidateError
            If a call or an estimator fails.
        """
        if self.scores_itself:
            numbers = dict(read_numbers(model, self.scoring))
            return Evaluation(numbers.pop(self.scoring), numbers)
        return self._estimators.evaluate(model, parameters, examples)

    def references(self) -> Mapping[str, tuple[EstimatorObjective, Mapping[str, Value]]]:
        """Return what the champion is compared with: a baseline, if estimators are scored."""
        if self.scores_itself:
            return {}
        recipe = Recipe((BASELINES[self.task],), self.seed)
        return {"baseline": (EstimatorObjective(recipe, self.scoring, self.task), {})}

    def __getstate__(self) -> dict[str, object]:
        """All fields and the code; workers import what is called."""
        fields = {name: vars(self)[name] for name in self.__dataclass_fields__}
        return {**fields, "code": self.code}

    @cached_property
    def made(self) -> Called:
        """What is called.

        Raises
        ------
        InputError
            If the part's settings describe nothing that can be called.
        """
        return cast("Called", make_part(self.part, CALLED, "objective", "call"))

    @property
    def _estimators(self) -> ReturnedEstimators:
        return ReturnedEstimators(
            Scorings((Part(self.scoring),)),
            self.task,
            self.columns[:-1],
            self.kinds,
            lambda parameters, examples: self.call(parameters, examples).model,
        )

    def _declared(self, modules: Mapping[str, str]) -> dict[str, str]:
        if self.made.version is not None:
            return {"version": self.made.version}
        named = named_files(self.home, self.made.words)
        return {**modules, **digests_of(self.home, [*self.made.inputs, *named])}
