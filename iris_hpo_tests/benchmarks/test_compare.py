"""The arithmetic of the benchmarks, and their refusal of scores that differ."""

import operator

import pytest

from benchmarks.compare import (
    Goal,
    Ran,
    Results,
    ScoresDifferError,
    Spread,
    check_scores,
    compare,
    number,
)
from benchmarks.contestants.problem import Score

FIRST = Score(0.5, 0.25, 28, 0.9375)
SECOND = Score(2.0, 0.25, 29, 0.95)


def test_spread_is_median_least_and_greatest():
    assert Spread.of([5.0, 1.0, 3.0]) == Spread(3.0, 1.0, 5.0)
    assert Spread.of([1.0, 2.0]) == Spread(1.5, 1.0, 2.0)


def test_ratio_is_of_medians_and_its_spread_of_the_repetitions():
    ratio = compare([2.0, 4.0, 12.0], [4.0, 16.0, 8.0], operator.truediv)

    assert ratio == Spread(4.0 / 8.0, 4.0 / 16.0, 12.0 / 8.0)


def test_difference_is_of_medians_too():
    growth = compare([110.0, 150.0, 130.0], [100.0, 100.0, 90.0], operator.sub)

    assert growth == Spread(30.0, 10.0, 50.0)


def test_every_repetition_needs_its_partner():
    with pytest.raises(ValueError, match="shorter"):
        compare([1.0, 2.0, 3.0], [1.0, 2.0], operator.truediv)


def test_a_single_repetition_is_compared_with_each_of_ours():
    assert compare([1.0, 2.0, 6.0], [4.0], operator.truediv) == Spread(0.5, 0.25, 1.5)


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        (Goal(0.8), 0.8, True),
        (Goal(0.8), 0.81, False),
        (Goal(11, exact=True), 11, True),
        (Goal(11, exact=True), 10, False),
        (Goal(11, exact=True), 12, False),
    ],
)
def test_goals(goal, value, met):
    assert goal.is_met(value) is met


def test_goals_are_told():
    goals = [Goal(0.8), Goal(2 / 7), Goal(100), Goal(11, exact=True)]

    assert [str(goal) for goal in goals] == ["≤ 0.8", "≤ 0.29", "≤ 100", "exactly 11"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0213, "0.021"), (0.64, "0.64"), (-43.32, "-43.3"), (168.3, "168"), (1234.5, "1,234")],
)
def test_numbers_have_the_digits_that_repetitions_agree_on(value, text):
    assert number(value) == text


def test_equal_scores_in_any_order_are_equal():
    nearly = Score(0.5, 0.25, 28, 0.9375 + 5e-13)

    check_scores("one", [FIRST, SECOND], "other", [SECOND, nearly])


@pytest.mark.parametrize(
    "other",
    [
        Score(0.5, 0.25, 27, 0.9375),
        Score(0.5, 0.25, 28, 0.9375 + 2e-12),
        Score(0.5, 0.25, 28, None),
    ],
    ids=["test", "cross-validation", "none"],
)
def test_scores_that_differ_are_refused_with_both(other):
    with pytest.raises(ScoresDifferError) as refused:
        check_scores("one", [FIRST, SECOND], "other", [SECOND, other])

    assert f"one has {FIRST}, other has {other}" in str(refused.value)


def test_a_contestant_may_have_done_a_part():
    check_scores("one", [FIRST, SECOND], "other", [SECOND])
    with pytest.raises(ScoresDifferError, match="scores differ"):
        check_scores("one", [FIRST, SECOND], "other", [Score(2.0, 0.25, 30, 0.95)])


def test_other_candidates_are_refused():
    with pytest.raises(ScoresDifferError, match="share only 1"):
        check_scores("one", [FIRST, SECOND], "other", [FIRST, Score(2.0, 1.0, 29, 0.95)])


def test_a_candidate_twice_is_refused():
    with pytest.raises(ScoresDifferError, match=r"other has the candidate .* twice"):
        check_scores("one", [FIRST, SECOND], "other", [FIRST, FIRST])


def test_results_compare_with_every_contestant_and_repetition():
    results = Results()
    results.add("one", Ran({"seconds": 1.0}, [FIRST]))
    results.add("no scores", Ran({"seconds": 2.0}))
    results.add("other", Ran({"seconds": 3.0}, [FIRST]))
    results.add("one", Ran({"seconds": 4.0}, [FIRST]))

    with pytest.raises(ScoresDifferError):
        results.add("other", Ran({"seconds": 5.0}, [Score(0.5, 0.25, 1, 0.9375)]))

    assert results.values("one", "seconds") == [1.0, 4.0]
    assert results.values("other", "seconds") == [3.0]
