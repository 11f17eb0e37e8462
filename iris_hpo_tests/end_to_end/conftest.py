"""Projects of the shipped search: a fresh one, and one that was run once and is only read."""

from pathlib import Path

import pytest

from iris_hpo_tests.projects import ShippedProject


@pytest.fixture
def project(tmp_path: Path) -> ShippedProject:
    return ShippedProject.create(tmp_path)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> ShippedProject:
    """A project whose whole search was run once; tests only read it."""
    project = ShippedProject.create(tmp_path_factory.mktemp("searched"))
    result = project.command("run")
    assert result.returncode == 0, result.stdout + result.stderr
    (project.root / "first.txt").write_text(result.stdout)
    return project
