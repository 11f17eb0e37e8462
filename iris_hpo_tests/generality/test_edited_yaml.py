"""The YAML of a search is edited while a code location has it loaded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from iris_hpo_tests.orchestration.following import partition_requests
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject
from iris_hpo_tests.ticks import evaluate_tick

pytestmark = DAGSTERS_WARNINGS

TREE = """\
type: iris_hpo.HyperparameterSearch
attributes:
  name: tree
  data_file: tree.csv
  steps:
    - {estimator: sklearn.impute.SimpleImputer, settings: {missing_values: .nan}}
    - {estimator: sklearn.tree.DecisionTreeClassifier}
  axes:
    - name: depth
      symbol: D
      parameter: decisiontreeclassifier__max_depth
      type: int
      values: [1, 2]
"""
ROWS = [["width", "class"], *([number, number % 2] for number in range(20))]
SENSORS = ["tree_parameter_files_sensor", "tree_raw_data_sensor"]
"""Those that follow files."""


@pytest.fixture
def project(tmp_path: Path) -> YamlProject:
    """A search of which nothing was run."""
    made = YamlProject.create(tmp_path / "project")
    made.write_data("tree.csv", ROWS)
    made.write_yaml("tree", TREE)
    return made


def look(project: YamlProject, defs: dg.Definitions, sensor: str, cursor: str | None = None) -> Any:
    with project.code_location() as instance:
        return evaluate_tick(defs, instance, sensor, cursor)


def test_sensors_ask_for_nothing_until_it_is_loaded_again(project: YamlProject) -> None:
    old = project.load()
    cursors = {sensor: look(project, old, sensor).cursor for sensor in SENSORS}
    path = project.write_yaml("tree", TREE.replace("[1, 2]", "[1, 3]"))
    project.write_data("tree.csv", ROWS[:-1])

    for sensor, cursor in cursors.items():
        tick = look(project, old, sensor, cursor)
        assert (tick.run_requests or [], tick.dynamic_partitions_requests or []) == ([], [])
        assert tick.skip_message == (
            f"{path} was edited since this code location was loaded: "
            "reload the code location, in the UI or by a restart"
        )
        assert tick.cursor == cursor

    new = project.load()
    ticks = [look(project, new, sensor, cursor) for sensor, cursor in cursors.items()]
    assert partition_requests(ticks[0])["add", "tree_candidates"] == ["D1", "D3"]
    assert [len(tick.run_requests) for tick in ticks] == [1, 1]


def test_what_counts_as_an_edit(project: YamlProject) -> None:
    other = "---\n" + TREE.replace("name: tree", "name: other")
    path = project.write_yaml("tree", TREE + other)
    defs = project.load()
    changes: dict[str, Callable[[], object]] = {
        "a comment": lambda: path.write_text("# Trees.\n" + TREE + other),
        "another search": lambda: path.write_text(TREE + other.replace("[1, 2]", "[1, 3]")),
        "no file": path.unlink,
        "a type": lambda: path.write_text(TREE.replace("[1, 2]", "[1.0, 2]")),
        "half a file": lambda: path.write_text(TREE[: TREE.index(", 2]")]),
    }
    edits = list[str]()
    for change, make in changes.items():
        make()
        tick = look(project, defs, SENSORS[0])
        if "was edited" in (tick.skip_message or ""):
            edits.append(change)
    assert edits == ["a type", "half a file"]
