"""`Study`: a search at work on an instance, with its inputs, each read once.

The status of candidates and of the selection is in `status`; what is left to do is in `plan`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path

import dagster as dg

from iris_hpo.data.dataset import Dataset, read_dataset
from iris_hpo.data.no_table import no_dataset, undivided
from iris_hpo.data.sources import file_digest
from iris_hpo.data.split import CARD as SPLIT_CARD
from iris_hpo.data.split import Examples, SplitCard, divide, read_examples
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.engines import apart
from iris_hpo.errors import InputError
from iris_hpo.orchestration.data_asset import DataAsset
from iris_hpo.orchestration.elsewhere import explain
from iris_hpo.orchestration.names import Names, names_of, prepares
from iris_hpo.orchestration.record import Input, latest, latest_metadata
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.sampling import Sampling
from iris_hpo.orchestration.upstream import Upstream
from iris_hpo.samplers.parameter_list import PARAMETERS_CARD, CandidateList, ParametersCard
from iris_hpo.selection.champion import CHAMPION_CARD, ChampionCard
from iris_hpo.spec import SearchSpec
from iris_hpo.store.cards import AnyCard, Card, read_recorded_card
from iris_hpo.store.digests import ArtifactError
from iris_hpo.store.folder import ArtifactStore
from iris_hpo.training.cards import Conditions


class Study:
    """A search on an instance and a store.

    Every input is read when it is first needed, and kept: all work of a study is based on one state
    of the data file. Parameter files that are edited while a command works are read again.

    Parameters
    ----------
    spec
        The search.
    instance
        The instance that records its candidates and results.
    storage
        The place of its data and artifacts.

    Attributes
    ----------
    data_asset
        The project's asset with the data, if the search has one.
    sampling
        The sampler and the budget in force.
    announce
        Called with each line for a user who waits, such as which run is waited for.
    """

    def __init__(self, spec: SearchSpec, instance: dg.DagsterInstance, storage: Storage) -> None:
        self.spec = spec
        self.instance = instance
        self.storage = storage
        self.data_asset = DataAsset(self)
        self.sampling = Sampling(self)
        self.announce: Callable[[str], None] = lambda _: None
        self._divided: dict[SplitSettings, tuple[SplitCard, dict[str, bytes]]] = {}
        self._cards: dict[tuple[str, str], Card] = {}
        self._examples: tuple[str, Examples] | None = None

    @classmethod
    def of_run(cls, spec: SearchSpec, instance: dg.DagsterInstance, storage: Storage) -> "Study":
        """Return the study that assets and checks share while they are worked on in one process."""
        return storage.once_a_run(spec.name, lambda: cls(spec, instance, storage))

    def again(self) -> "Study":
        """Return a new study of the same search, which reads its inputs again."""
        study = Study(self.spec, self.instance, self.storage)
        study.sampling = self.sampling.again(study)
        study.announce = self.announce
        study.data_asset.project = self.data_asset.project
        return study

    @cached_property
    def names(self) -> Names:
        """Dagster names of the search."""
        return names_of(self.spec)

    @cached_property
    def store(self) -> ArtifactStore:
        """The artifacts of the search."""
        return self.storage.store(self.spec)

    @property
    def data_file(self) -> Path:
        """Path of the data file."""
        return self.data_asset.path if self.spec.data_asset else self.storage.data_file(self.spec)

    @property
    def parameters_folder(self) -> Path:
        """Path of the folder of parameter files."""
        return self.storage.parameters_folder(self.spec)

    @cached_property
    def data_digest(self) -> str:
        """The sha256 of the data file, whose rows are read only if nothing was split before."""
        if not self.spec.has_table or "dataset" in vars(self) or self.recorded("split") is None:
            return self.dataset.digest
        return file_digest(self.data_file)

    @cached_property
    def dataset(self) -> Dataset:
        """The data set.

        Raises
        ------
        InputError
            If the file cannot be used.
        """
        spec = self.spec
        if not spec.has_table:
            return no_dataset()
        with self.data_asset.naming():
            return read_dataset(self.data_file, spec.layout, spec.task, mixed=prepares(spec))

    def divide(self, settings: SplitSettings) -> tuple[SplitCard, dict[str, bytes]]:
        """Divide the data set.

        Returns
        -------
        card, files
            The card of the split, and the files beside it by name.

        Raises
        ------
        InputError
            If it cannot be divided by these settings; the message names the file.
        """
        if not self.spec.has_table:
            return undivided(settings)
        if settings not in self._divided:
            dataset = self.dataset  # its errors name the file
            try:
                self._divided[settings] = divide(dataset, self.spec.division(settings), apart)
            except InputError as error:
                raise InputError(f"{self.data_file}: {error}") from error
        return self._divided[settings]

    def forget_rows(self) -> None:
        """Free the memory of the data set and of its parts, once they are stored."""
        digest = self.data_digest
        vars(self).pop("dataset", None)
        self.data_digest = digest
        self._divided.clear()

    def forget_data(self) -> None:
        """Forget what was read of the data, which has changed."""
        for name in ("dataset", "data_digest"):
            vars(self).pop(name, None)
        self._divided.clear()

    @property
    def candidates(self) -> CandidateList:
        """The candidates that the sampler lists before there are results.

        Raises
        ------
        InputError
            If the sampler, or a file that it reads, cannot be used.
        """
        return self.sampling.listed

    @property
    def listed_keys(self) -> Sequence[str]:
        """Keys of the candidates that the sampler lists, in order."""
        return [candidate.key for candidate in self.candidates]

    def parameters_card(self, choices: Mapping[str, str]) -> ParametersCard:
        """Make the card of the parameters, under the choices of a run."""
        objective = self.spec.make_objective(choices)
        identity = objective.identity()
        return ParametersCard(
            axes=[axis.identity() for axis in self.spec.axes],
            recipe={name: identity[name] for name in identity if name not in ("seed", "packages")},
            choices={
                choice.name: choices.get(choice.name, choice.default_text)
                for choice in self.spec.choices
            },
            scoring=objective.scoring,
            scorings=dict(objective.scoring_identity()) or None,
        )

    def conditions(self, split: SplitCard, parameters: ParametersCard) -> Conditions:
        """Conditions under which candidates are trained and scored, for a split and parameters.

        Results have the version of the parameters by the present code and description, under the
        recorded choices: they are made so, also if `parameters` was recorded before an edit.
        """
        return Conditions(
            objective=self.spec.make_objective(
                parameters.choices, split.seed, split.kinds or (), split.columns
            ),
            training_digest=split.version if self.spec.sees_split else split.train_digest,
            split_version=split.version,
            parameters_version=self.parameters_card(parameters.choices).version,
        )

    def events_together(self) -> AbstractContextManager[None]:
        """Store the events of candidates that a block logs together, if the event log can."""
        batched = getattr(self.instance.event_log_storage, "batched", None)
        return batched() if batched else nullcontext()  # the event logs of this package have it

    def recorded(self, name: str) -> Input | None:
        """The latest materialisation of an unpartitioned asset, by its name in every search."""
        return latest(self.instance, self.names.asset(name))

    def require(self, name: str) -> Input:
        """The latest materialisation of an unpartitioned asset.

        Raises
        ------
        InputError
            If there is none.
        """
        recorded = self.recorded(name)
        if recorded is None:
            key = self.names.asset(name).to_user_string()
            raise InputError(f"{key} was never materialised; materialise it first")
        return recorded

    def metadata(self, name: str) -> Mapping[str, dg.MetadataValue]:
        """The metadata of the latest materialisation of an unpartitioned asset."""
        return latest_metadata(self.instance, self.names.asset(name))

    def card(self, name: str, kind: type[AnyCard], version: str) -> AnyCard:
        """Read a card with the version in the event log; each version is read once.

        Raises
        ------
        ArtifactError
            If the card is missing, or has changed since its version was recorded.
        """
        known = self._cards.get((name, version))
        if isinstance(known, kind):
            return known
        try:
            card = read_recorded_card(self.store, name, kind, version)
        except ArtifactError as error:
            raise explain(self, name, error) from error
        self._cards[name, version] = card
        return card

    def examples(self, split: SplitCard) -> Examples:
        """Read the rows of a split; those of one split are kept.

        Raises
        ------
        ArtifactError
            If a file is missing or was changed.
        """
        if self._examples is None or self._examples[0] != split.version:
            self._examples = split.version, read_examples(self.store, split, self.spec.task)
        return self._examples[1]

    def upstream(self) -> Upstream:
        """Read the split and the parameters that are recorded now.

        Raises
        ------
        InputError
            If an asset was not materialised, or its file is missing or was changed since.
        """
        split, parameters = self.require("split"), self.require("parameters")
        return Upstream(
            split,
            parameters,
            self.card(SPLIT_CARD, SplitCard, split.version),
            self.card(PARAMETERS_CARD, ParametersCard, parameters.version),
        )

    def champion(self) -> ChampionCard:
        """Read the card of the champion that is recorded now.

        Raises
        ------
        InputError
            If there is no selection, or the card was changed.
        """
        version = self.metadata("selection").get("champion_version")
        if version is None:
            by = f" by the search {self.spec.name!r}" if self.spec.name else ""
            raise InputError(f"nothing was selected yet{by}; run the search first")
        return self.card(CHAMPION_CARD, ChampionCard, str(version.value))


OpenStudy = Callable[[dg.DagsterInstance, Storage], Study]
"""Gives an asset the study of its search; by default `Study.of_run`."""
