"""The store on object storage: S3, compatible services, and other fsspec file systems.

An object appears when its upload is complete, so a write is whole or not at all: small files go in
one request, large ones in parts that are invisible before the last one. Listings are not cached,
because other processes write at the same time.

Each process takes endpoint and credentials from the configuration of the client libraries
(``AWS_*``, profiles, roles, fsspec's). They are in no URL, no pickle, no metadata and no message.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from upath import UPath

from iris_hpo.errors import InputError
from iris_hpo.store.digests import ArtifactError, StoreReadError, StoreWriteError
from iris_hpo.store.folder import ArtifactStore
from iris_hpo.store.names import check_name
from iris_hpo.store.s3 import PROTOCOLS, ask_s3, s3_options

_MISSING: Final = (None, "NoSuchKey", "NoSuchVersion")
"""What S3, if it was asked, says of an object that does not exist; no code follows HEAD."""


class ObjectStore(ArtifactStore):
    """The files of a search below a prefix.

    Parameters
    ----------
    root
        The prefix, on any fsspec file system.
    """

    readers = 16  # each waits for its answer, so many can wait at once

    def __init__(self, root: UPath) -> None:
        super().__init__(root)
        self._files: Any = root.fs  # fsspec's interface; each file system has its own types

    def check_root(self) -> None:
        """Accept any root: a prefix need not exist, and no file can be in its place."""

    @property
    def is_there(self) -> bool:
        """Whether the root exists: a prefix always does."""
        return True

    def exists(self, name: str) -> bool:
        """Whether a file exists."""
        place = self._place(name)
        try:
            return self._ask("looked for", place, "info")["type"] == "file"
        except FileNotFoundError:
            return False

    def read(self, name: str, *, limit: int | None = None, digest: str | None = None) -> bytes:  # noqa: ARG002
        """Read a file; no limit applies, since asking for the size would take another request.

        Raises
        ------
        ArtifactError
            If the file is missing.
        StoreReadError
            If the storage is away or refuses; transient failures were retried.
        """
        place = self._place(name)
        try:
            return bytes(self._ask("read", place, "cat_file"))
        except FileNotFoundError as error:
            raise ArtifactError(f"{place} is missing; run the search again") from error

    def write_together(self, files: Mapping[str, bytes]) -> None:
        """Write files, each whole or not at all, in their order.

        Raises
        ------
        StoreWriteError
            If a file cannot be written; transient failures were retried.
        """
        for name, content in files.items():
            place = self._place(name)
            self.guard()
            try:
                self._ask("written", place, "pipe_file", content)
            except (StoreReadError, FileNotFoundError) as error:
                raise StoreWriteError(str(error)) from error

    def delete(self, name: str) -> None:
        """Remove a file if it exists."""
        self.guard()
        place = self._place(name)
        with suppress(FileNotFoundError):
            self._ask("deleted", place, "rm_file")

    def list(self, folder: str) -> list[str]:
        """Names of the files in a folder, sorted; one request per thousand."""
        place = self.path(folder)
        try:
            self._files.invalidate_cache(place.path)
            entries = self._ask("listed", place, "ls", True)
        except FileNotFoundError:
            return []
        names = (entry["name"].rpartition("/")[2] for entry in entries if entry["type"] == "file")
        return sorted(filter(None, names))

    def sweep(self) -> None:
        """Do nothing: an interrupted upload leaves no visible object."""

    def _ask(self, what: str, place: UPath, method: str, *arguments: Any) -> Any:
        """Call a method of the file system; any error is one message, but not that one is missing.

        What is refused must not pass for missing. S3 refuses what does not exist to those who may
        not list the bucket; so they may not use it.
        """
        try:
            if self.root.protocol in PROTOCOLS:
                return ask_s3(self._files, str(self.root), method, place.path, *arguments)
            return getattr(self._files, method)(place.path, *arguments)
        except Exception as error:
            # Each client library has its own errors, and not all are OSError.
            if isinstance(error, FileNotFoundError) and _code(error) in _MISSING:
                raise
            reason = " ".join(str(error).split()) or type(error).__name__
            raise StoreReadError(f"{place} cannot be {what}: {reason}") from error

    def _place(self, name: str) -> UPath:
        check_name(name)
        return self.path(name)


def open_store(place: str) -> ArtifactStore:
    """Open the store at a path or a URL.

    Raises
    ------
    InputError
        If the URL contains credentials, or its file system is unknown or not installed.
    """
    protocol, separator, _ = place.partition("://")
    if not separator or protocol in ("file", "local"):
        return ArtifactStore(UPath(place))
    if urlsplit(place).password is not None:  # it would be shown wherever the place is shown
        raise InputError(
            f"the artifacts' URL {protocol}://... carries credentials; give them by the "
            "environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or a profile"
        )
    try:
        return ObjectStore(UPath(place, **(s3_options() if protocol in PROTOCOLS else {})))
    except ImportError as error:
        extra = "; pip install 'iris_hpo[s3]'" if protocol in PROTOCOLS else ""
        raise InputError(f"artifacts {place!r} cannot be used: {error}{extra}") from error
    except ValueError as error:
        raise InputError(f"artifacts {place!r} cannot be used: {error}") from error


def _code(error: Exception) -> str | None:
    """The code of S3's answer that caused an error; None without one."""
    answer: dict[str, Any] = getattr(error.__cause__, "response", None) or {}
    return answer.get("Error", {}).get("Code")
