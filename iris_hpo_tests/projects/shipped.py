"""The search that comes with the package, in a folder of its own, by its command."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import dagster as dg
import pytest

from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.projects.command import call_command, environment_of
from iris_hpo_tests.projects.files import (
    REPOSITORY_DATA,
    Row,
    files_below,
    read_leaderboard,
    write_parameters,
)

Completed = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class ShippedProject:
    """Data, artifacts and instance of one test."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> Self:
        """Copy the data, and the settings of the instance."""
        project = cls(root)
        project.write_files(REPOSITORY / ".dagster" / "dagster.yaml")
        return project

    def write_files(self, instance: Path) -> None:
        """Copy the data, and a file with settings of the instance."""
        shutil.copytree(REPOSITORY_DATA, self.data)
        (self.root / "home").mkdir()
        shutil.copy(instance, self.root / "home" / "dagster.yaml")

    def write_axis(self, axis: str, *values: float) -> Path:
        """Replace the values of an axis."""
        return write_parameters(self.parameters, axis, values)

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
        """Environment variables that let a process work on this project."""
        return {
            **os.environ,
            "DAGSTER_HOME": str(self.root / "home"),
            "IRIS_HPO_DATA": str(self.data),
            "IRIS_HPO_ARTIFACTS": str(self.artifacts),
            "COLUMNS": "120",
        }

    def command(self, *arguments: str) -> Completed:
        """Run ``iris-hpo`` as a process of its own."""
        return self.process("-m", "iris_hpo", *arguments)

    def call(self, *arguments: str) -> Completed:
        """Run ``iris-hpo`` in this process, which saves the seconds of its imports."""
        answer = call_command(environment_of(self.environment), arguments)
        return subprocess.CompletedProcess(
            ["iris-hpo", *arguments], answer.code, answer.out, answer.err
        )

    def dagster(self, *arguments: str) -> Completed:
        """Run ``dagster``."""
        return self.process("-m", "dagster", *arguments)

    def process(self, *arguments: str) -> Completed:
        """Run Python as a process that works on this project."""
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
        """Open the instance, as the project's own processes see it."""
        home = str(self.root / "home")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DAGSTER_HOME", home)
            with dg.DagsterInstance.from_config(home) as instance:
                yield instance

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Read every artifact with its time of writing."""
        return files_below(self.artifacts)

    def leaderboard(self) -> list[Row]:
        """Read the stored rows, best first."""
        return read_leaderboard(self.artifacts)
