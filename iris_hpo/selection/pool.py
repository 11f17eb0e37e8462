"""The pool: what every candidate predicts for every row, and its scores in draws of the rows.

Training rows come first, then the test rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.selection.choosing import Scores
from iris_hpo.selection.row_metrics import RowMetric, Truth
from iris_hpo.selection.votes import Vote, Voters

BLOCK: Final = 2_000_000
"""Number of values in a block of intermediate results: 16 MB in double precision."""

Columns = slice | NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over drawn rows, as a `RowMetric` combines them."""

    of_candidates: Sequence[Scores]
    of_rows: Sequence[Scores]

    def plus(self, other: "Sums") -> "Sums":
        """Add other sums."""
        return Sums(
            [first + second for first, second in _pairs(self.of_candidates, other.of_candidates)],
            [first + second for first, second in _pairs(self.of_rows, other.of_rows)],
        )

    def divided(self, by: int) -> "Sums":
        """Divide the sums."""
        return Sums([one / by for one in self.of_candidates], [one / by for one in self.of_rows])


def _pairs(first: Sequence[Scores], second: Sequence[Scores]) -> Sequence[tuple[Scores, Scores]]:
    return list(zip(first, second, strict=True))


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Rows that were scored together: a fold's validation rows, or the test rows.

    Attributes
    ----------
    rows
        Positions in the pool.
    truth
        Shape (rows,).
    columns
        What candidates predict, or their losses. Shape (rows, candidates).
    weights
        How much each row counts; None if all count alike. Shape (rows,).
    """

    rows: NDArray[np.intp]
    truth: Truth
    columns: NDArray[Any]
    weights: Scores | None = None

    def sums(self, metric: RowMetric, counts: Scores, columns: Columns) -> Sums:
        """Sum over rows.

        Parameters
        ----------
        counts
            How often each row of the pool counts. Shape (draws, rows of the pool).
        """
        weights = counts[:, self.rows]
        if self.weights is None:
            narrow = weights.astype(np.float32)  # whole numbers below 2**24 are exact
        else:
            narrow = weights = weights * self.weights
        of_candidates = [
            ((narrow if part.dtype == np.float32 else weights)[:, rows] @ part).astype(np.float64)
            for rows, part in metric.parts(self.truth, self.columns[:, columns])
        ]
        totals = [(weights @ total)[:, None] for total in metric.totals(self.truth)]
        return Sums(of_candidates, totals)

    def vote_sums(self, metric: RowMetric, counts: Scores, vote: Vote, voters: Voters) -> Sums:
        """Sum over rows what a vote predicts, another one in each draw."""
        weights = counts[:, self.rows]
        if self.weights is not None:
            weights = weights * self.weights
        together = voters.predict(vote, self.columns)
        of_votes = [
            np.einsum("dr,rd->d", weights[:, rows], part)[:, None]
            for rows, part in metric.parts(self.truth, together)
        ]
        totals = [(weights @ total)[:, None] for total in metric.totals(self.truth)]
        return Sums(of_votes, totals)


@dataclass(frozen=True, eq=False)
class Pool:
    """The rows of a search with what the candidates predict for them.

    Attributes
    ----------
    metric
        The scoring.
    folds, test
        The rows of each fold, of all repeats, and the test rows.
    repeats
        How often each training row was validated.
    with_test
        Whether test rows are drawn with the training rows; otherwise they are out of the pool.
    vote
        How candidates vote.
    """

    metric: RowMetric
    folds: Sequence[ScoredRows]
    test: ScoredRows
    repeats: int
    with_test: bool
    vote: Vote

    @cached_property
    def size(self) -> int:
        """Number of rows that are drawn."""
        training = sum(len(fold.rows) for fold in self.folds) // self.repeats
        return training + self.with_test * len(self.test.rows)

    @property
    def width(self) -> int:
        """Number of candidates, with the references behind them."""
        return self.test.columns.shape[1]

    def standings(
        self, counts: Scores, columns: Columns, *, with_error: bool
    ) -> tuple[Scores, Scores | None, Scores]:
        """Score candidates on drawn rows.

        A fold counts by how many of its rows are drawn, so that the draw with each row once gives
        the mean over the folds.

        Parameters
        ----------
        counts
            How often each row is drawn. Shape (draws, rows).
        with_error
            Whether the rule needs the standard error.

        Returns
        -------
        mean, error, pooled
            Mean over the folds, its standard error or None, and the score on all drawn rows
            together. Shape (draws, candidates).
        """
        sums = [fold.sums(self.metric, counts, columns) for fold in self.folds]
        drawn = [counts[:, fold.rows].sum(axis=1, keepdims=True) for fold in self.folds]
        scores = np.stack([self._combine(fold) for fold in sums])
        weights = np.stack(
            [one / len(fold.rows) for one, fold in zip(drawn, self.folds, strict=True)]
        )
        mean, weights = weighted_mean(scores, weights)
        error = standard_error(scores, weights, mean, self.repeats) if with_error else None
        if self.with_test:
            sums.append(self.test.sums(self.metric, counts, columns))
        return mean, error, self._combine(self._pooled(sums))

    def score_together(self, rows: ScoredRows, counts: Scores, columns: Columns) -> Scores:
        """Score candidates on the rows of a fold, or on the test rows."""
        return self._combine(rows.sums(self.metric, counts, columns))

    def scores(self, counts: Scores, columns: Columns, addition: Sequence[Scores] = ()) -> Scores:
        """Score candidates on rows together: folds of repeats averaged, with the test rows.

        Parameters
        ----------
        addition
            What to add to the sums for each row; nothing by default. Shapes (rows,).
        """
        sums = [rows.sums(self.metric, counts, columns) for rows in self._drawn]
        return self._combine(self._pooled(sums, counts, addition))

    def vote_scores(
        self, counts: Scores, voters: Voters, addition: Sequence[Scores] = ()
    ) -> Scores:
        """Score the vote of each draw as `scores` does candidates. Shape (draws,)."""
        sums = [rows.vote_sums(self.metric, counts, self.vote, voters) for rows in self._drawn]
        return self._combine(self._pooled(sums, counts, addition))[:, 0]

    def block(self, draws: int) -> int:
        """Number of candidates to score at once in so many draws."""
        return max(1, BLOCK // (draws * (len(self.folds) + 1)))

    @property
    def _drawn(self) -> Sequence[ScoredRows]:
        """The rows that are drawn: those of each fold, and then the test rows."""
        return [*self.folds, self.test] if self.with_test else self.folds

    def _pooled(
        self, sums: Sequence[Sums], counts: Scores | None = None, addition: Sequence[Scores] = ()
    ) -> Sums:
        """Add the sums over `_drawn`, and what the counted rows add; average the repeats."""
        total, folds = sums[0], len(self.folds)
        for fold in sums[1:folds]:
            total = total.plus(fold)
        total = total.divided(self.repeats) if self.repeats > 1 else total
        for test in sums[folds:]:
            total = total.plus(test)
        if counts is None or not addition:
            return total
        more = [(counts @ one)[:, None] for one in addition]
        return Sums(
            [one + extra for one, extra in zip(total.of_candidates, more, strict=True)],
            total.of_rows,
        )

    def _combine(self, sums: Sums) -> Scores:
        with np.errstate(all="ignore"):
            return self.metric.combine(sums.of_candidates, sums.of_rows)


def weighted_mean(scores: Scores, weights: Scores) -> tuple[Scores, Scores]:
    """Mean over folds without those that have no score, and the weights that remain.

    Parameters
    ----------
    scores, weights
        Shapes (folds, draws, candidates) and (folds, draws, 1).
    """
    weights = np.where(np.isfinite(scores[:, :, :1]), weights, 0.0)
    if not weights.all():
        scores = np.where(weights > 0, scores, 0.0)
    total = np.maximum(weights.sum(axis=0), np.finfo(float).tiny)
    return np.einsum("fdc,fd->dc", scores, weights[:, :, 0]) / total, weights


def standard_error(scores: Scores, weights: Scores, mean: Scores, repeats: int = 1) -> Scores:
    """Standard error of a `weighted_mean`; the folds of one repeat are counted."""
    total = np.maximum(weights.sum(axis=0), np.finfo(float).tiny)
    folds = (weights > 0).sum(axis=0)
    deviations = np.where(weights > 0, scores - mean, 0.0)
    squares = np.einsum("fdc,fdc,fd->dc", deviations, deviations, weights[:, :, 0]) / total
    return np.sqrt(repeats * squares / np.maximum(folds - 1, 1))


def draws_at_once(rows: int, candidates: int) -> int:
    """Number of draws to make at once."""
    return max(1, min(BLOCK // max(rows, 1), BLOCK // max(candidates, 1)))
