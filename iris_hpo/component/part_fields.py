"""The fields of parts and of objectives in a search's YAML, and what the domain makes of them."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, get_args

from pydantic import Field

from iris_hpo.component.fields import Fields, OneOf, read_settings
from iris_hpo.data.dataset import Task
from iris_hpo.errors import InputError, at_field
from iris_hpo.parts import Part
from iris_hpo.training.called import Direction


class PartFields(Fields):
    """A replaceable part with settings."""

    use: str = Field(
        description="A short name, or the import path of a class.",
        examples=["my_project.reports.Table"],
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="What it is made with.", examples=[{"rows": 10}]
    )


class ObjectiveFields(Fields):
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
    predict: str = Field(
        default="",
        description="A function of rows and of the champion's folder, which predicts: "
        "`module:name`.",
        examples=["my_project.functions:predict"],
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
                advice = _ADVICE.get((way, written[0]), "")
                raise InputError(
                    f"{written[0]} is no field beside {way}{advice}", field=(written[0],)
                )
        settings = read_settings(self.settings, *place)
        if way == "use":
            return Part(self.use, settings)
        fields = self.model_fields_set & {way, *_FIELDS_OF[way]}
        own: dict[str, object] = {name: getattr(self, name) for name in sorted(fields)}
        return Part(_PARTS[way], {**own, **({"settings": settings} if settings else {})})


_CALLED_FIELDS: Final = frozenset(("metric", "direction", "inputs", "version", "task", "predict"))
_FIELDS_OF: Final[Mapping[str, frozenset[str]]] = {
    "function": _CALLED_FIELDS,
    "command": _CALLED_FIELDS | {"time_limit"},
    "use": frozenset(),
}
_PARTS: Final = {"function": "function", "command": "program"}
_ADVICE: Final = {
    ("function", "time_limit"): "; limit each candidate of a run by --candidate-timeout",
}


def part_of(fields: str | PartFields | ObjectiveFields, *place: str | int) -> Part:
    """Make a part from a name alone, or from its fields; the place is where it is written."""
    if isinstance(fields, str):
        return Part(fields)
    if isinstance(fields, ObjectiveFields):
        return fields.part(*place)
    return Part(fields.use, read_settings(fields.settings, *place))
