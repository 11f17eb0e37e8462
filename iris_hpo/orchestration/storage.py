"""The resource that says where data and artifacts are."""

import os
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
from pydantic import Field, PrivateAttr

from iris_hpo.orchestration.turns import at_work
from iris_hpo.search.spec import SearchSpec
from iris_hpo.store.artifacts import ArtifactStore
from iris_hpo.store.objects import open_store


class Storage(dg.ConfigurableResource[None]):
    """Where a search reads its data and keeps its artifacts."""

    data: str | None = Field(
        default=None,
        description="The folder with the data file and the parameter files. By default "
        "IRIS_HPO_DATA, or `data` in the project.",
    )
    artifacts: str | None = Field(
        default=None,
        description="The folder, or any fsspec URL, for models, scores and the selection. By "
        "default IRIS_HPO_ARTIFACTS, or `artifacts` in the project.",
    )

    _at_work: ExitStack = PrivateAttr(default_factory=ExitStack)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Show signs of life as long as a run has the resource, however it was launched.

        An executor in one process makes resources before the first step waits for its turn.
        """
        if context.run is not None and context.instance is not None:  # not of a sensor
            self._at_work.enter_context(at_work(context.instance, context.run.run_id))

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002
        """End the signs of life."""
        self._at_work.close()

    def data_file(self, spec: SearchSpec) -> Path:
        """The data file of a search."""
        return self._data_folder(spec) / spec.data_file

    def parameters_folder(self, spec: SearchSpec) -> Path:
        """The folder of a search's parameter files."""
        return self._data_folder(spec) / spec.parameters_folder

    def store(self, spec: SearchSpec) -> ArtifactStore:
        """The artifacts of a search."""
        given = self.artifacts or os.environ.get("IRIS_HPO_ARTIFACTS") or "artifacts"
        root = given.rstrip("/") if "://" in given else str(spec.home / given)
        return open_store(f"{root}/{spec.name}" if spec.name else root)

    def _data_folder(self, spec: SearchSpec) -> Path:
        return spec.home / (self.data or os.environ.get("IRIS_HPO_DATA") or "data")
