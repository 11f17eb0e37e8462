"""Texts that a terminal obeys, poured into every door: nothing that comes out has them."""

import ast
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from iris_hpo.command import output
from iris_hpo.orchestration import names as presentation
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, Answer, YamlProject
from iris_hpo_tests.syntax import tree_of
from iris_hpo_tests.ticks import evaluate_tick

pytestmark = [*DAGSTERS_WARNINGS, pytest.mark.filterwarnings("always::FutureWarning")]

ESCAPES = "\x1b]0;x\x07\x1b[31m\x9b1m\u202e"
LONG = "L" * 20_000
"""What nobody wants to read; a harmless text as such."""
HOSTILE = f"{ESCAPES}{LONG}"

TREE = f"""
import warnings
from sklearn.tree import DecisionTreeClassifier

ESCAPES = {ESCAPES!r}
LONG = "L" * 20_000


class Tree(DecisionTreeClassifier):
    def __init__(self, note="", max_depth=2):
        super().__init__(max_depth=max_depth)
        self.note = note

    def fit(self, X, y):
        warnings.warn("warned " + ESCAPES + LONG, FutureWarning)
        if self.note.startswith("bad"):
            raise ValueError("refused\\n" + ESCAPES + LONG)
        if self.note.startswith("disk"):
            raise SystemExit("left\\n" + ESCAPES + LONG)
        return super().fit(X, y)
"""
LABELS = (f"a{ESCAPES}", "=cmd|' /C calc'!A0")
VALUES = (f"good{ESCAPES}", f"bad{ESCAPES}", f"disk{ESCAPES}", "@SUM(A1)")


