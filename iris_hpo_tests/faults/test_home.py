"""An instance in a folder with an odd name works, or is refused before anything is written."""

import errno
import os
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.event_log import new_databases
from iris_hpo_tests.orchestration.following import Follower
from iris_hpo_tests.projects import ShippedProject, SpecProject


@pytest.mark.parametrize(("name", "shown"), [("a?b", "?"), ("a*b", "*"), ("br[1]", "[ and ]")])
def test_a_name_that_dagster_misreads_is_refused(
    project: ShippedProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, shown: str
) -> None:
    home = tmp_path / name / "home"
    monkeypatch.setattr(
        ShippedProject, "environment", {**project.environment, "DAGSTER_HOME": str(home)}
    )
    result = project.call("status")
    assert result.returncode == 2
    assert result.stderr == (
        f"iris-hpo: DAGSTER_HOME {str(home)!r} contains {shown}, which Dagster misreads in the "
        "path of an instance; rename the folder, or set DAGSTER_HOME to another\n"
    )
    assert not home.exists()


@pytest.mark.parametrize("name", ["a#b", "a%20b", "ä b"])
def test_other_names_work(
    project: ShippedProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    home = tmp_path / name
    (project.root / "home").rename(home)
    monkeypatch.setattr(
        ShippedProject, "environment", {**project.environment, "DAGSTER_HOME": str(home)}
    )
    for _ in range(2):
        result = project.call("status")
        assert result.returncode == 0, result.stderr
    assert (home / "history" / "runs").is_dir()


@pytest.mark.parametrize(
    ("problem", "advice"),
    [
        (errno.EROFS, "Read-only file system; make it writable, as every command writes there"),
        (errno.EACCES, "Permission denied; make it writable, as every command writes there"),
        (errno.EISDIR, "Is a directory; move it away"),
    ],
)
def test_one_that_cannot_be_written_is_not_to_be_moved_away(
    project: ShippedProject, monkeypatch: pytest.MonkeyPatch, problem: int, advice: str
) -> None:
    def lock(path: Path) -> None:
        raise OSError(problem, os.strerror(problem), str(path))

    monkeypatch.setattr(new_databases, "FileLock", lock)

    result = project.call("status")

    home = project.root / "home"
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"iris-hpo: the Dagster instance of DAGSTER_HOME {home} cannot be opened: "
        f"{home}/.opening.lock: {advice}\n"
    )


def test_a_tick_says_that_the_settings_are_not_read(tmp_path: Path) -> None:
    """`dagster dev` alone starts, with telemetry and without pools, and says nothing of it."""
    home = tmp_path / "br[1]"
    home.mkdir()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        follower = Follower(SpecProject.create(tmp_path / "p", instance), "parameter_files_sensor")
        assert follower.look().run_requests
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.telemetry_enabled, "Dagster reads the file now: the refusal can go"
        follower.project.instance = instance
        assert follower.refused() == (
            f"Dagster does not read {home}/dagster.yaml, because it takes the brackets in its path "
            "for a pattern: telemetry is on, and runs are not kept apart; rename the folder, or "
            "set DAGSTER_HOME to another"
        )
