"""Projects of users, each in a fresh folder."""

from pathlib import Path

import pytest

from iris_hpo_tests.projects import YamlProject


@pytest.fixture
def project(tmp_path: Path) -> YamlProject:
    """A project without a search."""
    return YamlProject.create(tmp_path / "project")
