"""Open a data file: one of a plausible size, unpacked, with the digest of its bytes.

How its text is decoded is in `iris_hpo.data.decoding`.
"""

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from iris_hpo.errors import InputError
from iris_hpo.files import memory_bytes, open_regular

FRAMES: Final = {".parquet": "Parquet", ".feather": "Arrow", ".arrow": "Arrow"}
"""Formats that have rows and no lines, by the suffix of a file's name."""

_BUFFER: Final = 2**18
_GZIP: Final = b"\x1f\x8b"


class DatasetError(InputError):
    """A data set cannot be used; the message names file, line or row, column and value."""

    def __init__(
        self, source: str, problem: str, *, line: int | None = None, column: str | None = None
    ) -> None:
        place = source
        place += f", {unit_of(Path(source))} {line}" if line else ""
        place += f", column {column}" if column else ""
        super().__init__(f"{place}: {problem}")
        self.problem = problem
        self.line = line
        self.column = column


def unit_of(path: Path) -> str:
    """What the examples of a file are: rows, or lines of text."""
    return "row" if _kind(path) in FRAMES else "line"


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    return suffixes[-1] if suffixes else ""


class DataFile:
    """A data file that is open: it is read once, from its beginning to its end.

    Parameters
    ----------
    path
        A regular file, as it is or packed by gzip.

    Attributes
    ----------
    kind
        The suffix of the file's name, such as ``.csv``, without that of gzip.
    size
        Size of the file in bytes.
    content
        The bytes, unpacked.

    Raises
    ------
    DatasetError
        If the file cannot be read, is not a regular file, or is too large for the memory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kind = _kind(path)
        try:
            self._file = open_regular(path, _largest())
        except OSError as error:
            raise _unreadable(path, error) from error
        self.size = os.fstat(self._file.fileno()).st_size
        self._sha256 = hashlib.sha256()
        self._bytes = _Bytes(self._read_file)
        self.content = io.BufferedReader(self._bytes, _BUFFER)
        if self.content.peek(2).startswith(_GZIP):
            self._packed = gzip.GzipFile(fileobj=self.content)
            self._unpacked = 0
            self.content = io.BufferedReader(_Bytes(self._unpack), _BUFFER)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def digest(self) -> str:
        """sha256 of the file's bytes, packed or not; nothing can be read afterwards."""
        while self._bytes.read(_BUFFER):
            pass
        return self._sha256.hexdigest()

    def _read_file(self, buffer: memoryview) -> int:
        try:
            size = self._file.readinto(buffer)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        self._sha256.update(buffer[:size])
        return size

    def _unpack(self, buffer: memoryview) -> int:
        try:
            size = self._packed.readinto(buffer)
        except (OSError, EOFError, zlib.error) as error:
            problem = f"cannot be unpacked by gzip: {error}; pack it again"
            raise DatasetError(str(self.path), problem) from error
        self._unpacked += size
        if self._unpacked > _largest():
            problem = f"is more than {_largest():,} bytes when it is unpacked; take fewer rows"
            raise DatasetError(str(self.path), problem)
        return size


class _Bytes(io.RawIOBase):
    """A stream of what a function reads."""

    def __init__(self, read: Callable[[memoryview], int]) -> None:
        self._read = read

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fill a buffer; return the number of bytes."""
        return self._read(buffer)


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes.

    Raises
    ------
    DatasetError
        If the file cannot be read.
    """
    with DataFile(path) as file:
        return file.digest()


def _unreadable(path: Path, error: OSError) -> DatasetError:
    return DatasetError(str(path), f"the data cannot be read: {error.strerror}")


def _largest() -> int:
    """Largest size of a data file in bytes: its bytes and its numbers have to fit in memory."""
    return memory_bytes() // 2
