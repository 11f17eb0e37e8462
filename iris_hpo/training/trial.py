"""What a worker does for one candidate: train or reuse its model, then score or reuse its score."""

import importlib
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from platform import python_version
from typing import TypeVar

from iris_hpo.data.dataset import Task
from iris_hpo.data.split import CARD as SPLIT_CARD
from iris_hpo.data.split import Examples, SplitCard
from iris_hpo.errors import CandidateError, InputError
from iris_hpo.space.hints import types_explained
from iris_hpo.space.values import Value
from iris_hpo.store.cards import read_recorded_card
from iris_hpo.store.digests import ArtifactError, digest_of
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.store.objects import open_store
from iris_hpo.training.cards import (
    Conditions,
    ModelCard,
    ResultCard,
    ScoreCard,
    dump_model,
    load_model,
    model_card_name,
    model_name,
    score_name,
)
from iris_hpo.training.cross_validation import CrossValidation
from iris_hpo.training.estimators import Estimator, Recipe, package_versions
from iris_hpo.training.evaluation import evaluate, train
from iris_hpo.training.fitting import own_failure
from iris_hpo.training.svm_bound import Bounds

AnyResult = TypeVar("AnyResult", bound=ResultCard)


@dataclass(frozen=True)
class Trial:
    """One candidate to work on.

    Attributes
    ----------
    parameters
        Under the estimator's names.
    model_version, score_version
        What the event log recorded last, if anything. Only that is reused.
    """

    key: str
    parameters: Mapping[str, Value]
    model_version: str | None = None
    score_version: str | None = None


@dataclass(frozen=True)
class TrialResult:
    """What came of a trial.

    Attributes
    ----------
    model, score
        The cards; None for what was not asked for, or failed.
    model_reused, score_reused
        Whether the stored result was still right.
    score_failure
        Why there is no score although there is a model.
    """

    model: ModelCard | None
    model_reused: bool
    score: ScoreCard | None
    score_reused: bool
    score_failure: str | None = None


