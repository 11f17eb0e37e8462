"""Why a candidate has work left: what is missing, and what has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from iris_hpo.orchestration.differences import (
    Difference,
    package_differences,
    parameters_differences,
    split_differences,
)
from iris_hpo.orchestration.names import CODE_VERSIONS
from iris_hpo.orchestration.past_events import input_version, latest_of_partition
from iris_hpo.orchestration.plan import unrefreshed
from iris_hpo.orchestration.source_status import Sources
from iris_hpo.orchestration.status import Status
from iris_hpo.orchestration.study import Study
from iris_hpo.space.values import Value
from iris_hpo.store.cards import AnyCard
from iris_hpo.store.digests import ArtifactError
from iris_hpo.training.cards import Conditions, ModelCard, ScoreCard, model_card_name, score_name

Action = Literal["nothing", "record", "score", "train"]

ACTIONS: Final[Mapping[Action, str]] = {
    "nothing": "nothing is left to do",
    "record": "its results are reused, and recorded again",
    "score": "its model is reused, and scored",
    "train": "it is trained and scored",
}
"""What the next run does with a candidate."""


@dataclass(frozen=True)
class Cause:
    """Why a candidate has work left, or none.

    Attributes
    ----------
    key
        The candidate.
    sources, conditions
        What its results should be made from, and under.
    status
        Status of its results.
    """

    study: Study
    key: str
    sources: Sources
    conditions: Conditions
    status: Status

    @property
    def parameters(self) -> Mapping[str, Value]:
        """The candidate's parameters; empty if the key is none."""
        space = self.study.spec.space
        try:
            return space.parameters(space.parse_key(self.key))
        except ValueError:  # a user registered a key that is none
            return {}

    @property
    def model(self) -> ModelCard | None:
        """The recorded card of the model; None if it is missing or was changed."""
        versions = self.status.model_versions
        return self._card(model_card_name(self.key), ModelCard, versions.get(self.key))

    @property
    def score(self) -> ScoreCard | None:
        """The recorded card of the score; None if it is missing or was changed."""
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
        """What the next run does with the candidate."""
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
