"""Why a candidate's results are as they are: what they depend on, and what has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from iris_hpo.errors import InputError
from iris_hpo.orchestration.causes import Action, Cause
from iris_hpo.orchestration.differences import Difference
from iris_hpo.orchestration.failed_candidates import reasons_of
from iris_hpo.orchestration.names import CODE_VERSIONS
from iris_hpo.orchestration.past_events import log_files
from iris_hpo.orchestration.plan import planned_keys
from iris_hpo.orchestration.proposal_notes import Proposal, read_proposals
from iris_hpo.orchestration.source_status import Settings, Sources, read_sources
from iris_hpo.orchestration.status import State, Status, read_status
from iris_hpo.orchestration.study import Study
from iris_hpo.space.values import Value
from iris_hpo.text import legible, listed
from iris_hpo.training.called import LOG
from iris_hpo.training.cards import (
    Conditions,
    ModelCard,
    ScoreCard,
    model_name,
    score_name,
)

_NEAREST: Final = 5
"""Number of candidates that are named in place of one that does not exist."""

_NOT_OF_THE_DIVISION: Final = ("data_digest", "feature_names", "target_name", "kinds", "roles")
"""Fields of the card of a split that say what the data is."""


@dataclass(frozen=True)
class PastFailure:
    """The last attempt at a candidate, which failed.

    Attributes
    ----------
    reason, run_id
        Why, and the Dagster run.
    logs
        Files with what the run printed, on this machine.
    """

    reason: str
    run_id: str
    logs: Sequence[str]


@dataclass(frozen=True)
class Explanation:
    """Why a candidate's results are as they are.

    Attributes
    ----------
    key, parameters
        The candidate.
    model_state, score_state
        States of both results.
    action
        What the next run does.
    notes
        Why, in sentences, where no difference says it.
    differences
        What the results were made with that is not so now.
    depends_on
        What the results depend on, as it is now: ``data``, ``split``, ``objective``,
        ``packages``, ``code``, ``scoring``.
    failure
        The last attempt, if it failed.
    model, score
        The recorded cards; None if there are none, or they are not what was recorded.
    files
        Files of the results: the model, the score, the log of a program or a function.
    proposal
        The proposal, if a sampler proposed the candidate.
    """

    key: str
    parameters: Mapping[str, Value]
    model_state: State
    score_state: State
    action: Action
    notes: Sequence[str]
    differences: Sequence[Difference]
    depends_on: Mapping[str, Any]
    failure: PastFailure | None
    model: ModelCard | None
    score: ScoreCard | None
    files: Mapping[str, str]
    proposal: Proposal | None


def explain(study: Study, settings: Settings, key: str) -> Explanation:
    """Explain the results of a candidate.

    Parameters
    ----------
    settings
        The settings of the next run.

    Raises
    ------
    InputError
        If the search has no such candidate; the message names the nearest.
    """
    _, keys = planned_keys(study)
    _check_key(study, key, keys)
    sources = read_sources(study, settings)
    conditions = study.conditions(sources.split_card, sources.parameters_card)
    status = read_status(study, [key], conditions, verify_models=True)
    cause = Cause(study, key, sources, conditions, status)
    return Explanation(
        key,
        cause.parameters,
        status.models[key],
        status.scores[key],
        cause.action(),
        cause.notes(),
        cause.differences(),
        _depends_on(study, sources, conditions),
        _failure(study, status, key),
        cause.model,
        cause.score,
        _files(study, key, cause),
        read_proposals(study).get(key),
    )


def _check_key(study: Study, key: str, keys: Sequence[str]) -> None:
    if key in keys:
        return
    nearest = get_close_matches(key, keys, _NEAREST, 0)
    problem = f"{legible(key)} is no candidate of this search"
    try:
        study.spec.space.parse_key(key)
    except ValueError as rule:
        problem = str(rule)
    near = f"the nearest are {listed(nearest)}" if nearest else "none is registered"
    raise InputError(f"{problem}; {near}")


def _depends_on(study: Study, sources: Sources, conditions: Conditions) -> Mapping[str, Any]:
    split, identity = sources.split_card, dict(conditions.objective.identity())
    source = study.spec.data_asset or study.spec.data_file
    data = {"source": source, "sha256": split.data_digest}
    divided = {
        name: value for name, value in split.content().items() if name not in _NOT_OF_THE_DIVISION
    }
    has_table = study.spec.has_table
    return {
        "data": data if has_table else {},
        "split": {"version": split.version, **(divided if has_table else {"seed": split.seed})},
        "packages": identity.pop("packages", {}),
        "code": identity.pop("code", {}),
        "objective": identity,
        "scoring": conditions.objective.scoring,
        "iris_hpo": {"training": CODE_VERSIONS["models"], "scoring": CODE_VERSIONS["scores"]},
    }


def _failure(study: Study, status: Status, key: str) -> PastFailure | None:
    run_id = status.failed_runs.get(key)
    if run_id is None:
        return None
    reason = reasons_of(study, {key: run_id})[key]
    return PastFailure(reason, run_id, log_files(study.instance, run_id))


def _files(study: Study, key: str, cause: Cause) -> Mapping[str, str]:
    """Files of the recorded results, by what they are."""
    names = {"score": score_name(key)} if cause.score else {}
    if cause.model:
        names["model"] = model_name(key)
        for name in cause.model.files_beside:
            names["log" if name.endswith(LOG) else "files"] = name
    return {what: str(study.store.path(name)) for what, name in names.items()}
