"""`iris-hpo example`: a project in one command, and nothing of anyone is overwritten."""

import runpy
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from iris_hpo.command.example import (
    next_commands,
    show_example,
    write_example,
)
from iris_hpo.errors import InputError
from iris_hpo.iris import iris_search
from iris_hpo.orchestration.known_searches import built_searches
from iris_hpo.spec import SearchSpec
from iris_hpo.writing import write_together
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("search", ["iris", "wine", "digits"])
def test_an_example_is_a_project_that_loads(
    search: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = YamlProject(tmp_path / "new" / "project")

    show_example(project.root, search, as_json=False)

    text = capsys.readouterr().out
    assert f"wrote a project with the search {search} into {project.root}; next:" in text
    keys = project.load().resolve_asset_graph().get_all_asset_keys()
    assert {key.path[0] for key in keys} == {search}
    settings = yaml.safe_load((project.root / ".dagster" / "dagster.yaml").read_text())
    assert settings["event_log_storage"]["module"] == "iris_hpo.event_log"
    assert settings["telemetry"] == {"enabled": False}
    assert settings["run_monitoring"]["enabled"]
    assert f'code_location_name = "{search}"' in (project.root / "pyproject.toml").read_text()


def test_the_iris_example_runs(tmp_path: Path) -> None:
    project = YamlProject(tmp_path / "project")
    write_example(project.root, "iris")
    for name, values in (("c", "1\n8\n"), ("gamma", "0.25\n")):
        (project.parameters("iris") / f"{name}_parameters.txt").write_text(values)

    answer = project.call("run", "--engine", "serial")

    assert (answer.code, answer.err) == (0, "")
    assert {row["candidate"] for row in project.leaderboard("iris")} == {"C1.0_G0.25", "C8.0_G0.25"}


def test_the_iris_example_is_the_search_of_the_repository(tmp_path: Path) -> None:
    project = YamlProject(tmp_path / "project")
    write_example(project.root, "iris")
    repository = iris_search()

    with project.entered():
        runpy.run_path(str(project.root / "definitions.py"))["defs"]()
        example = built_searches()["iris"]

    own = {"name", "home", "parameters_folder", "partitions", "description"}
    for field in {field.name for field in fields(SearchSpec)} - own:
        assert getattr(example, field) == getattr(repository, field), field
    for axis in ("c", "gamma"):
        name = f"{axis}_parameters.txt"
        ours = repository.home / "data" / "parameters" / name
        assert (project.parameters("iris") / name).read_bytes() == ours.read_bytes()


@pytest.mark.parametrize("folder", [".", "../here"])
def test_in_the_present_folder_the_next_command_changes_no_folder(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert "cd " not in next_commands(Path(folder))[0]
    assert next_commands(Path("other"))[0].startswith("cd other && ")
    assert next_commands(Path("-other"))[0].startswith("cd ./-other && ")


@pytest.mark.parametrize("name", ["data", "defs", "definitions.py", "pyproject.toml", ".dagster"])
def test_nothing_is_overwritten(name: str, tmp_path: Path) -> None:
    (tmp_path / name).symlink_to(tmp_path / "nowhere")  # a link that leads nowhere counts too

    with pytest.raises(InputError, match=f"{name} exists, and nothing is overwritten; name a new"):
        write_example(tmp_path, "iris")

    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_with_other_files_is_good(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    write_example(tmp_path, "iris")
    assert (tmp_path / "README.md").read_text() == "mine"
    assert (tmp_path / "defs" / "iris" / "defs.yaml").is_file()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match=r"file.* cannot be written: (File exists|Not a dir)"):
        write_example(tmp_path / "file", "iris")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_project_that_cannot_be_written_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_file = Path.open

    def full(path: Path, *arguments: str, **options: str) -> object:
        if path.name == "gamma_parameters.txt":
            raise OSError(28, "No space left on device", str(path))
        return open_file(path, *arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda path, mode="r", **options: full(path, mode, **options))
        with pytest.raises(InputError, match=r"gamma_parameters.txt cannot .*No space left"):
            write_together(tmp_path, {"a.txt": b"a", "data/gamma_parameters.txt": b"1"})
    assert files_of(tmp_path) == set()
