"""`load_study`: the results of a search in a program, a notebook or an asset."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from iris_hpo.errors import InputError
from iris_hpo.event_log.new_databases import open_instance
from iris_hpo.orchestration.known_searches import built_searches
from iris_hpo.orchestration.loaded_study import LoadedStudy
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.study import Study
from iris_hpo.project_files import is_project
from iris_hpo.spec import SearchSpec


def load_study(
    study: str | os.PathLike[str] = "",
    *,
    search: str | None = None,
    instance: dg.DagsterInstance | None = None,
    artifacts: str | None = None,
) -> LoadedStudy:
    """Load the results of a search.

    Parameters
    ----------
    study
        Name of a search of this project, or the folder of a project. Within Dagster the project is
        the one that is loaded, elsewhere that of the current folder.
    search
        Name of the search, if a folder is given that has several.
    instance
        The Dagster instance that recorded the search, such as ``context.instance`` in an asset; by
        default that of DAGSTER_HOME, else the project's own.
    artifacts
        Folder or URL of the artifacts; by default IRIS_HPO_ARTIFACTS, else the project's own.

    Returns
    -------
    LoadedStudy
        The leaderboard, the models, the estimate.

    Raises
    ------
    InputError
        If there is no such search, or nothing was selected yet.

    Examples
    --------
    >>> study = iris_hpo.load_study("wine", instance=context.instance)  # doctest: +SKIP
    >>> study.champion.predict(rows)  # doctest: +SKIP
    """
    spec = _find(study, search)
    storage = Storage(artifacts=artifacts)
    if instance is not None:
        return LoadedStudy(Study(spec, instance, storage))
    with _open_instance(spec) as opened:
        return LoadedStudy(Study(spec, opened, storage))


def _find(study: str | os.PathLike[str], search: str | None) -> SearchSpec:
    from iris_hpo.command.project import find_search

    name = os.fspath(study)
    is_folder = not isinstance(study, str) or os.sep in name
    if not is_folder and search is None and name in built_searches():
        return built_searches()[name]
    folder = Path(name)
    if is_folder or is_project(folder):
        return find_search(search, folder.absolute(), beside=True)
    return find_search(search or name or None, Path.cwd(), beside=True)


@contextmanager
def _open_instance(spec: SearchSpec) -> Generator[dg.DagsterInstance]:
    given = os.environ.get("DAGSTER_HOME")
    home = Path(given or spec.home / ".dagster")
    if not home.is_dir():
        raise InputError(
            f"{home} is no Dagster instance; run the search first, or set DAGSTER_HOME"
        )
    os.environ["DAGSTER_HOME"] = str(home)  # the project's dagster.yaml may refer to it
    try:
        with open_instance(home) as instance:
            yield instance
    finally:
        if given is None:
            del os.environ["DAGSTER_HOME"]
