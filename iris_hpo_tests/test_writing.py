"""A user's file and a new project are written whole or not at all, whatever ends the writer."""

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from iris_hpo import processes
from iris_hpo.errors import InputError
from iris_hpo.training.artifacts import remove_left_folders
from iris_hpo.writing import write_together, write_whole
from iris_hpo_tests.permissions import without_rights_of_root
from iris_hpo_tests.processes import REPOSITORY

ANOTHER = 12345
"""The id of a user and of a group that is not ours."""
ONLY_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")


def killed(lines: str) -> None:
    """Run lines in a process that ends in them by SIGKILL."""
    begin = (
        "import os, signal\nfrom pathlib import Path\nfrom iris_hpo import writing\n"
        "def die(*_): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", begin + lines], cwd=REPOSITORY, check=False)
    assert ended.returncode == -signal.SIGKILL


@contextmanager
def files_of_at_most(size: int) -> Generator[None]:
    """What is written beyond a size is refused, in the middle of a file, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("names", [(), ("labels.txt",), ("labels.txt", "other name")])
def test_a_file_that_cannot_be_written_whole_stays_as_it_was(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    path = tmp_path / "labels.txt"
    if names:
        path.write_bytes(b"old")
    for name in names[1:]:
        os.link(path, tmp_path / name)

    with files_of_at_most(1000), pytest.raises(OSError, match="File too large"):
        write_whole(path, bytes(5000))

    assert contents(tmp_path) == dict.fromkeys(names, b"old")


def test_a_written_file_keeps_its_link_and_its_permissions(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)

    write_whole(link, b"new")

    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert len(list(tmp_path.iterdir())) == 2


def test_all_names_of_a_written_file_have_its_content(tmp_path: Path) -> None:
    path, other = tmp_path / "labels.txt", tmp_path / "other name"
    path.write_bytes(b"an old text that is longer")
    os.link(path, other)

    write_whole(path, b"new")

    assert contents(tmp_path) == {"labels.txt": b"new", "other name": b"new"}


def test_a_written_file_keeps_its_extended_attributes(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"old")
    os.utime(path, (0, 0))
    try:
        os.setxattr(path, "user.origin", b"mine")
    except OSError as error:
        pytest.skip(f"this folder has no extended attributes: {error.strerror}")

    write_whole(path, b"new")

    assert (path.read_bytes(), os.getxattr(path, "user.origin")) == (b"new", b"mine")
    assert path.stat().st_mtime > 0


@ONLY_ROOT
@pytest.mark.parametrize("number", [0, errno.EPERM, errno.EINVAL])
def test_a_written_file_keeps_its_owner_and_stays_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Also where ownership cannot be given away: of a user who is unknown in a container."""
    path = tmp_path / "labels.txt"
    path.write_bytes(b"old")
    path.chmod(0o600)
    os.chown(path, ANOTHER, ANOTHER)
    inode, modes, give = path.stat().st_ino, list[int](), os.chown

    def give_away(place: Path, *owner: int) -> None:
        modes.append(stat.S_IMODE(place.stat().st_mode))
        if number:
            raise OSError(number, os.strerror(number))
        give(place, *owner)

    monkeypatch.setattr(os, "chown", give_away)
    write_whole(path, b"new")

    after = path.stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (ANOTHER, ANOTHER, 0o600)
    assert (after.st_ino == inode) == bool(number)
    assert modes == [0o600]
    assert contents(tmp_path) == {"labels.txt": b"new"}


def test_a_file_that_is_mounted_by_itself_is_written_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"old")

    def refuse(*_: object) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", refuse)
    write_whole(path, b"new")

    assert contents(tmp_path) == {"labels.txt": b"new"}


