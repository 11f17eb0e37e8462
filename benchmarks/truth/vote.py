"""The vote of the candidates that a rule selects: what is reported of it, and what is true."""

from dataclasses import replace
from typing import Final

from benchmarks.truth.beside import grid_search_champion
from benchmarks.truth.outcomes import Outcome
from benchmarks.truth.search import Delivered, Search, known, true_score
from iris_hpo.selection.ensemble import Ensemble, make_ensemble
from iris_hpo.training.cards import dump_model
from iris_hpo.training.metrics import wilson_interval

VOTING: Final = ("test_score", "within")
"""Rules that often select several candidates, by a tie and by a margin."""

FRESH: Final = 2_000
"""Fresh rows that show the truth of a vote, since each of its models predicts them."""


def judge_vote(search: Search, delivered: Delivered, champion: Outcome) -> Outcome:
    """Compare what is reported of a vote with the truth.

    Parameters
    ----------
    delivered
        The selection, with an estimate of its vote.
    champion
        What was found of the champion of the same selection.
    """
    estimate = known(delivered.of_vote, f"{champion.generator}, {champion.rule}, ensemble")
    vote = _vote(search, delivered)
    sample = replace(
        search.sample,
        fresh_features=search.sample.fresh_features[:FRESH],
        fresh_target=search.sample.fresh_target[:FRESH],
    )
    beside = search.models[grid_search_champion(search)]
    return replace(
        champion,
        rule=f"{champion.rule}, ensemble",
        truth=true_score(search.spec, vote, sample),
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        wilson=None if champion.wilson is None else _wilson(search, vote),
        grid_search=true_score(search.spec, beside, sample),
    )


def _vote(search: Search, delivered: Delivered) -> Ensemble:
    """Make the ensemble as a selection does."""
    keys = [entry.candidate.key for entry in delivered.selected]
    return make_ensemble(
        [dump_model(search.models[key]) for key in keys],
        keys.index(delivered.champion.candidate.key),
        search.spec.task,
        delivered.champion.evaluation,
    )


def _wilson(search: Search, vote: Ensemble) -> float:
    """Width of Wilson's interval of the vote on the test rows."""
    target = search.examples.test_target
    correct = int((vote.predict(search.examples.test_features) == target).sum())
    low, high = wilson_interval(correct, len(target))
    return high - low
