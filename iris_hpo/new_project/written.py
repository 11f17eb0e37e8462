"""Fields of a description that are given before it exists, because the table needs them."""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Final

from iris_hpo.errors import InputError
from iris_hpo.text import shorten

FIELDS: Final[Mapping[str, type]] = {
    "columns": dict,
    "header": bool,
    "skip_lines": int,
    "without_target": str,
}
"""Names of the fields, and the type of each."""
_ADVICE: Final = re.compile(
    r"columns: \{.*?\}(?!\w)|skip_lines: \d+|without_target: drop|header: true", re.ASCII
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
    kind = FIELDS[str(name)]
    if type(value) is not kind:
        needed = {dict: "such as {city: drop}", bool: "true or false", int: "a number", str: "drop"}
        raise InputError(f"--write {shorten(text)}: {name} must be {needed[kind]}")


def how_to_write(message: str) -> str:
    """Say by which option ``init`` takes what a message says to write; empty if by none."""
    advice = _ADVICE.search(message)
    if advice is None:
        return ""
    text = advice.group()
    quoted = shlex.quote(text) if any(mark in text for mark in _OF_SHELL) else f'"{text}"'
    return f"; init takes that as: --write {quoted}"
