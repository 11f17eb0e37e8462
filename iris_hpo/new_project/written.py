"""Fields of a description that are given before it exists, because the table needs them."""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Final

from iris_hpo.errors import InputError
from iris_hpo.text import shorten

FIELDS: Final[Mapping[str, Sequence[type]]] = {
    "columns": [dict],
    "header": [bool],
    "skip_lines": [int],
    "without_target": [str],
    "encoding": [str],
    "missing": [list, dict, int, float, str],
}
"""Names of the fields, and the types of each."""
_NEEDED: Final = {
    "columns": "such as {city: drop}",
    "header": "true or false",
    "skip_lines": "a number",
    "without_target": "drop",
    "encoding": "a name, such as cp1252",
    "missing": "a list, such as [-999]",
}
_ADVICE: Final = re.compile(
    r"columns: \{.*?\}(?!\w)|skip_lines: \d+|without_target: drop|header: true|"
    r"encoding: [\w-]+|missing: \[.*?\](?!\w)",
    re.ASCII,
)
_OF_SHELL: Final = '"$`\\!'


def read_written(texts: Sequence[str]) -> dict[str, object]:
    """Read fields in YAML, such as ``skip_lines: 3``; columns of several texts are joined.

    Raises
    ------
    InputError
        If a text is no such field.
    """
    import yaml

    written = dict[str, object]()
    for text in texts:
        try:
            fields = yaml.safe_load(text)
        except yaml.YAMLError:
            fields = None
        if not isinstance(fields, dict):
            raise InputError(f"--write {shorten(text)}: write a field, such as 'skip_lines: 3'")
        for name, value in fields.items():  # pyright: ignore[reportUnknownVariableType]
            _check(text, name, value)
            before = written.get(name)  # pyright: ignore[reportUnknownArgumentType]
            written[name] = {**before, **value} if isinstance(before, dict) else value
    return written


def _check(text: str, name: object, value: object) -> None:
    if name not in FIELDS:
        raise InputError(
            f"--write {shorten(text)}: a table is read by {', '.join(FIELDS)}; write other fields "
            "into the description afterwards"
        )
    if type(value) not in FIELDS[str(name)]:
        raise InputError(f"--write {shorten(text)}: {name} must be {_NEEDED[str(name)]}")


def how_to_write(message: str) -> str:
    """Say by which option ``init`` takes what a message says to write; empty if by none."""
    options = [f"--write {_quoted(advice.group())}" for advice in _ADVICE.finditer(message)]
    return f"; init takes that as: {' or '.join(options)}" if options else ""


def _quoted(text: str) -> str:
    return shlex.quote(text) if any(mark in text for mark in _OF_SHELL) else f'"{text}"'
