"""Only regular files of a plausible size are read, without a wait for a writer; folders are removed
however deep."""

import os
import re
import socket
from pathlib import Path

import pytest

from iris_hpo.files import open_regular, read_regular, remove_folder


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
