"""The fields of a search's YAML, and what the domain makes of them."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, cast, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)
from pydantic_core import core_schema

from iris_hpo.data.dataset import Task
from iris_hpo.errors import InputError, at_field
from iris_hpo.parts import Part
from iris_hpo.run_settings import Setting
from iris_hpo.space.axes import Axis
from iris_hpo.space.simplicity import Simplest
from iris_hpo.space.values import TYPES, AxisType, Value
from iris_hpo.training.called import Direction
from iris_hpo.training.choices import Choice
from iris_hpo.training.estimators import Step
from iris_hpo.training.settings import from_yaml

Scalar = StrictStr | StrictBool | StrictInt | StrictFloat | None
_Number = StrictInt | StrictFloat | StrictStr | None
"""A number; YAML reads one such as 1e-3 as a text."""
_Listed = Scalar | list[Scalar]
"""A value, or several; in a list of values, a list is a tuple."""


_TYPE: Final[dict[str, Any]] = {"type": "string", "enum": list(TYPES)}
_TYPES_SCHEMA: Final = WithJsonSchema(
    {"anyOf": [_TYPE, {"type": "array", "items": _TYPE, "minItems": 1}]}
)


class OneOf:
    """Allows some names, or, unless it is required, nothing.

    The schema lists the names alone: an error then shows them, and not ways to be null.
    """

    def __init__(self, names: Iterable[str], *, is_required: bool = False) -> None:
        self.names = list(names)
        self.is_required = is_required

    def __get_pydantic_core_schema__(self, *_: object) -> core_schema.CoreSchema:
        schema = core_schema.literal_schema(self.names)
        return schema if self.is_required else core_schema.nullable_schema(schema)

    def __get_pydantic_json_schema__(self, *_: object) -> dict[str, Any]:
        return {"type": "string", "enum": self.names}


def setting_field(setting: Setting, **more: Any) -> Any:
    """Make the field of a setting that a run may change; the search gives its default."""
    return Field(default=setting.default, description=setting.text, **more)


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class AxisFields(_Fields):
    """One searched parameter. Its values stand in ``<name>_parameters*.txt``, one a line, or here.

    An axis with such a file has its values; otherwise those of ``values``, or a range.
    """

    name: str = Field(description="How parameter files and tables call it.", examples=["gamma"])
    symbol: str = Field(
        description="What it is in a candidate's key: letters only.", examples=["G"]
    )
    parameter: str = Field(
        default="",
        description="The estimator's name for it, `svc__gamma` in a pipeline; the name by default.",
        examples=["svc__gamma"],
    )
    type: Annotated[str | list[str], _TYPES_SCHEMA] = Field(
        default="float",
        description="The type of its values, or a list of types: `[float, str]` for 0.1 and "
        "`scale`. `tuple`: `(50,)`, `(50, 50)`.",
        examples=["int", ["float", "str"]],
    )
    positive: bool = Field(default=False, description="Whether numbers must be above zero.")
    nullable: bool = Field(default=False, description="Whether `none` is a value too.")
    simplest: Annotated[Simplest | None, OneOf(get_args(Simplest))] = Field(
        default=None,
        description="Which end of its scale makes the simpler model, for the rule "
        "`one_standard_error`: `low`, `high` or `neither`. Known by default for parameters of "
        "scikit-learn such as `C`, `alpha` and `max_depth`.",
        examples=["low"],
    )
    low: _Number = Field(
        default=None,
        description="The lower end of a range of numbers, `high` the upper one; both are included.",
        examples=[0.001],
    )
    high: _Number = Field(default=None, description="The upper end.", examples=[1000])
    log: bool = Field(
        default=False,
        description="Whether the range is looked through by ratios: 1 to 10 is as far as 10 to "
        "100.",
    )
    step: _Number = Field(
        default=None,
        description="The difference of neighbours in the range, or with `log` their ratio. By "
        "default any number is tried; the sampler `files` needs a step.",
        examples=[0.1],
    )
    values: list[_Listed] = Field(
        default_factory=list[_Listed],
        description="Its values, instead of a range.",
        examples=[["rbf", "poly"], [1, 2, 4]],
    )
    when: dict[str, _Listed] = Field(
        default_factory=dict[str, _Listed],
        description="The axis exists only if axes above it have these values: a value, or a list "
        "of them. Candidates without it do not have it in their key.",
        examples=[{"kernel": "rbf"}, {"kernel": ["rbf", "poly"]}],
    )

    def axis(self, index: int) -> Axis:
        """Make the axis; errors name its place in the list."""
        with at_field("axes", index):
            return Axis(
                self.name,
                self.symbol,
                self.parameter,
                cast("AxisType | list[AxisType]", self.type),  # checked there
                positive=self.positive,
                nullable=self.nullable,
                simplest=self.simplest,
                low=self.low,
                high=self.high,
                log=self.log,
                step=self.step,
                values=[_listed(value) for value in self.values],
                when=self.when,
            )


def _listed(value: _Listed) -> Value:
    return cast("Value", tuple(value)) if isinstance(value, list) else value


class DataFields(_Fields):
    """Data that is no file of the data folder."""

    asset: str = Field(
        description="Key of an asset whose value is a table, such as a frame of pandas or polars; "
        "`/` stands between the parts of its key.",
        examples=["features", "warehouse/features"],
        min_length=1,
    )


class StepFields(_Fields):
    """One step of a pipeline; its parameters are addressed as ``<class in lower case>__<name>``."""

    estimator: str = Field(
        description="Import path of a class.", examples=["sklearn.preprocessing.StandardScaler"]
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="Its fixed settings.", examples=[{"with_mean": True}]
    )

    def step(self, index: int) -> Step:
        """Make the step; errors name its place in the list."""
        return Step(self.estimator, _read(self.settings, "steps", index))


class ChoiceFields(_Fields):
    """A fixed setting that a run may change."""

    name: str = Field(description="The estimator's parameter.", examples=["kernel"])
    default: Scalar = Field(description="Its value where a run says nothing.", examples=["rbf"])
    options: list[Scalar] = Field(
        description="What a run may choose from: texts, numbers, true, false, null.",
        min_length=1,
        examples=[["rbf", "linear"], [True, False]],
    )
    description: str = Field(default="", description="Shown in the launchpad.")

    def choice(self, index: int) -> Choice:
        """Make the choice; errors name its place in the list."""
        with at_field("choices", index):
            options = tuple(cast("Value", from_yaml(option)) for option in self.options)
            default = cast("Value", from_yaml(self.default))
            return Choice(self.name, default, options, self.description)


class PartFields(_Fields):
    """A replaceable part with settings."""

    use: str = Field(
        description="A short name, or the import path of a class.",
        examples=["my_project.reports.Table"],
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="What it is made with.", examples=[{"rows": 10}]
    )


class ObjectiveFields(_Fields):
    """What is tuned instead of an estimator: a function, a program, or a class."""

    function: str = Field(
        default="",
        description="A function that is called for each candidate: `module:name`.",
        examples=["my_project.functions:branin"],
    )
    command: list[str] = Field(
        default_factory=list[str],
        description="A program that is run for each candidate, with its arguments. `{name}` is "
        "replaced by a parameter.",
        examples=[["sh", "train.sh", "{power}"]],
    )
    use: str = Field(
        default="",
        description="The import path of a class that trains and scores candidates.",
        examples=["my_project.objectives.Network"],
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Further arguments of the function or of the class.",
        examples=[{"depth": 3}],
    )
    metric: str = Field(
        default="value",
        description="The name of the number to rank by, of a function or a program.",
        examples=["loss"],
    )
    direction: Annotated[str, OneOf(get_args(Direction), is_required=True)] = Field(
        default="maximize",
        description="Whether the greatest number is the best, or the least.",
        examples=["minimize"],
    )
    inputs: list[str] = Field(
        default_factory=list[str],
        description="Files and folders that decide the results of a function or a program, from "
        "the project's folder on; their content counts.",
        examples=[["lib", "rates.csv"]],
    )
    version: str | None = Field(
        default=None,
        description="Any text, in place of the source, the inputs and the packages of a function "
        "or a program: results are out of date if it changes, and not if these do.",
        examples=["2"],
    )
    task: Annotated[str, OneOf(get_args(Task), is_required=True)] = Field(
        default="regression",
        description="How the target of the table is read: `classification` for labels, "
        "`regression` for numbers.",
    )
    time_limit: float | None = Field(
        default=None, description="Seconds after which a program is ended.", examples=[60]
    )

    def part(self, *place: str | int) -> Part:
        """Make the part; the place is where it is written.

        Raises
        ------
        InputError
            If it is not one of the three, or has a field of another one.
        """
        ways = {"function": self.function, "command": self.command, "use": self.use}
        given = [name for name, value in ways.items() if value]
        with at_field(*place):
            if len(given) != 1:
                raise InputError("give one of function, command and use", field=tuple(given[1:2]))
            way = given[0]
            written = sorted(self.model_fields_set - {way, "settings"} - _FIELDS_OF[way])
            if written:
                raise InputError(f"{written[0]} is no field beside {way}", field=(written[0],))
        settings = _read(self.settings, *place)
        if way == "use":
            return Part(self.use, settings)
        fields = self.model_fields_set & {way, *_FIELDS_OF[way]}
        own: dict[str, object] = {name: getattr(self, name) for name in sorted(fields)}
        return Part(_PARTS[way], {**own, **({"settings": settings} if settings else {})})


_CALLED_FIELDS: Final = frozenset(("metric", "direction", "inputs", "version", "task"))
_FIELDS_OF: Final[Mapping[str, frozenset[str]]] = {
    "function": _CALLED_FIELDS,
    "command": _CALLED_FIELDS | {"time_limit"},
    "use": frozenset(),
}
_PARTS: Final = {"function": "function", "command": "program"}


def part_of(fields: str | PartFields | ObjectiveFields, *place: str | int) -> Part:
    """Make a part from a name alone, or from its fields; the place is where it is written."""
    if isinstance(fields, str):
        return Part(fields)
    if isinstance(fields, ObjectiveFields):
        return fields.part(*place)
    return Part(fields.use, _read(fields.settings, *place))


def _read(settings: dict[str, Any], *place: str | int) -> dict[str, object]:
    read: dict[str, object] = {}
    for name, value in settings.items():
        with at_field(*place, "settings", name):
            read[name] = from_yaml(value)
    return read
