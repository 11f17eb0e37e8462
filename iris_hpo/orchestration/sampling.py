"""The sampling of a search: its sampler and budget in force, and the candidates that are listed."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from iris_hpo.errors import InputError
from iris_hpo.files import stamps_of
from iris_hpo.orchestration.last_run import last_sampling, last_split
from iris_hpo.orchestration.proposal_notes import read_proposals
from iris_hpo.parts import Part
from iris_hpo.run_settings import FILES, SamplingSettings, SplitSettings
from iris_hpo.samplers import PARAMETER_FILES
from iris_hpo.samplers.parameter_list import CandidateList
from iris_hpo.samplers.source import CandidateSource
from iris_hpo.space.values import Value
from iris_hpo.spec import SearchSpec
from iris_hpo.training.parameter_names import OPEN

if TYPE_CHECKING:
    from iris_hpo.orchestration.study import Study


class Sampling:
    """Where the candidates of a search come from.

    In force is what a run changes. Otherwise it is what `parameters` recorded last, so that all
    runs and sensors follow the same, and the search's own where nothing was changed.

    Parameters
    ----------
    study
        The search on its instance.
    """

    def __init__(self, study: "Study") -> None:
        self._study = study
        self._settings: SamplingSettings | None = None
        self._split: SplitSettings | None = None
        self._source: tuple[object, CandidateSource] | None = None
        self._listed: CandidateList | None = None

    def follow(self, settings: SamplingSettings, split: SplitSettings | None = None) -> None:
        """Follow the settings of a run."""
        before = self._settings, self._split
        self._settings, self._split = settings, split or self._split
        if (self._settings, self._split) != before:
            self._source = None

    def again(self, study: "Study") -> "Sampling":
        """Return the same sampling for a new study, which lists the candidates again."""
        sampling = Sampling(study)
        sampling._settings, sampling._split = self._settings, self._split
        return sampling

    @property
    def settings(self) -> SamplingSettings:
        """The sampler and the budget in force."""
        if self._settings is None:
            self._settings = self.recorded()
        return self._settings

    def recorded(self) -> SamplingSettings:
        """The settings that `parameters` recorded last; the search's own where it recorded none."""
        own = self._study.spec.sampling
        try:
            return replace(own, **last_sampling(self._study))
        except InputError:  # what was changed no longer goes with the search's own
            return own

    @property
    def part(self) -> Part:
        """The sampler in force."""
        own, use = self._study.spec.sampler, self.settings.sampler
        return own if use == own.use else Part(use)

    @property
    def is_adaptive(self) -> bool:
        """Whether the sampler is asked again, when results are known."""
        return self.source.is_adaptive

    @property
    def reads_only_files(self) -> bool:
        """Whether the candidates are those of the parameter files."""
        return self.part == PARAMETER_FILES

    @property
    def place(self) -> str:
        """Where the candidates come from, for messages."""
        if self.reads_only_files:
            return str(self._study.parameters_folder)
        return f"the sampler {self.part.use}"

    @property
    def source(self) -> CandidateSource:
        """The sampler with its files; made again only if a parameter file changed.

        Raises
        ------
        InputError
            If the sampler needs scores, and there are no folds.
        """
        present = self.part, stamps_of(self._study.parameters_folder)
        if self._source is None or self._source[0] != present:
            self._source = present, self.source_of(self._study.parameters_folder)
            self._listed = None
        return self._source[1]

    @property
    def listed(self) -> CandidateList:
        """The candidates that are listed; listed again only if a parameter file changed.

        Raises
        ------
        InputError
            If the sampler, or a file that it reads, cannot be used.
        """
        source = self.source
        if self._listed is None:
            self._listed = source.first()
        return self._listed

    @cached_property
    def outgrown(self) -> frozenset[str]:
        """Candidates that were proposed for other axes than the present ones; read once.

        Later proposals have the present ones.
        """
        space = self._study.spec.space
        return frozenset(key for key in read_proposals(self._study) if not space.is_key(key))

    def source_of(self, folder: Path) -> CandidateSource:
        """Return the sampler in force with the parameter files of a folder."""
        spec = self._study.spec
        return CandidateSource(
            self.part,
            spec.space,
            folder,
            seed=spec.split.seed,
            limit=spec.max_candidates,
            default={} if self.part.use == FILES else _default_values(spec),
            is_scored=self.part.use == FILES or spec.scores_itself or self.has_folds,
        )

    def is_in_files(self, key: str) -> bool:
        """Whether the parameter files list a candidate, whatever sampler is in force."""
        if self.reads_only_files:
            return False  # they are listed
        try:
            return self.source.is_in_files(self._study.spec.space.parse_key(key))
        except ValueError:
            return False

    @property
    def has_folds(self) -> bool:
        """Whether there are folds under the settings of this run, else those of the last split."""
        spec = self._study.spec
        if self._split is None:
            self._split = replace(spec.split, **last_split(self._study))
        return spec.has_table and spec.division(self._split).n_folds > 0


def _default_values(spec: SearchSpec) -> Mapping[str, Value]:
    """The estimator's own values of the searched parameters; empty for another objective."""
    if spec.objective is not None:
        return {}
    own = spec.recipe().build().get_params()
    searched = {axis.parameter for axis in spec.axes}
    return {
        name: cast("Value", value)
        for name, value in own.items()
        if name in searched and value is not OPEN
    }
