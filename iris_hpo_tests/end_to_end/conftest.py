"""A project folder of one's own, and its commands as real processes."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo import engines
from iris_hpo.command.main import main
from iris_hpo_tests.processes import REPOSITORY


@dataclass(frozen=True)
class Project:
    """Data, artifacts and instance of one test."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def parameters(self) -> Path:
        return self.data / "parameters"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DAGSTER_HOME": str(self.root / "home"),
            "IRIS_HPO_DATA": str(self.data),
            "IRIS_HPO_ARTIFACTS": str(self.artifacts),
            "COLUMNS": "120",
        }

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``iris-hpo`` as a process of its own."""
        return self.process("-m", "iris_hpo", *arguments)

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``iris-hpo`` in this process, which saves the seconds of its imports."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name, value in self.environment.items():
                patch.setenv(name, value)
            # It would import what this process has imported long ago.
            patch.setattr(engines, "start_ahead", lambda **_: None)
            try:
                main(arguments)
            except SystemExit as leaving:
                code = leaving.code
        return subprocess.CompletedProcess(
            ["iris-hpo", *arguments], int(code or 0), out.getvalue(), err.getvalue()
        )

    def dagster(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``dagster``."""
        return self.process("-m", "dagster", *arguments)

    def process(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    @contextmanager
    def instance(self) -> Generator[dg.DagsterInstance]:
        """The instance, as its own processes see it."""
        home = str(self.root / "home")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DAGSTER_HOME", home)
            with dg.DagsterInstance.from_config(home) as instance:
                yield instance

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Every artifact with its time of writing and its bytes."""
        return {
            str(path.relative_to(self.artifacts)): (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(self.artifacts.rglob("*"))
            if path.is_file()
        }


def make_project(root: Path) -> Project:
    project = Project(root)
    shutil.copytree(REPOSITORY / "data", project.data)
    (root / "home").mkdir()
    shutil.copy(REPOSITORY / ".dagster" / "dagster.yaml", root / "home")
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose whole search was run once; tests only read it."""
    project = make_project(tmp_path_factory.mktemp("searched"))
    result = project.command("run")
    assert result.returncode == 0, result.stdout + result.stderr
    (project.root / "first.txt").write_text(result.stdout)
    return project
