"""What ``--json`` prints is what its schema says, and one line of JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from iris_hpo.command.output import show_json
from iris_hpo_tests.command.conftest import FAILED
from iris_hpo_tests.command.test_arguments import schema_of
from iris_hpo_tests.projects import ShippedProject

TABLE = "size,kind\n" + "".join(f"{at % 9},{'ab'[at % 2]}\n" for at in range(40))


def strict(schema: Any) -> Any:
    """Allow no field that is not described: the schema itself leaves room for later ones."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {} if "properties" not in schema else {"additionalProperties": False}
    return closed | {name: strict(part) for name, part in schema.items()}


def check(command: str, text: str) -> Any:
    """Validate an output; return its value."""
    assert text.count("\n") == 1
    value = json.loads(text)
    Draft202012Validator(strict(schema_of(command))).validate(value)
    return value


def call(project: ShippedProject, *arguments: str, code: int = 0) -> Any:
    answer = project.call(*arguments, "--json")
    assert answer.returncode == code, answer.stderr
    return check(arguments[0], answer.stdout)


def test_a_run(searched: ShippedProject) -> None:
    outcome = check("run", (searched.root / "run.json").read_text())

    assert (outcome["trained"], list(outcome["failed"])) == (2, [FAILED])


def test_the_status(searched: ShippedProject) -> None:
    assert call(searched, "status", code=1)["assets"]["models"]["up to date"] == 2


def test_the_leaderboard(searched: ShippedProject) -> None:
    rows = call(searched, "leaderboard")

    assert {row["candidate"] for row in rows} == {"C0.5_G0.25", "C8.0_G0.25"}
    assert rows == json.loads(searched.call("leaderboard", "--format", "json").stdout)


def test_predictions(searched: ShippedProject) -> None:
    assert len(call(searched, "predict", str(searched.data / "noisy_iris.csv"))) == 150


def test_the_history(searched: ShippedProject) -> None:
    (selection,) = call(searched, "history", "--last", "3")["selections"]

    assert selection["verdict"] == "first"
    assert selection["champion"] in ("C0.5_G0.25", "C8.0_G0.25")


def test_why(searched: ShippedProject) -> None:
    assert call(searched, "why", "C8.0_G0.25")["action"] == "nothing"
    assert call(searched, "why", "C8.0_G0.25", "--seed", "1")["differences"] == [
        {"what": "seed", "recorded": 0, "present": 1}
    ]
    assert call(searched, "why", FAILED)["failure"]["reason"].startswith(f"'{FAILED}' is no")


def test_the_searches(searched: ShippedProject) -> None:
    (search,) = call(searched, "search")["searches"]

    assert (search["name"], search["model"], search["candidates"]) == ("", "SVC", 3)
    assert (search["state"], search["scores"]["failed"]) == ("out of date", 1)


def test_the_report(
    searched: ShippedProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "page.html"
    monkeypatch.setattr("iris_hpo.command.report.make_page", lambda _: b"<!doctype html>")

    written = call(searched, "report", "--no-open", "--output", str(file))

    assert written == {"file": str(file), "bytes": file.stat().st_size}


def test_the_export(searched: ShippedProject, tmp_path: Path) -> None:
    place = str(tmp_path / "results.csv")

    written = call(searched, "export", "--to", "csv", place)

    assert (written["to"], written["place"]) == ("csv", place)
    refused = searched.call("export", "--to", "csv", "--json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "iris-hpo: say where to: iris-hpo export --to csv PLACE\n"


def test_new_projects(searched: ShippedProject, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE)

    example = call(searched, "example", str(tmp_path / "example"))
    made = call(searched, "init", str(tmp_path / "t.csv"), str(tmp_path / "t"), "--target", "kind")

    assert (example["search"], made["search"], made["task"]) == ("iris", "t", "classification")
    for project in (example, made):
        folder = Path(project["folder"])
        present = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        assert present == set(project["files"])


def test_numbers_that_json_does_not_have_become_null(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"a": [float("nan"), 1.5], "b": (float("inf"), "text", None, True)})

    assert json.loads(capsys.readouterr().out) == {
        "a": [None, 1.5],
        "b": [None, "text", None, True],
    }
