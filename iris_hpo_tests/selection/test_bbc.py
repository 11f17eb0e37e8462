"""BBC-CV equals plain loops over rows."""

import numpy as np
import pytest
from sklearn import metrics

from iris_hpo.known_rules import RULES
from iris_hpo.selection import pool
from iris_hpo.selection.estimates import assess
from iris_hpo.selection.pooling import units_of
from iris_hpo.selection.rules import select
from iris_hpo_tests.selection import plain_bbc
from iris_hpo_tests.selection.drawn_search import SPACES, drawn_case, plain


@pytest.mark.parametrize("seed", range(100))
@pytest.mark.usefixtures("few_draws")
def test_it_is_what_plain_loops_give(seed):
    scoring = [*plain_bbc.FUNCTIONS][seed % len(plain_bbc.FUNCTIONS)]
    rules = [name for name, rule in RULES.items() if not rule.scores_itself]
    rule = rules[(seed // len(plain_bbc.FUNCTIONS)) % len(rules)]
    evidence, scored, references = drawn_case(seed, scoring)
    high_is_simple = seed % 3 == 0
    selection = select(scored, SPACES[high_is_simple], scoring, rule)

    assessment = assess(selection, evidence, references, votes=True)

    with_test = rule != "test_score"
    ((drawn, _),) = units_of(evidence, with_test=with_test).draw(seed, 1_000)
    candidates = [
        plain(one.evaluation, one.candidate.values[0] * (-1) ** high_is_simple) for one in scored
    ]
    beside = [plain(one.evaluation, 0) for one in references]
    case = (
        evidence.target.tolist(),
        evidence.test_target.tolist(),
        [rows.tolist() for rows in evidence.folds],
        scoring,
        rule,
        evidence.repeats,
    )
    champion = scored.index(selection.champion)
    values, shares, gains, vote = plain_bbc.bbc(candidates, beside, champion, case, drawn.tolist())
    result = assessment.estimate
    assert result.kind == "bbc"
    bounded = scoring not in plain_bbc.NUMBERS
    for given, expected in ((result, values), (assessment.of_vote, vote)):
        low, high = (max(expected[1], 0), min(expected[2], 1)) if bounded else expected[1:]
        assert (given.value, given.low, given.high) == pytest.approx((expected[0], low, high))
    keys = {one.candidate.key for one, share in zip(scored, shares, strict=True) if share >= 0.025}
    assert {*assessment.as_good} == keys | {selection.champion.candidate.key}
    assert [(one.gain, one.low, one.high) for one in assessment.comparisons] == [
        pytest.approx(gain) for gain in gains
    ]


def test_row_metrics_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    for scoring, function in plain_bbc.FUNCTIONS.items():
        evidence, scored, _ = drawn_case(0, scoring)
        for _ in range(3):
            truth = evidence.target
            predicted = random.permutation(truth)
            scorer = metrics.get_scorer(scoring)
            value = scorer._sign * scorer._score_func(truth, predicted, **scorer._kwargs)
            assert function(truth.tolist(), predicted.tolist()) == pytest.approx(value)
        estimate = assess(select(scored, SPACES[0], scoring, "cv"), evidence).estimate
        assert estimate.kind == "bbc"


@pytest.mark.usefixtures("few_draws")
def test_blocks_of_candidates_decide_nothing(monkeypatch):
    evidence, scored, references = drawn_case(5, "f1_macro")
    selection = select(scored, SPACES[0], "f1_macro", "one_standard_error")
    whole = assess(selection, evidence, references)

    monkeypatch.setattr(pool.Pool, "block", lambda *_: 2)

    assert assess(selection, evidence, references) == whole
