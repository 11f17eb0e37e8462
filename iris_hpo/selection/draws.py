"""Draws of the bootstrap: how often each row is drawn, and which rows are not."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.selection.choosing import Scores

DRAWS: Final = 1_000
"""Number of draws."""

_ATTEMPTS: Final = 100
"""How often draws are made again that lack a class, before giving up."""

STREAM: Final = 2018
"""Part of the seed, so that nothing else of the search has the same random numbers."""


class RareClassError(ValueError):
    """Draws do not find every kind of rows, such as a class.

    Attributes
    ----------
    kind, units
        Position of the rarest kind, and the number of units that have rows of it.
    """

    def __init__(self, kind: int, units: int) -> None:
        super().__init__(f"draws lack rows of kind {kind}, which is in {units}")
        self.kind, self.units = kind, units


@dataclass(frozen=True, eq=False)
class Units:
    """What is drawn: rows, or whole groups of rows.

    Attributes
    ----------
    of_rows
        For each row the unit that it belongs to, from 0. Shape (rows,).
    kinds
        For each row and kind, such as a class, whether the row has it. Each draw takes and
        leaves rows of every kind. Shape (rows, kinds).
    """

    of_rows: NDArray[np.intp]
    kinds: NDArray[np.bool_]

    @property
    def number(self) -> int:
        """Number of units."""
        return int(self.of_rows.max()) + 1

    def draw(self, seed: int, at_once: int) -> Iterator[tuple[Scores, Scores]]:
        """Draw as many units as there are, with replacement, `DRAWS` times.

        Yields
        ------
        drawn, left
            How often each row is drawn, and 1 for each row that is not. Shape (draws, rows).

        Raises
        ------
        RareClassError
            If draws keep lacking a kind of rows.
        """
        random = np.random.default_rng([seed, STREAM])
        for first in range(0, DRAWS, at_once):
            counts = self._counts(min(at_once, DRAWS - first), random)
            drawn = counts[:, self.of_rows]
            yield drawn.astype(np.float64), (drawn == 0).astype(np.float64)

    def _counts(self, draws: int, random: np.random.Generator) -> NDArray[np.intp]:
        """How often each unit is drawn."""
        counts = _drawn(draws, self.number, random)
        wrong = np.flatnonzero(self._lacks(counts))
        for _ in range(_ATTEMPTS):
            if not len(wrong):
                return counts
            counts[wrong] = _drawn(len(wrong), self.number, random)
            wrong = wrong[self._lacks(counts[wrong])]
        units = self._units_of_kinds.sum(axis=0)
        rarest = int(units.argmin())
        raise RareClassError(rarest, int(units[rarest]))

    @cached_property
    def _units_of_kinds(self) -> NDArray[np.float32]:
        """1 for each unit that has rows of a kind. Shape (units, kinds)."""
        units = np.zeros((self.number, self.kinds.shape[1]), dtype=np.float32)
        np.maximum.at(units, self.of_rows, self.kinds.astype(np.float32))
        return units

    def _lacks(self, counts: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether a draw lacks a kind of rows; a kind of one unit need not be left."""
        units = self._units_of_kinds
        several = units.sum(axis=0) > 1
        drawn = (counts > 0).astype(np.float32) @ units > 0
        left = (counts == 0).astype(np.float32) @ units > 0
        return ~(drawn & (left | ~several)).all(axis=1)


def _drawn(draws: int, number: int, random: np.random.Generator) -> NDArray[np.intp]:
    chosen = random.integers(0, number, size=(draws, number))
    chosen += np.arange(draws)[:, None] * number
    return np.bincount(chosen.ravel(), minlength=draws * number).reshape(draws, number)
