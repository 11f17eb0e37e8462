"""The IO manager of `selection`: an asset that has the selection as an input gets the champion."""

from typing import Final

import dagster as dg

from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.loaded_study import LoadedStudy
from iris_hpo.orchestration.study import Study

_STORAGE: Final = "iris_hpo_storage"


class ChampionIOManager(dg.IOManager):
    """Loads the champion's model of any search, verified by what the event log vouches for."""

    def load_input(self, context: dg.InputContext) -> object:
        """Load the champion's model."""
        from iris_hpo.orchestration.build import built_searches

        *prefix, _ = context.asset_key.path
        with user_errors():
            spec = built_searches()["/".join(prefix)]
            study = Study(spec, context.instance, getattr(context.resources, _STORAGE))
            return LoadedStudy(study).champion

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Do nothing: the selection stores its files itself, all of them or none."""


CHAMPION_IO: Final = dg.IOManagerDefinition(
    resource_fn=lambda _: ChampionIOManager(),
    required_resource_keys={_STORAGE},
    description="Gives assets that depend on a selection its champion's model.",
)
"""The resource, one for all searches."""
