"""Decode text files, and make texts from files and estimators safe to show.

What a message says is decided where it is raised.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

_PLAIN: Final = re.compile(r"[!-~]{1,200}", re.ASCII)
# The largest numbers of keys, of characters in a word and in a line, and of lines, in a message.
_LISTED: Final = 50
_WORD: Final = 300
_LINE: Final = 2_000
_LINES: Final = 60
_LONGEST: Final = 150_000  # characters of a text that are looked at; fewer are shown
_ALIKE: Final = 0.8  # of 1: how alike a misspelt name is to the one that is meant
_COMPARED: Final = 60  # the largest number of characters of a name that are compared
_LONG_WORD: Final = re.compile(rf"\S{{{_WORD + 1},}}")
_JOINERS: Final = "\u200c\u200d"  # join letters in Persian and Hindi, and emoji: harmless

NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
"""Pattern of a decimal number, for ASCII digits."""

_NUMBER: Final = re.compile(NUMBER, re.ASCII)
_FORMULA: Final = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20].", re.DOTALL)


class NotTextError(Exception):
    """Bytes are not text.

    Attributes
    ----------
    line
        Number of the line with the first wrong byte; any kind of line end counts.
    position
        Position of that byte; None if it is a NUL byte.
    """

    def __init__(self, problem: str, content: bytes, position: int) -> None:
        super().__init__(problem)
        self.position = position if content[position] else None
        self.line = len((content[:position] + b".").splitlines())


def decode(content: bytes, advice: str) -> str:
    """Decode the content of a file: UTF-8, with or without a byte order mark.

    Parameters
    ----------
    advice
        What to do about other encodings, for the message.

    Raises
    ------
    NotTextError
        If the content is not UTF-8, or has a NUL byte.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        problem = f"byte 0x{byte:02x} is not UTF-8 text; {advice}"
        raise NotTextError(problem, error.object, error.start) from error
    if b"\0" in content:
        problem = "holds a NUL byte, as no text does; remove it, or write the file again"
        raise NotTextError(problem, content, content.index(b"\0"))
    return text


def clean(text: str) -> str:
    r"""Escape characters that a terminal executes or hides instead of showing them.

    These are control characters (escape sequences begin with one), bidirectional and other
    invisible ones, and halves of surrogate pairs. They become ``\x1b``, ``\u202e``. Newlines and
    tabs stay. All text for a terminal or a run's log passes through this function; a cleaned text
    is unchanged when it is cleaned again.
    """
    if text.isprintable():
        return text
    return "".join(map(_escape_unprintable, text))


def readable(text: str) -> str:
    """Make a text fit for a message: clean, and short enough to read.

    Parts of the text may come from a file, an estimator or another machine. Long words, long lines
    and many lines lose their middle, so that the beginning and the advice at the end stay. Every
    message to a terminal or to Dagster passes through this function; a readable text is unchanged
    when it passes again. Results are only cleaned (`clean`), not cut.
    """
    if len(text) <= _WORD and text.isprintable():
        return text
    lines = clean(_without_middle(text, _LONGEST)).split("\n")
    if len(lines) > _LINES:
        left_out = f"... ({text.count(chr(10)) - _LINES + 2:,} lines left out)"
        lines = [*lines[: _LINES - 11], left_out, *lines[-10:]]
    return "\n".join(map(_cut_line, lines))


def one_line(shown: object) -> str:
    """Write an error, a warning or a text in one line; a very long one loses its middle.

    An error of others that cannot be written is empty.
    """
    try:
        text = str(shown)
    except Exception:  # noqa: BLE001 - from the code of others
        return ""
    return " ".join(_without_middle(text, _LONGEST).split())


def legible(key: str) -> str:
    """A key for a message; quoted and cut unless it is plain, as anyone can register a key."""
    return key if _PLAIN.fullmatch(key) else shorten(key)


def listed(keys: Sequence[str]) -> str:
    """Keys for a message; of many, the first ones and the number of the rest."""
    more = f" and {len(keys) - _LISTED} more" if len(keys) > _LISTED else ""
    return f"{', '.join(map(legible, keys[:_LISTED]))}{more}" if keys else "none"


def names_for(name: str, known: Sequence[str]) -> str:
    """List the names that exist, for a message, and the nearest first."""
    near = near_name(name, known)
    meant = f"did you mean {near!r}? It" if near else "it"
    return f"{meant} has {listed(known)}"


def near_name(name: str, known: Iterable[str]) -> str | None:
    """Return the name that another is probably a misspelling of; None if there is none."""
    from difflib import get_close_matches

    near = get_close_matches(str(name)[:_COMPARED], known, n=1, cutoff=_ALIKE)
    return near[0] if near else None


def shorten(text: str, length: int = 60) -> str:
    """Quote a text for a message: control characters escaped, a long one cut."""
    return repr(text if len(text) <= length else text[:length] + "...")


def counted(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: ``1 row``, ``2 rows``, and with a plural ``2 axes``."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def quote_cell(text: str) -> str:
    """A text as a CSV cell that no spreadsheet runs: a formula gets an apostrophe before it.

    Spreadsheets run cells that begin with ``=``, ``+``, ``-`` or ``@``. Numbers are unchanged.
    """
    return f"'{text}" if _would_run(text) else text


def unquote_cell(cell: str) -> str:
    """The text of a cell; the inverse of `quote_cell`."""
    return cell[1:] if cell.startswith("'") and _would_run(cell) else cell


def _would_run(text: str) -> bool:
    """Whether a spreadsheet runs a text after its leading apostrophes are removed.

    A formula with an apostrophe gets another one, so that `unquote_cell` is the inverse.
    """
    formula = text.lstrip("'")
    return bool(_FORMULA.match(formula)) and not _NUMBER.fullmatch(formula)


def _escape_unprintable(character: str) -> str:
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
    """Cut a text to a length; two thirds of it come from the beginning."""
    if len(text) <= length:
        return text
    begin = length * 2 // 3
    return f"{text[:begin]}...{text[begin + 3 - length :]}"
