"""`Upstream`: the split and the parameters that candidates stand on."""

from dataclasses import dataclass

from iris_hpo.data.split import SplitCard
from iris_hpo.orchestration.record import Input
from iris_hpo.samplers.parameter_list import ParametersCard


@dataclass(frozen=True)
class Upstream:
    """The split and the parameters that candidates are trained under.

    Attributes
    ----------
    split, parameters
        The recorded materialisations.
    split_card, parameters_card
        The stored cards, verified.
    """

    split: Input
    parameters: Input
    split_card: SplitCard
    parameters_card: ParametersCard
