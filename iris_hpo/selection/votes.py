"""What a vote of candidates predicts, in many draws at once.

`iris_hpo.selection.ensemble` does the same with models.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Task

Vote = Literal["classes", "numbers", "probabilities"]

CLASSES: Final = "classes"
NUMBERS: Final = "numbers"
PROBABILITIES: Final = "probabilities"

VOTES: Final[Mapping[Task, Vote]] = {"classification": CLASSES, "regression": NUMBERS}
"""How predictions are combined, by task."""

TIE_BREAK: Final = 0.5
"""What a champion's vote counts more than the others': it decides between equal numbers of them."""


class Voters:
    """The candidates that vote in each draw.

    Draws with the same voters and champion are computed once.

    Parameters
    ----------
    selected
        Whether a candidate votes. Shape (draws, candidates).
    champions
        Position of the champion in each draw. Shape (draws,).
    """

    def __init__(self, selected: NDArray[np.bool_], champions: NDArray[np.intp]) -> None:
        keys = np.column_stack([np.packbits(selected, axis=1), _bytes_of(champions)])
        _, first, self._place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        self._used = np.flatnonzero(selected.any(axis=0))
        self._weights = selected[np.ix_(first, self._used)].T.astype(np.float64)
        self._numbers = self._weights.sum(axis=0)
        self._champions = np.searchsorted(self._used, champions[first])

    def predict(self, vote: Vote, columns: NDArray[Any]) -> NDArray[Any]:
        """Predict what the voters of each draw do together.

        Parameters
        ----------
        columns
            Codes of classes, numbers, or log losses. Shape (rows, candidates).

        Returns
        -------
        array
            The same of the vote. Shape (rows, draws).
        """
        columns = columns[:, self._used]
        if vote == CLASSES:
            together = self._most(columns)
        elif vote == NUMBERS:
            together = columns @ self._weights / self._numbers
        else:  # the losses are those of the probability of the true class
            together = -np.log(np.exp(-columns) @ self._weights / self._numbers)
        return together[:, self._place.ravel()]

    def _most(self, columns: NDArray[Any]) -> NDArray[Any]:
        """Codes with the most votes, the champion's deciding, else the first."""
        weights = self._weights.astype(np.float32)  # halves are exact
        weights[self._champions, np.arange(weights.shape[1])] += TIE_BREAK
        most = np.zeros((len(columns), weights.shape[1]), np.float32)
        winners = np.zeros(most.shape, columns.dtype)
        for code in np.unique(columns):
            votes = (columns == code).astype(np.float32) @ weights
            winners[votes > most] = code
            np.maximum(most, votes, out=most)
        return winners


def _bytes_of(positions: NDArray[np.intp]) -> NDArray[np.uint8]:
    return positions.astype(np.int64)[:, None].view(np.uint8)
