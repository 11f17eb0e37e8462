"""Load the searches of a project; one that cannot be loaded does not stop the others."""

import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import dagster as dg
from dagster.components.core.decl import (
    ComponentDecl,
    DefsFolderDecl,
    build_filesystem_component_decl_from_context,
)
from dagster.components.core.defs_module import ComponentPath

from iris_hpo.defined_names import DefinedNames, DefinedTwiceError, file_of
from iris_hpo.errors import InputError
from iris_hpo.files import MEBIBYTE, open_regular
from iris_hpo.orchestration.broken import PYTHON_FILE, YAML_FILE, build_broken, is_validating
from iris_hpo.orchestration.known_searches import broken_searches, built_searches
from iris_hpo.project_files import is_project
from iris_hpo.text import readable

_FOLDER_IS_GIVEN_BY: Final = (
    "For searches in the folder defs beside definitions.py, write into pyproject.toml: [tool.dg] "
    'with directory_type = "project"; [tool.dg.project] with root_module = "defs", '
    'defs_module = "defs" and code_location_target_module = "definitions"'
)

_DESCRIPTIONS: Final = ("defs.yaml", "defs.yml", "component.yaml")
_LARGEST: Final = 64 * MEBIBYTE
"""Largest plausible size of a description or module, in bytes."""


def load_searches(path_within_project: Path) -> dg.Definitions:
    """Load a project's ``defs`` folder, as ``dagster.load_from_defs_folder`` does.

    A search that cannot be loaded, for example because of a mistake in its YAML, does not stop the
    others: it is shown with the message. So is a file that defines what another one has defined, as
    two searches of one name do. The project need not be installed.

    Parameters
    ----------
    path_within_project
        The folder with ``pyproject.toml``, or any folder below it.

    Raises
    ------
    InputError
        If the project does not say in which folder its searches are.
    """
    for folder in (path_within_project, *path_within_project.parents):
        if is_project(folder):
            make_importable(folder)
            break
    _check_folder_is_given(path_within_project)
    try:
        check_descriptions(path_within_project)
        loaded = dg.load_from_defs_folder(path_within_project=path_within_project)
        DefinedNames().add(loaded, path_within_project)
    except DefinedTwiceError:
        pass
    except Exception:  # the modules in the folders may raise anything
        if is_validating():
            raise
    else:
        return loaded
    return dg.Definitions.merge(*_load_each(path_within_project))


def _check_folder_is_given(path_within_project: Path) -> None:
    """Refuse a project that names no folder of searches, such as one without components so far."""
    try:
        dg.ComponentTree.for_project(path_within_project)
    except Exception as error:  # noqa: BLE001 - a module may raise anything; it is met again
        is_file = isinstance(error, ModuleNotFoundError) and "is not a package" in str(error)
        is_unset = isinstance(error, dg.DagsterError) and "find config file" in str(error)
        if is_file or is_unset:
            why = "no pyproject.toml there or above it has [tool.dg]" if is_unset else str(error)
            raise InputError(f"{path_within_project}: {why}. {_FOLDER_IS_GIVEN_BY}") from None


def check_descriptions(path_within_project: Path) -> None:
    """Refuse what a loader would wait for, in a project whose modules may call Dagster's own.

    Raises
    ------
    InputError
        If a description or module of the searches is no regular file.
    """
    try:
        root = dg.ComponentTree.for_project(path_within_project).defs_module_path
    except Exception:  # noqa: BLE001 - a module may raise anything; it is met again
        return
    for path in root.rglob("[!.]*"):
        _check_is_regular(path)


def _check_is_regular(path: Path) -> None:
    """Refuse a description or module that Dagster would wait for: a named pipe never ends.

    Dagster passes over a link to nothing, which is refused too.
    """
    if path.name in _DESCRIPTIONS or (path.suffix == ".py" and not path.is_dir()):
        try:
            open_regular(path, _LARGEST).close()
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}") from None


def make_importable(project: Path) -> None:
    """Add a project's folder and its ``src`` to the import path, as `dg` does.

    They stay, as Dagster and the workers import from them later too. Where Dagster removes them,
    `iris_hpo.orchestration.import_path` puts them back.
    """
    for folder in (project / "src", project):
        if str(folder) not in sys.path and folder.is_dir():
            sys.path.insert(0, str(folder))


def _load_each(path_within_project: Path) -> Iterator[dg.Definitions]:
    """Load every part of ``defs`` by itself; what cannot be loaded is replaced by its message."""
    tree = dg.ComponentTree.for_project(path_within_project)
    root = tree.defs_module_path
    problems: dict[Path, str] = {}
    with warnings.catch_warnings():
        # Warnings of Dagster's own calls, which `load_from_defs_folder` hides too.
        for category in (DeprecationWarning, dg.BetaWarning, dg.PreviewWarning):
            warnings.simplefilter("ignore", category)
        whole = _declare(tree, root, problems)
        # Dagster looks up each part in the whole, which must not have parts that fail.
        tree.state_tracker.set_cache_data(whole.loc, component_decl=whole)
        yield from _build(tree, whole, problems, DefinedNames())
    for path, message in problems.items():
        if is_validating():
            raise dg.DagsterInvalidDefinitionError(message)
        file = file_of(path).relative_to(root)
        name = "_".join(path.relative_to(root).parts).removesuffix(".py")
        if name in built_searches() or broken_searches().get(name, message) != message:
            name = file.as_posix()
        yield build_broken(name, message, PYTHON_FILE if file.suffix == ".py" else YAML_FILE)


def _declare(tree: dg.ComponentTree, folder: Path, problems: dict[Path, str]) -> DefsFolderDecl:
    """Declare what a folder holds, as Dagster does, and leave out what fails."""
    context = tree.decl_load_context.for_component_loc(ComponentPath.from_path(folder))
    parts: dict[Path, ComponentDecl[Any]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        described = [path / name for name in _DESCRIPTIONS if os.path.lexists(path / name)]
        if path.is_dir() and not described:
            parts[path] = _declare(tree, path, problems)
            continue
        try:
            for file in (path, *described):
                _check_is_regular(file)
            part = build_filesystem_component_decl_from_context(
                context.for_component_loc(ComponentPath.from_path(path))
            )
        except Exception as error:  # noqa: BLE001 - a module may raise anything; it is shown
            problems[path] = _describe(error, path)
        else:
            parts |= {path: part} if part else {}
    return DefsFolderDecl(
        context=context,
        loc=ComponentPath.from_path(folder),
        children=parts,
        source_tree=None,
        component_file_model=None,
    )


def _build(
    tree: dg.ComponentTree, folder: DefsFolderDecl, problems: dict[Path, str], defined: DefinedNames
) -> Iterator[dg.Definitions]:
    """Build what a folder holds; a folder within that fails is built part by part."""
    for path, part in folder.children.items():
        try:
            built = tree.build_defs(path)
            defined.add(built, path)
        except Exception as error:  # noqa: BLE001 - as above
            if isinstance(part, DefsFolderDecl) and not part.source_tree:
                yield from _build(tree, part, problems, defined)
            else:
                problems[path] = _describe(error, path)
        else:
            yield built


def _describe(error: Exception, path: Path) -> str:
    """Give the message of what fails at a path, with a file."""
    message = explain(root_cause(error), path)
    return readable(message if str(path) in message else f"{file_of(path)} - {message}")


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
    return str(error) or type(error).__name__


def root_cause(error: BaseException) -> BaseException:
    """The error at the start of a chain; Dagster's own errors only say where it happened."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
