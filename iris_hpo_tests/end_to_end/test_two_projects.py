"""One process, such as a notebook, loads the studies of two projects."""

import sys
from contextlib import chdir
from pathlib import Path

import pytest

import iris_hpo
from iris_hpo.command.project import find_search
from iris_hpo.errors import InputError
from iris_hpo.orchestration.known_searches import built_searches
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS

TREE = """\
type: iris_hpo.HyperparameterSearch
attributes:
  name: {name}
  data_file: tree.csv
  estimator: {estimator}
  axes: [{{name: depth, symbol: D, parameter: max_depth, type: int, values: [{depth}]}}]
"""
OWN_MODULE = """\
from sklearn.tree import DecisionTreeClassifier

class Tree(DecisionTreeClassifier):
    origin = {origin!r}
"""
SKLEARN = "sklearn.tree.DecisionTreeClassifier"


def make(folder: Path, depth: int, *, name: str = "tree", estimator: str = SKLEARN) -> YamlProject:
    """A project with one candidate, searched."""
    made = YamlProject.create(folder)
    made.write_data(
        "tree.csv", [["width", "class"], *([number, number % 2] for number in range(20))]
    )
    made.write_yaml(name, TREE.format(name=name, estimator=estimator, depth=depth))
    if estimator != SKLEARN:
        (folder / "trees.py").write_text(OWN_MODULE.format(origin=folder.name))
    made.run(name)
    return made


@pytest.mark.parametrize("names", [("tree", "tree"), ("tree", "oak")])
def test_each_has_its_own_results(tmp_path: Path, names: tuple[str, str]) -> None:
    projects = [
        make(tmp_path / "work", 1, name=names[0]),
        make(tmp_path / "work" / "within", 2, name=names[1]),
    ]
    with projects[0].entered():
        for project, key in [*zip(projects, ["D1", "D2"], strict=True)] * 2:
            assert iris_hpo.load_study(project.root).champion_key == key
        assert iris_hpo.load_study(names[0]).champion_key == "D1"


def test_the_current_folder_decides_where_only_a_name_is_given(tmp_path: Path) -> None:
    first, second = make(tmp_path / "first", 1), make(tmp_path / "second", 2)
    with first.entered():
        assert iris_hpo.load_study("tree").champion_key == "D1"
        with chdir(second.root):
            assert iris_hpo.load_study("tree").champion_key == "D2"


def test_of_several_searches_one_is_named(tmp_path: Path) -> None:
    project = make(tmp_path / "project", 1)
    project.write_yaml("oak", TREE.format(name="oak", estimator=SKLEARN, depth=2))
    with project.entered():
        with pytest.raises(InputError, match=r"oak, tree; choose one with search='NAME'"):
            iris_hpo.load_study(project.root)
        assert iris_hpo.load_study(project.root, search="tree").champion_key == "D1"


def test_a_model_of_the_other_projects_code_is_refused(tmp_path: Path) -> None:
    first = make(tmp_path / "first", 1, estimator="trees.Tree")
    second = make(tmp_path / "second", 2, estimator="trees.Tree")
    with first.entered():
        champion = iris_hpo.load_study(first.root).champion
        study = iris_hpo.load_study(second.root)
        with pytest.raises(InputError, match="with other code of trees than this process has"):
            study.champion  # noqa: B018 - loads the model
    assert getattr(champion, "origin", None) == "first"


def test_the_program_that_runs_stays(tmp_path: Path) -> None:
    project = make(tmp_path / "project", 1)
    (project.root / "__main__.py").write_text("raise SystemExit(1)\n")
    program = sys.modules["__main__"]
    with project.entered():
        iris_hpo.load_study(project.root)
        assert sys.modules["__main__"] is program


def test_the_searches_of_the_process_stay(tmp_path: Path) -> None:
    own, other = make(tmp_path / "own", 1), make(tmp_path / "other", 2)
    with own.code_location() as instance, other.instance() as theirs:
        find_search("tree", own.root)
        own_definitions, known = sys.modules["definitions"], built_searches()
        assert iris_hpo.load_study(other.root, instance=theirs).champion_key == "D2"
        assert built_searches() == known
        assert sys.modules["definitions"] is own_definitions
        assert iris_hpo.load_study("tree", instance=instance).champion_key == "D1"
