"""What a search reads: data, parameter files, and what is stored of the split and parameters."""

from dataclasses import dataclass
from functools import partial

import dagster as dg

from iris_hpo.data.dataset import Dataset, read_dataset
from iris_hpo.data.split import CARD as SPLIT_CARD
from iris_hpo.data.split import SplitCard, divide
from iris_hpo.data.splitters import SplitSettings, split_rows
from iris_hpo.engines import apart
from iris_hpo.errors import InputError
from iris_hpo.orchestration.names import Names, names_of
from iris_hpo.orchestration.record import Input, latest, latest_metadata
from iris_hpo.orchestration.resources import Storage
from iris_hpo.samplers.parameter_files import ParameterFiles, read_parameter_files
from iris_hpo.samplers.parameter_list import PARAMETERS_CARD, ParametersCard
from iris_hpo.selection.champion import CHAMPION_CARD, ChampionCard
from iris_hpo.spec import SearchSpec
from iris_hpo.store.cards import read_recorded_card
from iris_hpo.store.folder import ArtifactStore
from iris_hpo.training.cards import Conditions


@dataclass(frozen=True)
class Upstream:
    """The split and the parameters that candidates are trained under.

    Attributes
    ----------
    split, parameters
        The recorded materialisations.
    split_card, parameters_card
        What is stored, verified.
    """

    split: Input
    parameters: Input
    split_card: SplitCard
    parameters_card: ParametersCard

    def conditions(self, spec: SearchSpec) -> Conditions:
        """What candidates are trained and scored under."""
        return Conditions(
            recipe=spec.recipe(self.parameters_card.choices, self.split_card.seed),
            scoring=spec.scoring,
            training_digest=self.split_card.train_digest,
            split_version=self.split.version,
            parameters_version=self.parameters.version,
        )


def read_upstream(instance: dg.DagsterInstance, names: Names, store: ArtifactStore) -> Upstream:
    """Read what candidates stand on.

    Raises
    ------
    InputError
        If an asset was not materialised, or its file is missing or was changed since.
    """
    split = require(instance, names, "split")
    parameters = require(instance, names, "parameters")
    return Upstream(
        split,
        parameters,
        read_recorded_card(store, SPLIT_CARD, SplitCard, split.version),
        read_recorded_card(store, PARAMETERS_CARD, ParametersCard, parameters.version),
    )


def require(instance: dg.DagsterInstance, names: Names, name: str) -> Input:
    """The latest materialisation of an unpartitioned asset.

    Raises
    ------
    InputError
        If there is none.
    """
    key = names.asset(name)
    found = latest(instance, key)
    if found is None:
        raise InputError(f"{key.to_user_string()} was never materialised; materialise it first")
    return found


def read_champion(
    instance: dg.DagsterInstance, spec: SearchSpec, store: ArtifactStore
) -> ChampionCard:
    """Read the card of the champion that the event log vouches for.

    Raises
    ------
    InputError
        If there is no selection, or the card was changed.
    """
    recorded = latest_metadata(instance, names_of(spec).asset("selection")).get("champion_version")
    if recorded is None:
        raise InputError("nothing was selected yet; run the search first")
    return read_recorded_card(store, CHAMPION_CARD, ChampionCard, str(recorded.value))


def read_spec_data(spec: SearchSpec, storage: Storage) -> Dataset:
    """Read the data set of a search."""
    return read_dataset(storage.data_file(spec), spec.layout, spec.task)


def divide_spec_data(
    spec: SearchSpec, storage: Storage, dataset: Dataset, settings: SplitSettings
) -> tuple[SplitCard, bytes, bytes]:
    """Divide the data set of a search; what cannot be divided is named by its file."""
    try:
        return divide(dataset, settings, spec.task, partial(apart, split_rows))
    except InputError as error:
        raise InputError(f"{storage.data_file(spec)}: {error}") from error


def read_spec_parameters(spec: SearchSpec, storage: Storage) -> ParameterFiles:
    """Read the parameter files of a search."""
    return read_parameter_files(
        storage.parameters_folder(spec), spec.space, max_candidates=spec.max_candidates
    )


def parameters_card(spec: SearchSpec, choices: dict[str, str]) -> ParametersCard:
    """What the parameters of a search are, under the choices of a run."""
    identity = spec.recipe(choices).identity()
    return ParametersCard(
        axes=[axis.identity() for axis in spec.axes],
        recipe={name: identity[name] for name in ("steps", "code") if name in identity},
        choices={
            choice.name: choices.get(choice.name, choice.default_text) for choice in spec.choices
        },
        scoring=spec.scoring,
    )
