"""Checks of a selection, each both ways and where it does not apply, on facts made by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from iris_hpo.data.findings import Finding
from iris_hpo.errors import InputError
from iris_hpo.selection.checks import CHECKS, Facts, check_names
from iris_hpo.selection.estimates import Estimate, Evidence
from iris_hpo.selection.fold_test import compare_folds, examine_folds, find_errors
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.predictions import Predictions
from iris_hpo_tests.selection.champions import BASELINE, DEFAULT, EARLIER, champion_card

BEFORE = Estimate(0.95, 0.9, 0.99, "", "bbc")
FACTS = Facts(champion_card(), "classification", BEFORE)


def examine(name: str, **changes: Any) -> Finding:
    return CHECKS[name].examine(replace(FACTS, card=champion_card(**changes)))


def test_all_pass_on_a_good_champion() -> None:
    findings = {name: check.examine(FACTS) for name, check in CHECKS.items()}

    assert {name for name, finding in findings.items() if not finding.passed} == set()
    assert all(finding.applies for finding in findings.values())


@pytest.mark.parametrize(
    ("name", "changes", "text"),
    [
        (
            "better_than_default",
            {"references": [{**DEFAULT, "low": -0.0111}, BASELINE]},
            (
                "better than the defaults (0.91) by 0.03 on the same rows, "
                "between -0.01 and 0.06: this may be chance"
            ),
        ),
        (
            "better_than_baseline",
            {"references": [DEFAULT, {**BASELINE, "gain": 0.0, "low": -0.1, "high": 0.1}]},
            "as good as the most frequent class (0.33): the difference lies between -0.10 and 0.10",
        ),
        (
            "champion_is_within_grid",
            {"edges": [["C", "lowest"]]},
            (
                "the champion has the lowest C of all that were tried: better candidates may lie "
                "beyond"
            ),
        ),
        (
            "folds_agree",
            {"fold_test": {"shares": [0.05, 0.5], "p_value": 0.0004}},
            (
                "0.05 to 0.50 of a fold's rows are predicted wrongly; chance makes them as uneven "
                "in 0.0004 of cases; rows may depend on each other or be in order: check the "
                "splitter"
            ),
        ),
        (
            "estimate_is_kept",
            {"estimate": {"value": 0.85, "low": 0.8, "high": 0.9, "method": "", "kind": "bbc"}},
            "0.85 is below the interval of the selection before, 0.95 and at least 0.90",
        ),
    ],
)
def test_each_warns(name: str, changes: dict[str, Any], text: str) -> None:
    assert examine(name, **changes) == Finding(text, passed=False)


EARLIER_REASON = "an earlier version made this selection"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("better_than_default", EARLIER_REASON),
        ("better_than_baseline", EARLIER_REASON),
        ("folds_agree", "the predictions of the folds were not kept"),
        ("estimate_is_kept", f"there is no estimate: {EARLIER_REASON}"),
    ],
)
def test_each_gives_the_reason_if_it_does_not_apply(name: str, reason: str) -> None:
    finding = examine(name, **EARLIER)

    assert finding == Finding(f"does not apply: {reason}", passed=True, applies=False)


def test_the_first_selection_has_none_before_it() -> None:
    finding = CHECKS["estimate_is_kept"].examine(replace(FACTS, before="it is the first"))

    assert finding == Finding("does not apply: it is the first", passed=True, applies=False)


def test_an_unknown_check_is_refused() -> None:
    assert check_names(("folds_agree",)) == ("folds_agree",)
    with pytest.raises(InputError, match="check 'folds_agre' is unknown; choose from better_") as e:
        check_names(("folds_agree", "folds_agre"))
    assert e.value.field == (1,)


def test_errors_that_are_spread_by_chance_agree() -> None:
    """A share of about 1 % of random divisions is significant at 1 %."""
    random = np.random.default_rng(3)
    tests = [compare_folds(np.array_split(random.random(120) < 0.1, 5)) for _ in range(200)]

    assert sum(test.p_value < 0.01 for test in tests) <= 6
    assert sum(test.p_value < 0.5 for test in tests) > 60


def test_errors_in_one_fold_disagree() -> None:
    errors = [np.arange(24) < count for count in (2, 2, 3, 2, 12)]
    test = compare_folds(errors)

    assert test.p_value < 0.001
    assert list(test.shares) == [2 / 24, 2 / 24, 3 / 24, 2 / 24, 12 / 24]


def test_the_p_value_is_that_of_all_tables() -> None:
    """Two folds of three rows with three errors: 2 of the 20 ways put all of them into one fold."""
    test = compare_folds([np.array([True] * 3), np.array([False] * 3)])

    assert test.p_value == pytest.approx(2 / 20, abs=0.015)
    assert compare_folds([np.array([True, False])] * 2).p_value == 1


def test_repeats_are_compared_within_themselves() -> None:
    """Every repeat has the same rows: what differs between repeats alone is no disagreement."""
    first, second = np.arange(20) < 10, np.arange(20) < 0

    assert compare_folds([first, first, second, second], repeats=2).p_value == 1
    assert compare_folds([first, first, second, second], repeats=1).p_value < 0.01


def test_errors_are_wrong_classes_or_large_distances() -> None:
    classes, predicted = np.array(["a", "b", "b"]), np.array(["a", "b", "a"])
    numbers, near = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.1, 2.0, 3.5, 0.0])

    assert find_errors("classification", classes, predicted).tolist() == [False, False, True]
    assert find_errors("regression", numbers, near).tolist() == [False, False, True, True]


def test_the_errors_are_those_of_each_fold_s_rows() -> None:
    """Rows 0 to 3 in two folds; the second fold holds all errors, in both repeats."""
    target = np.array(["a", "a", "b", "b"])
    folds = [np.array([0, 2]), np.array([1, 3])]
    right, wrong = np.array(["a", "b"]), np.array(["b", "a"])
    evidence = Evidence("classification", target, target, [*folds, *folds])
    predictions = Predictions((right, wrong, right, wrong), target)

    test = examine_folds(Evaluation(1.0, predictions=predictions), evidence)

    assert test is not None
    assert test.shares == (0, 1, 0, 1)
    assert test.p_value == pytest.approx(1 / 9, abs=0.015), "2 of 6 tables, in each repeat"
    assert examine_folds(Evaluation(1.0), evidence) is None
