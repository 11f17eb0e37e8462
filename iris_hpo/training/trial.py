"""A worker's work on one candidate: train or reuse the model, then score or reuse the score.

Fingerprints, reuse, files and cards are here; how to train and score is the objective's.
"""

import importlib
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from platform import python_version
from typing import TypeVar

from iris_hpo.data.split import CARD as SPLIT_CARD
from iris_hpo.data.split import Examples, SplitCard
from iris_hpo.errors import CandidateError, InputError
from iris_hpo.space.hints import types_explained
from iris_hpo.space.values import Value
from iris_hpo.store.cards import read_recorded_card
from iris_hpo.store.digests import ArtifactError, OccupiedError, StoreWriteError, digest_of
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.store.objects import open_store
from iris_hpo.store.temporary import probe_name
from iris_hpo.training.bounded_prints import bounded_prints
from iris_hpo.training.cards import (
    Conditions,
    ModelCard,
    ResultCard,
    ScoreCard,
    beside_name,
    load_model,
    model_card_name,
    model_name,
    score_name,
)
from iris_hpo.training.code_of_others import own_failure
from iris_hpo.training.evaluation import evaluate, train
from iris_hpo.training.search_objective import SearchObjective
from iris_hpo.training.stored_model import store_and_load

AnyResult = TypeVar("AnyResult", bound=ResultCard)

LoadModel = Callable[[], object]
"""Gives a model that was trained just now, or unpickles one whose bytes were verified."""


@dataclass(frozen=True)
class Trial:
    """One candidate to work on.

    Attributes
    ----------
    parameters
        The values of the axes, by their ``parameter``.
    model_version, score_version
        Versions that the event log recorded last, if any. Only these are reused.
    """

    key: str
    parameters: Mapping[str, Value]
    model_version: str | None = None
    score_version: str | None = None


@dataclass(frozen=True)
class TrialResult:
    """The outcome of a trial.

    Attributes
    ----------
    model, score
        The cards; None if the run does not train or score, or if that failed.
    model_reused, score_reused
        Whether the stored result is up to date.
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
    conditions
        How to train and score.
    examples
        The rows.
    run_id
        The Dagster run.
    trains, scores
        Whether to train, and to score. A run that only scores uses the recorded model, and refuses
        another.
    force
        Train and score again, whatever is stored.
    """

    store_url: str
    conditions: Conditions
    examples: Examples
    run_id: str
    trains: bool = True
    scores: bool = True
    force: bool = False

    def load(self) -> None:
        """Import what candidates need, so that the first candidate's time is not longer."""
        importlib.import_module("sklearn.metrics")
        with suppress(InputError):  # it fails each candidate, with the reason
            self.conditions.objective.load()

    def prepare(self) -> None:
        """Refuse a machine that does not see the artifacts, or may not write them.

        Raises
        ------
        InputError
            Says what to do.
        """
        self._objective  # noqa: B018 - refuses other code
        store = open_store(self.store_url)
        probe = probe_name()
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
            If the candidate has no model, because its training fails or it was not trained.
        """
        with bounded_prints() if self._may_print else nullcontext():
            return self._do(trial)

    @cached_property
    def _may_print(self) -> bool:
        """Whether the code of others works in this process: it may print without end."""
        return self.conditions.objective.calls_others

    def _do(self, trial: Trial) -> TrialResult:
        store = open_store(self.store_url)
        if self.trains:
            with types_explained(trial.parameters):
                card, load = self._ensure_model(store, trial)
        else:
            card, load = self._recorded_model(store, trial)
        reused = card.run_id != self.run_id
        model = card if self.trains else None
        if not self.scores:
            return TrialResult(model, reused, None, False)
        try:
            with types_explained(trial.parameters):
                score = self._ensure_score(store, trial, card, load)
        except CandidateError as error:
            return TrialResult(model, reused, None, False, str(error))
        return TrialResult(model, reused, score, score.run_id != self.run_id)

    @cached_property
    def _objective(self) -> SearchObjective:
        """The objective, once it is certain that this process has the code of the plan.

        Results of other code must not pass for results of this one.
        """
        self.load()
        self.conditions.objective.check_code()
        return self.conditions.objective

    def _ensure_model(self, store: ArtifactStore, trial: Trial) -> tuple[ModelCard, LoadModel]:
        current = self.conditions.model_fingerprint(trial.parameters)
        stored = self._reusable(
            store, model_card_name(trial.key), ModelCard, current, trial.model_version
        )
        if stored is not None:
            try:
                content = read_verified(store, model_name(trial.key), stored.digest)
                for name, digest in stored.files_beside.items():
                    read_verified(store, name, digest)
                return stored, partial(load_model, content)
            except ArtifactError:
                pass  # the file is not the card's: train again
        objective = self._objective
        training = train(objective, trial.parameters, self.examples)
        content, model = store_and_load(objective, training.model, trial.parameters, self.examples)
        card = ModelCard(
            key=trial.key,
            parameters=dict(trial.parameters),
            fingerprint=current,
            digest=digest_of(content),
            bytes=len(content),
            training_rows=len(self.examples.target),
            training_digest=self.conditions.training_digest,
            support_vectors=training.support_vectors,
            convergence_warnings=training.convergence_warnings,
            versions={"python": python_version(), **objective.origin.package_versions()},
            source=dict(objective.origin.source()) or None,
            seconds=training.seconds,
            run_id=self.run_id,
            beside={suffix: digest_of(file) for suffix, file in training.beside.items()} or None,
            iterations=training.iterations,
        )
        _write(
            store,
            {
                **{beside_name(trial.key, end): file for end, file in training.beside.items()},
                model_name(trial.key): content,
                model_card_name(trial.key): card.to_bytes(),
            },
        )
        return card, lambda: model

    def _recorded_model(self, store: ArtifactStore, trial: Trial) -> tuple[ModelCard, LoadModel]:
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
        return card, partial(load_model, content)

    def _ensure_score(
        self, store: ArtifactStore, trial: Trial, model: ModelCard, load: LoadModel
    ) -> ScoreCard:
        current = self.conditions.score_fingerprint(model.version)
        stored = self._reusable(
            store, score_name(trial.key), ScoreCard, current, trial.score_version
        )
        if stored is not None:
            return stored
        objective = self._objective
        with own_failure("loading the model"):
            loaded = load()
        evaluation = evaluate(objective, loaded, trial.parameters, self.examples)
        card = self.conditions.score_card(
            trial.key, trial.parameters, model.version, evaluation, self.run_id
        )
        _write(store, {score_name(trial.key): card.to_bytes()})
        return card

    def _reusable(
        self,
        store: ArtifactStore,
        name: str,
        kind: type[AnyResult],
        current: str,
        recorded: str | None,
    ) -> AnyResult | None:
        """Read the stored card, if it is up to date and is what was recorded.

        What a crash kept from being recorded is made again: a file that only claims to be a model
        is never unpickled, and its score is not used.
        """
        if self.force or recorded is None:
            return None
        try:
            card = read_recorded_card(store, name, kind, recorded)
        except ArtifactError:
            return None
        return card if card.fingerprint == current else None


def _write(store: ArtifactStore, files: Mapping[str, bytes]) -> None:
    """Write a candidate's files; what lies in their place is a problem of this candidate alone."""
    if not store.is_there:  # the split was in it
        raise StoreWriteError(
            f"the artifacts folder {store.root} was removed or moved while the run worked; run the "
            "search again: finished candidates that are in it are kept"
        )
    try:
        store.write_together(files)
    except OccupiedError as error:
        raise CandidateError(str(error)) from error
