"""Why a candidate's results are as they are: what they depend on, and what has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Literal

from iris_hpo.errors import InputError
from iris_hpo.orchestration.differences import (
    Difference,
    package_differences,
    parameters_differences,
    split_differences,
)
from iris_hpo.orchestration.names import CODE_VERSIONS
from iris_hpo.orchestration.past_events import input_version, latest_of_partition, log_files
from iris_hpo.orchestration.plan import planned_keys, unrefreshed
from iris_hpo.orchestration.results import reasons_of
from iris_hpo.orchestration.source_status import Settings, Sources, read_sources
from iris_hpo.orchestration.status import State, Status, read_status
from iris_hpo.orchestration.study import Study
from iris_hpo.space.values import Value
from iris_hpo.store.cards import AnyCard
from iris_hpo.store.digests import ArtifactError
from iris_hpo.text import legible, listed
from iris_hpo.training.called import LOG
from iris_hpo.training.cards import (
    Conditions,
    ModelCard,
    ScoreCard,
    model_card_name,
    model_name,
    score_name,
)

Action = Literal["nothing", "record", "score", "train"]

ACTIONS: Final[Mapping[Action, str]] = {
    "nothing": "nothing is left to do",
    "record": "its results are reused, and recorded again",
    "score": "its model is reused, and scored",
    "train": "it is trained and scored",
}
"""What the next run does with a candidate."""

_NEAREST: Final = 5
"""Number of candidates that are named in place of one that does not exist."""

_NOT_OF_THE_DIVISION: Final = ("data_digest", "feature_names", "target_name", "kinds", "roles")
"""Fields of the card of a split that say what the data is."""


@dataclass(frozen=True)
class Failure:
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
    """

    key: str
    parameters: Mapping[str, Value]
    model_state: State
    score_state: State
    action: Action
    notes: Sequence[str]
    differences: Sequence[Difference]
    depends_on: Mapping[str, Any]
    failure: Failure | None
    model: ModelCard | None
    score: ScoreCard | None
    files: Mapping[str, str]


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
    cause = _Cause(study, key, sources, conditions, status)
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
        _files(study, key, cause.model),
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
    raise InputError(f"{problem}; the nearest are {listed(nearest)}")


@dataclass(frozen=True)
class _Cause:
    """Why a candidate has work left, or none."""

    study: Study
    key: str
    sources: Sources
    conditions: Conditions
    status: Status

    @property
    def parameters(self) -> Mapping[str, Value]:
        space = self.study.spec.space
        try:
            return space.parameters(space.parse_key(self.key))
        except ValueError:  # a user registered a key that is none
            return {}

    @property
    def model(self) -> ModelCard | None:
        versions = self.status.model_versions
        return self._card(model_card_name(self.key), ModelCard, versions.get(self.key))

    @property
    def score(self) -> ScoreCard | None:
        return self._card(score_name(self.key), ScoreCard, self.status.score_versions.get(self.key))

    def _card(self, name: str, kind: type[AnyCard], version: str | None) -> AnyCard | None:
        try:
            return self.study.card(name, kind, version) if version else None
        except ArtifactError:
            return None

    @property
    def _is_trained(self) -> bool:
        return self.status.models[self.key] == "up to date"

    @property
    def _is_scored(self) -> bool:
        return self.status.scores[self.key] == "up to date"

    def action(self) -> Action:
        if not self._is_trained:
            return "train"
        if not self._is_scored:
            return "score"
        is_recorded = not unrefreshed(self.study, [self.key])
        shown_as_failed = self.key in self.status.shown_as_failed
        return "nothing" if is_recorded and not shown_as_failed else "record"

    def notes(self) -> Sequence[str]:
        """Why there is work left, where no difference says it."""
        notes = [self.status.refused[self.key]] if self.key in self.status.refused else []
        if self.key not in self.status.model_versions:
            notes.append("no model is recorded")
        elif not self._is_trained and self.model and self._fits(self.model):
            notes.append("the file of its model is missing or was changed")
        elif self._is_trained and self.key not in self.status.score_versions:
            notes.append("no score is recorded")
        if self.action() == "record":
            notes.append("the split, the parameters or a failed run were recorded since")
        return notes

    def _fits(self, model: ModelCard) -> bool:
        return model.fingerprint == self.conditions.model_fingerprint(self.parameters)

    def differences(self) -> Sequence[Difference]:
        """What the results were made with that is not so now."""
        differences: dict[str, Difference] = {}
        model, score = self.model, self.score
        if model is not None and not self._fits(model):
            for difference in self._of_model(model):
                differences.setdefault(difference.what, difference)
        if score is not None and not self._is_scored:
            for difference in self._of_score(score):
                differences.setdefault(difference.what, difference)
        return [*differences.values()]

    def _of_model(self, model: ModelCard) -> list[Difference]:
        names, present = self.study.names, self.conditions
        made = latest_of_partition(self.study.instance, names.asset("models"), self.key)
        split = input_version(made, names.asset("split"))
        parameters = input_version(made, names.asset("parameters"))
        identity = present.objective.identity()
        differences: list[Difference] = []
        if split is not None:
            of_split = split_differences(self.study, split, self.sources.split_card)
            same_rows = model.training_digest == present.training_digest
            differences += [one for one in of_split if not same_rows or one.what == "seed"]
        if parameters is not None:
            card = self.sources.parameters_card
            differences += parameters_differences(self.study, parameters, card)
        packages: Any = identity.get("packages", {})
        differences += package_differences(model.versions, packages)
        if not differences and model.training_digest != present.training_digest:
            digests = model.training_digest, present.training_digest
            differences.append(Difference("training rows", *digests))
        version = CODE_VERSIONS["models"]
        return differences or [Difference("training by iris_hpo", "an earlier version", version)]

    def _of_score(self, score: ScoreCard) -> list[Difference]:
        split, parameters = self.sources.split_card, self.sources.parameters_card
        differences = split_differences(self.study, score.split_version, split)
        differences += parameters_differences(self.study, score.parameters_version, parameters)
        if differences or not self._is_trained:
            return differences
        version = CODE_VERSIONS["scores"]
        return [Difference("scoring by iris_hpo", "an earlier version", version)]


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


def _failure(study: Study, status: Status, key: str) -> Failure | None:
    run_id = status.failed_runs.get(key)
    if run_id is None:
        return None
    reason = reasons_of(study, {key: run_id})[key]
    return Failure(reason, run_id, log_files(study.instance, run_id))


def _files(study: Study, key: str, model: ModelCard | None) -> Mapping[str, str]:
    """Files of the recorded results, by what they are."""
    if model is None:
        return {}
    names = {"model": model_name(key), "score": score_name(key)}
    for name in model.files_beside:
        names["log" if name.endswith(LOG) else "files"] = name
    return {what: str(study.store.path(name)) for what, name in names.items()}
