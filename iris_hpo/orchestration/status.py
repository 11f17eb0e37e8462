"""The status of each candidate's results, from the event log and the stored files."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal

import dagster as dg

from iris_hpo.orchestration.names import Names
from iris_hpo.orchestration.record import (
    data_versions,
    latest_storage_ids,
    partitions_of_failed_runs,
    tried_and_failed,
)
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.store.cards import AnyCard, read_recorded_card
from iris_hpo.store.digests import ArtifactError, ArtifactMismatchError
from iris_hpo.store.folder import ArtifactStore, read_verified
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
class CandidateStates:
    """The states of all current candidates.

    Attributes
    ----------
    models, scores
        Per candidate, the state of its model and of its score. A result that is right stays right
        when a later attempt failed.
        Models are looked at only on request.
    model_versions, score_versions
        What is recorded: data versions.
    score_cards
        The scores that are up to date.
    refused
        Candidates of which something else is stored than was recorded, with the message that
        names the file.
    tried_in_vain
        Candidates that failed in their last attempt, for either asset, with the run's id.
    shown_as_failed
        These, and those that a failed run left untried: Dagster shows all of them as failed until
        they are recorded again.
    """

    models: Mapping[str, State]
    scores: Mapping[str, State]
    model_versions: Mapping[str, str]
    score_versions: Mapping[str, str]
    score_cards: Mapping[str, ScoreCard]
    refused: Mapping[str, str]
    tried_in_vain: Mapping[str, str]
    shown_as_failed: Set[str]


def candidate_states(
    instance: dg.DagsterInstance,
    names: Names,
    store: ArtifactStore,
    space: ParameterSpace,
    keys: Sequence[str],
    conditions: Conditions,
    *,
    verify_models: bool,
) -> CandidateStates:
    """Judge recorded results.

    Parameters
    ----------
    conditions
        What results should have been made under.
    verify_models
        Whether model files are read too, and a missing or changed one counts as a missing model.
        Without, the record and the scores are trusted: whoever loads a model verifies it then.
    """
    model_versions = data_versions(instance, names.asset("models"))
    score_versions = data_versions(instance, names.asset("scores"))
    attempted_models = partitions_of_failed_runs(instance, names.asset("models"))
    attempted_scores = partitions_of_failed_runs(instance, names.asset("scores"))
    failed_models = tried_and_failed(instance, attempted_models)
    failed_scores = tried_and_failed(instance, attempted_scores)

    refused: dict[str, str] = {}
    models: dict[str, State] = {}
    if verify_models:
        for key, card in _read_all(_read_model, store, keys, model_versions, refused):
            models[key] = _model_state(space, conditions, key, card)
    scores: dict[str, State] = {}
    cards: dict[str, ScoreCard] = {}
    for key, card in _read_all(_read_score, store, keys, score_versions, refused):
        scores[key] = _score_state(conditions, card, model_versions.get(key))
        if models.get(key, "up to date") != "up to date" and scores[key] == "up to date":
            scores[key] = "out of date"
        if card is not None and scores[key] == "up to date":
            cards[key] = card
    return CandidateStates(
        _with_failures(models, failed_models),
        _with_failures(scores, {**failed_models, **failed_scores}),
        model_versions,
        score_versions,
        cards,
        refused,
        {key: run for key, run in {**failed_models, **failed_scores}.items() if key in scores},
        attempted_models.keys() | attempted_scores.keys(),
    )


def unrefreshed(
    instance: dg.DagsterInstance, names: Names, keys: Iterable[str], since: int
) -> set[str]:
    """Candidates without a materialisation of their model after an event.

    Dagster compares the versions of inputs. A model that is right, but was recorded before its
    input got the present version, is stale to Dagster until it is recorded again.
    """
    ids = latest_storage_ids(instance, names.asset("models"))
    return {key for key in keys if ids.get(key, 0) < since}


def _model_state(
    space: ParameterSpace, conditions: Conditions, key: str, card: ModelCard | None
) -> State:
    if card is None:
        return "missing"
    try:
        parameters = space.parameters(space.parse_key(key))
    except ValueError:
        return "out of date"
    wanted = conditions.model_fingerprint(parameters)
    return "up to date" if card.fingerprint == wanted else "out of date"


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


def _read_model(store: ArtifactStore, key: str, version: str) -> ModelCard:
    card = read_recorded_card(store, model_card_name(key), ModelCard, version)
    read_verified(store, model_name(key), card.digest)
    return card


def _read_score(store: ArtifactStore, key: str, version: str) -> ScoreCard:
    return read_recorded_card(store, score_name(key), ScoreCard, version)


def _read_all(
    read: Callable[[ArtifactStore, str, str], AnyCard],
    store: ArtifactStore,
    keys: Sequence[str],
    versions: Mapping[str, str],
    refused: dict[str, str],
) -> Iterator[tuple[str, AnyCard | None]]:
    """Give every candidate's card; None where nothing is recorded, or it is not what is stored."""

    def attempt(key: str) -> AnyCard | ArtifactError | None:
        if key not in versions:
            return None
        try:
            return read(store, key, versions[key])
        except ArtifactError as error:
            return error

    with ThreadPoolExecutor(store.readers) as readers:
        results = map(attempt, keys) if store.readers == 1 else readers.map(attempt, keys)
        for key, found in zip(keys, results, strict=True):
            if isinstance(found, ArtifactMismatchError):
                refused[key] = str(found)
            yield key, None if isinstance(found, ArtifactError) else found
