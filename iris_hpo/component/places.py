"""Where the fields of a search's YAML are written, for messages with file and line."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import dagster as dg
import yaml
from dagster_shared.yaml_utils.source_position import ValueAndSourcePositionTree

from iris_hpo.component.templates import refused_template
from iris_hpo.errors import InputError
from iris_hpo.text import shorten

_WORD: Final = re.compile(r"\s*:\s+([a-zA-Z]+)\s*([#,}].*)?$", re.ASCII)
"""What follows a key in YAML, if it is a single word."""
_PLACES: dict[tuple[Path, str], tuple[Path, int]] = {}
"""File and line of the search that was built first, by the folder ``defs`` and its name."""
_MERGE: Final = "<<"
"""The key that merges another mapping; it may be written more than once."""


class SearchYamlError(dg.DagsterError):
    """A field of the YAML cannot be used; the message names the file and the line."""


def source_tree(context: dg.ComponentLoadContext) -> ValueAndSourcePositionTree | None:
    """The YAML that is loaded; None where the component was made in Python."""
    tree = getattr(context.component_decl, "source_tree", None)
    return tree if isinstance(tree, ValueAndSourcePositionTree) else None


def written_word(context: dg.ComponentLoadContext, field: Sequence[str | int]) -> str:
    """The word that YAML reads as a truth value, as the user wrote it; empty if there is none."""
    tree = source_tree(context)
    if tree is None:
        return ""
    position = tree.source_position_tree.lookup(["attributes", *field])
    if position is None:
        return ""
    line = Path(position.filename).read_text("utf-8-sig").splitlines()[position.end.line - 1]
    word = _WORD.match(line[position.end.col - 1 :])
    return word[1] if word else ""


def refuse_what_is_misread(context: dg.ComponentLoadContext) -> None:
    """Refuse templates, and keys that are written twice in one place: readers take the last one.

    Raises
    ------
    InputError
        For the first of them; for a key with both lines.
    """
    tree = source_tree(context)
    if tree is None:
        return
    begin = tree.source_position_tree.position
    documents = yaml.compose_all(Path(begin.filename).read_text("utf-8-sig"), yaml.SafeLoader)
    for document in documents:
        if document is not None and document.start_mark.line + 1 == begin.start.line:
            _refuse_misread(document, (), set())


def _refuse_misread(node: yaml.Node, field: tuple[str | int, ...], seen: set[int]) -> None:
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _refuse_misread(item, (*field, index), seen)
    if isinstance(node, yaml.ScalarNode) and (message := refused_template(node.value)):
        raise InputError(message, field=field[1:])  # below attributes
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        line = key.start_mark.line + 1
        if key.value in lines and key.value != _MERGE:
            raise InputError(
                f"{shorten(key.value)} is written twice, in lines {lines[key.value]} and {line}; "
                "keep one of them",
                field=(*field, key.value)[1:],  # below attributes
            )
        lines[key.value] = line
        _refuse_misread(value, (*field, key.value), seen)


def shown_name(context: dg.ComponentLoadContext, name: str) -> str:
    """The name to show a broken search by: its own, or its place if ``defs`` has the name twice."""
    files = [path for path in context.defs_module_path.rglob("*.y*ml") if path.is_file()]
    if sum(_times_named(path, name) for path in files) < 2:
        return name
    return context.component_path.get_relative_key(context.defs_module_path)


def refuse_taken_name(context: dg.ComponentLoadContext, name: str) -> None:
    """Refuse the name of a search that another file of ``defs`` has, and that was built before.

    Raises
    ------
    InputError
        Names the other file.
    """
    tree = source_tree(context)
    if tree is None:
        return
    place = tree.source_position_tree.position
    own = Path(place.filename), place.start.line
    file, line = _PLACES.setdefault((context.defs_module_path, name), own)
    if (file, line) == own:
        return
    if not file.is_file() or _times_named(file, name) < (2 if file == own[0] else 1):
        _PLACES[context.defs_module_path, name] = own
        return
    raise InputError(
        f"the search {name!r} of {file}:{line} has the same name; give each its own name",
        field=("name",),
    )


def _times_named(file: Path, name: str) -> int:
    line = re.compile(rf"\bname:\s*(['\"]?){re.escape(name)}\1\s*([,}}#]|$)", re.MULTILINE)
    return len(line.findall(file.read_text("utf-8", errors="replace")))


def places_in(project: Path) -> dict[str, str]:
    """File and line of each search that was built from YAML below a project, by its name."""
    return {
        name: f"{file.relative_to(project)}:{line}"
        for (_, name), (file, line) in _PLACES.items()
        if file.is_relative_to(project)
    }


def located_error(
    context: dg.ComponentLoadContext, field: Sequence[str | int], message: str
) -> SearchYamlError:
    """An error that points at a field of the YAML, or at the nearest that is written there."""
    tree = source_tree(context)
    if tree is None:
        return SearchYamlError(message)
    positions = tree.source_position_tree
    path = ["attributes", *field]
    while len(path) > 1 and positions.lookup(path) is None:
        path.pop()
    error = positions.source_error(
        yaml_path=path, inline_error_message=message, value_error=len(path) > 1
    )
    return SearchYamlError(
        f"{error.file_name}:{error.start_line_no} - {error.location} {message}\n{error.snippet}"
    )
