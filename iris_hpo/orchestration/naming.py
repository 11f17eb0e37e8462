"""How the parts of a search are called in Dagster. A search without a name has no prefix."""

from dataclasses import dataclass
from functools import cached_property

import dagster as dg

from iris_hpo.search.spec import SearchSpec


@dataclass(frozen=True)
class Names:
    """Dagster names of one search."""

    search: str
    partitions_name: str

    def asset(self, name: str) -> dg.AssetKey:
        """``models``, or ``wine/models`` for the search ``wine``."""
        return dg.AssetKey([self.search, name] if self.search else [name])

    def plain(self, name: str) -> str:
        """A name that has to be flat: ``select``, or ``wine_select``."""
        return f"{self.search}_{name}" if self.search else name

    def op(self, name: str) -> str:
        """The op that makes an asset: ``models`` and ``scores`` share ``candidates``."""
        op = "candidates" if name in ("models", "scores") else name
        return f"{self.search}__{op}" if self.search else op  # as Dagster names ops of assets

    @property
    def group(self) -> str:
        """The group in the asset graph."""
        return self.search or "hyperparameter_search"

    @property
    def pool(self) -> str:
        """The pool that lets one run of a search work at a time."""
        return self.plain("search")

    @cached_property
    def partitions(self) -> dg.DynamicPartitionsDefinition:
        """The candidates."""
        return dg.DynamicPartitionsDefinition(name=self.partitions_name)

    @cached_property
    def from_files(self) -> dg.DynamicPartitionsDefinition:
        """The candidates that parameter files registered, as opposed to a person in the UI.

        No asset uses these partitions. They are kept where the candidates are kept, so that both
        are always of one mind.
        """
        return dg.DynamicPartitionsDefinition(name=f"{self.partitions_name}_from_files")


def names_of(spec: SearchSpec) -> Names:
    """The names of a search."""
    return Names(spec.name, spec.partitions)
