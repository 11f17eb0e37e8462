"""Decide what to draw for an estimate: rows, groups of rows, or folds; and draw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from iris_hpo.known_rules import RULES
from iris_hpo.selection.bootstrap import Contest, Outcome, run_draws
from iris_hpo.selection.choosing import Scores
from iris_hpo.selection.draws import DRAWS, RareClassError
from iris_hpo.selection.evidence import Curve, Evidence
from iris_hpo.selection.fold_scores import FoldScores, draw_folds
from iris_hpo.selection.pool import Pool, draws_at_once
from iris_hpo.selection.pooling import additions, agrees, build_pool, units_of, with_references
from iris_hpo.selection.rules import Scored, Selection, simplicity_ranks, test_score
from iris_hpo.text import legible
from iris_hpo.training.evaluation import Evaluation

MIN_ROWS: Final = 20
MIN_GROUPS: Final = 10
MIN_FOLDS: Final = 5
"""Fewest rows, groups, or folds of a repeat to draw from."""


class CannotDrawError(ValueError):
    """Nothing can be drawn; the message says why."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What came of the draws, and how they were made.

    Attributes
    ----------
    perfect
        The score without any error, if errors are compared by their ratio; else None.
    kind, method
        As in an `iris_hpo.selection.estimates.Estimate`.
    rows
        Number of rows of the model whose scores these are; None if it is not accounted for.
    """

    outcome: Outcome
    perfect: float | None
    kind: Literal["bbc", "bbc_folds"]
    method: str
    rows: int | None = None


def check_evidence(evaluations: Sequence[Evaluation], evidence: Evidence) -> None:
    """Refuse rows and folds that show nothing by being drawn.

    Raises
    ------
    CannotDrawError
        Says why.
    """
    if evidence.is_ordered:
        raise CannotDrawError("the order of the rows matters, so that they cannot be drawn")
    if len(evidence.folds) < 2:
        raise CannotDrawError("it needs predictions for the training rows; set folds to at least 2")
    if any(len(one.fold_scores) != len(evidence.folds) for one in evaluations):
        raise CannotDrawError("it needs a score of every candidate on each fold")
    if evidence.repeats is None:
        raise CannotDrawError("the folds do not validate all training rows equally often")


def draw(
    selection: Selection,
    scored: Sequence[Scored],
    references: Sequence[Evaluation],
    evidence: Evidence,
    curve: Curve | None,
    *,
    pool: Pool | None = None,
    votes: bool = False,
) -> Drawn:
    """Draw rows, or folds where the predictions do not give the scores.

    Parameters
    ----------
    scored
        The candidates in the order of the space.
    pool
        The candidates' pool, in the same order, if there is one already.
    votes
        Whether the vote of the selected candidates is scored too.

    Raises
    ------
    CannotDrawError
        If there is too little to draw from.
    """
    contest = _contest(selection, scored, len(references), votes=votes)
    evaluations = [*(entry.evaluation for entry in scored), *references]
    scoring = selection.scoring
    # The test rows that a rule chose on say nothing of what else it might have chosen.
    with_test = contest.rule.needs_folds
    if pool is None:
        pool = build_pool(evaluations, evidence, scoring, with_test=with_test)
    else:
        pool = with_references(pool, references, evidence, scoring, with_test=with_test)
    try:
        if pool is None or not agrees(pool, evaluations[: len(scored)]):
            return _draw_folds(contest, evaluations, evidence)
        return _draw_rows(pool, scoring, contest, evidence, curve)
    except RareClassError as error:
        raise CannotDrawError(_lacking(evidence, error)) from error


def _contest(
    selection: Selection, scored: Sequence[Scored], references: int, *, votes: bool
) -> Contest:
    rule = RULES[selection.rule]
    return Contest(
        rule,
        selection.within,
        np.array([test_score(entry, selection.scoring) for entry in scored], dtype=float),
        simplicity_ranks([entry.candidate for entry in scored], selection.space, rule),
        next(at for at, entry in enumerate(scored) if entry is selection.champion),
        references,
        votes,
    )


def _draw_rows(
    pool: Pool, scoring: str, contest: Contest, evidence: Evidence, curve: Curve | None
) -> Drawn:
    """Draw rows of a pool whose predictions give the scores."""
    units = units_of(evidence, with_test=pool.with_test)
    grouped = evidence.groups is not None
    fewest, what = (MIN_GROUPS, "groups") if grouped else (MIN_ROWS, "rows")
    if units.number < fewest:
        raise CannotDrawError(f"{units.number} {what} are too few to draw from; it needs {fewest}")
    addition = additions(pool, evidence, curve) if curve else ()
    vote_addition: Sequence[Scores] = ()
    if curve and contest.votes:  # the models that vote are not trained again
        vote_addition = additions(pool, evidence, replace(curve, rows=len(evidence.target)))
    draws = units.draw(evidence.seed, draws_at_once(pool.size, len(contest.test)))
    outcome = run_draws(pool, contest, draws, addition, vote_addition)
    if len(outcome.scores) < DRAWS / 2:
        raise CannotDrawError(f"draws of the rows do not define the scoring {scoring}")
    method = (
        f"BBC-CV, {DRAWS} draws of {f'{units.number} groups of ' if grouped else ''}{pool.size} "
        f"{'' if pool.with_test else 'training '}rows{_repeated(evidence)}"
    )
    rows = curve.rows if addition and curve else None
    return Drawn(outcome, pool.metric.perfect, "bbc", method, rows)


def _draw_folds(contest: Contest, evaluations: Sequence[Evaluation], evidence: Evidence) -> Drawn:
    """Draw folds."""
    repeats = evidence.folds_by_repeat
    if repeats is None:
        raise CannotDrawError("the folds do not follow each other by repeats")
    number = len(repeats[0])
    if number < MIN_FOLDS:
        raise CannotDrawError(
            f"{number} folds are too few to draw from without predictions of the rows; set folds "
            f"to at least {MIN_FOLDS}"
        )
    sample = FoldScores(np.array([one.fold_scores for one in evaluations]).T)
    draws = draw_folds(repeats, evidence.seed, draws_at_once(len(evidence.folds), len(evaluations)))
    outcome = run_draws(sample, contest, draws)
    method = f"BBC-CV, {DRAWS} draws of the scores of {number} folds{_repeated(evidence)}"
    return Drawn(outcome, None, "bbc_folds", method)


def _lacking(evidence: Evidence, error: RareClassError) -> str:
    """Say which class draws lack, and what to do."""
    what = "rows" if evidence.groups is None else "groups"
    advice = "join small classes under one label, or remove their rows"
    if evidence.task == "regression" or not error.kind:
        return f"there are so few training {what} that draws lack them: add {what}"
    labels = np.unique(np.concatenate([evidence.target, evidence.test_target]))
    name = legible(str(labels[error.kind - 1]))
    return f"class {name} has so few {what} ({error.units}) that draws lack it: {advice}"


def _repeated(evidence: Evidence) -> str:
    repeats = evidence.repeats or 1
    return f", {repeats} repeats of the folds averaged" if repeats > 1 else ""
