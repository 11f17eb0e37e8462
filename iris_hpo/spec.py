"""`SearchSpec`: everything that distinguishes one search from another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Task
from iris_hpo.data.named_splitters import (
    BY_ROLES,
    SHUFFLED,
    SPLITTERS,
    choose_splitter,
    may_follow_time,
)
from iris_hpo.data.no_table import refuse_splitter
from iris_hpo.data.splitters import Division, SplitSettings
from iris_hpo.errors import InputError, at_field
from iris_hpo.parts import Part
from iris_hpo.reports import DEFAULT_REPORTS
from iris_hpo.run_settings import AUTO, BudgetSettings, SamplingSettings
from iris_hpo.samplers import MAX_CANDIDATES, PARAMETER_FILES
from iris_hpo.search_names import check_search_name
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.spec_checks import check_spec
from iris_hpo.spec_forms import in_full
from iris_hpo.training.called_objective import CalledObjective
from iris_hpo.training.choices import Choice, choose
from iris_hpo.training.early_stopping import EarlyStopping
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimator_search import simplest_end, with_values
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.known_estimators import known_task
from iris_hpo.training.named_objective import NamedObjective
from iris_hpo.training.scorers import Scorings
from iris_hpo.training.search_objective import SearchObjective, as_part, objective_of
from iris_hpo.training.settings import identity
from iris_hpo.training.source_code import loaded_code
from iris_hpo.training.stopped_objective import StoppedObjective


@dataclass(frozen=True)
class SearchSpec:
    """A search: a data set, an estimator or another objective, the axes, and how to judge.

    It is checked when it is built; whatever cannot work is an `InputError` then. Parts may be given
    by their names, and parts and settings as mappings, as in YAML.

    Parameters
    ----------
    name
        The search's name: lower-case letters, digits, underscores. Asset keys, jobs, sensors,
        partitions and the artifacts folder begin with it. A single search can have the name ``""``.
    home
        The project's folder. Relative paths start here; itself, it starts at the current folder.
    data_file
        CSV, Parquet or Arrow, within the data folder; or give ``data_asset``. A function or a
        program can do without.
    parameters_folder
        Folder of the parameter files, within the data folder; ``parameters/<name>`` by default.
    axes
        The searched parameters, in the order of keys.
    steps
        The estimator, or the steps of a pipeline.
    objective
        What is tuned instead of an estimator: a function, or the part that names what is.
    choices
        Fixed settings of the estimator that a run may change.
    layout
        Target column and header of the data file.
    split
        Test size, seed and folds where a run says nothing.
    scoring
        A name that scikit-learn knows (``sklearn.metrics.get_scorer_names()``), or the import path
        of a function, see `iris_hpo.training.scorers.Scoring`; by default ``accuracy`` for
        classifiers and ``r2`` for regressors. Another objective names its own.
    metrics, pos_label
        Other scorings to report; the label of the positive class, as the table writes it.
    rule
        How the best is chosen where a run says nothing; by default ``cv`` where there are folds,
        else ``test_score``.
    refit
        Rows that the champion is trained on: ``all``, ``train``, or ``auto``, as the rule needs.
    blocking_checks
        Names of checks (`iris_hpo.selection.checks.CHECKS`, `iris_hpo.data.checks`) that stop the
        assets below the one that they check.
    within, metric, ensemble
        Percentage of the best mean for the rule ``within``; another metric to choose by; whether
        the selected models become one predictor.
    max_candidates
        Largest number of candidates.
    partitions
        Name of the dynamic partitions; ``<name>_candidates`` by default.
    description
        Text for the asset graph.
    reports
        What is made of a selection beside its leaderboard.
    engine
        Where candidates are trained; ``dask`` if IRIS_HPO_DASK_ADDRESS is set, else ``loky``.
    splitter
        What divides the rows; by default what the roles of columns call for, or ``shuffled``.
    sampler
        Where the candidates come from; by default the parameter files.
    budget
        How many candidates a sampler proposes.
    prepare
        ``none`` refuses features that are no complete numbers, ``auto`` prepares them.
    data_asset
        Key of the project's asset whose value is the data, with ``/`` between its parts.
    early_stopping
        When a fit of the estimator stops; by default it takes all its iterations.
    """

    name: str
    home: Path
    data_file: str = ""
    axes: tuple[Axis, ...] = ()
    steps: tuple[Step, ...] = ()
    objective: Part | None = None
    parameters_folder: str = ""
    choices: tuple[Choice, ...] = ()
    layout: Layout = field(default_factory=Layout)
    split: SplitSettings = field(default_factory=SplitSettings)
    scoring: str | Part = ""
    metrics: tuple[str | Part, ...] = ()
    pos_label: str | None = None
    rule: str | None = None
    refit: str = AUTO
    blocking_checks: tuple[str, ...] = ()
    within: str = "1%"
    metric: str | None = None
    ensemble: bool = False
    max_candidates: int = MAX_CANDIDATES
    partitions: str = ""
    description: str = ""
    reports: tuple[Part, ...] = DEFAULT_REPORTS
    engine: Part | None = None
    splitter: Part = BY_ROLES
    sampler: Part = PARAMETER_FILES
    budget: BudgetSettings = field(default_factory=BudgetSettings)
    prepare: str = "auto"
    data_asset: str = ""
    early_stopping: EarlyStopping | None = None

    def __post_init__(self) -> None:
        with at_field("name"):
            check_search_name(self.name)
        object.__setattr__(self, "home", Path(self.home).absolute())
        object.__setattr__(self, "objective", as_part(self.objective))
        for name, given in vars(self).items():
            object.__setattr__(self, name, in_full(name, given))
        self._set_default("partitions", f"{self.name or 'search'}_candidates")
        self._set_default("parameters_folder", f"parameters/{self.name}".removesuffix("/"))
        if not self.has_table and self.splitter not in (BY_ROLES, SHUFFLED):
            refuse_splitter()
        with at_field("splitter"):
            chosen = choose_splitter(self.splitter, self.layout.row_roles)
        object.__setattr__(self, "splitter", chosen)
        check_spec(self)
        self._set_default("scoring", self.default_scoring)

    def _set_default(self, name: str, value: str) -> None:
        if not getattr(self, name):
            object.__setattr__(self, name, value)

    @cached_property
    def space(self) -> ParameterSpace:
        """The axes, with what is known of them, and their key codec."""
        return ParameterSpace(
            [
                replace(axis, simplest=axis.simplest or simplest_end(self.steps, axis))
                for axis in self.axes
            ]
        )

    @cached_property
    def task(self) -> Task:
        """Classification or regression."""
        if self.objective is not None:
            return self.own_objective.task
        return self.known_task or Recipe(self.steps).task()

    @property
    def default_scoring(self) -> str:
        """The score where the search names none."""
        if self.objective is not None:
            return self.own_objective.scoring
        return "accuracy" if self.task == "classification" else "r2"

    @cached_property
    def scorings(self) -> Scorings:
        """What candidates are scored by."""
        given = (self.scoring or self.default_scoring, *self.metrics)
        parts = tuple(Part(one) if isinstance(one, str) else one for one in given)
        return Scorings(parts, self.pos_label)

    @property
    def sampling(self) -> SamplingSettings:
        """Where candidates come from and how many are tried, where a run says nothing."""
        return SamplingSettings(**vars(self.budget), sampler=self.sampler.use)

    def division(self, settings: SplitSettings | None = None) -> Division:
        """How the rows are divided under the settings of a run, by default the search's own."""
        return Division(self.splitter, settings or self.split, self.task, self.splitter_code)

    @cached_property
    def splitter_code(self) -> Mapping[str, object]:
        """What identifies the settings and the code of a splitter that is not built in."""
        if self.splitter.use in SPLITTERS:
            return {}
        step = Step(self.splitter.use, self.splitter.settings)
        return {
            "settings": identity(step.settings),
            "packages": Recipe((step,)).package_versions(),
            "code": dict(loaded_code(step.import_paths).digests),
        }

    def recipe(self, chosen: Mapping[str, str] | None = None, seed: int | None = None) -> Recipe:
        """How to build estimators under the choices of a run.

        Raises
        ------
        InputError
            For a choice that the search does not offer.
        """
        steps = with_values(self.steps, choose(self.choices, chosen or {}))
        return Recipe(steps, self.split.seed if seed is None else seed)

    def make_objective(
        self,
        chosen: Mapping[str, str] | None = None,
        seed: int | None = None,
        kinds: Sequence[str] = (),
        columns: Sequence[str] = (),
    ) -> SearchObjective:
        """How to train and score under a run's choices.

        ``kinds`` of features are prepared; a function or a program gets them, and the names of
        ``columns``.
        """
        if self.objective is None:
            recipe = replace(self.recipe(chosen, seed), kinds=tuple(kinds))
            known = (recipe, self.scorings.name, self.task, self.scorings)
            if self.early_stopping is None:
                return EstimatorObjective(*known)
            is_ordered = may_follow_time(self.splitter)
            return StoppedObjective(*known, stopping=self.early_stopping, is_ordered=is_ordered)
        choose(self.choices, chosen or {})
        if isinstance(self.own_objective, CalledObjective):
            seed = self.split.seed if seed is None else seed
            known = {"seed": seed, "columns": tuple(columns), "kinds": tuple(kinds)}
            return replace(self.own_objective, **known)
        return replace(self.own_objective)

    @cached_property
    def own_objective(self) -> NamedObjective | CalledObjective:
        """The objective that is trained instead of an estimator.

        Raises
        ------
        InputError
            If there is none, or it cannot be imported.
        """
        if self.objective is None:
            raise InputError("the search has no objective but an estimator")
        with at_field("objective"):
            own = objective_of(self.objective, self.home, self.scoring)
            own.load()
            return own

    @property
    def called(self) -> CalledObjective | None:
        """The function or the program that is called for each candidate, if one is."""
        own = self.own_objective if self.objective else None
        return own if isinstance(own, CalledObjective) else None

    @property
    def has_table(self) -> bool:
        """Whether there are data; a function or a program can do without."""
        return bool(self.data_file or self.data_asset)

    @property
    def sees_split(self) -> bool:
        """Whether more of the split than the training rows decides a model."""
        return self.called is not None or self.early_stopping is not None

    @property
    def scores_itself(self) -> bool:
        """Whether the objective gives its scores itself."""
        return self.called is not None and self.called.scores_itself

    @cached_property
    def known_task(self) -> Task | None:
        """Task of an estimator that is known to work without an import; else None."""
        return known_task(self.steps, [axis.parameter for axis in self.axes], self.choices)
