"""Digests: whether the bytes of a file are the recorded ones, and the errors if they are not."""

import hashlib

from upath import UPath

from iris_hpo.errors import InputError, WholeRunError


class ArtifactError(InputError):
    """A stored file is missing or is not what was recorded; the message names it."""


class StoreWriteError(WholeRunError):
    """Nothing can be written any more: the disk is full, or the folder is read-only."""


class ArtifactMismatchError(ArtifactError):
    """A stored file is there but is not what was recorded: changed, replaced, or half a crash."""


def digest_of(content: bytes) -> str:
    """sha256 of bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def check_digest(path: UPath, found: str, recorded: str) -> None:
    """Refuse a file that has another digest.

    Raises
    ------
    ArtifactMismatchError
        That names it.
    """
    if found != recorded:
        raise ArtifactMismatchError(
            f"{path} is not the file that was recorded (sha256 {found[:12]}, recorded "
            f"{recorded[:12]}): it was changed or replaced; run the search again"
        )
