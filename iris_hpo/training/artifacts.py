"""The files that a call of an objective leaves, as one archive: whole or not at all.

The same files give the same bytes: names are sorted, and times and owners are left out.
"""

import io
import os
import re
import stat
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from iris_hpo.errors import CandidateError
from iris_hpo.files import MEBIBYTE, remove_folder
from iris_hpo.processes import is_alive, machine
from iris_hpo.text import counted

LARGEST: Final = 128 * MEBIBYTE
"""Largest size, in bytes, of the files that a candidate may leave: archives are made in memory."""

MOST_FILES: Final = 50_000

_PREFIX: Final = "iris_hpo_call-"
_NAME: Final = re.compile(rf"{_PREFIX}[0-9a-f]+-([0-9]+)-.*", re.DOTALL)
"""With the id of the process."""
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive; the earliest that the format can write."""


class Workplace:
    """A temporary folder for one call; it is made when it is first needed.

    Folders of workers that were killed are removed by the next process of the machine that makes
    one.
    """

    @cached_property
    def root(self) -> Path:
        """The folder."""
        _remove_left_folders_once()
        return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{machine()}-{os.getpid()}-"))

    @cached_property
    def folder(self) -> Path:
        """The folder within it whose files are kept."""
        kept = self.root / "output"
        kept.mkdir()
        return kept

    @property
    def is_used(self) -> bool:
        """Whether files may have been left."""
        return "folder" in vars(self)

    def close(self) -> None:
        """Remove the folder."""
        if "root" in vars(self):
            remove_folder(self.root)


def pack(folder: Path) -> bytes | None:
    """Archive the files of a folder as a zip file, uncompressed.

    Returns
    -------
    bytes or None
        None if there is no file.

    Raises
    ------
    CandidateError
        If the files are too many or too large, or one is neither a file nor a folder.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise CandidateError("something else lies in the place of the folder; leave files in it")
    files = _files(os.fspath(folder))
    if not files:
        return None
    _check_sizes(files)
    content, rest = io.BytesIO(), LARGEST
    with zipfile.ZipFile(content, "w") as archive:
        for name, status in files.items():
            with (folder / name).open("rb") as file:
                read = file.read(rest + 1)
            rest -= len(read)
            if rest < 0:  # it has grown since
                raise _too_large(f"more than {LARGEST // MEBIBYTE} MiB")
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.external_attr = (0o755 if status.st_mode & stat.S_IXUSR else 0o644) << 16
            archive.writestr(entry, read)
    return content.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    """Write the files of an archive that `pack` made into a folder."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, folder))
            path.chmod(entry.external_attr >> 16)


def _files(folder: str) -> dict[str, os.stat_result]:
    """All files below a folder by their names, sorted; nothing else may be there.

    Raises
    ------
    CandidateError
        If something else is there.
    """
    statuses: dict[str, os.stat_result] = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = f"{place}/{name}"
            shown, status = path[len(folder) + 1 :], os.lstat(path)
            if stat.S_ISREG(status.st_mode):
                statuses[shown] = status
            elif not stat.S_ISDIR(status.st_mode):
                raise CandidateError(
                    f"{shown} in the folder is neither a file nor a folder; nothing else is kept"
                )
    try:
        "".join(statuses).encode()
    except UnicodeEncodeError as error:
        raise CandidateError(
            f"a file's name in the folder is not written in UTF-8: {error}"
        ) from error
    return dict(sorted(statuses.items()))


def _check_sizes(files: Mapping[str, os.stat_result]) -> None:
    if len(files) > MOST_FILES:
        raise CandidateError(
            f"the folder holds {counted(len(files), 'file')}; at most {MOST_FILES} are kept"
        )
    size = sum(status.st_size for status in files.values())
    if size > LARGEST:
        raise _too_large(f"{size / MEBIBYTE:.0f} MiB")


def _too_large(size: str) -> CandidateError:
    return CandidateError(
        f"the folder holds {size}; at most {LARGEST // MEBIBYTE} MiB are kept: leave large files "
        "elsewhere, and write their address into the folder"
    )


def remove_left_folders() -> None:
    """Remove the folders of processes of this machine that have died."""
    with suppress(FileNotFoundError):  # there is no folder for temporary files
        _remove_left_folders(Path(tempfile.gettempdir()))


_remove_left_folders_once: Final = cache(remove_left_folders)


def _remove_left_folders(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}{machine()}-*"):
        name = _NAME.fullmatch(folder.name)
        if name and not is_alive(int(name[1])):
            remove_folder(folder)
