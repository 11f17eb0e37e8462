"""A full disk, a read-only folder, a file where a folder should be: one message, nothing lost."""

import json
import os
from pathlib import Path

import pytest

from iris_hpo_tests.faults.conftest import Disk, home_on
from iris_hpo_tests.projects import ShippedProject, files_below

ARGUMENTS = ("run", "--engine", "serial", "--folds", "2")
KEPT = "make it writable and make room, then run the search again: finished candidates are kept"


def not_made(folder: Path, reason: str) -> str:
    return (
        f"iris-hpo: the artifacts folder {folder} cannot be made: {reason}; give another one with "
        "--artifacts or IRIS_HPO_ARTIFACTS"
    )


def on(disk: Disk, project: ShippedProject) -> None:
    """Keep the artifacts of a project on a disk."""
    (disk.place / "artifacts").mkdir()
    project.artifacts.symlink_to(disk.place / "artifacts", target_is_directory=True)


def move_to(disk: Disk, project: ShippedProject) -> None:
    """Move the artifacts of a project that was run to a disk."""
    moved = project.artifacts.rename(project.root / "moved")
    on(disk, project)
    for name, (_, content) in files_below(moved).items():
        (project.artifacts / name).parent.mkdir(parents=True, exist_ok=True)
        (project.artifacts / name).write_bytes(content)


def leaderboard(project: ShippedProject) -> bytes:
    return (project.artifacts / "selection" / "leaderboard.csv").read_bytes()


def contents(project: ShippedProject) -> dict[str, bytes]:
    return {name: content for name, (_, content) in project.files().items()}


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The leaderboard of all 77 candidates, without folds."""
    project = ShippedProject.create(tmp_path_factory.mktemp("grid"))
    assert project.call(*ARGUMENTS, "--folds", "0", "--quiet").returncode == 0
    return leaderboard(project)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["serial", "loky"])
def test_a_full_disk_ends_the_run_with_one_message_and_the_next_completes(
    disk: Disk, project: ShippedProject, engine: str, grid: bytes
) -> None:
    """Only a part of the 77 candidates fits on the disk."""
    on(disk, project)
    disk.resize("300k")
    arguments = ("run", "--folds", "0", "--engine")
    result = project.call(*arguments, engine, "--quiet")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"iris-hpo: {project.artifacts} cannot be written: No space left on device; {KEPT}\n"
    )
    assert not list((project.artifacts / ".temporary").iterdir())
    stored = contents(project)
    finished = len([name for name in stored if name.startswith("scores/")])
    assert 0 < finished < 77

    disk.resize("40m")
    result = project.call(*arguments, "serial", "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["trained"] + found["scored"] + found["reused"] == 77
    assert found["reused"] > 0
    assert leaderboard(project) == grid


def test_a_disk_that_is_full_when_the_best_are_stored_keeps_the_last_selection(
    disk: Disk, done: ShippedProject
) -> None:
    before = contents(done)
    move_to(disk, done)
    filler = disk.place / "filler"
    disk.resize("600k")
    try:
        with filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    except OSError:
        pass
    os.truncate(filler, filler.stat().st_size - 8192)  # room for the leaderboard, not for the rest
    result = done.call(*ARGUMENTS, "--rule", "cv")
    assert result.returncode == 2
    assert result.stderr.endswith(f"No space left on device; {KEPT}\n")
    assert result.stderr.count("\n") == 1
    assert contents(done) == before
    assert done.call("leaderboard").returncode == 0
    assert done.call("status", "--folds", "2").returncode == 0

    filler.unlink()
    assert done.call(*ARGUMENTS, "--rule", "cv").returncode == 0
    assert contents(done)["selection/champion.json"] != before["selection/champion.json"]


def test_a_read_only_artifacts_folder(disk: Disk, done: ShippedProject) -> None:
    move_to(disk, done)
    before = contents(done)
    disk.protect()
    result = done.call(*ARGUMENTS, "--force")
    assert result.returncode == 2
    assert result.stderr == (
        f"iris-hpo: {done.artifacts} cannot be written: Read-only file system; {KEPT}\n"
    )
    assert contents(done) == before
    for look in (("status", "--folds", "2"), ("leaderboard",)):
        assert "Traceback" not in done.call(*look).stderr
    assert done.call("leaderboard").returncode == 0
    disk.resize("40m")
    assert done.call(*ARGUMENTS, "--force", "--quiet").returncode == 0


def test_an_artifacts_folder_that_was_never_writable(disk: Disk, few: ShippedProject) -> None:
    on(disk, few)
    disk.protect()
    result = few.call(*ARGUMENTS)
    assert result.returncode == 2
    assert result.stderr == (
        f"iris-hpo: {few.artifacts} cannot be written: Read-only file system; {KEPT}\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", ["300k", "1500k"])
def test_an_instance_on_a_full_disk(disk: Disk, few: ShippedProject, size: str) -> None:
    """The first has no room for the tables, the second none for the events of a run."""
    home_on(disk, few)
    disk.resize(size)
    result = few.command(*ARGUMENTS, "--quiet")
    assert result.returncode == 2, result.stderr
    assert result.stderr.startswith(
        f"iris-hpo: the Dagster instance of DAGSTER_HOME {few.root / 'home'} "
    )
    assert result.stderr.count("\n") == 1, result.stderr

    disk.resize("40m")
    result = few.call(*ARGUMENTS, "--quiet")
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_a_read_only_instance(disk: Disk, few: ShippedProject) -> None:
    home_on(disk, few)
    assert few.command(*ARGUMENTS, "--quiet").returncode == 0
    before = contents(few)
    disk.protect()
    # Only the first in a process of its own: the others differ in what they do afterwards.
    results = [few.command(*ARGUMENTS), few.call("status"), few.call("leaderboard")]
    for result in results:
        assert result.returncode == 2
        assert result.stderr.count("\n") == 1, result.stderr
        assert result.stderr.startswith(
            f"iris-hpo: the Dagster instance of DAGSTER_HOME {few.root / 'home'} cannot be opened"
        )
    assert contents(few) == before


@pytest.mark.parametrize("command", [ARGUMENTS, ("status",), ("leaderboard",), ("predict", "x")])
def test_artifacts_that_are_a_file(few: ShippedProject, command: tuple[str, ...]) -> None:
    few.artifacts.write_text("a file")
    result = few.call(*command)
    assert result.returncode == 2
    assert result.stderr == f"{not_made(few.artifacts, 'it is a file')}\n"
    assert few.artifacts.read_text() == "a file"


def test_a_folder_below_a_file(few: ShippedProject, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    result = few.call(*ARGUMENTS, "--artifacts", str(tmp_path / "file" / "artifacts"))
    assert result.returncode == 2
    assert result.stderr == (
        f"{not_made(tmp_path / 'file' / 'artifacts', f'{tmp_path}/file is a file')}\n"
    )


def test_a_folder_that_cannot_be_made(few: ShippedProject) -> None:
    result = few.call(*ARGUMENTS, "--artifacts", "/proc/artifacts")
    assert result.returncode == 2
    assert result.stderr == (f"{not_made(Path('/proc/artifacts'), 'No such file or directory')}\n")
