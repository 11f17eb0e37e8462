"""The status of `raw_data`, `split` and `parameters`: whether they fit the present files."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from iris_hpo.data.headers import is_unnamed
from iris_hpo.data.split import CARD as SPLIT_CARD
from iris_hpo.data.split import SplitCard
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.orchestration.names import CODE_VERSIONS, LAYOUT, prepares
from iris_hpo.orchestration.status import State
from iris_hpo.orchestration.study import Study
from iris_hpo.run_settings import SamplingSettings
from iris_hpo.samplers.parameter_list import (
    CANDIDATES_TABLE,
    PARAMETERS_CARD,
    ParametersCard,
    candidates_csv,
)
from iris_hpo.store.cards import Card
from iris_hpo.store.digests import ArtifactError
from iris_hpo.store.folder import SMALL, read_verified


@dataclass(frozen=True)
class Settings:
    """Settings of a run that decide results.

    Attributes
    ----------
    split
        Settings of the splitter.
    choices
        Settings of the estimator.
    sampling
        Where candidates come from and how many are tried; None for what is in force.
    """

    split: SplitSettings
    choices: Mapping[str, str]
    sampling: SamplingSettings | None = None


@dataclass(frozen=True)
class Sources:
    """The unpartitioned assets, as the files and the settings of a run make them.

    Attributes
    ----------
    split_card, parameters_card
        Cards that `split` and `parameters` should store.
    states
        State of each unpartitioned asset, in the order in which they are made.
    """

    split_card: SplitCard
    parameters_card: ParametersCard
    states: Mapping[str, State]


def read_sources(study: Study, settings: Settings) -> Sources:
    """Compare the files with the record and the store.

    Raises
    ------
    InputError
        If data or parameter files cannot be used.
    """
    data_digest = study.data_digest
    if settings.sampling is not None:
        study.sampling.follow(settings.sampling, settings.split)
    # Parameter files before the split: dividing may wait for a worker, and mistakes in the files
    # are reported at once.
    study.candidates  # noqa: B018 - reads the files
    parameters_card = study.parameters_card(settings.choices)
    split_card = _split_card(study, settings.split)
    states: dict[str, State] = {
        "raw_data": _recorded_state(study, "raw_data", data_digest),
        "split": _recorded_state(study, "split", split_card.version),
        "parameters": _recorded_state(study, "parameters", parameters_card.version),
    }
    if states["split"] == "up to date" and not _split_is_stored(study, split_card):
        states["split"] = "missing"
    if states["parameters"] == "up to date":
        if not _is_stored(study, PARAMETERS_CARD, parameters_card):
            states["parameters"] = "missing"
        elif not is_table_current(study):
            states["parameters"] = "out of date"
        elif study.sampling.settings != study.sampling.recorded():
            states["parameters"] = "out of date"  # the record says what sensors and runs follow
    is_kept = not study.spec.data_asset or study.data_asset.is_kept
    if states["raw_data"] == "up to date" and not (is_kept and _describes(study, split_card)):
        states["raw_data"] = "out of date"
    if states["raw_data"] != "up to date" and states["split"] == "up to date":
        states["split"] = "out of date"
    return Sources(split_card, parameters_card, states)


def are_sources_current(study: Study, settings: Settings) -> bool:
    """Whether the unpartitioned assets fit the files and the settings; no rows are divided.

    Raises
    ------
    InputError
        If data or parameter files cannot be used.
    """
    if study.spec.has_table and _recorded_split_card(study, settings.split) is None:
        return False  # before rows are divided
    return {*read_sources(study, settings).states.values()} == {"up to date"}


def _split_card(study: Study, settings: SplitSettings) -> SplitCard:
    """The card of the split that the data and the settings make."""
    return _recorded_split_card(study, settings) or study.divide(settings)[0]


def _recorded_split_card(study: Study, settings: SplitSettings) -> SplitCard | None:
    """The card of the recorded split, if it names the present data and these settings."""
    recorded = study.recorded("split")
    if recorded is not None and recorded.code_version == CODE_VERSIONS["split"]:
        with suppress(ArtifactError):
            card = study.card(SPLIT_CARD, SplitCard, recorded.version)
            if (
                card.data_digest == study.data_digest
                and card.is_made_by(study.spec.division(settings))
                and _is_of_layout(study, card)
                and (prepares(study.spec) or not card.kinds)
            ):
                return card
    return None


def _is_of_layout(study: Study, card: SplitCard) -> bool:
    """Whether a recorded split was made with the target and header of the search.

    Earlier versions recorded no layout, and took row numbers for a feature.
    """
    layout = study.spec.layout
    recorded = study.metadata("split").get(LAYOUT)
    if recorded is not None:
        return recorded.value == layout.content()
    target = layout.target_column
    named = isinstance(target, int) or target == card.target_name
    return named and not any(map(is_unnamed, card.feature_names))


def _describes(study: Study, card: SplitCard) -> bool:
    """Whether the record of `raw_data` describes the columns that are used now."""
    recorded = study.metadata("raw_data")
    same_layout = LAYOUT not in recorded or recorded[LAYOUT].value == study.spec.layout.content()
    features = recorded.get("features")
    return same_layout and (features is None or features.value == len(card.feature_names))


def _recorded_state(study: Study, name: str, version: str) -> State:
    recorded = study.recorded(name)
    if recorded is None:
        return "missing"
    is_current = recorded.version == version and recorded.code_version == CODE_VERSIONS[name]
    return "up to date" if is_current and recorded.is_latest else "out of date"


def _is_stored(study: Study, name: str, card: Card) -> bool:
    try:
        study.card(name, type(card), card.version)
    except ArtifactError:
        return False
    return True


def _split_is_stored(study: Study, card: SplitCard) -> bool:
    try:
        for name, digest in card.digests.items():
            read_verified(study.store, name, digest)
    except ArtifactError:
        return False
    return _is_stored(study, SPLIT_CARD, card)


def is_table_current(study: Study) -> bool:
    """Whether the stored table of candidates has the listed candidates."""
    table = candidates_csv(study.spec.axes, study.candidates)
    try:
        return study.store.read(CANDIDATES_TABLE, limit=SMALL) == table
    except ArtifactError:  # it is missing, or not a file that a search could have written
        return False
