"""What a shell completes: names of searches and candidates, read from files without Dagster.

Commands and options are completed by click, as is what has a fixed choice.
"""

import csv
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem, get_completion_class

SHELLS: Final = ("bash", "zsh", "fish")
COMPLETE_VARIABLE: Final = "_IRIS_HPO_COMPLETE"
"""Environment variable by which a shell asks the command for completions."""

_COMMAND: Final = "iris-hpo"
_DEFINITIONS: Final = ("defs", "*/defs", "src/*/defs")
"""Where a project can have its searches."""
_DOCUMENTS: Final = re.compile(r"^---", re.MULTILINE)
_OURS: Final = re.compile(r"^type:.*HyperparameterSearch", re.MULTILINE)
_NAME: Final = re.compile(
    r"^attributes:\s*(?:#.*)?\n(?:\s*(?:#.*)?\n)*(?P<indent>[ \t]+)"
    r"(?:.*\n)*?(?:(?<=\n)(?P=indent)|(?<=[ \t]))name:[ \t]*['\"]?(?P<name>\w+)",
    re.MULTILINE,
)
_CANDIDATES: Final = "parameters/candidates.csv"


def script_of(shell: str, command: click.Command) -> str:
    """Return the script that makes a shell complete the command."""
    completion = get_completion_class(shell)
    if completion is None:
        raise ValueError(f"click does not complete in {shell}")
    return completion(command, {}, _COMMAND, COMPLETE_VARIABLE).source()


def complete_search(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001 - click gives it
    incomplete: str,
) -> list[CompletionItem]:
    """Complete the name of a search: one that is described in YAML, or has results."""
    root = _artifacts(ctx)  # holds the results of a search without a name
    with_results = {folder.name for folder in _result_folders(ctx) if folder != root}
    names = {*_described(), *with_results}
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]


def complete_candidate(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001 - click gives it
    incomplete: str,
) -> list[CompletionItem]:
    """Complete the key of a candidate of the search, or of all searches if none is named."""
    root, search = _artifacts(ctx), ctx.params.get("search")
    folders = [root / str(search)] if root and search else _result_folders(ctx)
    keys = (key for folder in folders for key in _keys(folder) if key.startswith(incomplete))
    return [CompletionItem(key) for key in dict.fromkeys(keys)]


def complete_folder(
    ctx: click.Context,  # noqa: ARG001 - click gives it
    param: click.Parameter,  # noqa: ARG001 - click gives it
    incomplete: str,
) -> list[CompletionItem]:
    """Let the shell complete the name of a folder."""
    return [CompletionItem(incomplete, type="dir")]


def complete_file(
    ctx: click.Context,  # noqa: ARG001 - click gives it
    param: click.Parameter,  # noqa: ARG001 - click gives it
    incomplete: str,
) -> list[CompletionItem]:
    """Let the shell complete the name of a file."""
    return [CompletionItem(incomplete, type="file")]


def _described() -> Iterator[str]:
    """Names of the searches that the project of this folder describes in YAML."""
    for folder in _DEFINITIONS:
        for file in Path().glob(f"{folder}/**/*.y*ml"):
            if not file.is_file():  # a named pipe never ends
                continue
            with suppress(OSError):
                text = file.read_text("utf-8", errors="replace")
                for document in _DOCUMENTS.split(text):
                    name = _NAME.search(document) if _OURS.search(document) else None
                    if name:
                        yield name["name"]


def _artifacts(ctx: click.Context) -> Path | None:
    """The folder of the artifacts; None if they are in object storage."""
    place = ctx.params.get("artifacts") or os.environ.get("IRIS_HPO_ARTIFACTS") or "artifacts"
    return None if "://" in place else Path(place)


def _result_folders(ctx: click.Context) -> list[Path]:
    """The folders of the searches that have results."""
    root = _artifacts(ctx)
    if root is None:
        return []
    places = [root, *sorted(root.glob("*"))] if root.is_dir() else []
    return [folder for folder in places if (folder / _CANDIDATES).is_file()]


def _keys(folder: Path) -> Iterator[str]:
    table = folder / _CANDIDATES
    if not table.is_file():
        return
    with suppress(OSError, csv.Error), table.open(encoding="utf-8", errors="replace") as file:
        next(file, None)
        yield from (row[0] for row in csv.reader(file) if row)
