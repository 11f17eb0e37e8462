"""``iris-hpo init``: make a project from a table."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from iris_hpo.command.example import find_sources, show_project
from iris_hpo.command.output import show
from iris_hpo.data.dataset import Task
from iris_hpo.errors import InputError
from iris_hpo.files import MEBIBYTE, memory_bytes, open_regular
from iris_hpo.new_project.description import describe, parameter_files
from iris_hpo.new_project.start import Start, plan
from iris_hpo.writing import write_together


def write_project(
    table: Path,
    target: str,
    folder: Path | None,
    estimator: str | None,
    task: Task | None,
    written: Sequence[str] = (),
    *,
    as_json: bool = False,
) -> int:
    """Write a project for a table, and print what was chosen and what to do next.

    Raises
    ------
    InputError
        If the table cannot be used, the estimator does not suit, or something would be overwritten.
    """
    stamp = _stamp(table)
    start = plan(table, target, estimator, task, written)
    folder = folder or Path(start.name)
    files = {**project_files(start), f"data/{table.name}": _pieces(table, stamp)}
    write_together(folder, files)
    chosen: dict[str, object] = {
        name: getattr(start, name)
        for name in ("target", "task", "why_task", "estimator", "why_estimator", "notes")
    }
    if not as_json:
        for note in start.notes:
            show(note)
        show(f"{start.task}: {start.why_task}")
        show(f"{start.estimator}: {start.why_estimator}")
    show_project(folder, start.name, files, chosen if as_json else None)
    return 0


def _stamp(table: Path) -> object:
    """What changes when a table does; None if it is no file, which the plan refuses."""
    try:
        status = table.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _pieces(table: Path, stamp: object) -> Iterator[bytes]:
    """Read the bytes of a table.

    Raises
    ------
    InputError
        If it cannot be read, or is another one than before the plan was made.
    """
    try:
        with open_regular(table, memory_bytes()) as file:
            while piece := file.read(MEBIBYTE):
                yield piece
    except OSError as error:
        raise InputError(f"{table} cannot be read: {error.strerror}") from error
    if _stamp(table) != stamp:
        raise InputError(f"{table} has changed while it was copied; repeat the command")


def project_files(start: Start) -> Mapping[str, bytes]:
    """Return the content of the project's files by their path."""
    examples = find_sources() / "examples"
    project = (examples / "pyproject.toml").read_text("utf-8")
    texts = {
        "definitions.py": (examples / "definitions.py").read_text("utf-8"),
        "pyproject.toml": project.replace('"examples"', f'"{start.name}"'),
        ".dagster/dagster.yaml": (examples / ".dagster/dagster.yaml").read_text("utf-8"),
        f"defs/{start.name}/defs.yaml": describe(start),
        "README.md": _README.format(start=start, estimator=start.curated.estimators[start.task]),
        **{
            f"data/parameters/{start.name}/{name}": text
            for name, text in parameter_files(start).items()
        },
    }
    return {name: text.encode() for name, text in texts.items()}


_README: Final = """\
# {start.name}

Predicts the column `{start.target}` of `data/{start.data_file}` with {estimator}.
`iris-hpo run` trains what is missing and selects the best; `iris-hpo report` shows it.
`DAGSTER_HOME="$PWD/.dagster" dg dev` opens the same results in Dagster's UI.
Edit `defs/{start.name}/defs.yaml` and the values in `data/parameters/{start.name}`.
"""
