"""Draws of folds instead of rows, for scorings that do not follow from sums over rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from iris_hpo.selection.choosing import Scores
from iris_hpo.selection.draws import DRAWS, STREAM
from iris_hpo.selection.pool import BLOCK, Columns, standard_error
from iris_hpo.selection.votes import Voters


@dataclass(frozen=True, eq=False)
class FoldScores:
    """Scores of candidates on the folds.

    Attributes
    ----------
    values
        Shape (folds, candidates); references come last.
    """

    values: Scores

    def standings(
        self, counts: Scores, columns: Columns, *, with_error: bool
    ) -> tuple[Scores, Scores | None, Scores]:
        """Mean over drawn folds, its standard error or None, and the mean again."""
        mean = self.scores(counts, columns)
        if not with_error:
            return mean, None, mean
        scores = self.values[:, None, columns]
        return mean, standard_error(scores, counts.T[:, :, None], mean), mean

    def scores(self, counts: Scores, columns: Columns, addition: Sequence[Scores] = ()) -> Scores:
        """Mean over the folds that count."""
        if addition:
            raise ValueError("folds have no rows to add to")
        return counts @ self.values[:, columns] / counts.sum(axis=1, keepdims=True)

    def vote_scores(
        self,
        counts: Scores,
        voters: Voters,
        addition: Sequence[Scores] = (),
    ) -> None:
        """Give None: the score of a vote does not follow from those of the voters."""

    def block(self, draws: int) -> int:
        """Number of candidates to score at once in so many draws."""
        return max(1, BLOCK // (draws * len(self.values)))


def draw_folds(
    repeats: Sequence[range], seed: int, at_once: int
) -> Iterator[tuple[Scores, Scores]]:
    """Draw folds of one repeat with replacement, the repeats in turn, `DRAWS` times.

    Folds of different repeats share rows, so those of one repeat alone are drawn and left.

    Yields
    ------
    drawn, left
        How often each fold is drawn, and 1 for each fold of the repeat that is not. Shape (draws,
        folds).
    """
    random = np.random.default_rng([seed, STREAM])
    folds = len(repeats[0])
    for first in range(0, DRAWS, at_once):
        draws = min(at_once, DRAWS - first)
        drawn, left = np.zeros((2, draws, folds * len(repeats)))
        for draw in range(draws):
            counts = np.zeros(folds, dtype=np.intp)
            while counts.all() or not counts.any():
                counts = np.bincount(random.integers(0, folds, size=folds), minlength=folds)
            repeat = repeats[(first + draw) % len(repeats)]
            drawn[draw, repeat], left[draw, repeat] = counts, counts == 0
        yield drawn, left
