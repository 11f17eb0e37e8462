"""Metrics: scikit-learn's numbers, exactly, and Wilson's interval."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from iris_hpo.training.metrics import count_correct, measure, wilson_interval

PAIRS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from("abcdef")), min_size=1, max_size=60
)
NUMBERS = st.floats(-1e6, 1e6)


def scikit_learns(target, predicted):
    with warnings.catch_warnings():
        # It remarks on what these metrics are defined for all the same.
        warnings.filterwarnings("ignore", "y_pred contains classes not in y_true", UserWarning)
        warnings.filterwarnings("ignore", "A single label was found", UserWarning)
        return {
            "accuracy": sklearn_metrics.accuracy_score(target, predicted),
            "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(target, predicted),
            "macro_f1": sklearn_metrics.f1_score(target, predicted, average="macro"),
        }


@given(PAIRS)
def test_classification_equals_scikit_learn_to_the_last_bit(pairs):
    target, predicted = map(np.array, zip(*pairs, strict=True))

    assert dict(measure("classification", target, predicted)) == scikit_learns(target, predicted)


@pytest.mark.parametrize(
    ("target", "predicted", "accuracy", "balanced", "f1"),
    [
        ("aabb", "aabb", 1.0, 1.0, 1.0),
        ("aabb", "bbaa", 0.0, 0.0, 0.0),
        ("aaab", "aaaa", 0.75, 0.5, 3 / 7),
        ("aabb", "aabc", 0.75, 0.75, (1 + 2 / 3 + 0) / 3),  # c is nobody's class
        ("abc", "aaa", 1 / 3, 1 / 3, 1 / 6),  # b and c are never claimed
        ("aa", "bb", 0.0, 0.0, 0.0),
        ("a", "a", 1.0, 1.0, 1.0),
    ],
)
def test_classification_by_hand(target, predicted, accuracy, balanced, f1):
    found = measure("classification", np.array(list(target)), np.array(list(predicted)))

    assert found == pytest.approx(
        {"accuracy": accuracy, "balanced_accuracy": balanced, "macro_f1": f1}
    )
    assert {type(value) for value in found.values()} == {float}


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=30))
def test_regression_equals_scikit_learn(pairs):
    target, predicted = map(np.array, zip(*pairs, strict=True))

    assert dict(measure("regression", target, predicted)) == {
        "r2": sklearn_metrics.r2_score(target, predicted),
        "mean_absolute_error": sklearn_metrics.mean_absolute_error(target, predicted),
        "root_mean_squared_error": sklearn_metrics.root_mean_squared_error(target, predicted),
    }


@given(PAIRS)
def test_correct_predictions_are_counted(pairs):
    target, predicted = map(np.array, zip(*pairs, strict=True))

    assert count_correct(target, predicted) == sum(one == two for one, two in pairs)


@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [
        # Newcombe (1998), Two-sided confidence intervals for the single proportion, Statistics in
        # Medicine 17, 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_the_published_one(correct, total, low, high):
    assert wilson_interval(correct, total) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_holds_the_share_and_mirrors(counts):
    correct, total = counts

    low, high = wilson_interval(correct, total)

    assert 0 <= low <= correct / total <= high <= 1
    assert low < high
    assert wilson_interval(total - correct, total) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_at_the_ends_wilsons_interval_touches_them():
    for total in range(1, 200):
        assert wilson_interval(0, total)[0] == 0.0
        assert wilson_interval(total, total)[1] == 1.0
        assert 0 < wilson_interval(0, total)[1] < 1
        assert 0 < wilson_interval(total, total)[0] < 1


def test_more_rows_make_the_interval_narrower():
    widths = [
        high - low
        for low, high in (wilson_interval(9 * rows, 10 * rows) for rows in (1, 3, 10, 100))
    ]

    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 4
