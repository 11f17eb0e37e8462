"""How good the champion really is: an estimate that accounts for the choice, and comparisons.

How candidates are chosen is in `rules`; what is stored and shown of an estimate is elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from iris_hpo.known_rules import RULES
from iris_hpo.selection.bootstrap import Outcome
from iris_hpo.selection.choosing import Scores
from iris_hpo.selection.evidence import Curve, Evidence, Reference
from iris_hpo.selection.intervals import (
    STRETCH,
    corrected_t_interval,
    percentile_interval,
    within_limits,
)
from iris_hpo.selection.pool import Pool
from iris_hpo.selection.rules import Selection
from iris_hpo.selection.sampling import CannotDrawError, Drawn, check_evidence, draw
from iris_hpo.training.evaluation import Evaluation

__all__ = [
    "Assessment",
    "Comparison",
    "Curve",
    "Estimate",
    "Evidence",
    "NoEstimate",
    "Reference",
    "assess",
]

Kind = Literal["bbc", "bbc_folds", "corrected_t"]

_SCORES_ITSELF: Final = "the objective scores itself, and shows no predictions of rows or folds"

_CHANCE: Final = 0.025
"""A candidate is as good if it reaches the champion in at least this share of the draws."""


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
    of_vote
        What the vote of all selected candidates is expected to score; None where there is no vote.
    """

    estimate: Estimate | NoEstimate
    as_good: tuple[str, ...] | None = None
    comparisons: tuple[Comparison, ...] = ()
    of_vote: Estimate | NoEstimate | None = None


def assess(
    selection: Selection,
    evidence: Evidence,
    references: Sequence[Reference] = (),
    curve: Curve | None = None,
    *,
    pool: Pool | None = None,
    votes: bool = False,
) -> Assessment:
    """Estimate the champion's score, and compare it with the other candidates and references.

    Parameters
    ----------
    references
        What else the champion is compared with.
    curve
        How the champion's predictions improve with more rows, for the estimate of a model that is
        trained on more rows than those that were scored; by default it is not accounted for.
    pool
        The candidates' predictions, in the order of the space, if they were put together before.
    votes
        Whether the vote of the selected candidates' models, as they were scored, is estimated too.
    """
    scored = sorted(
        (row.scored for row in selection.rows),
        key=lambda entry: selection.space.order(entry.candidate),
    )
    only = None
    try:
        _check([entry.evaluation for entry in scored], selection.rule, evidence)
        only = _of_one(selection, evidence) if len(scored) == 1 else None
        evaluations = [reference.evaluation for reference in references]
        drawn = draw(selection, scored, evaluations, evidence, curve, pool=pool, votes=votes)
    except CannotDrawError as error:
        missing = only or NoEstimate(str(error))
        return Assessment(missing, of_vote=missing if votes else None)
    keys = [entry.candidate.key for entry in scored]
    shares = dict(zip(keys, drawn.outcome.as_good.tolist(), strict=True))
    as_good = [
        row.scored.candidate.key
        for row in selection.rows
        if row.champion or shares[row.scored.candidate.key] >= _CHANCE
    ]
    rows = f", for a model of {drawn.rows} rows" if drawn.rows else ""
    return Assessment(
        only or _estimate(selection.scoring, drawn, drawn.outcome.scores, rows),
        tuple(as_good),
        _compare(drawn.outcome, references, selection.champion.evaluation, _stretch(drawn)),
        (only or _of_vote(selection, evidence, drawn)) if votes else None,
    )


def _check(evaluations: Sequence[Evaluation], rule: str, evidence: Evidence) -> None:
    if RULES[rule].scores_itself:
        raise CannotDrawError(_SCORES_ITSELF)
    check_evidence(evaluations, evidence)


def _estimate(scoring: str, drawn: Drawn, scores: Scores, note: str) -> Estimate:
    """Estimate from the scores of the draws; a note is added to the method."""
    interval = percentile_interval(scores, drawn.perfect, _stretch(drawn))
    interval = within_limits(scoring, interval)
    return Estimate(*interval, f"{drawn.method}{note}", drawn.kind)


def _stretch(drawn: Drawn) -> float:
    return STRETCH if drawn.kind == "bbc" else 1.0


def _of_vote(selection: Selection, evidence: Evidence, drawn: Drawn) -> Estimate | NoEstimate:
    """Estimate for the vote of the selected candidates' models, as they were scored."""
    votes = drawn.outcome.votes
    if votes is None:
        return NoEstimate("the score of a vote does not follow from the scores of the voters")
    rows = f", for a vote of models of {len(evidence.target)} rows" if drawn.rows else ""
    return _estimate(selection.scoring, drawn, votes, rows)


def _compare(
    outcome: Outcome, references: Sequence[Reference], champion: Evaluation, stretch: float
) -> tuple[Comparison, ...]:
    """Compare the choice of each draw with the references on the same rows.

    A reference that predicts what the champion predicts is no better and no worse, whatever else is
    chosen in draws.
    """
    gains = outcome.plain[:, None] - outcome.references
    return tuple(
        Comparison(
            reference.name,
            float(outcome.references[:, at].mean()),
            *(
                (0.0, 0.0, 0.0)
                if _predict_the_same(champion, reference.evaluation)
                else percentile_interval(gains[:, at], stretch=stretch)
            ),
        )
        for at, reference in enumerate(references)
    )


def _predict_the_same(one: Evaluation, other: Evaluation) -> bool:
    if (one.score, one.fold_scores) != (other.score, other.fold_scores):
        return False
    own, others = one.predictions, other.predictions
    if own is None or others is None:
        return own is others
    columns = zip((*own.folds, own.test), (*others.folds, others.test), strict=True)
    return all(np.array_equal(column, of_other) for column, of_other in columns)


def _of_one(selection: Selection, evidence: Evidence) -> Estimate:
    """Estimate for the only candidate."""
    scores = np.array(selection.champion.evaluation.fold_scores)
    validated = float(np.mean([len(rows) for rows in evidence.folds]))
    ratio = validated / (len(evidence.target) - validated)
    method = f"corrected resampled t interval over {len(scores)} folds"
    interval = within_limits(selection.scoring, corrected_t_interval(scores, ratio))
    return Estimate(*interval, method, "corrected_t")
