"""What ``dg scaffold defs iris_hpo.HyperparameterSearch <name>`` writes."""

from pathlib import Path

import click
import dagster as dg
import pytest
from sklearn.datasets import load_iris

from iris_hpo.command.init import write_project
from iris_hpo.command.project import find_search
from iris_hpo.component.scaffold import SearchScaffolder
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject
from iris_hpo_tests.test_writing import files_of_at_most

pytestmark = DAGSTERS_WARNINGS

TYPE = "iris_hpo.HyperparameterSearch"


@pytest.fixture
def project(tmp_path: Path) -> YamlProject:
    """A project without a search."""
    return YamlProject.create(tmp_path / "project")


def scaffold(project: YamlProject, folder: str, *, append: bool = False, **parameters: str) -> Path:
    target = project.root / "defs" / folder
    target.mkdir(parents=True, exist_ok=True)
    file = target / "defs.yaml"
    SearchScaffolder().scaffold(
        dg.ScaffoldRequest(
            type_name=TYPE,
            target_path=file if append else target,
            scaffold_format="yaml",
            project_root=project.root,
            params=SearchScaffolder.get_scaffold_params()(**parameters),
            append=append,
        )
    )
    return file


def searches(project: YamlProject) -> set[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_IS_DEFS_VALIDATION_CLI", "1")  # as `dg check defs`: mistakes raise
        keys = project.load().resolve_asset_graph().get_all_asset_keys()
    return {key.path[0] for key in keys}


@pytest.mark.parametrize(
    ("folder", "name"),
    [("foo", "foo"), ("My-Search", "my_search"), ("2nd", "search_2nd"), ("models", "models_2")],
)
def test_the_search_of_any_folder_loads(project: YamlProject, folder: str, name: str) -> None:
    scaffold(project, folder)
    assert searches(project) == {name}


def test_a_table_that_is_not_there_leaves_no_folder_behind(project: YamlProject) -> None:
    with pytest.raises(click.ClickException, match=r"no\.csv is no file"):
        scaffold(project, "foo", table="no.csv")
    assert not (project.root / "defs" / "foo").exists()


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("size", [100, 1_000])
def test_without_room_nothing_is_left_and_nothing_is_lost(
    project: YamlProject, *, append: bool, size: int
) -> None:
    """No room for the values, or for the description alone; then it is repeated."""
    file = project.root / "defs" / "foo" / "defs.yaml"
    if append:
        first = scaffold(project, "foo").read_bytes()

    with files_of_at_most(size), pytest.raises(click.ClickException, match="File too large"):
        scaffold(project, "foo", append=append)
    assert [*file.parent.glob("*")] == [file] * append
    assert not append or file.read_bytes() == first

    scaffold(project, "foo", append=append)
    assert searches(project) == ({"foo", "foo_2"} if append else {"foo"})
    assert [*project.parameters("foo").glob("*_parameters.txt")]


def test_a_second_one_in_the_file_gets_a_name_of_its_own(project: YamlProject) -> None:
    first = scaffold(project, "foo").read_text()
    file = scaffold(project, "foo", append=True)
    assert file.read_text().startswith(first)
    assert searches(project) == {"foo", "foo_2"}


def test_values_that_are_there_are_kept(project: YamlProject) -> None:
    project.write_values("foo", max_features=[0.5])
    scaffold(project, "foo")
    assert [path.name for path in project.parameters("foo").iterdir()] == [
        "max_features_parameters.txt"
    ]


def test_it_is_what_init_writes_for_the_table(project: YamlProject, tmp_path: Path) -> None:
    table = project.root / "data" / "foo.csv"
    load_iris(as_frame=True).frame.to_csv(table, index=False)
    file = scaffold(project, "foo", target="target", estimator="svm")
    write_project(table, "target", tmp_path / "made", "svm", None)

    assert file.read_bytes() == (tmp_path / "made" / "defs" / "foo" / "defs.yaml").read_bytes()
    for values in (tmp_path / "made" / "data" / "parameters" / "foo").iterdir():
        assert (project.parameters("foo") / values.name).read_bytes() == values.read_bytes()


def test_an_estimator_that_is_unknown_is_one_message(project: YamlProject) -> None:
    with pytest.raises(click.ClickException, match="estimator 'forest' is unknown; choose one of"):
        scaffold(project, "foo", estimator="forest")


def test_without_data_the_command_says_which_file_is_missing(project: YamlProject) -> None:
    scaffold(project, "foo")
    answer = project.call("run", "--search", "foo", "--engine", "serial")
    assert answer.code == 2
    assert str(project.root / "data" / "foo.csv") in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.slow
def test_dg_writes_it_and_with_data_it_runs(project: YamlProject) -> None:
    answer = project.tool("dg", "scaffold", "defs", TYPE, "foo")
    assert answer.code == 0, answer.out
    load_iris(as_frame=True).frame.to_csv(project.root / "data" / "foo.csv", index=False)
    file = project.root / "defs" / "foo" / "defs.yaml"
    file.write_text(file.read_text().replace("n_estimators: 100", "n_estimators: 3"))
    project.write_values("foo", max_features=[0.5])
    with project.entered():
        assert find_search("foo", project.root).name == "foo"
    assert project.run("foo")["trained"] == 4
