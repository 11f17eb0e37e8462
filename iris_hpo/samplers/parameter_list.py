"""What `parameters` stores: the list of candidates, and the card of the axes and settings."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from iris_hpo.samplers.parameter_files import ParameterFiles
from iris_hpo.space.axes import Axis
from iris_hpo.space.values import Value
from iris_hpo.store.cards import Card
from iris_hpo.text import quote_cell

PARAMETERS_CARD = "parameters/parameters.json"
CANDIDATES_TABLE = "parameters/candidates.csv"


@dataclass(frozen=True)
class ParametersCard(Card):
    """What `parameters` declared: the axes and the estimator with its settings, not the values.

    A model depends on its own values, which are its key; so a value more makes no model stale.
    """

    axes: list[dict[str, Any]]
    recipe: dict[str, Any]
    choices: dict[str, str]
    scoring: str


def candidates_csv(axes: Sequence[Axis], found: ParameterFiles) -> bytes:
    """The candidates of the parameter files as a table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["candidate", *(axis.name for axis in axes)])
    for candidate in found.candidates:
        writer.writerow([candidate.key, *map(_cell, candidate.values)])
    return text.getvalue().encode()


def _cell(value: Value) -> Value:
    return quote_cell(value) if isinstance(value, str) else value
