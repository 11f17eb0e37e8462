"""Find the search that a command is for, in the project of the current folder."""

import importlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dagster as dg
from dagster.components.definitions import LazyDefinitions

from iris_hpo.errors import InputError
from iris_hpo.iris import iris_search
from iris_hpo.orchestration.known_searches import (
    ambiguous_searches,
    broken_searches,
    built_searches,
)
from iris_hpo.orchestration.shared_partitions import check_partitions
from iris_hpo.project_beside import is_loaded_from, loading_beside
from iris_hpo.project_files import START, ProjectFiles, read_project_files
from iris_hpo.projects import (
    check_descriptions,
    explain,
    load_searches,
    make_importable,
    root_cause,
)
from iris_hpo.spec import SearchSpec
from iris_hpo.text import readable

_LOADED_BESIDE: dict[Path, "Searches"] = {}

_SHIPPED: Final = "iris_hpo.definitions"

NO_SEARCH: Final = f"has no search yet; describe one in defs/<name>/defs.yaml. {START}"
"""What to do in a project without a search."""


@dataclass(frozen=True)
class Searches:
    """The searches of a project.

    Attributes
    ----------
    module
        The module of the project's definitions.
    built, broken
        The searches by name, and the messages of those that cannot be loaded.
    ambiguous
        Names that several searches have.
    problem
        What is wrong with the definitions as a whole; empty if nothing is.
    assets
        All assets of the project.
    """

    module: str
    built: dict[str, SearchSpec]
    broken: dict[str, str]
    ambiguous: Collection[str]
    problem: str
    assets: Sequence[dg.AssetsDefinition] = ()


def find_search(name: str | None, folder: Path, *, beside: bool = False) -> SearchSpec:
    """Find a search among the definitions of the project in a folder.

    Parameters
    ----------
    name
        Name of the search; None for the only search, or for the search without a name.
    beside
        Whether the process may work with another project, which stays as it is.

    Raises
    ------
    InputError
        If the folder is no Dagster project, has no such search, or has several and none is named.
    """
    project = read_project_files(folder)
    if project.module == _SHIPPED and name is None:
        return iris_search()  # nothing is built until there is work
    searches = (_load_beside if beside else _load)(project, folder)
    if name is None and not searches.problem:
        name = _only(folder, searches, "search='NAME'" if beside else "--search NAME")
    if name in searches.ambiguous:
        raise InputError(
            f"{folder} has several searches named {name!r}; give each its own name (the command "
            "iris-hpo search shows the file of one that Dagster does not load)"
        )
    if name in searches.built:
        check_partitions(searches.built[name], searches.assets)
        return searches.built[name]
    if name in searches.broken:
        raise InputError(f"{name!r} cannot be loaded: {searches.broken[name]}")
    if searches.problem:
        raise InputError(f"the definitions of {folder} cannot be loaded: {searches.problem}")
    others = ", ".join(sorted(filter(None, searches.built))) or "none"
    raise InputError(f"{folder} has no search {name!r}; it has {others}{_reasons(searches.broken)}")


def find_searches(folder: Path) -> Searches:
    """Find all searches of the project in a folder.

    Raises
    ------
    InputError
        If the folder is no Dagster project.
    """
    project = read_project_files(folder)
    if project.module == _SHIPPED:
        return Searches(project.module, {"": iris_search()}, {}, set(), "")
    return _load(project, folder)


def load_definitions(folder: Path) -> dg.Definitions:
    """Load all definitions of the project in a folder.

    Raises
    ------
    InputError
        If they cannot be loaded.
    """
    project = read_project_files(folder)
    make_importable(folder)
    try:
        loaded = list(_definitions_of(project.module))
    except Exception as error:  # the project's own code may raise anything
        problem = explain(root_cause(error), folder)
        raise InputError(f"the definitions of {folder} cannot be loaded: {problem}") from error
    return dg.Definitions.merge(*loaded)


def _definitions_of(module: str) -> Iterator[dg.Definitions]:
    # A copy, since a call may add a name: Python notes there which warnings it has shown.
    for value in [*vars(importlib.import_module(module)).values()]:
        made = value() if isinstance(value, LazyDefinitions) else value
        if isinstance(made, dg.Definitions):
            yield made


def _load(project: ProjectFiles, folder: Path) -> Searches:
    """Load the definitions of a project."""
    make_importable(folder)
    assets = list[dg.AssetsDefinition]()
    problem = _build(project, folder, assets)
    return Searches(
        project.module, built_searches(), broken_searches(), ambiguous_searches(), problem, assets
    )


def _load_beside(project: ProjectFiles, folder: Path) -> Searches:
    """Load the definitions of a project once, unless Dagster or a program has loaded them."""
    if built_searches() and is_loaded_from(folder, project.module):
        return _load(project, folder)
    if folder not in _LOADED_BESIDE:
        with loading_beside(folder):
            _LOADED_BESIDE[folder] = _load(project, folder)
    return _LOADED_BESIDE[folder]


def _build(project: ProjectFiles, folder: Path, assets: list[dg.AssetsDefinition]) -> str:
    """Build the definitions; return what is wrong with them, except in a single search of YAML."""
    try:
        if project.is_dg:
            check_descriptions(folder)
        for made in _definitions_of(project.module):
            known = made.assets or ()
            assets.extend(one for one in known if isinstance(one, dg.AssetsDefinition))
    except Exception as error:  # noqa: BLE001 - the project's own code may raise anything
        cause = root_cause(error)
    else:
        return ""
    if project.is_dg:
        with suppress(Exception):
            load_searches(folder)
            message = readable(str(cause))
            if any(message in shown for shown in broken_searches().values()):
                return ""
    return explain(cause, folder)


def _only(folder: Path, searches: Searches, option: str) -> str:
    """The name of the only search, or of that without a name; else `option` chooses one."""
    if searches.ambiguous and searches.ambiguous == {*searches.built}:
        return min(searches.ambiguous)
    names = sorted({*searches.built, *searches.broken})
    if not names:
        raise InputError(f"the project in {folder} {NO_SEARCH}")
    if len(names) > 1 and "" not in names:
        raise InputError(
            f"the project in {folder} has several searches: {', '.join(names)}; choose one "
            f"with {option}{_reasons(searches.broken)}"
        )
    return names[0]


def _reasons(broken: Mapping[str, str]) -> str:
    return "".join(f"\n{name!r} cannot be loaded: {why}" for name, why in broken.items())
