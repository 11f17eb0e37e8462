"""The arguments of the commands: each has a module, a help text, ``--json`` and a schema."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from iris_hpo.command.arguments import COMMANDS
from iris_hpo.command.main import cli
from iris_hpo_tests.processes import REPOSITORY

WITHOUT_JSON = {"completion": "it prints a script"}
"""Commands without ``--json``, with the reason."""
FOLDER = Path(str(files("iris_hpo.command"))) / "arguments"


def command_of(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def schema_of(name: str) -> Any:
    return json.loads((files("iris_hpo.command") / "schemas" / f"{name}.json").read_text())


def test_every_module_is_a_command() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "options"}

    assert modules == set(COMMANDS)
    assert len(set(COMMANDS)) == len(COMMANDS)


def test_help_lists_the_commands_in_their_order() -> None:
    shown = CliRunner().invoke(cli, ["--help"]).output.partition("Commands:\n")[2]

    assert tuple(line.split()[0] for line in shown.splitlines() if line[2] != " ") == COMMANDS
    assert "..." not in shown


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(cli, ["arguments"]).exit_code == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_described(name: str) -> None:
    command = command_of(name)

    assert (command.help or "").rstrip().endswith(".")
    assert [
        parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option)
        and not (parameter.help or isinstance(parameter.type, click.Choice))
    ] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_json_with_a_schema(name: str) -> None:
    has_json = any("--json" in parameter.opts for parameter in command_of(name).params)

    assert has_json == (name not in WITHOUT_JSON)
    if has_json:
        Draft202012Validator.check_schema(schema_of(name))


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in WITHOUT_JSON])
def test_every_field_is_documented(name: str) -> None:
    page = (REPOSITORY / "docs" / "json.md").read_text()
    section = page.partition(f"## {name}\n")[2].partition("\n## ")[0]

    def missing(schema: Any) -> list[str]:
        fields = schema.get("properties", {})
        inner = [part for field in fields.values() for part in missing(field)]
        inner += missing(schema["items"]) if "items" in schema else []
        return [field for field in fields if f"`{field}`" not in section] + inner

    assert section
    assert missing(schema_of(name)) == []


def test_no_schema_is_left_over() -> None:
    names = {path.stem for path in (FOLDER.parent / "schemas").glob("*.json")}

    assert names == set(COMMANDS) - set(WITHOUT_JSON)
