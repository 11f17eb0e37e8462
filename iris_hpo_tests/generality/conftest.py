"""Projects of users, each in a fresh folder."""

from pathlib import Path

import pytest

from iris_hpo_tests.generality.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without a search."""
    return Project.create(tmp_path / "project")
