"""Databases of MLflow that are new, half made, moved or copied."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from iris_hpo.errors import InputError
from iris_hpo.exports.mlflow_places import check_location, open_database

PLACE = "sqlite:///mlflow.db"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is a project with the files of a run of MLflow."""
    folder = tmp_path / "project"
    (folder / "mlruns" / "1" / "run").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("place", [PLACE, "sqlite:///{}/project/mlflow.db", "sqlite:///../m.db"])
def test_a_database_where_it_was_made_is_used(place: str, project: Path) -> None:
    check_location(place.format(project.parent), "svm", f"{project}/mlruns/1", {"run"})
    shutil.rmtree(project / "mlruns")  # somebody deletes the files
    check_location(place.format(project.parent), "svm", f"{project}/mlruns/1", {"run"})


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("s3://bucket/mlruns/1", PLACE),
        ("mlflow-artifacts:/1", PLACE),
        ("/gone/mlruns/1", "http://127.0.0.1:5000"),
        ("{}/files/1", PLACE),
        ("file://{}/files/1", PLACE),
        ("{}/other/mlruns/1", "sqlite:///{}/other/mlflow.db"),
    ],
)
def test_a_root_for_files_that_was_set_and_other_folders_to_work_in_are_left_alone(
    location: str, place: str, tmp_path: Path
) -> None:
    """A project of another database has files of an experiment of the same number here."""
    for folder in ("files", "other/mlruns"):
        (tmp_path / folder / "1" / "its run").mkdir(parents=True)

    check_location(place.format(tmp_path), "svm", location.format(tmp_path), {"its run"})


def test_a_database_without_runs_has_no_files_to_lose(project: Path) -> None:
    check_location(PLACE, "svm", f"{project.parent}/to come/1", set())


@pytest.mark.parametrize("place", [PLACE, "sqlite:///../project/mlflow.db"])
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_moved_database_is_refused(place: str, scheme: str, project: Path) -> None:
    old = project.with_name("old")

    with pytest.raises(InputError) as caught:
        check_location(place, "svm", f"{scheme}{old}/mlruns/1", {"run"})

    assert str(caught.value) == (
        f"the experiment svm of {place} keeps its files in {old}/mlruns/1: the database was moved "
        "or copied since; give a new one, where all runs are written again, or make that folder a "
        "link to where its files are now"
    )
    old.symlink_to(project)
    check_location(place, "svm", f"{scheme}{old}/mlruns/1", {"run"})


@pytest.mark.parametrize("folder", [".", "runs"])
def test_a_copied_database_is_refused(
    folder: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also from the outside, and where its files are in another folder."""
    copy = project.with_name("copy")
    project.joinpath(folder).mkdir(exist_ok=True)
    if folder != ".":
        project.joinpath("mlruns").rename(project / folder / "mlruns")
    shutil.copytree(project, copy)
    location = str(Path(project, folder, "mlruns", "1"))
    monkeypatch.chdir(copy / folder)

    with pytest.raises(InputError, match=f"keeps its files in {location}: the .* written again$"):
        check_location(f"sqlite:///{copy}/mlflow.db", "svm", location, {"other", "run"})


@pytest.mark.parametrize("before", [set[str](), {"mlflow.db"}])
def test_a_new_database_of_which_the_making_is_stopped_is_not_there(
    before: set[str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(place: str) -> None:
        file = Path(place.removeprefix("sqlite:///"))
        file.write_text("a part")
        file.with_name(f"{file.name}-journal").write_text("a part")
        raise KeyboardInterrupt

    for name in before:
        (project / name).touch()
    monkeypatch.setattr("iris_hpo.exports.mlflow_places._make_tables", stopped)

    with pytest.raises(KeyboardInterrupt):
        open_database(PLACE)

    assert {path.name for path in project.iterdir()} == {"mlruns", *before}
    assert all((project / name).stat().st_size == 0 for name in before)


@pytest.mark.slow
def test_a_new_database_is_whole_after_an_export_that_was_killed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in a folder whose name means something else in a URI."""
    project = project.rename(project.with_name("a?b#c%20d"))
    monkeypatch.chdir(project)
    for name in ("mlflow.db", ".mlflow.db.new", ".mlflow.db.new-journal"):
        (project / name).write_text("" if name == "mlflow.db" else "a part")

    open_database(PLACE)

    with closing(sqlite3.connect(project / "mlflow.db")) as database:
        assert database.execute("SELECT name FROM experiments").fetchall() == [("Default",)]
    assert {path.name for path in project.iterdir()} == {"mlruns", "mlflow.db"}


@pytest.mark.slow
def test_a_half_made_database_is_one_message(project: Path) -> None:
    with closing(sqlite3.connect(project / "half.db")) as database:
        database.execute("CREATE TABLE registered_models (name)")

    with pytest.raises(InputError, match=r"half.db has only a part of MLflow's tables \(.* exists"):
        open_database("sqlite:///half.db")
