"""Digests of files, and the errors of stored files."""

import errno
import hashlib
import os
from pathlib import Path

from upath import UPath

from iris_hpo.errors import InputError, WholeRunError


class ArtifactError(InputError):
    """A stored file is missing or is not the recorded one; the message names the file."""


class StoreGoneError(ArtifactError):
    """A stored file is missing, as the whole folder of the search is; both may come back."""


class StoreWriteError(WholeRunError):
    """Nothing can be written: the disk is full, or the folder is read-only."""


class StoreReadError(WholeRunError):
    """Nothing can be read now: the storage is away, or the machine lacks something.

    What is stored may well be right, and must not pass for missing.
    """


class OccupiedError(InputError):
    """Something else lies in the place of a file; other files can be written."""


class ArtifactMismatchError(ArtifactError):
    """A stored file exists but is not the recorded one: changed, replaced, or left by a crash."""


def denied(place: str | os.PathLike[str]) -> StoreReadError:
    """Make the error of a place that this user may not read; it names the outermost such folder."""
    closed = (folder for folder in reversed(Path(place).parents) if not _can_be_entered(folder))
    return StoreReadError(
        f"{next(closed, place)} cannot be read: {os.strerror(errno.EACCES)}; give the user of this "
        "process permission to read and write it"
    )


def _can_be_entered(folder: Path) -> bool:
    try:
        os.stat(f"{folder}/.")  # noqa: PTH116 - a Path leaves the dot out
    except PermissionError:
        return False
    return True


def digest_of(content: bytes) -> str:
    """Return the sha256 of bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def check_digest(path: UPath, digest: str, recorded: str) -> None:
    """Refuse a file whose digest is not the recorded one.

    Raises
    ------
    ArtifactMismatchError
        If the digests differ; the message names the file.
    """
    if digest != recorded:
        raise ArtifactMismatchError(
            f"{path} is not the file that was recorded (sha256 {digest[:12]}, recorded "
            f"{recorded[:12]}): it was changed or replaced; run the search again"
        )
