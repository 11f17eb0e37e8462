"""Load a project in a process that works with another one, and leave that one as it is."""

import sys
import sysconfig
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Final

from iris_hpo.orchestration.known_searches import no_searches

_KNOWN: Final = (
    *(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")),
    Path(__file__).resolve().parent,
)
"""Folders of what all projects share."""


@contextmanager
def loading_beside(project: Path) -> Generator[None]:
    """Find a project's modules and searches first within the block.

    Modules that were loaded from another folder under the name of one of the project's, such as
    ``definitions``, are back afterwards, in place of the project's. Its other modules stay, and can
    be imported, after those of all folders of the import path.

    Parameters
    ----------
    project
        The folder with ``pyproject.toml``.
    """
    folders = _import_folders(project)
    path = [*sys.path]
    taken = _taken_names(folders)
    before = _remove(taken)
    sys.path[:0] = map(str, folders)
    try:
        with no_searches():
            yield
    finally:
        _remove(taken)
        sys.modules.update(before)
        sys.path[:] = [*path, *(str(folder) for folder in folders if str(folder) not in path)]


def is_loaded_from(project: Path, module: str) -> bool:
    """Whether a module is loaded, and from a project's folder."""
    top = module.partition(".")[0]
    return module in sys.modules and not _is_elsewhere(top, _import_folders(project))


def _import_folders(project: Path) -> list[Path]:
    return [folder for folder in (project, project / "src") if folder.is_dir()]


def _taken_names(folders: Sequence[Path]) -> set[str]:
    """Names of the folders' modules under which others are loaded, installed ones excepted."""
    names = {path.stem for folder in folders for path in folder.iterdir() if _is_module(path)}
    return {name for name in names if _is_elsewhere(name, folders)}


def _is_module(path: Path) -> bool:
    is_importable = path.suffix == ".py" or (path.is_dir() and path.name.isidentifier())
    return is_importable and not path.name.startswith("__")  # not the program that runs


def _is_elsewhere(name: str, folders: Sequence[Path]) -> bool:
    """Whether a loaded module is neither that of one of the folders nor an installed one."""
    module = sys.modules.get(name)
    places = [*getattr(module, "__path__", ()), getattr(module, "__file__", None)]
    files = [Path(place).resolve() for place in places if place]
    own = [folder.resolve() / part for folder in folders for part in (name, f"{name}.py")]
    return any(not any(file.is_relative_to(one) for one in (*own, *_KNOWN)) for file in files)


def _remove(names: set[str]) -> dict[str, ModuleType]:
    """Remove modules, with all below, from those that are loaded; return them."""
    loaded = [name for name in sys.modules if name.partition(".")[0] in names]
    return {name: sys.modules.pop(name) for name in loaded}
