"""What is left to do: the difference between what the files say and what is recorded and stored."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

import dagster as dg

from iris_hpo.data.columns import Layout, is_unnamed
from iris_hpo.data.dataset import file_digest
from iris_hpo.data.split import CARD as SPLIT_CARD
from iris_hpo.data.split import TEST, TRAIN, SplitCard, settings_of
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.orchestration.names import CODE_VERSIONS, LAYOUT, Names, names_of
from iris_hpo.orchestration.partitions import (
    PartitionChange,
    pending_change,
    registered_keys,
)
from iris_hpo.orchestration.record import Input, latest, latest_metadata, version_since
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.status import (
    STATES,
    CandidateStates,
    State,
    candidate_states,
    unrefreshed,
)
from iris_hpo.orchestration.study import (
    divide_spec_data,
    parameters_card,
    read_spec_data,
    read_spec_parameters,
)
from iris_hpo.samplers.parameter_files import ParameterFiles
from iris_hpo.samplers.parameter_list import (
    CANDIDATES_TABLE,
    PARAMETERS_CARD,
    ParametersCard,
    candidates_csv,
)
from iris_hpo.spec import SearchSpec
from iris_hpo.store.cards import Card, read_recorded_card
from iris_hpo.store.digests import ArtifactError
from iris_hpo.store.folder import SMALL, ArtifactStore, read_verified
from iris_hpo.training.cards import Conditions


@dataclass(frozen=True)
class Settings:
    """What a run may set, beside how it works.

    Attributes
    ----------
    split
        How the rows are divided.
    choices
        Settings of the estimator.
    """

    split: SplitSettings
    choices: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """What a search needs to be up to date.

    Attributes
    ----------
    sources
        The unpartitioned assets to materialise, in order.
    source_states
        Per unpartitioned asset its state.
    change
        Candidates to register and delete.
    keys
        All candidates after the change, in the order of registration.
    candidates
        Those to train or score, in the same order.
    states
        Of all candidates.
    """

    sources: tuple[str, ...]
    source_states: Mapping[str, State]
    change: PartitionChange
    keys: tuple[str, ...]
    candidates: tuple[str, ...]
    states: CandidateStates

    @property
    def is_empty(self) -> bool:
        """Whether all assets that candidates stand on, and all candidates, are up to date."""
        return not (self.sources or self.candidates)

    def counts(self) -> dict[str, dict[str, int]]:
        """Per asset, the number of results in each state."""
        counted = {name: _count([state]) for name, state in self.source_states.items()}
        counted["models"] = _count(list(self.states.models.values()))
        counted["scores"] = _count(list(self.states.scores.values()))
        return counted


def make_plan(
    instance: dg.DagsterInstance, spec: SearchSpec, storage: Storage, settings: Settings
) -> Plan:
    """Compare files, record and store.

    Raises
    ------
    InputError
        If data or parameter files cannot be used.
    """
    names = names_of(spec)
    store = storage.store(spec)
    data_digest = file_digest(storage.data_file(spec))
    files = read_spec_parameters(spec, storage)
    card = parameters_card(spec, dict(settings.choices))
    # After the parameters, since it may wait for a worker: what is wrong in those is said at once.
    split_card = _split_card(instance, names, store, spec, storage, settings.split, data_digest)

    change = pending_change(instance, names, [found.key for found in files.candidates])
    registered = registered_keys(instance, names)
    removed = set(change.removed)
    keys = (*(key for key in registered if key not in removed), *change.added)

    source_states = _source_states(
        instance, names, store, data_digest, split_card, card, spec.layout
    )
    if source_states["parameters"] == "up to date" and (
        change or not _lists_candidates(store, spec, files)
    ):
        source_states["parameters"] = "out of date"
    sources = tuple(name for name, state in source_states.items() if state != "up to date")

    conditions = Conditions(
        recipe=spec.recipe(settings.choices, split_card.seed),
        scoring=spec.scoring,
        training_digest=split_card.train_digest,
        split_version=split_card.version,
        parameters_version=card.version,
    )
    states = candidate_states(
        instance, names, store, spec.space, keys, conditions, verify_models=True
    )
    since = max(version_since(instance, names.asset(name)) for name in ("split", "parameters"))
    stale = unrefreshed(instance, names, keys, since)
    candidates = tuple(
        key
        for key in keys
        if states.scores[key] != "up to date"
        or states.models[key] != "up to date"
        or key in states.shown_as_failed
        or key in stale
    )
    return Plan(sources, source_states, change, keys, candidates, states)


def _split_card(
    instance: dg.DagsterInstance,
    names: Names,
    store: ArtifactStore,
    spec: SearchSpec,
    storage: Storage,
    settings: SplitSettings,
    data_digest: str,
) -> SplitCard:
    """The card of the split that the data and the settings make.

    If the recorded split is of these, its card says so, and the rows need not be divided to know.
    """
    recorded = latest(instance, names.asset("split"))
    if recorded is not None and recorded.code_version == CODE_VERSIONS["split"]:
        with suppress(ArtifactError):
            card = read_recorded_card(store, SPLIT_CARD, SplitCard, recorded.version)
            wanted = replace(settings, stratify=settings.stratifies(spec.task))
            if (
                card.data_digest == data_digest
                and settings_of(card) == wanted
                and _is_of_layout(instance, names, card, spec.layout)
            ):
                return card
    return divide_spec_data(spec, storage, read_spec_data(spec, storage), settings)[0]


def _is_of_layout(
    instance: dg.DagsterInstance, names: Names, card: SplitCard, layout: Layout
) -> bool:
    """Whether a recorded split was made with this target and header.

    Earlier versions recorded no layout, and took row numbers for a feature.
    """
    recorded = latest_metadata(instance, names.asset("split")).get(LAYOUT)
    if recorded is not None:
        return recorded.value == asdict(layout)
    named = isinstance(layout.target, int) or layout.target == card.target_name
    return named and not any(map(is_unnamed, card.feature_names))


def _source_states(
    instance: dg.DagsterInstance,
    names: Names,
    store: ArtifactStore,
    data_digest: str,
    split_card: SplitCard,
    card: ParametersCard,
    layout: Layout,
) -> dict[str, State]:
    wanted = {
        "raw_data": data_digest,
        "split": split_card.version,
        "parameters": card.version,
    }
    recorded = {name: latest(instance, names.asset(name)) for name in wanted}
    states: dict[str, State] = {
        name: _source_state(name, recorded[name], version) for name, version in wanted.items()
    }
    if states["split"] == "up to date" and not _split_is_stored(store, split_card):
        states["split"] = "missing"
    if states["parameters"] == "up to date" and not _is_stored(store, PARAMETERS_CARD, card):
        states["parameters"] = "missing"
    if states["raw_data"] == "up to date" and not _describes(instance, names, split_card, layout):
        states["raw_data"] = "out of date"
    if states["raw_data"] != "up to date" and states["split"] == "up to date":
        states["split"] = "out of date"
    return states


def _describes(instance: dg.DagsterInstance, names: Names, card: SplitCard, layout: Layout) -> bool:
    """Whether the record of `raw_data` describes the columns as they are taken now."""
    recorded = latest_metadata(instance, names.asset("raw_data"))
    same_layout = LAYOUT not in recorded or recorded[LAYOUT].value == asdict(layout)
    features = recorded.get("features")
    return same_layout and (features is None or features.value == len(card.feature_names))


def _source_state(name: str, recorded: Input | None, wanted: str) -> State:
    if recorded is None:
        return "missing"
    current = recorded.version == wanted and recorded.code_version == CODE_VERSIONS[name]
    return "up to date" if current else "out of date"


def _is_stored(store: ArtifactStore, name: str, card: Card) -> bool:
    try:
        read_recorded_card(store, name, type(card), card.version)
    except ArtifactError:
        return False
    return True


def _split_is_stored(store: ArtifactStore, card: SplitCard) -> bool:
    try:
        read_verified(store, TRAIN, card.train_digest)
        read_verified(store, TEST, card.test_digest)
    except ArtifactError:
        return False
    return _is_stored(store, SPLIT_CARD, card)


def _lists_candidates(store: ArtifactStore, spec: SearchSpec, files: ParameterFiles) -> bool:
    try:
        return store.read(CANDIDATES_TABLE, limit=SMALL) == candidates_csv(spec.axes, files)
    except ArtifactError:  # it is missing, or no file that could be ours
        return False


def _count(states: Sequence[State]) -> dict[str, int]:
    return {state: states.count(state) for state in STATES}
