"""The command finds a project's searches in every layout that Dagster itself takes."""

import shutil
from pathlib import Path

import pytest

from iris_hpo.command.example import write_example
from iris_hpo.errors import InputError
from iris_hpo.projects import load_searches
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS

SEARCH = """
def search(name):
    return iris_hpo.build_search(
        iris_hpo.SearchSpec(
            name=name,
            home=Path(__file__).parent,
            data_file="noisy_iris.csv",
            parameters_folder="parameters/iris",
            axes=(Axis("C", symbol="C"), Axis("gamma", symbol="G")),
            steps=(Step("sklearn.svm.SVC"),),
        )
    )
"""
IMPORTS = """
from pathlib import Path

import dagster as dg

import iris_hpo
from iris_hpo.training.estimators import Step
from iris_hpo.space.axes import Axis

@dg.asset
def scores() -> None: ...

mine = dg.Definitions(assets=[scores], executor=dg.multiprocess_executor)
"""


@pytest.fixture
def iris(tmp_path: Path) -> YamlProject:
    project = YamlProject(tmp_path / "project")
    write_example(project.root, "iris")
    return project


def write_python(project: YamlProject, definitions: str) -> None:
    """Have Python in place of YAML, beside assets of one's own."""
    shutil.rmtree(project.root / "defs")
    (project.root / "pyproject.toml").write_text('[tool.dagster]\nmodule_name = "definitions"\n')
    (project.root / "definitions.py").write_text(f"{IMPORTS}{SEARCH}\ndefs = {definitions}\n")


def test_the_layout_of_a_new_dg_project_without_an_installation(iris: YamlProject) -> None:
    package = iris.root / "src" / "their_package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (iris.root / "definitions.py").rename(package / "definitions.py")
    (iris.root / "defs").rename(package / "defs")
    (package / "defs" / "__init__.py").touch()
    (package / "definitions.py").write_text(
        "from pathlib import Path\n"
        "from dagster import definitions\n"
        "from iris_hpo import load_searches\n\n"
        "@definitions\n"
        "def defs():\n"
        "    return load_searches(Path(__file__).parent)\n"
    )
    (iris.root / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "their_package"\n'
    )

    answer = iris.call("status")

    assert (answer.code, answer.err) == (0, "")
    assert "models               0       77" in answer.out


def test_one_search_in_python_is_found(iris: YamlProject) -> None:
    write_python(iris, 'dg.Definitions.merge(mine, search("one"))')
    assert iris.call("status").code == 0


def test_of_several_in_python_one_is_named(iris: YamlProject) -> None:
    write_python(iris, 'dg.Definitions.merge(mine, search("one"), search("two"))')
    answer = iris.call("status")
    assert answer.code == 2
    assert "has several searches: one, two; choose one with --search NAME" in answer.err
    assert iris.call("status", "--search", "two").code == 0


def test_a_whole_one_in_python_is_found_beside_a_broken_one(iris: YamlProject) -> None:
    write_python(iris, 'dg.Definitions.merge(mine, search("one"), search("Two!"))')
    assert iris.call("status", "--search", "one").code == 0
    answer = iris.call("status")
    assert (answer.code, "search name 'Two!'" in answer.err) == (2, True)


@pytest.mark.parametrize("command", [["run"], ["status"], ["leaderboard"], ["predict", "rows.csv"]])
def test_without_a_search_the_command_says_what_to_do(
    iris: YamlProject, command: list[str]
) -> None:
    write_python(iris, "mine")
    before = {path for path in iris.root.rglob("*") if "__pycache__" not in path.parts}
    answer = iris.call(*command)
    assert (answer.code, answer.out) == (2, "")
    assert "has no search yet" in answer.err
    assert "iris-hpo example" in answer.err
    after = {path for path in iris.root.rglob("*") if "__pycache__" not in path.parts}
    assert after == before


def test_searches_load_where_only_the_definitions_are_found(iris: YamlProject) -> None:
    """As for `dg launch`, which has neither the folder nor ``src`` among the places of modules."""
    (iris.root / "defs").rename(iris.root / "searches_of_theirs")
    file = iris.root / "pyproject.toml"
    file.write_text(file.read_text().replace('"defs"', '"searches_of_theirs"'))

    keys = iris.load().resolve_asset_graph().get_all_asset_keys()

    assert len(keys) == 6


NOT_SET = (
    '[tool.dagster]\nmodule_name = "definitions"\n',
    "no pyproject.toml there or above it has [tool.dg].",
)
A_FILE = (
    '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "old_project"\n',
    "No module named 'old_project.defs'; 'old_project' is not a package",
)


@pytest.mark.parametrize(("settings", "why"), [NOT_SET, A_FILE])
def test_a_project_of_plain_definitions_hears_what_to_set(
    tmp_path: Path, settings: str, why: str
) -> None:
    (tmp_path / "old_project.py").touch()
    (tmp_path / "pyproject.toml").write_text(settings)
    with pytest.raises(InputError) as error:
        load_searches(tmp_path)
    assert str(error.value).startswith(f"{tmp_path}: {why}")
    assert 'write into pyproject.toml: [tool.dg] with directory_type = "project"' in str(
        error.value
    )
