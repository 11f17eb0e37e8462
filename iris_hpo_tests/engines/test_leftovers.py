"""What killed runs leave is removed; what lives, or is another's, is not."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from iris_hpo.engines import leftovers
from iris_hpo.engines.leftovers import sweep, temporary_folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders and semaphores are."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(leftovers, "_SEMAPHORES", tmp_path)
    return tmp_path


@pytest.fixture
def dead() -> str:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return str(process.pid)


def leave(place: Path, name: str, process: str, *files: str) -> Path:
    """Make a folder as a killed run leaves it, two minutes ago."""
    folder = place / name
    folder.mkdir()
    for file in files:
        (folder / file).touch()
    (folder / "process").write_text(process)
    (place / f"sem.loky-{process}-abc").touch()
    before = folder.stat().st_mtime - 120
    os.utime(folder, (before, before))
    return folder


def test_files_and_semaphores_of_a_dead_run_are_removed(place: Path, dead: str) -> None:
    leave(place, "iris_hpo-dead", dead, "owner.lock", "work")
    with temporary_folder() as own:
        assert [path for path in place.iterdir() if path != own] == []
        assert own.is_dir()
    assert list(place.iterdir()) == []


@pytest.mark.usefixtures("place")
def test_folders_of_live_runs_stay() -> None:
    with temporary_folder() as own:
        os.utime(own, (1, 1))
        sweep()
        assert (own / "owner.lock").exists()


def test_folders_of_no_run_stay(place: Path, dead: str) -> None:
    leave(place, "iris_hpo-notes", dead, "notes.txt")
    leave(place, "other", dead, "owner.lock")
    (place / "iris_hpo-link").symlink_to(place / "other")
    (place / "iris_hpo-file").touch()
    before = sorted(place.rglob("*"))
    sweep()
    assert sorted(place.rglob("*")) == before


def test_semaphores_of_a_living_process_stay(place: Path) -> None:
    leave(place, "iris_hpo-dead", str(os.getpid()), "owner.lock")
    sweep()
    assert [path.name for path in place.iterdir()] == [f"sem.loky-{os.getpid()}-abc"]
