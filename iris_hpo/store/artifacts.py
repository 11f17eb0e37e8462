"""The store: where a search's files are, and how they are written: whole or not at all.

Here it is a folder; `iris_hpo.store.objects` has the same on object storage.
"""

import errno
import hashlib
import os
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Final

from upath import UPath

from iris_hpo.search.errors import InputError, WholeRunError

_TEMPORARY: Final = ".temporary"
_OF_ALL: Final = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
)
"""What keeps a file from being written, and will keep the next from it too."""


class ArtifactError(InputError):
    """A stored file is missing or is not what was recorded; the message names it."""


class StoreWriteError(WholeRunError):
    """Nothing can be written any more: the disk is full, or the folder is read-only."""


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
    readers
        How many threads should read at once: a local file is read sooner than handed over.
    """

    readers: int = 1

    def __init__(self, root: UPath) -> None:
        # `file://` paths cannot be moved; plain ones can, atomically.
        self.root = UPath(root.path) if root.protocol in ("file", "local") else root

    def check_root(self) -> None:
        """Refuse a root that cannot be a folder.

        Raises
        ------
        InputError
            If it is a file.
        """
        if self.root.is_file():
            raise InputError(f"artifacts {self.root} is a file; give a folder")

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
        """Write a file so that a reader sees all of it or nothing.

        Raises
        ------
        StoreWriteError
            If the disk is full or the folder is not writable; what was there stays.
        """
        self.write_together({name: content})

    def write_together(self, files: Mapping[str, bytes]) -> None:
        """Write files, each whole or not at all, in their order.

        None is replaced before there is room for all: a full disk leaves what was there.

        Raises
        ------
        StoreWriteError
            If the disk is full or the folder is not writable.
        """
        targets = {name: self._checked(name) for name in files}
        temporary = self._checked(f"{_TEMPORARY}/{os.getpid()}-{uuid.uuid4().hex}")
        staged: list[tuple[Path, Path]] = []
        try:
            with self._writing():
                temporary.parent.mkdir(parents=True, exist_ok=True)
                for name, target in targets.items():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    place = temporary.with_name(f"{temporary.name}-{len(staged)}")
                    staged.append((place, target))
                    place.write_bytes(files[name])
                for place, target in staged:
                    place.replace(target)
        finally:
            for place, _ in staged:  # of a write that failed; the others were moved away
                with suppress(OSError):  # that is said already
                    place.unlink(missing_ok=True)

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
                with self._writing():
                    self.delete(f"{_TEMPORARY}/{name}")

    @contextmanager
    def _writing(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in _OF_ALL:
                raise
            raise StoreWriteError(
                f"{self.root} cannot be written: {error.strerror}; make it writable and make room, "
                "then run the search again: finished candidates are kept"
            ) from error

    @cached_property
    def _real_root(self) -> str:
        return os.path.realpath(str(self.root))

    def _checked(self, name: str) -> Path:
        """Where a file is; refuse a name, or a symbolic link, that leads out of the store."""
        check_name(name)
        place = self._real_root
        for part in name.split("/"):
            place = f"{place}/{part}"
            if os.path.islink(place):  # noqa: PTH114 - a Path takes five times as long
                real = os.path.realpath(f"{self._real_root}/{name}")
                if not real.startswith(self._real_root + os.sep):
                    raise ArtifactError(
                        f"{self.path(name)} leads out of the store, to {real}; remove the link"
                    )
        return Path(place)


def check_name(name: str) -> None:
    """Refuse a name that leads out of the store.

    Raises
    ------
    ArtifactError
        If it is empty, absolute, or goes upwards.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
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
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # no Linux, or it has just ended
        return True
    return state != "Z"  # it has ended, and whoever started it does not look
