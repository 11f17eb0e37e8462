"""What candidates stand on: the stored split and parameters, checked against the record."""

from dataclasses import dataclass

import dagster as dg

from iris_hpo.orchestration.lineage import Input
from iris_hpo.orchestration.naming import Names
from iris_hpo.orchestration.records import latest
from iris_hpo.search.errors import InputError
from iris_hpo.search.spec import SearchSpec
from iris_hpo.store.artifacts import ArtifactStore
from iris_hpo.store.cards import ParametersCard, SplitCard, read_recorded_card
from iris_hpo.store.split import CARD as SPLIT_CARD
from iris_hpo.trial import Conditions

PARAMETERS_CARD = "parameters/parameters.json"
CANDIDATES_TABLE = "parameters/candidates.csv"


@dataclass(frozen=True)
class Upstream:
    """The split and the parameters that candidates are trained under.

    Attributes
    ----------
    split, parameters
        The recorded materialisations.
    split_card, parameters_card
        What is stored, verified.
    """

    split: Input
    parameters: Input
    split_card: SplitCard
    parameters_card: ParametersCard

    def conditions(self, spec: SearchSpec) -> Conditions:
        """What candidates are trained and scored under."""
        return Conditions(
            recipe=spec.recipe(self.parameters_card.choices, self.split_card.seed),
            scoring=spec.scoring,
            training_digest=self.split_card.train_digest,
            split_version=self.split.version,
            parameters_version=self.parameters.version,
        )


def read_upstream(instance: dg.DagsterInstance, names: Names, store: ArtifactStore) -> Upstream:
    """Read what candidates stand on.

    Raises
    ------
    InputError
        If an asset was not materialised, or its file is missing or was changed since.
    """
    split = require(instance, names, "split")
    parameters = require(instance, names, "parameters")
    return Upstream(
        split,
        parameters,
        read_recorded_card(store, SPLIT_CARD, SplitCard, split.version),
        read_recorded_card(store, PARAMETERS_CARD, ParametersCard, parameters.version),
    )


def require(instance: dg.DagsterInstance, names: Names, name: str) -> Input:
    """The latest materialisation of an unpartitioned asset.

    Raises
    ------
    InputError
        If there is none.
    """
    key = names.asset(name)
    found = latest(instance, key)
    if found is None:
        raise InputError(f"{key.to_user_string()} was never materialised; materialise it first")
    return found
