"""What decides the results of a function or a program, as its search declares it."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from iris_hpo.errors import InputError
from iris_hpo.files import open_regular
from iris_hpo.store.cards import fingerprint

_MADE: Final = "__pycache__"
"""Folders that running a program makes."""

_LARGEST: Final = 1 << 40

_digests: dict[Path, tuple[tuple[int, ...], str]] = {}


def digests_of(home: Path, inputs: Sequence[str]) -> dict[str, str]:
    """Digests of files and folders by content.

    Parameters
    ----------
    home
        Where relative paths start.
    inputs
        Files and folders.

    Raises
    ------
    InputError
        If one is missing or cannot be read.
    """
    digests: dict[str, str] = {}
    for name in inputs:
        path = home / name
        try:
            digests[name] = _digest_of_folder(path) if path.is_dir() else _digest(path)
        except OSError as error:
            raise InputError(
                f"the input {name!r} of the objective cannot be read: {error.filename or path}: "
                f"{error.strerror}",
                field=("inputs",),
            ) from error
    return digests


def named_files(home: Path, words: Sequence[str]) -> list[str]:
    """Return the words that name a file of the project by its relative path."""
    return [
        word
        for word in words
        if word and not os.path.isabs(word) and os.path.isfile(home / word)  # noqa: PTH113, PTH117
    ]


def _digest_of_folder(folder: Path) -> str:
    files: dict[str, str] = {}
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != _MADE)
        for name in names:
            path = Path(place, name)
            files[path.relative_to(folder).as_posix()] = _digest(path)
    return fingerprint(files=files)


def _digest(path: Path) -> str:
    """Digest of a file, which is read again only if it has changed."""
    status = path.stat()
    stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
    known = _digests.get(path)
    if known is None or known[0] != stamp:
        with open_regular(path, _LARGEST) as file:
            known = _digests[path] = stamp, hashlib.file_digest(file, "sha256").hexdigest()
    return known[1]