@dataclass(frozen=True)
class TrialWork:
    """The work of a run, the same for every candidate.

    Parameters
    ----------
    store_url
        Where artifacts are.
    conditions, task
        How to build and judge.
    examples
        The rows.
    run_id
        Of the Dagster run.
    trains, scores
        What is asked for. A run that only scores uses the recorded model, and refuses another.
    force
        Train and score again, whatever is stored.
    """

    store_url: str
    conditions: Conditions
    task: Task
    examples: Examples
    run_id: str
    trains: bool = True
    scores: bool = True
    force: bool = False

    def load(self) -> None:
        """Import what candidates need, so that the first one's time is its own."""
        importlib.import_module("sklearn.metrics")
        with suppress(InputError):  # it is each candidate's, and told then
            self.conditions.recipe.build()

    def prepare(self) -> None:
        """Refuse a machine that does not see the artifacts, or may not write them.

        Raises
        ------
        InputError
            Says what to do.
        """
        self._recipe  # noqa: B018 - refuses other code
        store = open_store(self.store_url)
        probe = f".temporary/probe-{uuid.uuid4().hex}"  # a sweep would take it, should it be left
        try:
            read_recorded_card(store, SPLIT_CARD, SplitCard, self.conditions.split_version)
            store.write(probe, b"")
            store.delete(probe)
        except (InputError, OSError) as error:
            raise InputError(
                f"it cannot use the artifacts: {error}; a folder must be one that all machines "
                "share, and object storage needs its credentials on each"
            ) from error

    def __call__(self, trial: Trial) -> TrialResult:
        """Do the work for one candidate.

        Raises
        ------
        CandidateError
            If the candidate has no model, by its own fault.
        """
        store = open_store(self.store_url)
        if self.trains:
            with types_explained(trial.parameters):
                card, content, estimator = self._ensure_model(store, trial)
        else:
            card, content = self._recorded_model(store, trial)
            estimator = None
        reused = card.run_id != self.run_id
        model = card if self.trains else None
        if not self.scores:
            return TrialResult(model, reused, None, False)
        try:
            with types_explained(trial.parameters):
                score = self._ensure_score(store, trial, card, content, estimator)
        except CandidateError as error:
            return TrialResult(model, reused, None, False, str(error))
        return TrialResult(model, reused, score, score.run_id != self.run_id)

    @cached_property
    def _recipe(self) -> Recipe:
        """The recipe, once it is certain that this process has the code that it was planned with.

        Results of other code must not pass for results of this one.
        """
        self.load()
        self.conditions.recipe.check_code()
        return self.conditions.recipe

    @cached_property
    def _cross_validation(self) -> CrossValidation:
        return CrossValidation(self._recipe, self.examples, self.conditions.scoring)

    @cached_property
    def _bounds(self) -> Bounds[Estimator]:
        return Bounds()

    def _ensure_model(
        self, store: ArtifactStore, trial: Trial
    ) -> tuple[ModelCard, bytes, Estimator | None]:
        wanted = self.conditions.model_fingerprint(trial.parameters)
        stored = self._reusable(
            store, model_card_name(trial.key), ModelCard, wanted, trial.model_version
        )
        if stored is not None:
            try:
                return stored, read_verified(store, model_name(trial.key), stored.digest), None
            except ArtifactError:
                pass  # the file is not the card's: train again
        training = train(self._recipe, trial.parameters, self.examples, self._bounds)
        with own_failure("storing the model"):
            content = dump_model(training.estimator)
        card = ModelCard(
            key=trial.key,
            parameters=dict(trial.parameters),
            fingerprint=wanted,
            digest=digest_of(content),
            bytes=len(content),
            training_rows=len(self.examples.target),
            training_digest=self.conditions.training_digest,
            support_vectors=training.support_vectors,
            convergence_warnings=training.convergence_warnings,
            versions={"python": python_version(), **package_versions(self.conditions.recipe.steps)},
            seconds=training.seconds,
            run_id=self.run_id,
        )
        store.write_together(
            {model_name(trial.key): content, model_card_name(trial.key): card.to_bytes()}
        )
        return card, content, training.estimator

    def _recorded_model(self, store: ArtifactStore, trial: Trial) -> tuple[ModelCard, bytes]:
        if trial.model_version is None:
            raise CandidateError("it has no model yet; materialise models first")
        try:
            card = read_recorded_card(
                store, model_card_name(trial.key), ModelCard, trial.model_version
            )
            content = read_verified(store, model_name(trial.key), card.digest)
        except ArtifactError as error:
            raise CandidateError(str(error)) from error
        if card.fingerprint != self.conditions.model_fingerprint(trial.parameters):
            raise CandidateError(
                "its model was trained on other data, settings or versions; "
                "materialise models again"
            )
        return card, content

    def _ensure_score(
        self,
        store: ArtifactStore,
        trial: Trial,
        model: ModelCard,
        content: bytes,
        estimator: Estimator | None,
    ) -> ScoreCard:
        wanted = self.conditions.score_fingerprint(model.version)
        stored = self._reusable(
            store, score_name(trial.key), ScoreCard, wanted, trial.score_version
        )
        if stored is not None:
            return stored
        evaluation = evaluate(
            estimator or load_model(content),
            lambda: self._cross_validation.scores(trial.parameters),
            self.examples,
            self.conditions.scoring,
            self.task,
        )
        card = ScoreCard(
            key=trial.key,
            parameters=dict(trial.parameters),
            fingerprint=wanted,
            model_version=model.version,
            split_version=self.conditions.split_version,
            parameters_version=self.conditions.parameters_version,
            scoring=self.conditions.scoring,
            score=evaluation.score,
            metrics=evaluation.metrics,
            correct=evaluation.correct,
            total=evaluation.total,
            interval=list(evaluation.interval) if evaluation.interval else None,
            fold_scores=list(evaluation.fold_scores),
            convergence_warnings=evaluation.convergence_warnings,
            seconds=evaluation.seconds,
            run_id=self.run_id,
        )
        store.write(score_name(trial.key), card.to_bytes())
        return card

    def _reusable(
        self,
        store: ArtifactStore,
        name: str,
        kind: type[AnyResult],
        wanted: str,
        recorded: str | None,
    ) -> AnyResult | None:
        """The stored card, if it is right and is what was recorded.

        What a crash kept from being recorded is made again: a file that only claims to be a model
        is never unpickled, nor is its score believed.
        """
        if self.force or recorded is None:
            return None
        try:
            card = read_recorded_card(store, name, kind, recorded)
        except ArtifactError:
            return None
        return card if card.fingerprint == wanted else None
