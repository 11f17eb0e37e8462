"""Only regular files of a plausible size are read, without a wait for a writer; a user's file is
written whole or not at all."""

import os
import re
import resource
import socket
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from iris_hpo.command.example import write_files
from iris_hpo.errors import InputError
from iris_hpo.files import open_regular, read_regular, remove_folder, write_whole


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 << 30)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (make_pipe, "it is a named pipe, not a regular file"),
        (make_socket, "it is a socket, not a regular file"),
        (make_device, "it is a device, not a regular file"),
        (Path.mkdir, "it is a folder, not a file"),
        (make_sparse, "its 107374182400 bytes are more than the 1000 that are plausible"),
    ],
)
def test_what_is_no_plausible_file_is_refused(tmp_path: Path, make, problem: str) -> None:
    path = tmp_path / "it"
    make(path)
    for read in (open_regular, read_regular):
        with pytest.raises(OSError, match=re.escape(problem)):
            read(path, 1000)


def test_a_file_that_turns_into_a_pipe_is_not_waited_for(tmp_path: Path, monkeypatch) -> None:
    path, file = tmp_path / "it", tmp_path / "file"
    file.write_bytes(b"content")
    status = file.stat()
    os.mkfifo(path)
    monkeypatch.setattr(os, "stat", lambda _: status)
    with pytest.raises(OSError, match="named pipe"):
        open_regular(path, 1000)


def test_a_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_bytes(b"x" * 1000)
    assert read_regular(path, 1000) == b"x" * 1000
    with pytest.raises(OSError, match="1000 bytes are more than the 999"):
        read_regular(path, 999)


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "it", 1000)


@contextmanager
def files_of_at_most(size: int) -> Generator[None]:
    """What is written beyond a size is refused, in the middle of a file, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("content", [b"old", None])
def test_a_file_that_cannot_be_written_whole_stays_as_it_was(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "labels.txt"
    if content is not None:
        path.write_bytes(content)

    with files_of_at_most(1000), pytest.raises(OSError, match="File too large"):
        write_whole(path, bytes(5000))

    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == (
        {} if content is None else {"labels.txt": content}
    )


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
        write_files(folder, files)

    assert [*tmp_path.iterdir()] == [mine]


def test_folders_are_removed_however_deep(tmp_path: Path) -> None:
    """Deeper than Python calls functions, opens files, and writes paths."""
    top = tmp_path / "top"
    top.mkdir()
    place = os.open(top, os.O_RDONLY)
    for _ in range(1_500):
        os.mkdir("folder" * 4, dir_fd=place)
        inner = os.open("folder" * 4, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)

    remove_folder(top)

    assert not top.exists()


def test_what_a_link_leads_to_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to("folder")
    top = tmp_path / "top"
    top.mkdir()
    (top / "link").symlink_to(tmp_path / "folder")

    remove_folder(link)
    remove_folder(top)

    assert (tmp_path / "folder" / "inner").is_dir()
    assert link.is_symlink()
    assert not top.exists()
