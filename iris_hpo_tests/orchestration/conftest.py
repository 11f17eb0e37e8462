"""Projects to test on: fresh ones, and one that was searched once and is only read."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.reports import DEFAULT_REPORTS
from iris_hpo_tests.projects import SpecProject, copy_record, succeed


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_machine() -> Iterator[None]:
    """Nothing outside the tests decides where their files are."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DAGSTER_HOME", "IRIS_HPO_DATA", "IRIS_HPO_ARTIFACTS"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def _memory() -> Iterator[tuple[dg.DagsterInstance, dg.DagsterInstance]]:
    """One instance for the tests, and one that stays empty."""
    with dg.DagsterInstance.ephemeral() as used, dg.DagsterInstance.ephemeral() as empty:
        yield used, empty


@pytest.fixture
def instance(_memory: tuple[dg.DagsterInstance, dg.DagsterInstance]) -> dg.DagsterInstance:
    """An empty instance in memory: the same SQL as on disk, without the disk.

    It is one instance that is emptied for each test, as making one takes longer than most tests.
    """
    used, empty = _memory
    copy_record(empty, used)
    return used


@pytest.fixture
def disk_instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance as users have it: SQLite files."""
    home = tmp_path / "dagster_home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, instance: dg.DagsterInstance) -> SpecProject:
    """Files of a search of six candidates; nothing was run."""
    return SpecProject.create(tmp_path / "project", instance)


@pytest.fixture
def disk_project(tmp_path: Path, disk_instance: dg.DagsterInstance) -> SpecProject:
    """Files of a search of six candidates, on an instance on disk; nothing was run."""
    return SpecProject.create(tmp_path / "project", disk_instance)


@pytest.fixture(scope="session")
def prepared_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpecProject]:
    """What `prepared` copies; read only."""
    with dg.DagsterInstance.ephemeral() as made:
        project = SpecProject.create(tmp_path_factory.mktemp("prepared") / "project", made)
        project.materialize_sources()
        yield project


@pytest.fixture(scope="session")
def scored_once(
    prepared_once: SpecProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SpecProject]:
    """What `scored` copies; read only."""
    with dg.DagsterInstance.ephemeral() as made:
        project = prepared_once.copy(tmp_path_factory.mktemp("scored") / "project", made)
        succeed(project.materialize_candidates())
        yield project


@pytest.fixture(scope="session")
def searched_once(
    scored_once: SpecProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SpecProject]:
    """What `searched` copies; read only."""
    with dg.DagsterInstance.ephemeral() as made:
        project = scored_once.copy(tmp_path_factory.mktemp("searched") / "project", made)
        succeed(project.run("selection"))
        yield project


@pytest.fixture
def prepared(
    prepared_once: SpecProject, tmp_path: Path, instance: dg.DagsterInstance
) -> SpecProject:
    """Six candidates, registered; data, split and parameters are materialised."""
    return prepared_once.copy(tmp_path / "project", instance)


@pytest.fixture
def scored(scored_once: SpecProject, tmp_path: Path, instance: dg.DagsterInstance) -> SpecProject:
    """Six candidates, trained and scored; nothing is selected yet."""
    return scored_once.copy(tmp_path / "project", instance)


@pytest.fixture
def searched(
    searched_once: SpecProject, tmp_path: Path, instance: dg.DagsterInstance
) -> SpecProject:
    """A search that was done once."""
    return searched_once.copy(tmp_path / "project", instance)


@pytest.fixture(scope="session")
def launched_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpecProject]:
    """What `launched` copies; read only."""
    with dg.DagsterInstance.ephemeral() as instance:
        project = SpecProject.create(tmp_path_factory.mktemp("launched") / "project", instance)
        project.launch()
        yield project


@pytest.fixture
def launched(
    launched_once: SpecProject, tmp_path: Path, instance: dg.DagsterInstance
) -> SpecProject:
    """A search that the launcher did once."""
    return launched_once.copy(tmp_path / "project", instance)


@pytest.fixture(scope="session")
def drawn(
    scored_once: SpecProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SpecProject]:
    """A search with a selection that was drawn; read only."""
    with dg.DagsterInstance.ephemeral() as made:
        copied = scored_once.copy(tmp_path_factory.mktemp("drawn") / "project", made)
        project = replace(copied, spec=replace(copied.spec, reports=DEFAULT_REPORTS))
        succeed(project.run("selection"))
        yield project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpecProject]:
    """A search that was done once, on disk; read only."""
    folder = tmp_path_factory.mktemp("finished")
    home = folder / "dagster_home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as made:
        yield SpecProject.create(folder / "project", made).search()
