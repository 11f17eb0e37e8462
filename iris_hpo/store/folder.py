"""The store in a folder: a search's files, each written whole or not at all.

`iris_hpo.store.objects` has the store on object storage.
"""

import errno
import hashlib
import os
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Final

from upath import UPath

from iris_hpo.errors import InputError
from iris_hpo.files import MEBIBYTE, memory_bytes, open_regular
from iris_hpo.store import temporary
from iris_hpo.store.digests import (
    ArtifactError,
    OccupiedError,
    StoreGoneError,
    StoreReadError,
    StoreWriteError,
    check_digest,
    denied,
    digest_of,
)
from iris_hpo.store.names import check_name

SMALL: Final = 64 * MEBIBYTE
"""Largest plausible size, in bytes, of a file that grows only with the candidates or columns."""

_OF_ALL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR)
"""Errors that keep every file from being written."""
_FOR_NOW: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE)
_IN_THE_WAY: Final = (errno.EEXIST, errno.EISDIR, errno.ENOTEMPTY)
_FILES: Final = (
    *(f"split/{part}.csv" for part in ("train", "test", "folds")),
    "parameters/candidates.csv",
    "selection/leaderboard.csv",
    "selection/heatmap.png",
    "selection/champion.pkl",
    "selection/ensemble.pkl",
    "selection/references.json",
)
_CARDS: Final = ("split/split.json", "parameters/parameters.json", "selection/champion.json")


