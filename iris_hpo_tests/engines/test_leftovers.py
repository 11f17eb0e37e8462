"""What killed runs leave is removed; what lives, or is another's, is not."""

import os
import subprocess
import sys
import tempfile
import time
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


def test_semaphores_of_workers_started_ahead_are_removed(tmp_path: Path) -> None:
    """They exist before the run has a folder for its work."""
    program = (
        "import os, signal\n"
        "from iris_hpo.engines import start_ahead\n"
        "start_ahead()\n"
        "print(os.getpid(), flush=True)\n"
        "os.killpg(0, signal.SIGKILL)"
    )
    process = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        start_new_session=True,
        check=False,
    )
    pattern = f"sem.loky-{int(process.stdout)}-*"
    assert [*leftovers._SEMAPHORES.glob(pattern)]
    [folder] = tmp_path.glob("iris_hpo-*")
    os.utime(folder, (1, 1))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path))
        sweep()

    assert [*leftovers._SEMAPHORES.glob(pattern)] == []
    assert not folder.exists()


def test_files_and_semaphores_of_a_dead_run_are_removed(place: Path, dead: str) -> None:
    leave(place, "iris_hpo-dead", dead, "owner.lock", "work")
    with temporary_folder() as own:
        assert [path for path in place.iterdir() if path != own] == []
        assert own.is_dir()
    assert list(place.iterdir()) == []


def test_a_folder_of_a_dead_run_is_removed_after_a_second(place: Path, dead: str) -> None:
    """The next run may begin at once; another minute is for a process that may be alive."""
    of_dead = leave(place, "iris_hpo-dead", dead, "owner.lock")
    of_living = leave(place, "iris_hpo-living", str(os.getpid()), "owner.lock")
    before = time.time() - 5
    for folder in (of_dead, of_living):
        os.utime(folder, (before, before))
    sweep()
    assert not of_dead.exists()
    assert of_living.exists()


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


@pytest.mark.parametrize("process", [b"\xff\xfe", "²".encode(), b"9" * 26, b"1" * 100_000, None])
def test_a_folder_whose_process_is_unknown_disturbs_nobody(
    place: Path, process: bytes | None
) -> None:
    folder = leave(place, "iris_hpo-odd", "", "owner.lock")
    (folder / "process").unlink()
    os.mkfifo(folder / "process") if process is None else (folder / "process").write_bytes(process)

    with temporary_folder() as own:
        assert own.is_dir()
