"""What the files of a project define: Dagster loads nothing if a name is defined twice."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from dagster.components.core.defs_module import find_defs_or_component_yaml

from iris_hpo.orchestration.known_searches import built_searches


class DefinedTwiceError(Exception):
    """Two files define the same; the message names both."""


class DefinedNames:
    """The assets, jobs, sensors and schedules of the files that were added."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, Path]] = {}

    def add(self, definitions: dg.Definitions, path: Path) -> None:
        """Note what a file or folder defines; note nothing if a part of it is known.

        Raises
        ------
        DefinedTwiceError
            Says what is defined twice, and where else.
        """
        own = dict[str, tuple[object, Path]]()
        for name, definition in _named(definitions):
            known, other = self._known.get(name) or own.setdefault(name, (definition, path))
            if known is not definition:
                raise DefinedTwiceError(
                    f"{file_of(path)} - {_shown(name)} is defined in {file_of(other)} too; give "
                    "each its own name"
                )
        self._known |= own


def file_of(path: Path) -> Path:
    """The YAML file of a folder with a component, else the path itself."""
    return find_defs_or_component_yaml(path) or path


def _named(definitions: dg.Definitions) -> Iterator[tuple[str, object]]:
    for asset in definitions.assets or ():
        for key in asset.keys if isinstance(asset, dg.AssetsDefinition) else ():
            yield f"the asset {key.to_user_string()}", asset
    for kind in ("job", "sensor", "schedule"):
        for definition in getattr(definitions, f"{kind}s") or ():
            yield f"the {kind} {definition.name}", definition


def _shown(name: str) -> str:
    """The name, or that of the search whose data it is."""
    search = name.removeprefix("the asset ").removesuffix("/raw_data")
    is_search = name.endswith("/raw_data") and search in built_searches()
    return f"the search {search!r}" if is_search else name
