"""An instance in a folder with an odd name works, or is refused before anything is written."""

from pathlib import Path

import pytest

from iris_hpo_tests.end_to_end.conftest import Project


@pytest.mark.parametrize(("name", "shown"), [("a?b", "?"), ("a*b", "*"), ("br[1]", "[ and ]")])
def test_a_name_that_dagster_misreads_is_refused(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, shown: str
) -> None:
    home = tmp_path / name / "home"
    monkeypatch.setattr(Project, "environment", {**project.environment, "DAGSTER_HOME": str(home)})
    result = project.call("status")
    assert result.returncode == 2
    assert result.stderr == (
        f"iris-hpo: DAGSTER_HOME {str(home)!r} contains {shown}, which Dagster misreads in the "
        "path of an instance; rename the folder, or set DAGSTER_HOME to another\n"
    )
    assert not home.exists()


@pytest.mark.parametrize("name", ["a#b", "a%20b", "ä b"])
def test_other_names_work(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    home = tmp_path / name
    (project.root / "home").rename(home)
    monkeypatch.setattr(Project, "environment", {**project.environment, "DAGSTER_HOME": str(home)})
    for _ in range(2):
        result = project.call("status")
        assert result.returncode == 0, result.stderr
    assert (home / "history" / "runs").is_dir()
