"""Early stopping: its settings, and the rows that decide when a fit stops.

They are carved out of the rows that a fit would have: never out of rows that score it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Target
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.splitters import Rows
from iris_hpo.errors import CandidateError, InputError

VERSION: Final = 1
"""Part of a model's identity: raise it when other rows are carved out."""

_STREAM: Final = 2718
"""Part of the seed, so that nothing else of the search draws the same rows."""


@dataclass(frozen=True)
class EarlyStopping:
    """How a fit stops early.

    Parameters
    ----------
    rounds
        Number of iterations without a better score after which a fit stops.
    share
        Share of the rows that score the iterations.
    """

    rounds: int
    share: float = 0.1

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise InputError(f"rounds {self.rounds} must be at least 1", field=("rounds",))
        if not 0 < self.share < 1:
            raise InputError(
                f"share {self.share:g} must be between 0 and 1, such as 0.1", field=("share",)
            )

    def identity(self) -> Mapping[str, object]:
        """Return what decides a model, as JSON."""
        return {"rounds": self.rounds, "share": self.share, "version": VERSION}

    def carve(
        self, target: Target, roles: RowRoles, seed: int, *, is_ordered: bool, has_classes: bool
    ) -> tuple[Rows, Rows]:
        """Divide the rows of a fit; the same rows are always divided in the same way.

        Parameters
        ----------
        roles
            Groups stay together.
        is_ordered
            Whether the latest rows are taken, by the rows' times.
        has_classes
            Whether classes keep their proportions. A class is never taken as a whole.

        Returns
        -------
        fit, evaluation
            Positions of the rows to fit and of those that score the iterations, ascending.

        Raises
        ------
        CandidateError
            If there are too few rows, groups or times.
        """
        generator = np.random.default_rng([seed, _STREAM])
        if is_ordered and roles.time is not None:
            chosen = _latest(roles.time, self.share)
        elif roles.group is not None:
            chosen = _whole_groups(roles.group, self.share, generator)
        else:
            order = generator.permutation(len(target))
            classes = target[order] if has_classes else np.zeros(len(target))
            chosen = np.empty(len(target), dtype=bool)
            chosen[order] = _of_each(classes, self.share)
        evaluation = chosen
        if has_classes:  # an estimator refuses to score a class that it has not seen
            evaluation = chosen & np.isin(target, target[~chosen])
        if not evaluation.any() or chosen.all():
            raise CandidateError(
                f"early_stopping: {len(target)} rows are too few, or too much alike, to carve "
                f"{self.share:g} of them out; choose fewer folds or another share"
            )
        return np.flatnonzero(~chosen), np.flatnonzero(evaluation)


def _of_each(classes: Target | NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Choose the share of the rows of each class, and never the first of one."""
    order = np.argsort(classes, kind="stable")
    ordered = classes[order]
    is_first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    # The total grows by one wherever a row is chosen.
    totals = np.floor(np.arange(1, len(classes) + 1) * share + 1e-9)
    grows = np.diff(totals, prepend=0) > 0
    taken = grows & ~is_first
    if not taken.any():
        taken[np.flatnonzero(~is_first)[:1]] = True
    chosen = np.empty(len(classes), dtype=bool)
    chosen[order] = taken
    return chosen


def _whole_groups(
    groups: NDArray[np.str_], share: float, generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Draw groups as long as they bring the number of rows nearer to the share."""
    codes = np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(codes)
    ideal, taken, total = share * len(groups), list[int](), 0
    for group in generator.permutation(len(sizes)).tolist():
        if abs(total + sizes[group] - ideal) < abs(total - ideal):
            taken.append(group)
            total += int(sizes[group])
    return np.isin(codes, taken or [int(sizes.argmin())])


def _latest(times: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Choose the latest rows; rows of one time stay together."""
    ascending = np.sort(times)
    changes = np.flatnonzero(np.diff(ascending)) + 1
    if not len(changes):
        return np.zeros(len(times), dtype=bool)
    ideal = len(times) * (1 - share)
    return times >= ascending[changes[np.abs(changes - ideal).argmin()]]
