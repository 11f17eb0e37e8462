"""The sentences about a champion, exactly."""

from typing import Any

import pytest

from iris_hpo.selection.estimates import Comparison, Estimate, NoEstimate
from iris_hpo.selection.sentences import (
    champion_lines,
    comparison_sentence,
    comparisons_of,
    decimals,
    expectation,
    others_sentence,
    reference_reason,
    score_sentence,
)
from iris_hpo_tests.selection.champions import EARLIER, ESTIMATE, champion_card


@pytest.mark.parametrize(
    ("numbers", "scoring", "sentence"),
    [
        ((0.9311, 0.8834, 0.9761), "accuracy", "expect 0.93, between 0.88 and 0.98 (95 %)"),
        ((0.9311, 0.92, 0.94), "accuracy", "expect 0.931, between 0.920 and 0.940 (95 %)"),
        ((0.41, 0.1, 0.72), "r2", "expect r2 0.4, between 0.1 and 0.7 (95 %)"),
        (
            (-3012.4, -3600.6, -2400.3),
            "neg_mean_squared_error",
            "expect neg_mean_squared_error -3012, between -3601 and -2400 (95 %)",
        ),
        ((1.0, 1.0, 1.0), "accuracy", "expect 1.0000, between 1.0000 and 1.0000 (95 %)"),
    ],
)
def test_an_estimate_has_the_decimals_that_its_interval_is_worth(
    numbers: tuple[float, float, float], scoring: str, sentence: str
) -> None:
    assert expectation(Estimate(*numbers, "", "bbc"), scoring) == sentence


def test_rounding_moves_no_number_by_more_than_a_tenth_of_the_interval() -> None:
    for width in (1e-6, 0.0499, 0.05, 0.0501, 0.1, 0.3, 0.99, 1, 3, 1e4):
        assert 0.5 * 10 ** -decimals(0, width) <= max(0.1 * width, 0.5) + 1e-12
        assert decimals(0, width) == 0 or 0.5 * 10 ** -decimals(0, width) <= 0.1 * width + 1e-12


def test_without_an_estimate_there_is_its_reason() -> None:
    assert expectation(NoEstimate("the rows are ordered in time"), "r2") == (
        "no estimate: the rows are ordered in time"
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "0.9667 on the 30 test rows it was chosen by"),
        (
            {"score": 28 / 30, "rule": "cv"},
            "0.9333 on the 30 test rows, which did not choose it",
        ),
        (
            {"score": 0.45678, "rule": "within", "scoring": "r2", "test_rows": 89},
            "r2 0.4568 on the 89 test rows, which did not choose it",
        ),
        ({"test_rows": None}, "0.9667 on the test rows it was chosen by"),
    ],
)
def test_a_test_score_is_shown_with_what_it_was_for(
    changes: dict[str, object], sentence: str
) -> None:
    assert score_sentence(champion_card(**changes)) == sentence


def test_the_estimate_comes_first() -> None:
    assert champion_lines(champion_card(), "classification", 77) == [
        "champion C32.0_G0.016: expect 0.93, between 0.88 and 0.98 (95 %)",
        "0.9667 on the 30 test rows it was chosen by",
        "33 of the 76 other candidates cannot be distinguished from it",
        "better than the defaults (0.907) by 0.031 on the same rows, between 0.011 and 0.060",
        (
            "better than the most frequent class (0.33) by 0.60 on the same rows, "
            "between 0.51 and 0.68"
        ),
        "9 candidates tie at the best (test_score); their models are in selection/models",
        "champion.pkl is the model that was scored, trained on 120 rows",
    ]


def test_a_champion_that_was_trained_again_says_so() -> None:
    card = champion_card(refit="all", training_rows=150, rule="cv", tied=1)

    assert champion_lines(card, "classification", 77)[-2:] == [
        "one candidate is the best (cv)",
        (
            "champion.pkl was trained again on all 150 rows; the model that was scored is "
            "selection/models/model_C32.0_G0.016.pkl"
        ),
    ]


