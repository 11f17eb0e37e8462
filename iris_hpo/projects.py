"""Load the searches of a project; one that cannot be loaded does not stop the others."""

import importlib
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from iris_hpo.orchestration.broken import build_broken, is_validating


def load_searches(path_within_project: Path) -> dg.Definitions:
    """Load a project's ``defs`` folder, as ``dagster.load_from_defs_folder`` does.

    A search that cannot be loaded, for example because of a mistake in its YAML, does not stop the
    others: it is shown with the message. The project need not be installed.

    Parameters
    ----------
    path_within_project
        The folder with ``pyproject.toml``, or any folder below it.
    """
    for folder in (path_within_project, *path_within_project.parents):
        if (folder / "pyproject.toml").is_file():
            make_importable(folder)
            break
    try:
        return dg.load_from_defs_folder(path_within_project=path_within_project)
    except Exception:  # the modules in the folders may raise anything
        if is_validating():
            raise
        tree = dg.ComponentTree.for_project(path_within_project)
        return dg.Definitions.merge(*_load_each(tree, tree.defs_module_path))


def make_importable(project: Path) -> None:
    """Add a project's folder and its ``src`` to the import path, as `dg` does.

    They are never removed: Dagster and the workers import from them later too.
    """
    for folder in (project / "src", project):
        if str(folder) not in sys.path and folder.is_dir():
            sys.path.insert(0, str(folder))


def _load_each(tree: dg.ComponentTree, folder: Path) -> Iterator[dg.Definitions]:
    """Load what a folder holds one by one; a folder that fails, again what that holds."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")) or not (path.is_dir() or path.suffix == ".py"):
            continue
        try:
            definitions = _load_one(tree, path)
        except Exception as error:  # noqa: BLE001 - as above; its message is shown
            described = path / "defs.yaml"
            if path.is_dir() and not described.is_file() and any(map(Path.is_dir, path.iterdir())):
                yield from _load_each(tree, path)
                continue
            message = explain(root_cause(error), path)
            if str(path) not in message:
                message = f"{described if described.is_file() else path} - {message}"
            definitions = build_broken("_".join(_parts(tree, path)), message)
        yield definitions


def _load_one(tree: dg.ComponentTree, path: Path) -> dg.Definitions:
    module = importlib.import_module(".".join((tree.defs_module_name, *_parts(tree, path))))
    with warnings.catch_warnings():
        # Warnings of Dagster's own calls, which `load_from_defs_folder` hides too.
        for category in (DeprecationWarning, dg.BetaWarning, dg.PreviewWarning):
            warnings.simplefilter("ignore", category)
        # Of the path alone: what Dagster adds for a whole project can be merged only once.
        return dg.ComponentTree.from_module(module, tree.project_root).build_defs(path)


def _parts(tree: dg.ComponentTree, path: Path) -> tuple[str, ...]:
    return path.relative_to(tree.defs_module_path).with_suffix("").parts


def explain(error: BaseException, path: Path) -> str:
    """Give the message of an error, with the file and line below a path if it names neither."""
    message = str(error)
    if str(path) in message:
        return message
    if isinstance(error, SyntaxError):
        places = [(error.filename or "", error.lineno)]
    else:
        frames = traceback.extract_tb(error.__traceback__)
        places = [(frame.filename, frame.lineno) for frame in frames]
        message = f"{type(error).__name__}: {message}"
    for file, line in reversed(places):
        if Path(file).is_relative_to(path):
            return f"{file}:{line} - {message}"
    return str(error)


def root_cause(error: BaseException) -> BaseException:
    """The error at the start of a chain; Dagster's own errors only say where it happened."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
