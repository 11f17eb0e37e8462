"""A value of the wrong type in a search's YAML is refused, in every field alike."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from iris_hpo import HyperparameterSearch
from iris_hpo.component.fields import AxisFields, ChoiceFields, StepFields
from iris_hpo.component.part_fields import PartFields
from iris_hpo.component.problems import problems

MODELS: tuple[type[BaseModel], ...] = (
    HyperparameterSearch,
    AxisFields,
    ChoiceFields,
    PartFields,
    StepFields,
)
VALUES: dict[str, object] = {
    "string": "3",
    "integer": 3,
    "number": 2.5,
    "boolean": True,
    "array": [{}],
    "object": {"x": 1},
    "null": None,
}
"""A value of every type of YAML, by its name in JSON schema."""


def types_of(schema: dict[str, Any]) -> set[str]:
    """Types that a field takes."""
    if "$ref" in schema:
        return {"object"}
    parts = [types_of(part) for part in schema.get("anyOf", ())]
    return set().union({schema["type"]} if "type" in schema else (), *parts)


def wrong_values() -> Iterator[tuple[type[BaseModel], str, object]]:
    for model in MODELS:
        for name, schema in model.model_json_schema()["properties"].items():
            allowed = types_of(schema)
            assert allowed, name
            allowed |= {"integer"} if "number" in allowed else set[str]()
            allowed |= {"null"} if schema.get("default", "") is None else set[str]()
            yield from ((model, name, VALUES[kind]) for kind in sorted(VALUES.keys() - allowed))


@pytest.mark.parametrize(("model", "name", "value"), list(wrong_values()))
def test_it_is_refused_in_its_place(model: type[BaseModel], name: str, value: object) -> None:
    with pytest.raises(ValidationError) as refusal:
        model.model_validate({name: value})
    assert [
        message for place, message in problems(refusal.value, {name: value}, model) if name in place
    ]


@pytest.mark.parametrize(
    ("model", "name", "value", "advice"),
    [
        (HyperparameterSearch, "folds", "3", "write 3, without quotes"),
        (HyperparameterSearch, "folds", 3.0, "write 3, without quotes"),
        (HyperparameterSearch, "folds", True, "write a whole number such as 5"),
        (HyperparameterSearch, "folds", "many", "write a whole number such as 5"),
        (HyperparameterSearch, "folds", float("inf"), "write a whole number such as 5"),
        (HyperparameterSearch, "test_size", "2e-1", "write 0.2, without quotes"),
        (HyperparameterSearch, "test_size", "nan", "write a number such as 0.2"),
        (HyperparameterSearch, "stratify", "yes", "write true or false, without quotes"),
        (HyperparameterSearch, "stratify", 1, "write true or false, without quotes"),
        (AxisFields, "positive", "true", "write true or false, without quotes"),
        (AxisFields, "symbol", True, "quote it if it is a text"),
        (HyperparameterSearch, "axes", {"name": "x"}, "write a list: each item after a dash"),
        (HyperparameterSearch, "engine", [], "write a text, or leave the field out"),
        (HyperparameterSearch, "settings", "3", "write fields below it"),
        (HyperparameterSearch, "description", None, "write a text, or leave the field out"),
    ],
)
def test_the_message_says_what_to_write(
    model: type[BaseModel], name: str, value: object, advice: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        model.model_validate({name: value})
    found = dict(problems(refusal.value, {name: value}, model))
    assert found[(name,)].endswith(f"; {advice}")


@pytest.mark.parametrize(
    ("objective", "field", "message"),
    [
        ({"functoin": "a:b"}, "functoin", "there is no such field; did you mean 'function'?"),
        ({"function": "a:b", "direction": "min"}, "direction", "'maximize' or 'minimize'"),
        ({"function": "a:b", "version": 3}, "version", "quote it if it is a text"),
        ({"command": "sh run.sh"}, "command", "write a list: each item after a dash"),
        ({"command": ["sh", 3]}, 1, "quote it if it is a text"),
        ({"command": ["sh"], "time_limit": "60"}, "time_limit", "write 60.0, without quotes"),
        (["a:b"], "objective", "Input should be a valid string, or a valid dictionary; "),
        ("a:b", "objective", "a function is written objective: {function: a:b}"),
    ],
)
def test_a_mistake_in_an_objective_is_one_message_at_its_field(
    objective: object, field: str | int, message: str
) -> None:
    axes = [{"name": "x", "symbol": "X"}]
    attributes = {"name": "own", "axes": axes, "objective": objective}
    with pytest.raises(ValidationError) as refusal:
        HyperparameterSearch.model_validate(attributes)

    ((place, found),) = problems(refusal.value, attributes, HyperparameterSearch)

    assert (place[0], place[-1]) == ("objective", field)
    assert message in found


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("budget", {"candidate": 20}, "did you mean 'candidates'?"),
        ("budget", {"trials": 20}, "choose from candidates, seconds, until, while_it_gains"),
        ("reports", [{"use": "heatmap", "setting": {}}], "did you mean 'settings'?"),
        ("axes", [{"name": "x", "symbol": "X", "logs": True}], "did you mean 'log'?"),
        ("objectiv", {"function": "a:b"}, "did you mean 'objective'?"),
    ],
)
def test_a_field_that_does_not_exist_is_refused_with_those_that_do(
    field: str, value: object, message: str
) -> None:
    attributes = {
        "name": "own",
        "axes": [{"name": "x", "symbol": "X"}],
        "objective": {"function": "a:b"},
        field: value,
    }
    with pytest.raises(ValidationError) as refusal:
        HyperparameterSearch.model_validate(attributes)

    ((place, found),) = problems(refusal.value, attributes, HyperparameterSearch)

    assert place[0] == field
    assert found == f"there is no such field; {message}"
