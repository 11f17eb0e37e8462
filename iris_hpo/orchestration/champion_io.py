"""The IO manager of a search: an asset that has the selection as an input gets the champion."""

from typing import Final

import dagster as dg

from iris_hpo.errors import InputError
from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.known_searches import broken_searches, built_searches
from iris_hpo.orchestration.loaded_study import LoadedStudy
from iris_hpo.orchestration.names import CHAMPION
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.study import Study

STORAGE: Final = "iris_hpo_storage"
"""Key of the resource that says where data and artifacts are; parameters of assets have this name.
"""


class ChampionIOManager(dg.IOManager):
    """Loads the champion's model of any search, verified by what the event log vouches for."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def load_input(self, context: dg.InputContext) -> object:
        """Load the champion's model.

        Raises
        ------
        Failure
            If it cannot be loaded, or another asset of a search than its selection is asked for.
        """
        *prefix, asset = context.asset_key.path
        name = "/".join(prefix)
        with user_errors():
            if asset != "selection":
                key = context.asset_key.to_user_string()
                raise InputError(
                    f"{key} has no value that an asset can take as an input. Depend on it, with "
                    f"deps=[{context.asset_key.path}] in place of the input, and load what the "
                    f"search has stored: iris_hpo.load_study({name!r}, instance=context.instance)"
                )
            spec = built_searches().get(name)
            if spec is None:
                problem = broken_searches().get(name)
                raise InputError(
                    f"{name!r} cannot be loaded: {problem}"
                    if problem
                    else f"this process has not built the search {name!r}: build its definitions "
                    "again, or use iris_hpo.load_study"
                )
            return LoadedStudy(Study(spec, context.instance, self._storage)).champion

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Do nothing: the assets of a search store their files themselves."""


_CHAMPION_IO: Final = dg.IOManagerDefinition(
    # Not by the context of the input: `Definitions.load_asset_value` enters no resource there.
    resource_fn=lambda context: ChampionIOManager(getattr(context.resources, STORAGE)),
    required_resource_keys={STORAGE},
    description="Gives assets that depend on a selection its champion's model.",
)

CHAMPION_RESOURCES: Final = {STORAGE: Storage(), CHAMPION: _CHAMPION_IO}
"""What loads champions, the same for all searches."""
