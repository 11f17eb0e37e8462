"""Settings, rules, engines and metrics are described once, and shown alike everywhere."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import click
import dagster as dg
import pytest
from click.testing import CliRunner

from iris_hpo import HyperparameterSearch, build_search
from iris_hpo.command.main import cli
from iris_hpo.errors import InputError
from iris_hpo.iris import iris_search
from iris_hpo.known_rules import RULES, default_rule
from iris_hpo.parts import Part
from iris_hpo.run_settings import (
    ENGINES,
    SETTINGS,
    SamplingSettings,
    SelectionSettings,
    Setting,
    SplitSettings,
    WorkSettings,
    settings_of,
)
from iris_hpo.samplers import SAMPLERS
from iris_hpo.training.metrics import METRICS
from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.syntax import tree_of

PACKAGE = REPOSITORY / "iris_hpo"
DOCS = REPOSITORY / "docs"

DAGSTERS_TYPES = {"Float": float, "Int": int, "Bool": bool, "String": str}
JSON_TYPES = {"number": float, "integer": int, "boolean": bool, "string": str}
CLICKS_TYPES = {"float": float, "integer": int, "boolean": bool, "text": str}

IN_YAML = (
    *settings_of(SplitSettings),
    *settings_of(SelectionSettings),
    SETTINGS["engine"],
    SETTINGS["sampler"],
)
FITTING = tuple(setting for setting in settings_of(WorkSettings) if setting.name != "force")
OPTIONS = {
    setting.option.removeprefix("--"): setting for setting in SETTINGS.values() if setting.is_option
}
OTHER_OPTIONS = ("search", "data", "artifacts", "kernel", "set", "defaults", "quiet", "json")


def launchpad_fields(defs: dg.Definitions, job: str, op: str) -> Mapping[str, Any]:
    ops = defs.resolve_job_def(job).run_config_schema.config_type.fields["ops"]
    return ops.config_type.fields[op].config_type.fields["config"].config_type.fields


def launchpad_type(field: Any) -> type | tuple[str, ...]:
    if isinstance(field.config_type, dg.Enum):
        return tuple(value.config_value for value in field.config_type.enum_values)
    return DAGSTERS_TYPES[field.config_type.inner_type.key.removesuffix("SourceType")]


@pytest.mark.parametrize(
    ("job", "op", "settings"),
    [
        ("search", "split", settings_of(SplitSettings)),
        ("search", "candidates", settings_of(WorkSettings)),
        ("search", "parameters", settings_of(SamplingSettings)),
        ("select", "selection", (*settings_of(SelectionSettings), *FITTING)),
    ],
)
def test_the_launchpad_shows_each_setting_as_described(
    job: str, op: str, settings: tuple[Setting, ...]
) -> None:
    fields = launchpad_fields(
        build_search(replace(iris_search(), rule=None, split=SplitSettings())), job, op
    )

    assert {
        name: (launchpad_type(field), field.default_value, field.description)
        for name, field in fields.items()
        if name != "kernel"  # a choice of the search
    } == {
        setting.name: (
            {"engine": tuple(ENGINES), "sampler": tuple(SAMPLERS)}.get(
                setting.name, setting.names or setting.type
            ),
            {"rule": default_rule(5), "engine": "loky"}.get(setting.name, setting.default),
            setting.text,
        )
        for setting in settings
    }


def test_the_launchpad_shows_the_search_s_own_defaults() -> None:
    split = SplitSettings(0.5, seed=3, folds=0, stratify=True)
    defs = build_search(replace(iris_search(), split=split, rule="test_score"))

    fields = launchpad_fields(defs, "search", "split")

    assert SplitSettings(**{name: one.default_value for name, one in fields.items()}) == split
    assert launchpad_fields(defs, "select", "selection")["rule"].default_value == "test_score"


def test_the_launchpad_offers_the_search_s_own_engine() -> None:
    defs = build_search(replace(iris_search(), engine=Part("iris_hpo.engines.serial.SerialEngine")))

    engine = launchpad_fields(defs, "search", "candidates")["engine"]

    assert launchpad_type(engine) == (*ENGINES, "iris_hpo.engines.serial.SerialEngine")
    assert engine.default_value == "iris_hpo.engines.serial.SerialEngine"


def command_of(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def options_of(command: str) -> dict[str, click.Option]:
    return {
        parameter.opts[-1].removeprefix("--"): parameter
        for parameter in command_of(command).params
        if isinstance(parameter, click.Option)
    }


def option_type(option: click.Option) -> type | tuple[str, ...]:
    if isinstance(option.type, click.Choice):
        return tuple(option.type.choices)
    return CLICKS_TYPES[option.type.name]


@pytest.mark.parametrize("command", ["run", "status"])
def test_the_command_shows_each_setting_as_described(command: str) -> None:
    options, context = options_of(command), click.Context(command_of(command))
    work = {setting.name for setting in settings_of(WorkSettings)}
    described = (
        OPTIONS
        if command == "run"
        else {name: setting for name, setting in OPTIONS.items() if setting.name not in work}
    )

    assert {
        name: (option_type(option), option.get_default(context), option.help)
        for name, option in options.items()
        if name not in OTHER_OPTIONS
    } == {
        name: (
            setting.names or setting.type,
            # The last run and the search come before what is described.
            setting.default if setting.name in work else None,
            setting.text,
        )
        for name, setting in described.items()
    }


def test_help_prints_every_text() -> None:
    shown = "".join(CliRunner().invoke(cli, ["run", "--help"]).output.split())

    assert [
        setting.name for setting in OPTIONS.values() if "".join(setting.text.split()) not in shown
    ] == []


def yaml_type(schema: Mapping[str, Any]) -> type | tuple[str, ...]:
    if "enum" in schema:
        return tuple(schema["enum"])
    ways = [one for one in schema.get("anyOf", [schema]) if one.get("type") in JSON_TYPES]
    (way,) = ways
    return JSON_TYPES[way["type"]]


def test_the_component_shows_each_setting_as_described() -> None:
    schema = HyperparameterSearch.model_json_schema()["properties"]

    assert {
        name: (yaml_type(schema[name]), schema[name]["default"], schema[name]["description"])
        for name in SETTINGS
        if name in schema
    } == {
        setting.name: (setting.names or setting.type, setting.default, setting.text)
        for setting in IN_YAML
    }


def texts_in(path: Path) -> Iterator[str]:
    """Yield the texts of a module, also parts of formatted ones, without its docstrings."""
    tree = tree_of(path.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield str(node.value)


@cache
def words_in(path: Path) -> frozenset[str]:
    return frozenset(word for text in texts_in(path) for word in re.findall(r"\w+", text))


def lists_all(path: Path, names: Collection[str]) -> bool:
    return words_in(path).issuperset(names)


@pytest.mark.parametrize(
    ("names", "home"),
    [
        (RULES, "known_rules.py"),
        (ENGINES, "run_settings.py"),
        (METRICS, "training/metrics.py"),
    ],
    ids=["rules", "engines", "metrics"],
)
def test_no_other_module_lists_the_names(names: Collection[str], home: str) -> None:
    listing = [path for path in PACKAGE.rglob("*.py") if lists_all(path, names)]

    assert [str(path.relative_to(PACKAGE)) for path in listing] == [home]


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table whose first column has a heading."""
    lines = (DOCS / page).read_text().splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    table: list[list[str]] = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def first_word(cell: str) -> str:
    return cell.split("`")[1]


