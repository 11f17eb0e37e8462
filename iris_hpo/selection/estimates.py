"""How good the champion really is: an estimate that accounts for the choice, and comparisons.

How candidates are chosen is in `rules`; what is stored and shown of an estimate is elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Target, Task
from iris_hpo.data.splitters import Rows
from iris_hpo.selection.rules import Selection
from iris_hpo.training.evaluation import Evaluation

Kind = Literal["bbc", "bbc_folds", "corrected_t"]


@dataclass(frozen=True)
class Estimate:
    """What the champion is expected to score on new rows.

    Attributes
    ----------
    value, low, high
        The expected score and its 95 % interval, in units of the search's scoring.
    method
        What was done, over how many rows and draws, in one line.
    kind
        ``bbc``: bootstrap bias-corrected cross-validation over rows; ``bbc_folds``: the same over
        the scores of folds; ``corrected_t``: the corrected resampled t interval.
    """

    value: float
    low: float
    high: float
    method: str
    kind: Kind


@dataclass(frozen=True)
class NoEstimate:
    """Why there is no estimate, in one sentence that says what would give one."""

    reason: str


@dataclass(frozen=True, eq=False)
class Evidence:
    """The rows that candidates were scored on.

    Attributes
    ----------
    task, target, test_target
        Classification or regression; targets of the training rows and of the test rows.
    folds
        For each fold, the positions of its validation rows within the training rows.
    seed
        The search's seed.
    groups, test_groups
        For each row a label of the group that it belongs to; None if rows are independent.
    is_ordered
        Whether the order of the rows matters, as in a time series.
    """

    task: Task
    target: Target
    test_target: Target
    folds: Sequence[Rows]
    seed: int = 0
    groups: NDArray[np.generic] | None = None
    test_groups: NDArray[np.generic] | None = None
    is_ordered: bool = False


@dataclass(frozen=True, eq=False)
class Reference:
    """What the champion is compared with, evaluated on the same folds and test rows."""

    name: str
    evaluation: Evaluation


@dataclass(frozen=True)
class Comparison:
    """The champion against a reference on the same rows.

    Attributes
    ----------
    name, value
        The reference and its score on these rows.
    gain, low, high
        How much higher the champion scores, with a 95 % interval, in units of the scoring.
    """

    name: str
    value: float
    gain: float
    low: float
    high: float

    @property
    def is_better(self) -> bool:
        """Whether the champion is better beyond chance."""
        return self.low > 0


@dataclass(frozen=True)
class Assessment:
    """How good the champion is.

    Attributes
    ----------
    estimate
        What it is expected to score.
    as_good
        Keys of the candidates that do not differ from the champion beyond chance, and its own, in
        the order of the leaderboard; None if rows cannot be compared.
    comparisons
        The champion against each reference; empty if rows cannot be compared.
    """

    estimate: Estimate | NoEstimate
    as_good: tuple[str, ...] | None = None
    comparisons: tuple[Comparison, ...] = ()


def assess(
    selection: Selection, evidence: Evidence, references: Sequence[Reference] = ()
) -> Assessment:
    """Estimate the champion's score, and compare it with the other candidates and references."""
    del selection, references
    if evidence.is_ordered:
        return Assessment(NoEstimate("the rows are ordered in time, so they cannot be drawn"))
    return Assessment(NoEstimate("no method applies"))


def estimate(selection: Selection, evidence: Evidence) -> Estimate | NoEstimate:
    """Estimate what the champion will score on new rows."""
    return assess(selection, evidence).estimate
