"""`HyperparameterSearch`: a search from YAML, for projects that need no Python of their own."""

from collections.abc import Sequence
from typing import Annotated, Any, Self, cast

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError, model_validator

from iris_hpo.data.columns import Layout
from iris_hpo.data.splitters import SHUFFLED, SplitSettings, refuse_settings
from iris_hpo.errors import InputError, at_field
from iris_hpo.known_rules import RULES
from iris_hpo.orchestration.broken import build_broken, is_validating
from iris_hpo.orchestration.build import build_search
from iris_hpo.orchestration.resources import Storage
from iris_hpo.parts import Part
from iris_hpo.run_settings import REFITS, SETTINGS
from iris_hpo.samplers import MAX_CANDIDATES, PARAMETER_FILES
from iris_hpo.samplers.parameter_files import check_axis_files
from iris_hpo.scaffold import SearchScaffolder
from iris_hpo.selection.checks import CHECKS
from iris_hpo.spec import SearchSpec
from iris_hpo.yaml_broken import BrokenSearch, Refused
from iris_hpo.yaml_fields import (
    AxisFields,
    ChoiceFields,
    OneOf,
    PartFields,
    StepFields,
    part_of,
    setting_field,
)
from iris_hpo.yaml_places import (
    located_error,
    refuse_repeated_keys,
    shown_name,
    source_tree,
    written_word,
)
from iris_hpo.yaml_problems import problems


