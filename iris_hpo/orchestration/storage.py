"""The resource that says where data and artifacts are."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
from pydantic import Field
from upath import UPath

from iris_hpo.search.errors import InputError
from iris_hpo.search.spec import SearchSpec
from iris_hpo.store.artifacts import ArtifactStore


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
        protocol, separator, _ = given.partition("://")
        if separator and urlsplit(given).password is not None:  # it would be shown with the place
            raise InputError(
                f"the artifacts' URL {protocol}://... carries credentials; give them by the "
                "environment or a profile"
            )
        try:
            root = UPath(given) if separator else UPath(spec.home / given)
        except ValueError as error:
            raise InputError(f"artifacts {given!r} cannot be used: {error}") from error
        return ArtifactStore(root / spec.name if spec.name else root)

    def _data_folder(self, spec: SearchSpec) -> Path:
        return spec.home / (self.data or os.environ.get("IRIS_HPO_DATA") or "data")
