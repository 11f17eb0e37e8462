"""A project on PostgreSQL, S3 and Dask, as its commands and its daemon see it."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo_tests.projects import ShippedProject
from iris_hpo_tests.scale.postgres import SETTINGS


@dataclass(frozen=True)
class Deployment(ShippedProject):
    """A project whose settings come from the environment.

    Attributes
    ----------
    settings
        Environment variables beside those of every project.
    """

    settings: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, **self.settings}

    @contextmanager
    def instance(self) -> Generator[dg.DagsterInstance]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.settings.items():
                patch.setenv(name, value)
            with super().instance() as instance:
                yield instance


def make_deployment(
    root: Path, settings: Mapping[str, str], *, instance: Path = SETTINGS
) -> Deployment:
    """Make the files of a project with these settings, of the environment and of the instance."""
    made = Deployment(root, settings)
    made.write_files(instance)
    return made