@dg.scaffold_with(SearchScaffolder)
class HyperparameterSearch(dg.Component, dg.Model):
    """Tune the hyperparameters of a scikit-learn estimator, one tracked partition per candidate.

    Makes the assets raw_data, split, parameters, models, scores and selection, prefixed by the
    search's name, with their checks, jobs and sensors. The candidates come from parameter files:
    `<axis>_parameters*.txt`, one value a line, all axes crossed, and `*.csv`, one candidate a row;
    or from a sampler.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(
        description="The search's name; every asset, job and file of the search begins with it.",
        examples=["wine"],
        min_length=1,
    )
    data_file: str = Field(
        description="CSV, Parquet or Arrow, within the project's data folder.",
        examples=["wine.csv"],
    )
    target: bool | StrictInt | str = Field(
        default=-1,
        description="The column to predict: its name in the header, or its position (-1: last). "
        "Quote a name that YAML reads as a number: target: '10'.",
        examples=["class"],
    )
    header: bool | None = Field(
        default=None, description="Whether the first line names the columns; detected by default."
    )
    skip_lines: int = Field(
        default=0, description="Number of lines above the table, of a CSV file.", ge=0
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Roles of columns by name: `drop` for one that is not learnt from, `category` "
        "for one whose numbers are names, `target`.",
        examples=[{"customer_id": "drop"}],
    )
    without_target: Annotated[str, OneOf(["refuse", "drop"], is_required=True)] = Field(
        default="refuse",
        description="What to do with rows that have no target: `refuse` the file, or `drop` them.",
    )
    prepare: Annotated[str, OneOf(["auto", "none"], is_required=True)] = Field(
        default="auto",
        description="What to do where a feature is no complete number: `auto` prepares missing "
        "values, categories, dates and texts for the estimator, `none` refuses them.",
    )
    parameters_folder: str = Field(
        default="",
        description="Folder of the parameter files, within the data folder; `parameters/<name>` by "
        "default.",
    )
    estimator: str = Field(
        default="",
        description="Import path of a scikit-learn classifier or regressor; or give `steps`.",
        examples=["sklearn.ensemble.RandomForestClassifier"],
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Fixed settings of the estimator.",
        examples=[{"criterion": "gini"}],
    )
    steps: list[StepFields] = Field(
        default_factory=list[StepFields], description="The steps of a pipeline, in order."
    )
    objective: str | PartFields | None = Field(
        default=None,
        description="Import path of a class that trains and scores candidates, instead of an "
        "estimator.",
        examples=["my_project.objectives.Network"],
    )
    axes: list[AxisFields] = Field(description="The searched parameters.", min_length=1)
    choices: list[ChoiceFields] = Field(
        default_factory=list[ChoiceFields], description="Settings that a run may change."
    )
    scoring: str = Field(
        default="",
        description="A name that scikit-learn knows; `accuracy` for classifiers and `r2` for "
        "regressors by default.",
        examples=["balanced_accuracy"],
    )
    rule: Annotated[str | None, OneOf(RULES)] = setting_field(SETTINGS["rule"], examples=["cv"])
    refit: Annotated[str, OneOf(REFITS, is_required=True)] = setting_field(SETTINGS["refit"])
    within: str = setting_field(SETTINGS["within"], examples=["2%"])
    metric: str | None = setting_field(SETTINGS["metric"], examples=["balanced_accuracy"])
    test_size: float = setting_field(SETTINGS["test_size"])
    seed: int = setting_field(SETTINGS["seed"])
    folds: int = setting_field(SETTINGS["folds"])
    stratify: bool | None = setting_field(SETTINGS["stratify"])
    repeats: int | None = setting_field(SETTINGS["repeats"])
    blocking_checks: list[str] = Field(
        default_factory=list[str],
        description="Checks of the champion that stop the assets below the selection if they fail; "
        f"the others warn. {', '.join(f'`{name}`' for name in CHECKS)}.",
        examples=[["better_than_baseline"]],
    )
    max_candidates: int = Field(
        default=MAX_CANDIDATES, description="Largest number of candidates.", ge=1
    )
    description: str = Field(default="", description="Text that the selection shows.")
    reports: list[str | PartFields] = Field(
        default_factory=lambda: list[str | PartFields](["heatmap"]),
        description="What is made of a selection: `heatmap`, or the import path of a report.",
        examples=[["heatmap", "my_project.reports.Table"]],
    )
    engine: str | PartFields | None = setting_field(SETTINGS["engine"], examples=["serial"])
    sampler: str | PartFields = Field(
        default=PARAMETER_FILES.use,
        description="Where the candidates come from: `files`, the parameter files, or the import "
        "path of a sampler.",
        examples=["my_project.samplers.RandomSearch"],
    )
    splitter: str | PartFields = Field(
        default=SHUFFLED.use,
        description="What divides the rows: `shuffled`, which follows `test_size`, `folds`, "
        "`repeats`, `stratify` and `seed`, or the import path of a splitter.",
        examples=["my_project.splitters.ByDate"],
    )

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """Validate the YAML by this very class: exact schema, exact lines.

        The model that Dagster would derive allows a template in every field, and so accepts a
        wrong literal and points at the wrong line.
        """
        return cls if is_validating() else _OrBroken

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What ``dg list components`` shows beside the description."""
        return dg.ComponentTypeSpec(
            tags=["machine-learning"], produces=["asset", "asset_check", "job", "sensor"]
        )

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Load from YAML; a document without attributes is an error, not a default search."""
        if attributes is None:
            error = located_error(context, (), "the attributes are missing")
            if is_validating():
                raise error
            return cast("Self", BrokenSearch(context.path.name, str(error)))
        if isinstance(attributes, Refused):
            return cast("Self", attributes.explain(context))
        return cast("Self", attributes)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Make the definitions of the search."""
        try:
            refuse_repeated_keys(context)
            spec = self.spec(context)
            # Otherwise sensors and runs say so: values may come later.
            if is_validating() and spec.sampler == PARAMETER_FILES:
                with at_field("axes"):
                    check_axis_files(Storage().parameters_folder(spec), spec.axes)
            return build_search(spec)
        except InputError as error:
            located = located_error(context, self._in_yaml(error.field), str(error))
        if is_validating() or source_tree(context) is None:
            raise located
        return build_broken(shown_name(context, self.name), str(located))

    def spec(self, context: dg.ComponentLoadContext) -> SearchSpec:
        """The search that the YAML describes."""
        self._check_one_objective()
        steps = self.steps
        if self.estimator:
            steps = [StepFields(estimator=self.estimator, settings=self.settings)]
        return SearchSpec(
            name=self.name,
            home=context.project_root,
            data_file=self.data_file,
            axes=tuple(fields.axis(index) for index, fields in enumerate(self.axes)),
            steps=tuple(fields.step(index) for index, fields in enumerate(steps)),
            objective=part_of(self.objective, "objective") if self.objective else None,
            parameters_folder=self.parameters_folder,
            choices=tuple(fields.choice(index) for index, fields in enumerate(self.choices)),
            layout=self._layout(context),
            split=SplitSettings(**{name: getattr(self, name) for name in vars(SplitSettings())}),
            scoring=self.scoring,
            rule=self.rule,
            refit=self.refit,
            blocking_checks=tuple(self.blocking_checks),
            within=self.within,
            metric=self.metric,
            max_candidates=self.max_candidates,
            description=self.description,
            reports=tuple(part_of(fields, "reports", at) for at, fields in enumerate(self.reports)),
            engine=part_of(self.engine, "engine") if self.engine else None,
            splitter=self._splitter(),
            sampler=part_of(self.sampler, "sampler"),
            prepare=self.prepare,
        )

    def _splitter(self) -> Part:
        part = part_of(self.splitter, "splitter")
        written = [name for name in vars(SplitSettings()) if name in self.model_fields_set]
        refuse_settings(part, written)
        return part

    def _check_one_objective(self) -> None:
        ways = {"estimator": self.estimator, "steps": self.steps, "objective": self.objective}
        given = [name for name, value in ways.items() if value]
        if len(given) != 1:
            raise InputError(
                "give either an estimator or steps, or an objective",
                field=(given[-1] if given else "steps",),
            )
        if self.objective and self.settings:
            raise InputError(
                "settings are those of the estimator; write those of the objective below it: "
                "objective: {use: ..., settings: {...}}",
                field=("settings",),
            )

    def _layout(self, context: dg.ComponentLoadContext) -> Layout:
        """Where things stand; a name that YAML took for a truth value is read as it is written."""
        target = self.target
        if isinstance(target, bool):
            target = written_word(context, ("target",)) or target
        return Layout(target, self.header, self.columns, self.without_target, self.skip_lines)

    def _in_yaml(self, field: Sequence[str | int]) -> Sequence[str | int]:
        """Where a field of the spec is written: a single step stands without a list of steps."""
        single = not self.steps and tuple(field[:2]) == ("steps", 0)
        return field[2:] if single else field


class _OrBroken(HyperparameterSearch):
    """The same fields; what they refuse makes no error, so that other searches can be loaded."""

    model_config = ConfigDict(title="HyperparameterSearch")

    @model_validator(mode="wrap")
    @classmethod
    def _keep_problems(cls, attributes: Any, _: object) -> Self:
        try:
            component: object = HyperparameterSearch.model_validate(attributes)
        except ValidationError as error:
            name = attributes.get("name") if isinstance(attributes, dict) else None
            component = Refused(
                name=name if isinstance(name, str) else "",
                problems=problems(error, attributes),
            )
        return cast("Self", component)
