"""`SearchFields`: the fields of a search in YAML, with their descriptions."""

from typing import Annotated, Any, Final

import dagster as dg
from pydantic import (
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    ValidationInfo,
    field_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError, PydanticKnownError

from iris_hpo.component.budget_fields import BudgetFields
from iris_hpo.component.fields import (
    AxisFields,
    ChoiceFields,
    DataFields,
    EarlyStoppingFields,
    OneOf,
    StepFields,
    setting_field,
)
from iris_hpo.component.part_fields import ObjectiveFields, PartFields
from iris_hpo.data.checks import DATA_CHECKS, SPLIT_CHECKS
from iris_hpo.data.columns import WITHOUT_TARGET
from iris_hpo.data.named_splitters import BY_ROLES
from iris_hpo.known_rules import RULES
from iris_hpo.run_settings import REFITS, SETTINGS
from iris_hpo.samplers import MAX_CANDIDATES
from iris_hpo.selection.checks import CHECKS

_Mark = bool | StrictInt | StrictFloat | str

_IS_CALLED: Final[JsonDict] = {
    "required": ["objective"],
    "properties": {
        "objective": {
            "type": "object",
            "anyOf": [{"required": ["function"]}, {"required": ["command"]}],
        }
    },
}
"""Schema of a search with a function or a program, which needs no table."""


class SearchFields(dg.Model):
    """What is written below ``attributes``; `HyperparameterSearch` makes a search of it."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "if": {"not": {"anyOf": [{"required": ["data"]}, _IS_CALLED]}},
            "then": {"required": ["data_file"]},
        },
    )

    name: str = Field(
        description="The search's name; every asset, job and file of the search begins with it.",
        examples=["wine"],
        min_length=1,
    )
    objective: str | ObjectiveFields | None = Field(
        default=None,
        description="What is tuned instead of an estimator: a `function`, a program (`command`), "
        "or the import path of a class that trains and scores candidates.",
        examples=[{"function": "my_project.functions:branin"}, "my_project.objectives.Network"],
    )
    data: DataFields | None = Field(
        default=None, description="An asset of the project as the data, instead of a `data_file`."
    )
    data_file: str = Field(
        default="",
        description="CSV, Parquet or Arrow, within the project's data folder; or give `data`. A "
        "function or a program can do without.",
        examples=["wine.csv"],
        validate_default=True,
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
    skip_lines: int | None = Field(
        default=None,
        description="Number of lines above the table, of a CSV file; detected by default.",
        ge=0,
    )
    encoding: str | None = Field(
        default=None,
        description="Encoding of a CSV file that is neither UTF-8, nor UTF-16 with a byte order "
        "mark, such as cp1252 of Windows or latin-1.",
        examples=["cp1252"],
    )
    missing: _Mark | list[_Mark] | dict[str, _Mark | list[_Mark]] = Field(
        default_factory=list[_Mark],
        description="What marks a missing value, beside empty cells, NA, null and the like: in all "
        "columns, or by the column. A number marks equal numbers, however they are written.",
        examples=[[-999, "keine Angabe"], {"insulin": 0}],
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Roles of columns by name: `drop` for one that is not learnt from, `category` "
        "for one whose numbers are names, `target`, `feature` for one that counts the rows and "
        "would be left out. Columns that describe rows: `group` for rows that belong together, "
        "`time` for when, `part` for train, test or the number of the fold, `weight` for how much "
        "a row counts.",
        examples=[{"customer_id": "drop"}, {"patient": "group"}],
    )
    without_target: Annotated[str, OneOf(WITHOUT_TARGET, is_required=True)] = Field(
        default="auto",
        description="What to do with rows that have no target: `refuse` the file, `drop` them, or "
        "`auto`: drop them, and refuse if they are more than a third.",
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
    axes: list[AxisFields] = Field(description="The searched parameters.", min_length=1)
    choices: list[ChoiceFields] = Field(
        default_factory=list[ChoiceFields], description="Settings that a run may change."
    )
    early_stopping: EarlyStoppingFields | None = Field(
        default=None,
        description="Stop fits of LightGBM, XGBoost, CatBoost, or of a class whose `fit` takes "
        "`eval_set` and `early_stopping_rounds`, as soon as they become no better.",
        examples=[{"rounds": 50, "share": 0.1}],
    )
    scoring: str | PartFields | list[str | PartFields] = Field(
        default="",
        description="A name that scikit-learn knows, or the import path of a function of (y_true, "
        "y_pred); of a list, the first decides and the others are reported. `accuracy` for "
        "classifiers and `r2` for regressors by default.",
        examples=["balanced_accuracy", ["roc_auc", "my_metrics.profit"]],
    )
    metrics: list[str | PartFields] = Field(
        default_factory=list[str | PartFields],
        description="Other scorings to report; a run may choose by one of them.",
        examples=[["f1_macro"]],
    )
    pos_label: bool | StrictInt | StrictFloat | str | None = Field(
        default=None,
        description="The positive class of two, as the table writes it, for scorings such as `f1`.",
        examples=["yes"],
    )
    rule: Annotated[str | None, OneOf(RULES)] = setting_field(SETTINGS["rule"], examples=["cv"])
    refit: Annotated[str, OneOf(REFITS, is_required=True)] = setting_field(SETTINGS["refit"])
    within: str = setting_field(SETTINGS["within"], examples=["2%"])
    metric: str | None = setting_field(SETTINGS["metric"], examples=["balanced_accuracy"])
    ensemble: bool = setting_field(SETTINGS["ensemble"])
    test_size: float = setting_field(SETTINGS["test_size"])
    seed: int = setting_field(SETTINGS["seed"])
    folds: int = setting_field(SETTINGS["folds"])
    stratify: bool | None = setting_field(SETTINGS["stratify"])
    repeats: int | None = setting_field(SETTINGS["repeats"])
    blocking_checks: list[str] = Field(
        default_factory=list[str],
        description="Checks that stop the assets below if they fail; the others warn. Of the "
        f"champion: {', '.join(f'`{name}`' for name in CHECKS)}. Of the data and the split: "
        f"{', '.join(f'`{name}`' for name in (*DATA_CHECKS, *SPLIT_CHECKS))}.",
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
    sampler: str | PartFields = setting_field(
        SETTINGS["sampler"],
        examples=["tpe", {"use": "tpe", "settings": {"n_startup_trials": 20}}],
    )
    budget: BudgetFields = Field(
        default_factory=BudgetFields,
        description="How many candidates a sampler proposes that is asked again and again.",
        examples=[{"candidates": 200, "until": 0.99}],
    )
    splitter: str | PartFields = Field(
        default=BY_ROLES.use,
        description="What divides the rows: `shuffled`, `grouped`, `time` or `given`, or the "
        "import path of a splitter. By default `auto`: what the roles of columns call for, else "
        "`shuffled`.",
        examples=["grouped", {"use": "time", "settings": {"gap": 7}}],
    )

    @field_validator("objective")
    @classmethod
    def _is_no_address(cls, objective: object) -> object:
        """Refuse the address of a function where the import path of a class stands."""
        if isinstance(objective, str) and ":" in objective:
            raise PydanticCustomError(
                "address",
                "{address} is no import path of a class; a function is written "
                "objective: {function: {address}}",
                {"address": objective},
            )
        return objective

    @field_validator("data_file")
    @classmethod
    def _is_given(cls, data_file: str, info: ValidationInfo) -> str:
        """Require a file where no asset is given; mistakes in other fields are reported there."""
        objective = info.data.get("objective", ObjectiveFields())
        needs_table = objective is None or isinstance(objective, str) or objective.use
        if not data_file and needs_table and info.data.get("data", True) is None:
            raise PydanticKnownError("missing")
        return data_file
