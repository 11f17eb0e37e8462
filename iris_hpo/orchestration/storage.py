"""The resource that says where data and artifacts are."""

import os
from pathlib import Path

import dagster as dg
from pydantic import Field

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
