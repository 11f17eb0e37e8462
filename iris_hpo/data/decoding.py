"""Decode the bytes of a data file, and refuse those that are no text.

How a file is opened is in `iris_hpo.data.sources`.
"""

import codecs
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from iris_hpo.data.sources import DataFile, DatasetError
from iris_hpo.errors import InputError
from iris_hpo.text import NotTextError, decode, shorten

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_WESTERN: Final = "cp1252"
"""The encoding of Windows in Western Europe, which contains Latin-1."""
_NOT_WESTERN: Final = re.compile(rb"[\x80-\xff]{4}|[\x81\x8d\x8f\x90\x9d]")
"""What Western texts hardly have: words without ASCII letters, and bytes without a meaning."""
_BINARY: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_WORD: Final = re.compile(rb"[^\s,;|\"']{0,20}\Z")
_REST: Final = re.compile(rb"[^\s,;|\"']{0,20}")
_ADVICE: Final = "save the file as UTF-8"
_NO_TEXTS: Final = {
    b"BZh": "is packed by bzip2; unpack it, or pack it by gzip",
    b"\xfd7zXZ": "is packed by xz; unpack it, or pack it by gzip",
    b"(\xb5/\xfd": "is packed by zstd; unpack it, or pack it by gzip",
    b"PK\x03\x04": "is a workbook or a ZIP archive; save the sheet as CSV (UTF-8), or unpack it",
    b"\xd0\xcf\x11\xe0": "is a workbook of Excel; save the sheet as CSV (UTF-8)",
    b"PAR1": "is Parquet; give it the suffix .parquet",
    b"ARROW1": "is Arrow; give it the suffix .arrow",
    **dict.fromkeys(
        (b"\x80\x03", b"\x80\x04", b"\x80\x05"), "is a pickle; save the table as CSV or Parquet"
    ),
    b"SQLite": "is a database; export the table as CSV",
    b"\x89HDF": "is HDF5; save the table as CSV or Parquet",
}
"""What files are by their first bytes, and what to do."""


@dataclass(frozen=True)
class TextForm:
    """What a user says about the text of a file, as in `Layout`."""

    skip_lines: int | None = None
    encoding: str | None = None


class EncodingError(DatasetError):
    """A file is no UTF-8.

    Attributes
    ----------
    likely
        The encoding that it probably has.
    word
        The first word that is no UTF-8, in that encoding.
    """

    likely: str = ""
    word: str = ""


def check_encoding(encoding: str | None) -> None:
    """Refuse a name that is not that of an encoding of text."""
    try:
        b"a ".decode("utf-8" if encoding is None else encoding, "replace")
    except (LookupError, ValueError) as error:
        raise InputError(
            f"encoding {shorten(str(encoding))} is unknown; write one that Python knows, such as "
            "cp1252, latin-1 or shift_jis",
            field=("encoding",),
        ) from error


def open_text(file: DataFile, encoding: str | None = None) -> io.TextIOWrapper:
    """Open the content of a file as text, line ends as they are.

    Parameters
    ----------
    encoding
        Encoding of files that are neither UTF-8, nor UTF-16 with a byte order mark.
    """
    known = "utf-16" if _has_utf_16_mark(file.content.peek(2)) else "utf-8-sig"
    if encoding is None or known == "utf-16":
        return io.TextIOWrapper(file.content, encoding=known, newline="")
    content = file.content.read()
    known = known if _is_utf_8(content) else encoding
    return io.TextIOWrapper(io.BytesIO(content), encoding=known, newline="")


def text_refusal(path: Path, encoding: str | None = None) -> DatasetError:
    """Say where a file is not text; the file is read again for that.

    Parameters
    ----------
    encoding
        As in `open_text`.
    """
    with DataFile(path) as file:
        content = file.content.read()
    for begin, problem in _NO_TEXTS.items():
        if content.startswith(begin):
            return DatasetError(str(path), problem)
    if _has_utf_16_mark(content):
        return _undecoded(path, content, "UTF-16", "utf-16")
    is_little, is_big = (any(content[start:40:2]) for start in (0, 1))
    if is_little != is_big:
        likely = "utf-16-le" if is_little else "utf-16-be"
        problem = f"is UTF-16 without a byte order mark, or no text; write encoding: {likely}, or"
        return _likely(EncodingError(str(path), f"{problem} {_ADVICE}"), likely, "")
    if encoding is not None and not _is_utf_8(content):
        return _undecoded(path, content, encoding, encoding)
    try:
        decode(content[: content.find(b"\0") + 1], _ADVICE)
        decode(content, _ADVICE)
    except NotTextError as error:
        return _no_utf_8(path, content, error)
    return DatasetError(str(path), "it was changed while it was read; run this again")


def _has_utf_16_mark(content: bytes) -> bool:
    return content[:2] in _UTF_16


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in content


def _is_nearly_utf_8(content: bytes) -> bool:
    """Whether more letters beyond ASCII are UTF-8 than are not."""
    if content.startswith(codecs.BOM_UTF8):
        return True
    text = content.decode("utf-8", "replace")
    return sum(not letter.isascii() for letter in text) > 2 * text.count("\ufffd")


def _undecoded(path: Path, content: bytes, name: str, encoding: str) -> DatasetError:
    """Say where a file is not text in an encoding."""
    other = "" if name == "UTF-16" else "write another encoding, or "
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        before = content[:start].decode(encoding, "replace") + "."
        problem = f"is not {name} text; {other}{_ADVICE}"
        return DatasetError(str(path), problem, line=len(before.splitlines()))
    line = len((text[: text.find("\0")] + ".").splitlines()) if "\0" in text else None
    return DatasetError(str(path), "holds a NUL character; remove it", line=line)


def _no_utf_8(path: Path, content: bytes, error: NotTextError) -> DatasetError:
    """Say where a file is no UTF-8, and which encoding it may have."""
    if error.position is None:
        return DatasetError(str(path), str(error), line=error.line)
    if _BINARY.search(content):
        return DatasetError(str(path), str(error), line=error.line)
    if _is_nearly_utf_8(content):
        problem = str(error).replace(_ADVICE, f"the others are: correct it, or {_ADVICE}")
        return DatasetError(str(path), problem, line=error.line)
    if _NOT_WESTERN.search(content):
        problem = f"{error}, or name its encoding, as in encoding: cp1251"
        return DatasetError(str(path), problem, line=error.line)
    before = _WORD.search(content[: error.position])
    after = _REST.match(content, error.position)
    word = b"".join(part.group() for part in (before, after) if part).decode(_WESTERN)
    problem = str(error).replace(
        _ADVICE, f"write encoding: {_WESTERN} if it reads {shorten(word)}, or {_ADVICE}"
    )
    return _likely(EncodingError(str(path), problem, line=error.line), _WESTERN, word)


def _likely(error: EncodingError, encoding: str, word: str) -> EncodingError:
    error.likely, error.word = encoding, word
    return error
