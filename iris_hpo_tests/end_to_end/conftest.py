"""Projects of the shipped search: a fresh one, and one that was run once and is only read."""

from pathlib import Path

import pytest

from iris_hpo_tests.projects import ShippedProject

NOTING_IMPORTS = """
import atexit, pathlib, runpy, sys
noted = pathlib.Path(sys.argv.pop(1))
atexit.register(lambda: noted.write_text("\\n".join(sys.modules)))
runpy.run_module("iris_hpo", run_name="__main__", alter_sys=True)
"""
"""The command, which writes down at its end what its own process has imported."""


@pytest.fixture
def project(tmp_path: Path) -> ShippedProject:
    return ShippedProject.create(tmp_path)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> ShippedProject:
    """A project whose whole search was run once; tests only read it."""
    project = ShippedProject.create(tmp_path_factory.mktemp("searched"))
    result = project.process("-c", NOTING_IMPORTS, str(project.root / "imported.txt"), "run")
    assert result.returncode == 0, result.stdout + result.stderr
    (project.root / "first.txt").write_text(result.stdout)
    return project