def test_the_documentation_lists_the_rules() -> None:
    table = rows("selection.md", "rule")

    assert [(first_word(row[0]), row[1]) for row in table] == [
        (rule.name, rule.description) for rule in RULES.values()
    ]


def test_the_documentation_lists_the_engines() -> None:
    assert [(first_word(row[0]), row[1]) for row in rows("scaling.md", "engine")] == [
        *ENGINES.items()
    ]


def test_the_documentation_lists_the_metrics() -> None:
    assert [(first_word(row[0]), *row[1:]) for row in rows("selection.md", "metric")] == [
        (metric.name, metric.task, metric.description) for metric in METRICS.values()
    ]


def test_the_documentation_lists_the_options() -> None:
    text = (DOCS / "running.md").read_text()
    listed = text.partition("explains the options of `run`:")[2].partition("\n\n")[0]

    assert sorted(re.findall(r"`--([\w-]+)`", listed)) == sorted(options_of("run"))


@pytest.mark.parametrize(
    ("rule", "selected", "sentence"),
    [
        ("cv", 1, "one candidate is the best"),
        ("cv", 3, "3 candidates tie at the best"),
        ("one_standard_error", 1, "one candidate is the best"),
        ("one_standard_error", 3, "3 candidates lie within one standard error of the best"),
    ],
)
def test_a_rule_says_how_many_candidates_it_selected(
    rule: str, selected: int, sentence: str
) -> None:
    assert RULES[rule].sentence(selected) == sentence


def test_the_champion_is_trained_on_all_rows_where_folds_rank() -> None:
    assert {name: SelectionSettings(name).refits for name in RULES} == {
        rule.name: rule.needs_folds for rule in RULES.values()
    }
    for name in RULES:
        assert SelectionSettings(name, "all").refits
        assert not SelectionSettings(name, "train").refits
    with pytest.raises(InputError, match="refit 'some': choose one of all, train, auto"):
        SelectionSettings("cv", "some")
    with pytest.raises(InputError, match="refit 'some'"):
        replace(iris_search(), refit="some")


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("2.5 %", 0.025), ("0%", 0.0)])
def test_a_share_is_a_percentage(text: str, share: float) -> None:
    assert SelectionSettings("within", within=text).share == share


@pytest.mark.parametrize("text", ["0.01", "100%", "-1%", "one percent", "1%%", ""])
def test_another_share_is_refused(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        SelectionSettings("within", within=text)

    assert str(refusal.value) == (
        f"within {text!r}: write a percentage from 0% to below 100%, such as 1%"
    )
    assert refusal.value.field == ("within",)
