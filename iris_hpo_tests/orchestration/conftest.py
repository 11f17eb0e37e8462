"""Projects to test on: fresh ones, and one that was searched once and is only read."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo_tests.orchestration.project import Project, succeed


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_machine() -> Iterator[None]:
    """Nothing outside the tests decides where their files are."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DAGSTER_HOME", "IRIS_HPO_DATA", "IRIS_HPO_ARTIFACTS"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance in memory: the same SQL as on disk, without the disk."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def disk_instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance as users have it: SQLite files."""
    home = tmp_path / "dagster_home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, instance: dg.DagsterInstance) -> Project:
    """Files of a search of six candidates; nothing was run."""
    return Project.create(tmp_path / "project", instance)


@pytest.fixture
def disk_project(tmp_path: Path, disk_instance: dg.DagsterInstance) -> Project:
    """Files of a search of six candidates, on an instance on disk; nothing was run."""
    return Project.create(tmp_path / "project", disk_instance)


@pytest.fixture
def scored(project: Project) -> Project:
    """Six candidates, trained and scored; nothing is selected yet."""
    project.materialize_sources()
    succeed(project.materialize_candidates())
    return project


@pytest.fixture
def searched(project: Project) -> Project:
    """A search that was done once; the test may change it."""
    return project.search()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A search that was done once, on disk; read only."""
    folder = tmp_path_factory.mktemp("finished")
    home = folder / "dagster_home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as made:
        yield Project.create(folder / "project", made).search()
