"""Bootstrap bias-corrected cross-validation (BBC-CV): choose on drawn rows, score on the others.

Tsamardinos, I., Greasidou, E., Borboudakis, G. (2018), Bootstrapping the out-of-sample predictions
for efficient and accurate cross-validation, Machine Learning 107, 1895-1922.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from iris_hpo.known_rules import Rule
from iris_hpo.selection.choosing import TOLERANCE, Scores, Standings, choose
from iris_hpo.selection.pool import Columns
from iris_hpo.selection.votes import Voters


class Sample(Protocol):
    """What is drawn from, `iris_hpo.selection.pool.Pool` or the scores of folds."""

    def standings(
        self, counts: Scores, columns: Columns, *, with_error: bool
    ) -> tuple[Scores, Scores | None, Scores]:
        """Mean over the folds, its standard error or None, and the score on all that is drawn."""
        ...

    def scores(self, counts: Scores, columns: Columns, addition: Sequence[Scores] = ()) -> Scores:
        """Scores on all that counts."""
        ...

    def vote_scores(
        self, counts: Scores, voters: Voters, addition: Sequence[Scores] = ()
    ) -> Scores | None:
        """Scores of a vote on all that counts; None if they do not follow from what is drawn."""
        ...

    def block(self, draws: int) -> int:
        """Number of candidates to score at once in so many draws."""
        ...


@dataclass(frozen=True, eq=False)
class Contest:
    """Who is chosen from, and how.

    Attributes
    ----------
    rule, share
        The rule, and the share that the rule ``within`` allows.
    test
        Score on the test rows, or number of correct rows. Shape (candidates,).
    simplicity
        Rank by simplicity. Shape (candidates,).
    champion
        Position of the champion of the real selection.
    references
        Number of references; their columns follow those of the candidates.
    votes
        Whether the vote of the selected candidates is scored too.
    """

    rule: Rule
    share: float
    test: Scores
    simplicity: NDArray[np.intp]
    champion: int
    references: int
    votes: bool = False


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of the draws; draws without a score are left out.

    Attributes
    ----------
    scores
        Score of each draw's choice on what was not drawn. Shape (draws,).
    plain, references
        The same without the addition, and the references' scores. Shapes (draws,) and (draws,
        references).
    as_good
        Share of the draws in which a candidate scores at least as well as the champion, on what is
        drawn. Shape (candidates,).
    votes
        Score of the vote of each draw's selected candidates; None without one. Shape (draws,).
    """

    scores: Scores
    plain: Scores
    references: Scores
    as_good: Scores
    votes: Scores | None = None


def run_draws(
    sample: Sample,
    contest: Contest,
    draws: Iterable[tuple[Scores, Scores]],
    addition: Sequence[Scores] = (),
    vote_addition: Sequence[Scores] = (),
) -> Outcome:
    """Choose and score in every draw.

    Parameters
    ----------
    draws
        How often each row counts for the choice and for the score, in blocks of draws.
    addition, vote_addition
        What to add to the sums of the scored rows, for the champions and for the votes.
    """
    outcomes: list[tuple[Scores, Scores, Scores]] = []
    votes: list[Scores] = []
    as_good, number = np.zeros(len(contest.test)), 0
    for drawn, left in draws:
        selected, winners, at_least = _choose(sample, contest, drawn)
        outcomes.append(_score(sample, contest, left, winners, addition))
        if contest.votes:
            of_votes = sample.vote_scores(left, Voters(selected, winners), vote_addition)
            votes += [] if of_votes is None else [of_votes]
        as_good += at_least
        number += len(drawn)
    scores, plain, references = (np.concatenate(one) for one in zip(*outcomes, strict=True))
    scored = np.isfinite(scores) & np.isfinite(plain)
    return Outcome(
        scores[scored],
        plain[scored],
        references[scored],
        as_good / max(number, 1),
        np.concatenate(votes)[scored] if votes else None,
    )


def _choose(
    sample: Sample, contest: Contest, drawn: Scores
) -> tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]:
    """Choose by what is drawn; count the draws in which a candidate is as good as the champion.

    Returns
    -------
    selected, winners, at_least
        Shapes (draws, candidates), (draws,) and (candidates,).
    """
    number, with_error = len(contest.test), contest.rule.needs_error
    mean = np.empty((len(drawn), number))
    error = np.empty_like(mean) if with_error else None
    at_least = np.zeros(number, dtype=np.intp)
    _, _, champion = sample.standings(drawn, np.array([contest.champion]), with_error=False)
    level = champion - TOLERANCE * np.abs(champion)
    size = sample.block(len(drawn))
    for first in range(0, number, size):
        columns = slice(first, min(first + size, number))
        mean[:, columns], errors, pooled = sample.standings(drawn, columns, with_error=with_error)
        if error is not None and errors is not None:
            error[:, columns] = errors
        at_least[columns] = (pooled >= level).sum(axis=0)
    test = np.broadcast_to(contest.test, mean.shape)
    standings = Standings(test, mean, error, contest.simplicity, contest.share)
    return *choose(contest.rule, standings), at_least


def _score(
    sample: Sample,
    contest: Contest,
    left: Scores,
    winners: NDArray[np.intp],
    addition: Sequence[Scores],
) -> tuple[Scores, Scores, Scores]:
    """Scores of the choices and of the references on what is not drawn."""
    number = len(contest.test)
    distinct, place = np.unique(winners, return_inverse=True)
    size, at = sample.block(len(left)), np.arange(len(left))
    plain, scores = np.empty(len(left)), np.empty(len(left))
    for first in range(0, len(distinct), size):
        columns = distinct[first : first + size]
        mine = (place >= first) & (place < first + size)
        block = sample.scores(left, columns)
        plain[mine] = block[at[mine], place[mine] - first]
        if addition:
            block = sample.scores(left, columns, addition)
        scores[mine] = block[at[mine], place[mine] - first]
    references = sample.scores(left, slice(number, number + contest.references))
    return scores, plain, references
