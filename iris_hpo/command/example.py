"""``iris-hpo example``: write a small project that works, to begin with."""

import importlib.util
import runpy
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import iris_hpo
from iris_hpo.command.output import show, show_json
from iris_hpo.errors import InputError
from iris_hpo.writing import write_together

_PACKAGE: Final = Path(iris_hpo.__file__).resolve().parent
_CODE_LOCATION: Final = 'code_location_name = "examples"'


def show_example(folder: Path, search: str, *, as_json: bool) -> int:
    """Write a project with one search, and print what to do next."""
    files = write_example(folder, search)
    show_project(folder, search, files, {} if as_json else None)
    return 0


def show_project(
    folder: Path, search: str, files: Iterable[str], as_json: Mapping[str, object] | None
) -> None:
    """Print that a project was written, and what to do next.

    Parameters
    ----------
    as_json
        More fields of the JSON object that is printed; None for text.
    """
    if as_json is None:
        lines = "".join(f"\n    {line}" for line in next_commands(folder))
        show(f"wrote a project with the search {search} into {folder}; next:\n{lines}")
        return
    project = {"folder": str(folder), "search": search, "files": sorted(files)}
    show_json({**project, "next": [*next_commands(folder)], **as_json})


def write_example(folder: Path, search: str) -> Iterable[str]:
    """Write a project with one search; return the names of its files.

    Parameters
    ----------
    folder
        The folder of the project; it may exist, but none of the files may.
    search
        ``iris``, ``wine`` or ``digits``.

    Raises
    ------
    InputError
        If something would be overwritten, or the folder cannot be written.
    """
    files = _files(find_sources(), search)
    write_together(folder, files)
    return files


def find_sources() -> Path:
    """Find the folders ``data`` and ``examples``: in the package, or beside it in a checkout."""
    for folder in (_PACKAGE / "example_projects", _PACKAGE.parent):
        if (folder / "examples" / "iris.yaml").is_file():
            return folder
    raise InputError(f"the installation in {_PACKAGE} has no examples; install iris_hpo again")


def _files(sources: Path, search: str) -> Mapping[str, bytes]:
    """Return the content of the project's files by their path."""
    examples = sources / "examples"
    files = {
        name: (examples / name).read_bytes()
        for name in ("definitions.py", "pyproject.toml", ".dagster/dagster.yaml")
    }
    project = files["pyproject.toml"].decode("utf-8")
    files["pyproject.toml"] = project.replace(
        _CODE_LOCATION, f'code_location_name = "{search}"'
    ).encode()
    if search == "iris":
        description, values = examples / "iris.yaml", sources / "data" / "parameters"
        files["data/noisy_iris.csv"] = (sources / "data" / "noisy_iris.csv").read_bytes()
    else:
        description = examples / "defs" / search / "defs.yaml"
        values = examples / "data" / "parameters" / search
        csv_text = runpy.run_path(str(examples / "make_data.py"))["csv_text"]
        files[f"data/{search}.csv"] = csv_text(search).encode()
    files[f"defs/{search}/defs.yaml"] = description.read_bytes()
    for path in sorted(values.glob("*_parameters.txt")):
        files[f"data/parameters/{search}/{path.name}"] = path.read_bytes()
    return files


def next_commands(folder: Path) -> tuple[str, ...]:
    """Return the commands with which a new project is begun."""
    # dg is Dagster's present command; `dagster dev` does the same and is always installed.
    dev = "dg" if importlib.util.find_spec("dagster_dg_cli") else "dagster"
    place = f"./{folder}" if str(folder).startswith("-") else str(folder)
    go = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(place)} && "
    return (
        f"{go}{_program('iris-hpo')} run",
        f'DAGSTER_HOME="$PWD/.dagster" {_program(dev)} dev',
    )


def _program(name: str) -> str:
    """Return how a program of this environment is called from another folder."""
    path = Path(sys.executable).parent / name
    on_path = shutil.which(name)
    return (
        name if not path.exists() or (on_path and Path(on_path) == path) else shlex.quote(str(path))
    )
