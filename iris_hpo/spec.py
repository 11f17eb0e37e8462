"""`SearchSpec`: everything that distinguishes one search from another."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Task
from iris_hpo.data.splitters import (
    SHUFFLED,
    SPLITTERS,
    Division,
    SplitSettings,
    refuse_settings,
)
from iris_hpo.engines import check_engine
from iris_hpo.errors import InputError, at_field
from iris_hpo.parts import Part
from iris_hpo.reports import make_reports
from iris_hpo.samplers import MAX_CANDIDATES, PARAMETER_FILES, check_sampler
from iris_hpo.selection.rules import Rule, check_rule
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.space.simplicity import Simplest, known_simplest
from iris_hpo.space.values import Value
from iris_hpo.training.choices import Choice
from iris_hpo.training.estimators import Recipe, Step, package_versions
from iris_hpo.training.scoring import check_scoring
from iris_hpo.training.settings import identity, states
from iris_hpo.training.source_code import loaded_code

DEFAULT_REPORTS: Final = (Part("heatmap"),)

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,49}", re.ASCII)
_TAKEN: Final = ("models", "parameters", "scores", "search", "selection", "split")
"""What the one search without a prefix calls its folders and its partitions."""


@dataclass(frozen=True)
class SearchSpec:
    """A search: a data set, an estimator, the axes, and how to judge.

    It is checked when it is built; whatever cannot work is an `InputError` then. A search that
    states its task is trusted to work with its estimator, until `check_estimator` is called: so a
    process that only looks, or leaves the work to others, need not import scikit-learn.

    Parameters
    ----------
    name
        Of the search: lower-case letters, digits, underscores. It prefixes asset keys, jobs,
        sensors, partitions and the artifacts folder. The one search without a prefix has ``""``.
    home
        The project's folder. Relative paths start here.
    data_file
        CSV or Parquet, within the data folder.
    parameters_folder
        Of the parameter files, within the data folder; ``parameters/<name>`` by default.
    axes
        The searched parameters, in the order of keys.
    steps
        The estimator, or the steps of a pipeline.
    stated_task
        What the estimator is for; by default it is asked.
    choices
        Fixed settings that a run may change.
    layout
        Target column and header of the data file.
    split
        Test size, seed and folds where a run says nothing.
    scoring
        A name that scikit-learn knows (``sklearn.metrics.get_scorer_names()``); by default
        ``accuracy`` for classifiers and ``r2`` for regressors.
    rule
        How the best is chosen where a run says nothing; by default ``cv`` where there are folds,
        else ``test_score``.
    max_candidates
        More are refused.
    partitions
        Name of the dynamic partitions; ``<name>_candidates`` by default.
    description
        For the asset graph.
    reports
        What is made of a selection beside its leaderboard.
    engine
        Where candidates are worked on where a run says nothing; by default ``dask`` where
        IRIS_HPO_DASK_ADDRESS names a scheduler, else ``loky``.
    splitter
        What divides the rows; by default ``shuffled``, under the settings of ``split``. With
        another splitter, ``split`` holds nothing but the seed of the estimator.
    sampler
        Where the candidates come from; by default the parameter files.
    """

    name: str
    home: Path
    data_file: str
    axes: tuple[Axis, ...]
    steps: tuple[Step, ...]
    stated_task: Task | None = None
    parameters_folder: str = ""
    choices: tuple[Choice, ...] = ()
    layout: Layout = field(default_factory=Layout)
    split: SplitSettings = field(default_factory=SplitSettings)
    scoring: str = ""
    rule: Rule | None = None
    max_candidates: int = MAX_CANDIDATES
    partitions: str = ""
    description: str = ""
    reports: tuple[Part, ...] = DEFAULT_REPORTS
    engine: Part | None = None
    splitter: Part = SHUFFLED
    sampler: Part = PARAMETER_FILES

    def __post_init__(self) -> None:
        with at_field("name"):
            self._check_name()
        if not self.partitions:
            object.__setattr__(self, "partitions", f"{self.name or 'search'}_candidates")
        if not self.parameters_folder:
            folder = f"parameters/{self.name}".removesuffix("/")
            object.__setattr__(self, "parameters_folder", folder)
        if self.max_candidates < 1:
            raise InputError(
                f"max_candidates {self.max_candidates} must be at least 1",
                field=("max_candidates",),
            )
        with at_field("axes"):
            self.space  # noqa: B018 - axes that cannot work are refused
        if not self.scoring:
            default = "accuracy" if self.task == "classification" else "r2"
            object.__setattr__(self, "scoring", default)
        if self.stated_task is None:
            self.check_estimator()
        self._check_splitter()
        if self.rule is not None:
            self.checked_rule(self.rule, self.division().n_folds)

    def check_estimator(self) -> None:
        """Check what only the estimator can tell: settings, choices, axes, the scoring.

        Raises
        ------
        InputError
            If the search cannot work with it.
        """
        task = Recipe(self.steps).task()
        if task != self.task:
            raise InputError(f"the estimator is for {task}, not {self.task}")
        for index, choice in enumerate(self.choices):
            with at_field("choices", index):
                self._check_choice(choice, self.choices[:index])
        for index, axis in enumerate(self.axes):
            with at_field("axes", index, "parameter"):
                self._check_axis(axis)
        with at_field("scoring"):
            check_scoring(self.scoring, task)
        with at_field("sampler"):
            check_sampler(self.sampler)
        make_reports(self.reports)
        if self.engine:
            with at_field("engine"):
                check_engine(self.engine)

    @cached_property
    def space(self) -> ParameterSpace:
        """The axes, with what is known of them, and their key codec."""
        return ParameterSpace(
            [
                replace(axis, simplest=axis.simplest or self._known_simplest(axis))
                for axis in self.axes
            ]
        )

    @cached_property
    def task(self) -> Task:
        """Classification or regression."""
        return self.stated_task or Recipe(self.steps).task()

    def division(self, settings: SplitSettings | None = None) -> Division:
        """How the rows are divided under the settings of a run, by default the search's own."""
        return Division(self.splitter, settings or self.split, self.task, self._splitter_code)

    @cached_property
    def _splitter_code(self) -> Mapping[str, object]:
        """What identifies the settings and the code of a splitter that is not built in."""
        if self.splitter.use in SPLITTERS:
            return {}
        step = Step(self.splitter.use, self.splitter.settings)
        return {
            "settings": identity(step.settings),
            "packages": package_versions([step]),
            "code": dict(loaded_code(step.import_paths).digests),
        }

    def _check_splitter(self) -> None:
        default, own = vars(SplitSettings()), vars(self.split)
        refuse_settings(self.splitter, [name for name in own if own[name] != default[name]])
        with at_field("splitter"):
            self.division().splitter()
            self._splitter_code  # noqa: B018 - the files are as they were imported
        with at_field("stratify"):
            self.split.stratifies(self.task)

    def checked_rule(self, rule: str | None, folds: int) -> Rule:
        """Return the rule that was given, or the search's, if it can be followed.

        Raises
        ------
        InputError
            If it is unknown, needs cross-validation and there is none, or needs to know which end
            of an axis is simple.
        """
        return check_rule(rule or self.default_rule(folds), folds, self.space)

    def default_rule(self, folds: int) -> str:
        """Name the rule that holds where a run says nothing."""
        return self.rule or ("cv" if folds else "test_score")

    def recipe(self, chosen: Mapping[str, str] | None = None, seed: int | None = None) -> Recipe:
        """How to build estimators under the choices of a run.

        Raises
        ------
        InputError
            For a choice that the search does not offer.
        """
        values: dict[str, Value] = {choice.name: choice.default for choice in self.choices}
        offered = {choice.name: choice for choice in self.choices}
        for name, value in (chosen or {}).items():
            if name not in offered:
                raise InputError(
                    f"this search has no choice {name!r}; it has {', '.join(offered) or 'none'}"
                )
            values[name] = offered[name].value(value)
        steps = self.steps
        for name, value in values.items():
            steps = _with_setting(steps, name, value)
        return Recipe(steps, self.split.seed if seed is None else seed)

    def _check_name(self) -> None:
        if self.name and not _NAME.fullmatch(self.name):
            raise InputError(
                f"search name {self.name!r}: use lower-case letters, digits and underscores, "
                "beginning with a letter, at most 50"
            )
        if self.name in _TAKEN:
            raise InputError(
                f"search name {self.name!r}: the search without a name uses it; choose another"
            )

    def _check_choice(self, choice: Choice, earlier: Sequence[Choice]) -> None:
        if choice.name in [axis.parameter for axis in self.axes]:
            raise InputError(f"{choice.name!r} is both an axis and a choice")
        if choice.name in [other.name for other in earlier]:
            raise InputError(f"two choices are named {choice.name!r}")
        prefix = choice.name.rpartition("__")[0]
        prefixes = [step.name for step in self.steps] if len(self.steps) > 1 else [""]
        if prefix not in prefixes:
            wanted = " or ".join(f"{step}__<setting>".removeprefix("__") for step in prefixes)
            raise InputError(f"choice {choice.name!r} names no setting of a step; write {wanted}")
        if self._is_fixed(choice.name):
            raise InputError(f"choice {choice.name!r} is offered, but the settings fix it")
        for option in choice.options:
            Recipe(_with_setting(self.steps, choice.name, option)).build()

    def _check_axis(self, axis: Axis) -> None:
        self.recipe().build({axis.parameter: None})
        if self._is_fixed(axis.parameter):
            raise InputError(
                f"axis {axis.name!r} searches {axis.parameter!r}, which the settings fix too"
            )

    def _known_simplest(self, axis: Axis) -> Simplest | None:
        if not axis.is_numeric:
            return None
        prefix, _, parameter = axis.parameter.rpartition("__")
        for step in self.steps:
            if prefix == (step.name if len(self.steps) > 1 else ""):
                return known_simplest(step.estimator, parameter)
        return None

    def _is_fixed(self, parameter: str) -> bool:
        if len(self.steps) == 1:
            return states(self.steps[0].settings, parameter)
        prefix, _, name = parameter.partition("__")
        return any(prefix == step.name and states(step.settings, name) for step in self.steps)


def _with_setting(steps: tuple[Step, ...], name: str, value: Value) -> tuple[Step, ...]:
    prefix, _, setting = name.rpartition("__")
    return tuple(
        replace(step, settings={**step.settings, setting: value})
        if len(steps) == 1 or step.name == prefix
        else step
        for step in steps
    )
