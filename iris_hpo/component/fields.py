"""The fields of a search's YAML, and what the domain makes of them."""

from collections.abc import Iterable
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

from iris_hpo.errors import at_field
from iris_hpo.run_settings import Setting
from iris_hpo.space.axes import Axis
from iris_hpo.space.simplicity import Simplest
from iris_hpo.space.values import TYPES, AxisType, Value
from iris_hpo.training.choices import Choice
from iris_hpo.training.early_stopping import EarlyStopping
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


class Fields(BaseModel):
    """What is written as a mapping."""

    model_config = ConfigDict(extra="forbid", strict=True)


class AxisFields(Fields):
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
        examples=[{"penalty": "l1"}, {"penalty": ["l1", "elasticnet"]}],
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


class DataFields(Fields):
    """Data that is no file of the data folder."""

    asset: str = Field(
        description="Key of an asset whose value is a table, such as a frame of pandas or polars; "
        "`/` stands between the parts of its key.",
        examples=["features", "warehouse/features"],
        min_length=1,
    )


class StepFields(Fields):
    """One step of a pipeline; its parameters are addressed as ``<class in lower case>__<name>``."""

    estimator: str = Field(
        description="Import path of a class.", examples=["sklearn.preprocessing.StandardScaler"]
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="Its fixed settings.", examples=[{"with_mean": True}]
    )

    def step(self, index: int) -> Step:
        """Make the step; errors name its place in the list."""
        return Step(self.estimator, read_settings(self.settings, "steps", index))


class EarlyStoppingFields(Fields):
    """When a fit stops early."""

    rounds: int = Field(
        description="Number of iterations without a better score after which a fit stops.",
        examples=[50],
    )
    share: float = Field(
        default=0.1,
        description="Share of the rows of a fit that score the iterations; it is not fitted to "
        "them.",
    )

    def settings(self) -> EarlyStopping:
        """Make the settings; errors name the field."""
        with at_field("early_stopping"):
            return EarlyStopping(self.rounds, self.share)


class ChoiceFields(Fields):
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


def read_settings(settings: dict[str, Any], *place: str | int) -> dict[str, object]:
    """Read settings as YAML writes them; the place is where they are written."""
    read: dict[str, object] = {}
    for name, value in settings.items():
        with at_field(*place, "settings", name):
            read[name] = from_yaml(value)
    return read