def texts_in(value: Any) -> Iterator[str]:
    """Every text in what is JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from texts_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_in(one)


def check_clean(text: str, source: str) -> None:
    assert not set(text) & set(ESCAPES) - set("]0;x[31m"), f"{source}: {text!r}"
    assert LONG[:1_000] not in text, f"{source}: {text[:3_000]!r}"


def output_of(answer: Answer) -> str:
    return answer.out + answer.err


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> YamlProject:
    """A project full of such texts; nothing was run."""
    project = YamlProject.create(tmp_path_factory.mktemp("hostile"))
    (project.root / "hostile.py").write_text(TREE)
    rows = [[n % 7, n % 5, LABELS[n % 2]] for n in range(60)]
    project.write_data("d.csv", [["x", f"y{ESCAPES}", "label"], *rows])
    project.write_search(
        "s",
        data_file="d.csv",
        description=f"described {ESCAPES}",
        estimator="hostile.Tree",
        axes=[{"name": "note", "symbol": "N", "parameter": "note", "type": "str"}],
        folds=2,
    )
    project.write_values("s", note=VALUES)
    return project


@pytest.mark.slow
def test_no_output_has_characters_that_a_terminal_executes(hostile: YamlProject) -> None:
    run = hostile.call("run", "--search", "s", "--engine", "serial")
    check_clean(output_of(run), "run")
    assert run.code == 1
    assert run.err.count(r"\x1b]0;x\x07\x1b[31m\x9b1m\u202e") == 3  # two failures, one warning
    again = hostile.call("run", "--search", "s", "--engine", "serial", "--force", "--json")
    found = json.loads(again.out)
    assert len(found["failed"]) == 2
    for text in (again.out, again.err, *texts_in(found["failed"])):
        check_clean(text, "run --json")

    missing = f"no{HOSTILE}"
    for arguments in (
        ("status", "--search", "s"),
        ("status", "--search", "s", "--json"),
        ("leaderboard", "--search", "s"),
        ("leaderboard", "--search", "s", "--format", "csv"),
        ("leaderboard", "--search", "s", "--format", "json"),
        ("status", "--search", missing),
        ("predict", missing, "--search", "s"),
        ("run", "--search", "s", "--set", missing),
        ("run", "--search", "s", "--data", missing),
        ("run", missing),
    ):
        check_clean(output_of(hostile.call(*arguments)), " ".join(arguments))

    with hostile.instance() as instance:
        events = [log for one in instance.get_runs() for log in instance.all_logs(one.run_id)]
        texts = [text for log in events for text in texts_in(json.loads(dg.serialize_value(log)))]
    assert any("refused" in text for text in texts)
    assert any("warned" in text for text in texts)
    for text in texts:
        check_clean(text, "event")
    graph = hostile.load().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        check_clean(graph.get(key).description or "", str(key))


def test_files_have_the_exact_texts_and_no_formula(hostile: YamlProject) -> None:
    hostile.call("run", "--search", "s", "--engine", "serial", "--quiet")
    with (hostile.artifacts("s") / "split" / "train.csv").open(newline="") as file:
        labels = {row[-1] for row in csv.reader(file)} - {"label"}
    assert labels == {LABELS[0], f"'{LABELS[1]}"}
    assert {row["param_note"] for row in hostile.leaderboard("s")} == {VALUES[0], f"'{VALUES[3]}"}
    for path in Path(hostile.artifacts("s")).rglob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text(), newline="")):
            assert not [cell for cell in row if cell.startswith(("=", "@"))]
    rows = hostile.root / "rows.csv"
    rows.write_text("1,2\n4,4\n2,3\n5,1\n")
    predicted = hostile.call("predict", str(rows), "--search", "s").out.splitlines()
    assert set(predicted) <= set(LABELS)


# Outlets: what a wrong input says, wherever it is said

SEARCH: dict[str, Any] = {
    "data_file": "d.csv",
    "estimator": "sklearn.tree.DecisionTreeClassifier",
    "axes": [{"name": "max_depth", "symbol": "D", "type": "int"}],
    "folds": 2,
}
FIELDS: dict[str, dict[str, Any]] = {
    "unknown field": {HOSTILE: 1},
    "data file": {"data_file": HOSTILE},
    "target": {"target": HOSTILE},
    "estimator": {"estimator": f"sklearn.{HOSTILE}"},
    "setting": {"settings": {HOSTILE: 1}},
    "value of a setting": {"settings": {"criterion": HOSTILE}},
    "nested estimator": {"settings": {"criterion": {"estimator": HOSTILE}}},
    "function": {"settings": {"criterion": {"function": f"{HOSTILE}.x"}}},
    "axis": {"axes": [{"name": HOSTILE, "symbol": "D"}]},
    "symbol": {"axes": [{"name": "max_depth", "symbol": HOSTILE}]},
    "parameter": {"axes": [{"name": "max_depth", "symbol": "D", "parameter": HOSTILE}]},
    "type": {"axes": [{"name": "max_depth", "symbol": "D", "type": HOSTILE}]},
    "choice": {"choices": [{"name": HOSTILE, "default": 1, "options": [1]}]},
    "option": {"choices": [{"name": "criterion", "default": HOSTILE, "options": [HOSTILE]}]},
    "scoring": {"scoring": HOSTILE},
    "rule": {"rule": HOSTILE},
    "folds": {"folds": HOSTILE},
    "parameters_folder": {"parameters_folder": HOSTILE},
    "name": {"name": HOSTILE},
}
SHEETS: dict[str, list[list[object]]] = {
    "cell": [["x", "y", "kind"], *[[n, n % 5, "ab"[n % 2]] for n in range(30)], [1, HOSTILE, "a"]],
    "header": [["x", HOSTILE, HOSTILE], *[[n, n % 5, "ab"[n % 2]] for n in range(30)]],
    "label": [["x", "y", "kind"], *[[n, n % 5, "ab"[n % 2]] for n in range(30)], [1, 2, HOSTILE]],
    "short row": [["x", "y", "kind"], *[[n, n % 5, "ab"[n % 2]] for n in range(30)], [HOSTILE]],
}


@pytest.fixture
def project(tmp_path: Path) -> YamlProject:
    """A project with a sound search and nothing done."""
    return make_sound(tmp_path / "project")


def make_sound(root: Path) -> YamlProject:
    made = YamlProject.create(root)
    made.write_data("d.csv", [["x", "y", "kind"], *[[n, n % 5, "ab"[n % 2]] for n in range(30)]])
    made.write_search("s", **SEARCH)
    made.write_values("s", max_depth=[1, 2])
    return made


def write_search(project: YamlProject, folder: str, **fields: Any) -> None:
    attributes = {"name": folder, **SEARCH, **fields}
    document = {"type": "iris_hpo.HyperparameterSearch", "attributes": attributes}
    project.write_yaml(folder, yaml.safe_dump(document, sort_keys=False))


def texts_of(defs: dg.Definitions, instance: dg.DagsterInstance) -> Iterator[str]:
    """What Dagster shows of a search that does not work: its graph, its ticks and its runs."""
    graph = defs.resolve_asset_graph()
    yield from (graph.get(key).description or "" for key in graph.get_all_asset_keys())
    for sensor in defs.get_repository_def().sensor_defs:
        if sensor.name.endswith(("parameter_files_sensor", "raw_data_sensor")):
            try:
                evaluate_tick(defs, instance, sensor.name, '{"digest": "other"}')
            except dg.Failure as failure:
                yield str(failure.description)
    sources = [key for key in graph.get_all_asset_keys() if key.path[-1] in ("raw_data", "split")]
    if not sources:  # what stands in place of a broken search cannot be run
        return
    job = defs.resolve_implicit_global_asset_job_def()
    run = job.execute_in_process(instance=instance, asset_selection=sources, raise_on_error=False)
    for log in instance.all_logs(run.run_id):
        yield from texts_in(json.loads(dg.serialize_value(log)))


def check_outlets(project: YamlProject, command: tuple[str, ...]) -> None:
    """The command and Dagster refuse the project, and what they say is clean and short."""
    answer = project.call(*command)
    assert answer.code == 2, answer.err
    assert "Traceback" not in answer.err
    assert len(answer.err) < 5_000
    check_clean(output_of(answer), " ".join(command)[:50])
    defs = project.load()
    with project.entered(), project.instance() as instance:
        texts = [*texts_of(defs, instance)]
    assert texts
    for text in texts:
        check_clean(text, "Dagster")


@pytest.mark.slow
@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_a_field_of_the_description(project: YamlProject, fields: dict[str, Any]) -> None:
    write_search(project, "s", **fields)
    check_outlets(project, ("run", "--search", "s", "--engine", "serial"))


@pytest.mark.parametrize("rows", SHEETS.values(), ids=SHEETS)
def test_a_table(project: YamlProject, rows: list[list[object]]) -> None:
    project.write_data("d.csv", rows)
    check_outlets(project, ("run", "--search", "s", "--engine", "serial"))


@pytest.mark.parametrize("name", ["max_depth_parameters.txt", "x.csv", f"no{ESCAPES}te.txt"])
def test_a_parameter_file(project: YamlProject, name: str) -> None:
    (project.parameters("s") / name).write_text(f"{HOSTILE}\n{HOSTILE}\n")
    answer = project.call("run", "--search", "s", "--engine", "serial")
    assert answer.code == 2
    assert len(answer.err) < 1_000
    check_clean(output_of(answer), name)
    defs = project.load()
    with project.entered(), project.instance() as instance:
        with pytest.raises(dg.Failure) as failure:
            evaluate_tick(defs, instance, "s_parameter_files_sensor")
        check = defs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(["s", "parameters"])],
            raise_on_error=False,
        )
        logs = instance.all_logs(check.run_id)
    for text in (str(failure.value.description), *map(str, logs)):
        check_clean(text, "Dagster")


@pytest.fixture(scope="module")
def _searched(tmp_path_factory: pytest.TempPathFactory) -> YamlProject:
    made = make_sound(tmp_path_factory.mktemp("searched") / "project")
    made.run("s")
    return made


@pytest.fixture
def searched(_searched: YamlProject, tmp_path: Path) -> YamlProject:
    """A copy of a project whose search was run."""
    return _searched.copy(tmp_path / "copy")


def test_a_partition_that_a_person_made_up(searched: YamlProject) -> None:
    keys = [f"made up{HOSTILE}"[:250], *(f"{number}{ESCAPES}" for number in range(60))]
    with searched.entered(), searched.instance() as instance:
        for name in ("s_candidates", "s_candidates_from_files"):
            instance.add_dynamic_partitions(name, keys)
        defs = searched.load()
        job = defs.resolve_implicit_global_asset_job_def()
        texts: list[str] = []
        for name in ("parameters", "selection"):
            run = job.execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(["s", name])],
                raise_on_error=False,
            )
            for log in instance.all_logs(run.run_id):
                texts.extend(texts_in(json.loads(dg.serialize_value(log))))
    for text in texts:
        check_clean(text, "Dagster")


def test_predict_escapes_texts_of_the_file(searched: YamlProject) -> None:
    for rows in ([[HOSTILE, "y"], [1, 2]], [["x", "y"], [1, HOSTILE]], [[1, 2], [HOSTILE]]):
        searched.write_data("p.csv", rows)
        answer = searched.call("predict", "data/p.csv", "--search", "s")
        assert answer.code == 2
        assert len(answer.err) < 1_000
        check_clean(output_of(answer), "predict")


def test_names_in_the_list_of_searches(project: YamlProject) -> None:
    for number in range(2):
        write_search(project, f"b{number}", name=f"{HOSTILE}{number}")
    for arguments in (("status",), ("status", "--search", "none")):
        answer = project.call(*arguments)
        assert answer.code == 2
        assert len(answer.err) < 10_000
        check_clean(output_of(answer), str(arguments))


# The doors themselves

MESSAGES = {"Failure", "AssetCheckResult", "SkipReason"}
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


def calls_in(path: Path) -> Iterator[tuple[str, str]]:
    """Yield what a file calls: the last two names of each call."""
    for node in ast.walk(tree_of(path.read_text())):
        if isinstance(node, ast.Call):
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            yield last_name(owner), last_name(node.func)


def last_name(node: ast.expr | None) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def test_every_message_goes_through_its_door() -> None:
    """No module makes a failure, a check's result or a line of a log but the one that cleans it."""
    door = Path(presentation.failure.__code__.co_filename)
    package = Path(presentation.__file__).parents[1]
    found = [
        f"{path.name}: {owner}.{name}"
        for path in package.rglob("*.py")
        if path != door
        for owner, name in calls_in(path)
        if name in MESSAGES or (owner == "log" and name in LEVELS)
    ]
    assert not found


def test_the_command_prints_at_one_place() -> None:
    door = Path(output.say.__code__.co_filename)
    found = [
        f"{path.name}: {owner}.{name}"
        for path in door.parent.glob("*.py")
        if path != door
        for owner, name in calls_in(path)
        if name in {"print", "echo", "secho"} and owner != "console"
    ]
    assert not found