def test_a_selection_of_an_earlier_version_is_shown_without_an_estimate() -> None:
    assert champion_lines(champion_card(**EARLIER), "classification", 77) == [
        "champion C32.0_G0.016: no estimate: an earlier version made this selection",
        "0.9667 on the test rows it was chosen by",
        "9 candidates tie at the best (test_score); their models are in selection/models",
        "champion.pkl is the model that was scored",
    ]


def test_a_reference_that_could_not_be_compared_has_a_reason() -> None:
    references = [{"name": "default", "reason": "it failed"}, {"name": "baseline", "score": 0.3}]
    card = champion_card(references=references)

    assert comparisons_of(card) == {}
    assert reference_reason(card, "default") == "it failed"
    assert reference_reason(card, "baseline") == "the rows cannot be compared"
    assert reference_reason(champion_card(references=[]), "default") == (
        "the objective names no default"
    )


@pytest.mark.parametrize(
    ("as_good", "candidates", "sentence"),
    [
        (1, 1, "there is no other candidate"),
        (1, 2, "the other candidate is worse beyond chance"),
        (2, 2, "the other candidate cannot be distinguished from it"),
        (1, 77, "each of the 76 other candidates is worse beyond chance"),
        (34, 77, "33 of the 76 other candidates cannot be distinguished from it"),
    ],
)
def test_others_are_counted_without_the_champion(
    as_good: int, candidates: int, sentence: str
) -> None:
    assert others_sentence(as_good, candidates) == sentence


@pytest.mark.parametrize(
    ("comparison", "task", "sentence"),
    [
        (
            Comparison("default", 0.9067, 0.0312, -0.0111, 0.0597),
            "classification",
            (
                "better than the defaults (0.91) by 0.03 on the same rows, "
                "between -0.01 and 0.06: this may be chance"
            ),
        ),
        (
            Comparison("baseline", 0.3333, 0.5978, 0.5123, 0.6789),
            "classification",
            (
                "better than the most frequent class (0.33) by 0.60 on the same rows, "
                "between 0.51 and 0.68"
            ),
        ),
        (
            Comparison("baseline", -0.0123, 0.4213, 0.3, 0.5),
            "regression",
            "better than the mean (-0.01) by 0.42 on the same rows, between 0.30 and 0.50",
        ),
        (
            Comparison("default", 0.95, -0.0312, -0.0789, 0.0111),
            "classification",
            (
                "worse than the defaults (0.95) by 0.03 on the same rows, "
                "between -0.01 and 0.08: this may be chance"
            ),
        ),
        (
            Comparison("default", 0.95, -0.06, -0.09, -0.03),
            "classification",
            "worse than the defaults (0.95) by 0.06 on the same rows, between 0.03 and 0.09",
        ),
        (
            Comparison("default", 0.9, -0.001, -0.05, 0.05),
            "classification",
            "as good as the defaults (0.90): the difference lies between -0.05 and 0.05",
        ),
        (
            Comparison("default", 0.9, 0.0, 0.0, 0.0),
            "classification",
            "it predicts the same as the defaults for each row",
        ),
    ],
)
def test_a_champion_is_compared_in_one_sentence(
    comparison: Comparison, task: str, sentence: str
) -> None:
    assert comparison_sentence(comparison, task) == sentence  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("size", "estimate", "line"),
    [
        (
            44_100,
            {"estimate": ESTIMATE},
            (
                "ensemble.pkl is the vote of 9 models (45 kB): "
                "expect 0.93, between 0.88 and 0.98 (95 %)"
            ),
        ),
        (
            1_250_000,
            {"estimate": None, "estimate_reason": "it needs rows"},
            "ensemble.pkl is the vote of 9 models (1.2 MB): no estimate: it needs rows",
        ),
    ],
)
def test_the_vote_of_the_selected_models_is_the_last_line(
    size: int, estimate: dict[str, Any], line: str
) -> None:
    card = champion_card(ensemble={"digest": "", "bytes": size, "models": 9, **estimate})

    assert champion_lines(card, "classification", 77)[-1] == line
    assert champion_lines(card, "classification", 77)[:-1] == champion_lines(
        champion_card(), "classification", 77
    )
