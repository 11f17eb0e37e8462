"""The store on object storage: S3, compatible services, and other fsspec file systems.

An object appears when its upload is complete, so a write is whole or not at all: small files go in
one request, large ones in parts that are invisible before the last one. Listings are not cached,
because other processes write at the same time.

Each process takes endpoint and credentials from the configuration of the client libraries
(``AWS_*``, profiles, roles, fsspec's). They are in no URL, no pickle, no metadata and no message.
"""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from upath import UPath

from iris_hpo.errors import InputError
from iris_hpo.store.digests import ArtifactError, StoreReadError, StoreWriteError
from iris_hpo.store.folder import ArtifactStore, check_name

_S3: Final = ("s3", "s3a")
_RETRIES: Final = {"mode": "standard", "total_max_attempts": 6}
"""Retries of a request after a transient failure: 5xx, throttling, a lost connection. The waits
grow, to 10 to 20 s in all."""
_CONNECTIONS: Final = 32


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
            with _one_message(place, "looked for"):
                return self._files.info(place.path)["type"] == "file"
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
            with _one_message(place, "read"):
                return bytes(self._files.cat_file(place.path))
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
            try:
                with _one_message(place, "written"):
                    self._files.pipe_file(place.path, content)
            except (StoreReadError, FileNotFoundError) as error:
                raise StoreWriteError(str(error)) from error

    def delete(self, name: str) -> None:
        """Remove a file if it exists."""
        place = self._place(name)
        try:
            with _one_message(place, "deleted"):
                self._files.rm_file(place.path)
        except FileNotFoundError:
            pass

    def list(self, folder: str) -> list[str]:
        """Names of the files in a folder, sorted; one request per thousand."""
        place = self.path(folder)
        try:
            with _one_message(place, "listed"):
                self._files.invalidate_cache(place.path)
                entries = self._files.ls(place.path, detail=True)
        except FileNotFoundError:
            return []
        names = (entry["name"].rpartition("/")[2] for entry in entries if entry["type"] == "file")
        return sorted(filter(None, names))

    def sweep(self) -> None:
        """Do nothing: an interrupted upload leaves no visible object."""

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
        return ObjectStore(UPath(place, **(_s3_options() if protocol in _S3 else {})))
    except ImportError as error:
        extra = "; pip install 'iris_hpo[s3]'" if protocol in _S3 else ""
        raise InputError(f"artifacts {place!r} cannot be used: {error}{extra}") from error
    except ValueError as error:
        raise InputError(f"artifacts {place!r} cannot be used: {error}") from error


def _s3_options() -> dict[str, Any]:
    from fsspec.config import conf

    config: dict[str, Any] = dict(conf.get("s3", {}).get("config_kwargs", {}))
    config.setdefault("max_pool_connections", _CONNECTIONS)
    if not {"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"} & os.environ.keys():
        config.setdefault("retries", _RETRIES)
    # Files are small: asking for the size first, to read in parts, would double the requests.
    return {"config_kwargs": config, "max_concurrency": 1, "use_listings_cache": False}


@contextmanager
def _one_message(place: UPath, what: str) -> Generator[None]:
    """Turn any error of a client library into one message, but not that an object is missing.

    What is refused must not pass for missing. S3 refuses what does not exist to those who may not
    list the bucket; so they may not use it.
    """
    try:
        yield
    except Exception as error:
        # Each client library has its own errors, and not all are OSError.
        if isinstance(error, FileNotFoundError) and _code(error) != "NoSuchBucket":
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StoreReadError(f"{place} cannot be {what}: {reason}") from error


def _code(error: Exception) -> str | None:
    """The code of S3's answer that caused an error; None without one."""
    answer: dict[str, Any] = getattr(error.__cause__, "response", None) or {}
    return answer.get("Error", {}).get("Code")