class ArtifactStore:
    """The files of a search below a folder.

    Parameters
    ----------
    root
        The folder; it need not exist yet.

    Attributes
    ----------
    readers
        Number of threads that should read at once: a local file is read faster than passed on.
    guard
        Called before each file that is replaced or deleted; its error keeps the file.
    """

    readers = 1
    guard: Callable[[], object] = staticmethod(lambda: None)

    def __init__(self, root: UPath) -> None:
        # `file://` paths cannot be moved; plain ones can, atomically.
        self.root = UPath(root.path) if root.protocol in ("file", "local") else root

    def check_root(self) -> None:
        """Refuse a root that cannot be a folder.

        Raises
        ------
        InputError
            If the root, or what it should lie in, is a file or cannot be read.
        """
        try:
            file = next((at for at in (self.root, *self.root.parents) if at.is_file()), None)
        except OSError as error:
            raise InputError(self._not_made(error.strerror)) from error
        if file is not None:
            raise InputError(self._not_made(f"{'it' if file == self.root else file} is a file"))

    @property
    def is_there(self) -> bool:
        """Whether the root exists."""
        return os.path.isdir(self._real_root)  # noqa: PTH112 - a text

    def path(self, name: str) -> UPath:
        """Path of a file; ``name`` is relative, with forward slashes."""
        return self.root / name

    def exists(self, name: str) -> bool:
        """Whether a file exists."""
        try:
            return self.path(name).is_file()
        except PermissionError as error:
            raise denied(error.filename) from error

    def read(self, name: str, *, limit: int | None = None, digest: str | None = None) -> bytes:
        """Read a file.

        Parameters
        ----------
        limit
            Largest plausible size in bytes; by default the size of the memory.
        digest
            The expected digest. Only a sparse file is checked by it, before the file is loaded.

        Raises
        ------
        ArtifactError
            If the file is missing, cannot be read or is not plausible.
        StoreReadError
            If this user may not read the file, or the machine lacks what it takes to read any file.
        """
        path = self._checked(name)
        try:
            with open_regular(path, limit or memory_bytes()) as file:
                status = os.fstat(file.fileno())
                if digest and _is_sparse(status):
                    stored_digest = hashlib.file_digest(file, "sha256").hexdigest()
                    check_digest(self.path(name), stored_digest, digest)
                    file.seek(0)
                return file.read(status.st_size)
        except FileNotFoundError as error:
            kind = ArtifactError if self.is_there else StoreGoneError
            raise kind(f"{self.path(name)} is missing; run the search again") from error
        except PermissionError as error:  # of the file, or of a folder that it lies in
            raise denied(str(self.path(name))) from error
        except OSError as error:
            kind = StoreReadError if error.errno in _FOR_NOW else ArtifactError
            raise kind(f"{self.path(name)} cannot be read: {error.strerror}") from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file so that readers see all of the content or none.

        Raises
        ------
        OccupiedError
            If something else lies in the place of the file.
        StoreWriteError
            If the disk is full or the folder is not writable; the old file stays.
        """
        self.write_together({name: content})

    def write_together(self, files: Mapping[str, bytes]) -> None:
        """Write files, each whole or not at all, in their order.

        No file is replaced before all are on the disk, so a full disk leaves the old files.

        Raises
        ------
        OccupiedError
            If something else lies in the place of one of the files.
        StoreWriteError
            If the disk is full or the folder is not writable.
        """
        targets = {name: self._checked(name) for name in files}
        places = [self._checked(name) for name in temporary.new_names(len(files))]
        try:
            with self._writing(set(map(str, targets.values()))):
                folder = self._checked(temporary.FOLDER)
                if not folder.is_dir():
                    self._check_foreign()
                folder.mkdir(parents=True, exist_ok=True)
                for place, (name, target) in zip(places, targets.items(), strict=True):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(files[name])
                for place, target in zip(places, targets.values(), strict=True):
                    self.guard()
                    _put(place, target)
        finally:
            for place in places:  # after a write that failed; otherwise all were moved away
                with suppress(OSError):  # the failed write is reported already
                    place.unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """Remove a file if it exists."""
        self.guard()
        self._checked(name).unlink(missing_ok=True)

    def list(self, folder: str) -> list[str]:
        """Names of the files in a folder, sorted."""
        place = self.path(folder)
        try:
            return sorted(child.name for child in place.iterdir()) if place.is_dir() else []
        except PermissionError as error:
            raise denied(error.filename) from error

    def sweep(self) -> None:
        """Remove the temporary files of killed writers, and no others."""
        for name in self.list(temporary.FOLDER):
            file = f"{temporary.FOLDER}/{name}"
            if temporary.is_left(Path(self._real_root, file)):
                with self._writing():
                    self._checked(file).unlink(missing_ok=True)

    def _check_foreign(self) -> None:
        """Refuse to replace files of a folder in which no search has ever written."""
        if any(self.exists(name) for name in _CARDS):
            return
        if name := next(filter(self.exists, _FILES), ""):
            raise StoreWriteError(
                f"{self.path(name)} is there, but no search has written it; move it away, or give "
                "another folder for the artifacts"
            )

    @contextmanager
    def _writing(self, targets: Collection[str] = ()) -> Generator[None]:
        try:
            yield
        except OSError as error:
            if not self.is_there:
                raise StoreWriteError(self._not_made(error.strerror)) from error
            if error.errno in _IN_THE_WAY:
                place = str(error.filename2 or error.filename)
                kind = OccupiedError if place in targets else StoreWriteError
                raise kind(
                    f"{place} is in the way: {error.strerror}; move it away, then run the search "
                    "again"
                ) from error
            if error.errno not in _OF_ALL:
                raise
            place = str(self.root)
            if isinstance(error, PermissionError):
                place = os.path.dirname(error.filename2 or error.filename)  # noqa: PTH120 - a text
            raise StoreWriteError(
                f"{place} cannot be written: {error.strerror}; make it writable and make room, "
                "then run the search again: finished candidates are kept"
            ) from error

    def _not_made(self, reason: str | None) -> str:
        return (
            f"the artifacts folder {self.root} cannot be made: {reason}; give another one with "
            "--artifacts or IRIS_HPO_ARTIFACTS"
        )

    @cached_property
    def _real_root(self) -> str:
        return os.path.realpath(str(self.root))

    def _checked(self, name: str) -> Path:
        """Path of a file; refuse a name, or a symbolic link, that leads out of the store."""
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


def read_verified(store: ArtifactStore, name: str, digest: str) -> bytes:
    """Read a file and compare its digest.

    Raises
    ------
    ArtifactError
        If the file is missing or has another digest.
    """
    content = store.read(name, digest=digest)
    check_digest(store.path(name), digest_of(content), digest)
    return content


def _is_sparse(status: os.stat_result) -> bool:
    """Whether a large file takes up less than half of its size on the disk."""
    return status.st_size > SMALL and status.st_blocks * 512 < status.st_size // 2


def _put(place: Path, target: Path) -> None:
    """Move a file to its target, which may be an empty folder."""
    try:
        place.replace(target)
    except IsADirectoryError:
        if target.is_symlink():
            raise
        with suppress(OSError):  # the folder is not empty; the next line then raises that
            target.rmdir()
        place.replace(target)
