"""The files that make a folder a Dagster project, and what they say of its definitions."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from iris_hpo.errors import InputError
from iris_hpo.files import MEBIBYTE, read_regular

START: Final = "`iris-hpo example FOLDER` writes a small project that works, to begin with"

_PYPROJECT: Final = "pyproject.toml"
_DG: Final = "dg.toml"


@dataclass(frozen=True)
class ProjectFiles:
    """Where the definitions of a project are.

    Attributes
    ----------
    module
        The module of the definitions, as ``dg`` and ``dagster`` find it.
    is_dg
        Whether there may be a folder ``defs`` of components.
    """

    module: str
    is_dg: bool


def is_project(folder: Path) -> bool:
    """Whether a folder has a file that may describe a project."""
    return any((folder / name).is_file() for name in (_PYPROJECT, _DG))


def read_project_files(folder: Path) -> ProjectFiles:
    """Read where the definitions are, from ``dg.toml`` if there is one, and ``pyproject.toml``.

    Raises
    ------
    InputError
        If the folder is no Dagster project, or a file cannot be read.
    """
    contents = {name: _read(folder / name) for name in (_DG, _PYPROJECT)}
    if not any(content is not None for content in contents.values()):
        raise InputError(
            f"{folder} is no Dagster project: it has no {_PYPROJECT}; change to the folder of your "
            f"project. {START}"
        )
    tools = (contents[_PYPROJECT] or {}).get("tool", {})
    project = (contents[_DG] or tools.get("dg", {})).get("project", {})
    module = project.get("code_location_target_module") or tools.get("dagster", {}).get(
        "module_name"
    )
    if not module and "root_module" in project:
        module = f"{project['root_module']}.definitions"
    if not module:
        file, table = (_DG, "[project]") if contents[_DG] else (_PYPROJECT, "[tool.dg.project]")
        raise InputError(
            f"{folder / file} names no definitions: neither {table} nor [tool.dagster]"
            f"{f' of {_PYPROJECT}' if file == _DG else ''}. {START}"
        )
    return ProjectFiles(str(module), "root_module" in project)


def _read(file: Path) -> Mapping[str, Any] | None:
    try:
        return tomllib.loads(read_regular(file, MEBIBYTE).decode())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{file} cannot be read: {reason}") from error
