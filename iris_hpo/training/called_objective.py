"""The objective of a search that calls a function or a program."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import cast

from iris_hpo.data.dataset import Features, Target, Task
from iris_hpo.data.split import Examples
from iris_hpo.data.splitters import Rows
from iris_hpo.errors import CandidateError, InputError
from iris_hpo.parts import Part, make_part
from iris_hpo.space.values import Value
from iris_hpo.store.cards import fingerprint
from iris_hpo.training import CALLED, Kept
from iris_hpo.training.artifacts import Workplace, pack
from iris_hpo.training.call import Data, named_rows
from iris_hpo.training.called import FILES, LOG, Called, Site
from iris_hpo.training.cross_validation import FoldScores
from iris_hpo.training.declared import digests_of, named_files
from iris_hpo.training.estimator_objective import BASELINES, EstimatorObjective, evaluate_fitted
from iris_hpo.training.estimators import Estimator, Recipe
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.fitting import RowScore, describe, score
from iris_hpo.training.given import Numbers, is_estimator, is_mapping, read_numbers
from iris_hpo.training.origin import Origin
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
    """

    part: Part
    home: Path
    given_scoring: str = ""
    seed: int = 0
    columns: tuple[str, ...] = ()

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
        """Weights of rows reach no call."""
        return False

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

    def check(self, parameters: Sequence[str]) -> None:
        """Check what is called with the parameters of the axes.

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
        self.made.check_axes(parameters)
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
            rows = Data(examples, self.columns, shows_test=self.scores_itself)
        with closing(Workplace()) as workplace:
            site = Site(dict(parameters), self.seed, self.home, rows, workplace)
            returned = self.made.call(site)
            files = pack(workplace.folder) if workplace.is_used else None
        self.check_code()  # an input may have been edited since the work was planned
        beside = {FILES: files, LOG: returned.log}
        kept = {suffix: content for suffix, content in beside.items() if content}
        if self.scores_itself:
            return Kept(self._numbers(returned.value), kept)
        if is_estimator(returned.value):
            return Kept(returned.value, kept)
        kind = type(returned.value).__name__
        raise CandidateError(
            f"the function returned a {kind}, which has no method predict; the search's scoring "
            f"{self.scoring} needs a fitted estimator: return one, or leave scoring out"
        )

    def train(
        self,
        parameters: Mapping[str, Value],
        features: Features,
        target: Target,
        weights: Weights | None = None,  # noqa: ARG002 - refused before
    ) -> object:
        """Call it with training rows alone; give the model."""
        none = features[:0], target[:0]
        return self.call(parameters, Examples(features, target, *none, folds=())).model

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
        named = replace(
            examples, test_features=named_rows(model, examples.test_features, self.columns[:-1])
        )

        def score_folds() -> FoldScores:
            return FoldScores(
                tuple(self._score_fold(parameters, examples, *fold) for fold in examples.folds)
            )

        estimator = cast("Estimator", model)
        return evaluate_fitted(estimator, self._scorings, self.task, named, score_folds)

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
    def _scorings(self) -> Scorings:
        return Scorings((Part(self.scoring),))

    def _declared(self, modules: Mapping[str, str]) -> dict[str, str]:
        if self.made.version is not None:
            return {"version": self.made.version}
        named = named_files(self.home, self.made.words)
        return {**modules, **digests_of(self.home, [*self.made.inputs, *named])}

    def _numbers(self, given: object) -> float | Numbers:
        """The number that was given, or all by name."""
        if is_estimator(given) and not is_mapping(given):
            raise CandidateError(
                f"the function returned a {type(given).__name__}; write scoring, such as accuracy, "
                "into the search, by which it is to be scored"
            )
        numbers = read_numbers(given, self.made.metric)
        return numbers if is_mapping(given) else numbers[self.made.metric]

    def _score_fold(
        self, parameters: Mapping[str, Value], examples: Examples, fit: Rows, rows: Rows
    ) -> RowScore:
        features, target = examples.features[rows], examples.target[rows]
        model = self.train(parameters, examples.features[fit], examples.target[fit])
        named = named_rows(model, features, self.columns[:-1])
        return score(cast("Estimator", model), self._scorings, named, target, "validation")
