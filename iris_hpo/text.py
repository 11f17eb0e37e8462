"""Texts of others: how files are decoded, and how texts are shown where they can do no harm."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

_PLAIN: Final = re.compile(r"[!-~]{1,200}", re.ASCII)
_LISTED: Final = 50  # keys in a message
_WORD: Final = 300  # characters without a blank between them, in a message
_LINE: Final = 2_000
_LINES: Final = 60
_LONG_WORD: Final = re.compile(rf"\S{{{_WORD + 1},}}")
_JOINERS: Final = "\u200c\u200d"  # of letters in Persian and Hindi, of emoji: invisible, harmless

NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
"""Pattern of a decimal number, for ASCII digits."""

_NUMBER: Final = re.compile(NUMBER, re.ASCII)
_FORMULA: Final = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20].", re.DOTALL)


class NotTextError(Exception):
    """Bytes are no text.

    Attributes
    ----------
    line
        Number of the line, however lines end, on which the first wrong byte stands.
    """

    def __init__(self, problem: str, content: bytes, position: int) -> None:
        super().__init__(problem)
        self.line = len((content[:position] + b".").splitlines())


def decode(content: bytes, advice: str) -> str:
    """Decode a file.

    It is UTF-8, with or without a byte order mark.

    Parameters
    ----------
    advice
        What to do about other encodings.

    Raises
    ------
    NotTextError
        If it is not UTF-8, or holds a NUL.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        problem = f"byte 0x{byte:02x} is not UTF-8 text; {advice}"
        raise NotTextError(problem, error.object, error.start) from error
    if b"\0" in content:
        problem = "holds a NUL byte; this is not a text file"
        raise NotTextError(problem, content, content.index(b"\0"))
    return text


def clean(text: str) -> str:
    r"""Escape what a terminal obeys instead of showing it.

    These are control characters (escape sequences begin with one), bidirectional and other
    invisible ones, and halves of surrogate pairs. They become ``\x1b``, ``\u202e``. Lines and tabs
    stay. Whatever goes to a terminal or to a run's log passes here; a text that did is unchanged
    when it passes again.
    """
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def readable(text: str) -> str:
    """Make a text fit for a message: clean, and short enough to be read.

    What is in it may come from a file, an estimator or another machine. Long words, long lines and
    many lines lose their middle, so that the beginning and the advice at the end stay. Every
    message to a terminal or to Dagster passes here; one that did is unchanged when it passes again.
    Results do not: they are `clean`, and whole.
    """
    if len(text) <= _WORD and text.isprintable():
        return text
    lines = clean(text).split("\n")
    if len(lines) > _LINES:
        left_out = f"... ({len(lines) - _LINES + 1:,} lines left out)"
        lines = [*lines[: _LINES - 11], left_out, *lines[-10:]]
    return "\n".join(map(_cut_line, lines))


def legible(key: str) -> str:
    """A key for a message, also one that a person made up: quoted and cut unless it is plain."""
    return key if _PLAIN.fullmatch(key) else shorten(key)


def listed(keys: Sequence[str]) -> str:
    """Keys for a message, the first ones of many."""
    more = f" and {len(keys) - _LISTED} more" if len(keys) > _LISTED else ""
    return f"{', '.join(map(legible, keys[:_LISTED]))}{more}" if keys else "none"


def shorten(text: str, length: int = 60) -> str:
    """Quote a text for a message: control characters escaped, a long one cut."""
    return repr(text if len(text) <= length else text[:length] + "...")


def quote_cell(text: str) -> str:
    """A text as a cell of CSV that no spreadsheet runs: an apostrophe before what it would run.

    Spreadsheets run what begins with ``=``, ``+``, ``-`` or ``@``. Numbers stay as they are.
    """
    return f"'{text}" if _would_run(text) else text


def unquote_cell(cell: str) -> str:
    """The text of a cell; the inverse of `quote_cell`."""
    return cell[1:] if cell.startswith("'") and _would_run(cell) else cell


def _would_run(text: str) -> bool:
    """Whether a spreadsheet runs a text, or one that differs in its leading apostrophes only."""
    formula = text.lstrip("'")
    return bool(_FORMULA.match(formula)) and not _NUMBER.fullmatch(formula)


def _shown(character: str) -> str:
    if (
        character.isprintable()
        or character in "\n\t"
        or character in _JOINERS
        or unicodedata.category(character) == "Zs"
    ):
        return character
    return character.encode("unicode_escape").decode()


def _cut_line(line: str) -> str:
    if len(line) <= _WORD:
        return line
    line = _LONG_WORD.sub(lambda word: _without_middle(word[0], _WORD), line)
    return _without_middle(line, _LINE)


def _without_middle(text: str, length: int) -> str:
    """Cut a text to a length: two thirds of it are of the beginning."""
    if len(text) <= length:
        return text
    begin = length * 2 // 3
    return f"{text[:begin]}...{text[begin + 3 - length :]}"
