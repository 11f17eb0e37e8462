"""The store: where a search's files are, and how they are written: whole or not at all.

Here it is a folder; `iris_hpo.store.objects` has the same on object storage.
"""

import hashlib
import os
import uuid
from pathlib import PurePosixPath
from typing import Final

from upath import UPath

from iris_hpo.search.errors import InputError

_TEMPORARY: Final = ".temporary"


class ArtifactError(InputError):
    """A stored file is missing or is not what was recorded; the message names it."""


class ArtifactMismatchError(ArtifactError):
    """A stored file is there but is not what was recorded: changed, replaced, or half a crash."""


def digest_of(content: bytes) -> str:
    """sha256 of bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


class ArtifactStore:
    """Files of one search below one folder.

    Parameters
    ----------
    root
        The folder; it need not be there yet.

    Attributes
    ----------
    read_together
        How many files a reader reads one after the other, where several readers share the work:
        a local file is read sooner than handed over.
    """

    read_together: int = 32

    def __init__(self, root: UPath) -> None:
        # `file://` paths cannot be moved; plain ones can, atomically.
        self.root = UPath(root.path) if root.protocol in ("file", "local") else root

    def path(self, name: str) -> UPath:
        """Where a file is; ``name`` is relative, with forward slashes."""
        return self.root / name

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return self.path(name).is_file()

    def read(self, name: str) -> bytes:
        """Read a file.

        Raises
        ------
        ArtifactError
            If it is not there or cannot be read.
        """
        try:
            return self._checked(name).read_bytes()
        except FileNotFoundError as error:
            raise ArtifactError(f"{self.path(name)} is missing; run the search again") from error
        except OSError as error:
            raise ArtifactError(f"{self.path(name)} cannot be read: {error}") from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file so that a reader sees all of it or nothing."""
        target = self._checked(name)
        temporary = self.root / _TEMPORARY / f"{os.getpid()}-{uuid.uuid4().hex}"
        temporary.parent.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def delete(self, name: str) -> None:
        """Remove a file if it is there."""
        self._checked(name).unlink(missing_ok=True)

    def list(self, folder: str) -> list[str]:
        """Names of the files in a folder, sorted."""
        place = self.path(folder)
        if not place.is_dir():
            return []
        return sorted(child.name for child in place.iterdir())

    def sweep(self) -> None:
        """Remove temporary files that writers left which were killed."""
        for name in self.list(_TEMPORARY):
            owner = name.partition("-")[0]
            if not (owner.isdigit() and is_alive(int(owner))):
                (self.root / _TEMPORARY / name).unlink(missing_ok=True)

    def _checked(self, name: str) -> UPath:
        """Refuse a name, or a symbolic link, that leads out of the store."""
        check_name(name)
        path = self.path(name)
        real_root = os.path.realpath(str(self.root))
        real = os.path.realpath(str(path))
        if not real.startswith(real_root + os.sep):
            raise ArtifactError(f"{path} leads out of the store, to {real}; remove the link")
        return path


def check_name(name: str) -> None:
    """Refuse a name that leads out of the store.

    Raises
    ------
    ArtifactError
        If it is empty, absolute, or goes upwards.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts:
        raise ArtifactError(f"{name!r} is not a name within the store")


def read_verified(store: ArtifactStore, name: str, digest: str) -> bytes:
    """Read a file whose digest is known.

    Raises
    ------
    ArtifactError
        If it is missing or its bytes have another digest.
    """
    content = store.read(name)
    found = digest_of(content)
    if found != digest:
        raise ArtifactMismatchError(
            f"{store.path(name)} is not the file that was recorded (sha256 {found[:12]}, recorded "
            f"{digest[:12]}): it was changed or replaced; run the search again"
        )
    return content


def is_alive(process: int) -> bool:
    """Whether a process of this machine exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
