"""The status of each candidate's results, from the event log and the stored files."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal

import dagster as dg

from iris_hpo.orchestration.failed_candidates import tried_and_failed
from iris_hpo.orchestration.record import data_versions, last_attempts, partitions_of_failed_runs
from iris_hpo.orchestration.study import Study
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.store.cards import AnyCard
from iris_hpo.store.digests import ArtifactError, ArtifactMismatchError
from iris_hpo.store.folder import read_verified
from iris_hpo.training.cards import (
    Conditions,
    ModelCard,
    ScoreCard,
    model_card_name,
    model_name,
    score_name,
)

State = Literal["up to date", "out of date", "missing", "failed"]
STATES: Final[tuple[State, ...]] = ("up to date", "missing", "out of date", "failed")


@dataclass(frozen=True)
class Status:
    """Status of all current candidates.

    Attributes
    ----------
    models, scores
        State of each candidate's model and of its score. A result that is up to date stays so when
        a later attempt fails. Models are looked at only on request.
    model_versions, score_versions
        Recorded data versions.
    score_cards
        Cards of the scores that are up to date.
    refused
        Candidates with a stored file that is not the recorded one, and the message that names it.
    failed_runs
        Candidates that failed in their last attempt, for either asset, with the run's id.
    shown_as_failed
        Candidates of `failed_runs`, and those that a failed run left untried: Dagster shows all of
        them as failed until they are recorded again.
    """

    models: Mapping[str, State]
    scores: Mapping[str, State]
    model_versions: Mapping[str, str]
    score_versions: Mapping[str, str]
    score_cards: Mapping[str, ScoreCard]
    refused: Mapping[str, str]
    failed_runs: Mapping[str, str]
    shown_as_failed: Set[str]

    def keys(self, state: State) -> list[str]:
        """Candidates whose score is in a state, in the order of registration."""
        return [key for key, score_state in self.scores.items() if score_state == state]

    def is_current(self, key: str) -> bool:
        """Whether a candidate is up to date, and Dagster does not show it as failed."""
        states = self.models[key], self.scores[key]
        return states == ("up to date", "up to date") and key not in self.shown_as_failed


def read_status(
    study: Study, keys: Sequence[str], conditions: Conditions, *, verify_models: bool
) -> Status:
    """Read the status of candidates.

    Parameters
    ----------
    conditions
        Conditions under which results should have been made.
    verify_models
        Whether model files are read too; a missing or changed one counts as a missing model.
        Otherwise only models of candidates that failed are read: of others the record and the
        scores are trusted, and a model is verified when it is loaded.
    """
    instance = study.instance
    models_key, scores_key = study.names.asset("models"), study.names.asset("scores")
    model_versions = data_versions(instance, models_key)
    score_versions = data_versions(instance, scores_key)
    failed_models, models_of_failed_runs = _failed(instance, models_key)
    failed_scores, scores_of_failed_runs = _failed(instance, scores_key)
    failed = {**failed_models, **failed_scores}

    refused: dict[str, str] = {}
    models: dict[str, State] = {}
    read_too = keys if verify_models else [key for key in keys if key in failed]
    changed = refused if verify_models else {}
    for key, card in _read_all(study, _read_model, read_too, model_versions, changed):
        if verify_models or key not in changed:  # one that was changed is refused when it is loaded
            models[key] = _model_state(study.spec.space, conditions, key, card)
    scores: dict[str, State] = {}
    cards: dict[str, ScoreCard] = {}
    for key, card in _read_all(study, _read_score, keys, score_versions, refused):
        scores[key] = _score_state(conditions, card, model_versions.get(key))
        if models.get(key, "up to date") != "up to date" and scores[key] == "up to date":
            scores[key] = "out of date"
        if card is not None and scores[key] == "up to date":
            cards[key] = card
    return Status(
        _with_failures(models, failed_models),
        _with_failures(scores, failed),
        model_versions,
        score_versions,
        cards,
        refused,
        {key: run for key, run in failed.items() if key in scores},
        models_of_failed_runs.keys() | scores_of_failed_runs.keys(),
    )


def without_failed(study: Study, keys: Sequence[str]) -> list[str]:
    """Leave out candidates that failed in their last attempt."""
    failed = {
        key
        for name in ("models", "scores")
        for key in _failed(study.instance, study.names.asset(name))[0]
    }
    return [key for key in keys if key not in failed]


def has_results_out_of_date(study: Study, keys: Sequence[str], conditions: Conditions) -> bool:
    """Whether a result was made under other conditions; reads cards until there is one."""
    models, scores = (
        data_versions(study.instance, study.names.asset(name)) for name in ("models", "scores")
    )
    states = chain(
        (
            _model_state(study.spec.space, conditions, key, card)
            for key, card in _read_all(study, _read_model_card, keys, models, {})
        ),
        (
            _score_state(conditions, card, models.get(key))
            for key, card in _read_all(study, _read_score, keys, scores, {})
        ),
    )
    return "out of date" in states


def _failed(
    instance: dg.DagsterInstance, key: dg.AssetKey
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Partitions that failed by themselves, and all of failed runs, each with the run's id."""
    attempts, runs = last_attempts(instance, key)
    return (
        tried_and_failed(instance, key, attempts),
        partitions_of_failed_runs(attempts, runs),
    )


def _model_state(
    space: ParameterSpace, conditions: Conditions, key: str, card: ModelCard | None
) -> State:
    if card is None:
        return "missing"
    try:
        parameters = space.parameters(space.parse_key(key))
    except ValueError:
        return "out of date"
    fingerprint = conditions.model_fingerprint(parameters)
    return "up to date" if card.fingerprint == fingerprint else "out of date"


def _score_state(
    conditions: Conditions, card: ScoreCard | None, model_version: str | None
) -> State:
    if card is None:
        return "missing"
    if model_version is None or card.fingerprint != conditions.score_fingerprint(model_version):
        return "out of date"
    return "up to date"


def _with_failures(states: Mapping[str, State], failed: Mapping[str, str]) -> dict[str, State]:
    return {
        key: "failed" if state != "up to date" and key in failed else state
        for key, state in states.items()
    }


def _read_model_card(study: Study, key: str, version: str) -> ModelCard:
    return study.card(model_card_name(key), ModelCard, version)


def _read_model(study: Study, key: str, version: str) -> ModelCard:
    card = _read_model_card(study, key, version)
    for name, digest in {model_name(key): card.digest, **card.files_beside}.items():
        read_verified(study.store, name, digest)
    return card


def _read_score(study: Study, key: str, version: str) -> ScoreCard:
    return study.card(score_name(key), ScoreCard, version)


def _read_all(
    study: Study,
    read: Callable[[Study, str, str], AnyCard],
    keys: Sequence[str],
    versions: Mapping[str, str],
    refused: dict[str, str],
) -> Iterator[tuple[str, AnyCard | None]]:
    """Yield every candidate's card; None if nothing is recorded, or another file is stored."""

    def attempt(key: str) -> AnyCard | ArtifactError | None:
        if key not in versions:
            return None
        try:
            return read(study, key, versions[key])
        except ArtifactError as error:
            return error

    readers = study.store.readers
    with ThreadPoolExecutor(readers) as pool:
        cards = map(attempt, keys) if readers == 1 else pool.map(attempt, keys)
        for key, card in zip(keys, cards, strict=True):
            if isinstance(card, ArtifactMismatchError):
                refused[key] = str(card)
            yield key, None if isinstance(card, ArtifactError) else card