def test_what_a_killed_writer_has_left_is_removed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"old")
    killed(f"writing.shutil.copystat = die; writing.write_whole(Path({str(path)!r}), b'new')")
    (left,) = (file.name for file in tmp_path.iterdir() if file != path)
    mine = {
        f".labels.txt.{processes.new_mark()}",  # another thread is writing it
        left.replace("labels", "other"),
        f"{left}.bak",
        ".labels.txt.1",
    }
    for name in mine:
        (tmp_path / name).touch()

    write_whole(path, b"new")

    assert path.read_bytes() == b"new"
    assert {file.name for file in tmp_path.iterdir()} == {"labels.txt", *mine}


def test_a_killed_writer_leaves_no_part_of_a_project(tmp_path: Path) -> None:
    killed(
        "def pieces():\n    yield b'half'\n    die()\n"
        f"writing.write_together(Path({str(tmp_path)!r}), {{'a': b'1', 'data/b': pieces()}})"
    )
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".iris_hpo-")

    write_together(tmp_path, {"a": b"1", "data/b": iter([b"a ", b"whole"])})

    assert {path.name for path in tmp_path.iterdir()} == {"a", "data"}
    assert (tmp_path / "data" / "b").read_bytes() == b"a whole"


def test_the_folder_of_a_killed_prediction_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    killed(
        "import numpy\nfrom iris_hpo.training import called_predictor\n"
        "predictor = called_predictor.CalledPredictor('__main__:die', None, ['x'], ['number'])\n"
        "predictor.predict(numpy.zeros((1, 1)))"
    )
    assert len([*tmp_path.iterdir()]) == 1

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    remove_left_folders()

    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("error", [OSError(13, "Permission denied"), KeyboardInterrupt()])
@pytest.mark.parametrize("is_new", [True, False])
def test_a_project_that_cannot_be_moved_to_its_place_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, *, is_new: bool
) -> None:
    project, rename = tmp_path / "project", Path.rename
    if not is_new:
        project.mkdir()

    def fail_at_last(path: Path, target: Path) -> Path:
        if target == (project if is_new else project / "a"):
            raise error
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_at_last)
    with pytest.raises((InputError, KeyboardInterrupt)):
        write_together(project, {"a": b"1", "data/b": b"2"})

    assert [*tmp_path.rglob("*")] == ([] if is_new else [project])


def test_a_new_project_comes_whole(tmp_path: Path) -> None:
    """Also if its writer is killed after the first file is in its place."""
    killed(
        "rename = Path.rename\n"
        "def once(*given):\n    rename(*given)\n    die()\n"
        "Path.rename = once\n"
        f"writing.write_together(Path({str(tmp_path / 'new' / 'project')!r}), "
        "{'a': b'1', 'data/b': b'2'})"
    )
    project = tmp_path / "new" / "project"
    assert ((project / "a").read_bytes(), contents(project / "data")) == (b"1", {"b": b"2"})
    assert [*project.parent.iterdir()] == [project]


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"old")
    path.chmod(0o400)

    with without_rights_of_root(), pytest.raises(PermissionError, match="Permission denied"):
        write_whole(path, b"new")

    assert contents(tmp_path) == {"labels.txt": b"old"}


def test_a_file_in_a_folder_that_allows_no_new_one_is_written_into(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"an old text that is longer")
    tmp_path.chmod(0o500)

    with without_rights_of_root():
        write_whole(path, b"new")

    assert contents(tmp_path) == {"labels.txt": b"new"}


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    write_whole(path, b"new")

    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert [file.name for file in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_project_that_was_begun_can_be_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    files = {"a": b"1", ".dagster/b": b"2", "data/parameters/c": b"3"}
    folder = tmp_path / "new" / "project"
    mine = tmp_path / "mine"
    mine.touch()
    opened = Path.open

    def fail_at_last(path: Path, *arguments: Any) -> object:
        if path.name == "c":
            raise error
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", fail_at_last)
    with pytest.raises((InputError, KeyboardInterrupt)):
        write_together(folder, files)

    assert [*tmp_path.iterdir()] == [mine]
