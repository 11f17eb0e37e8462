"""Checks of the data and of the split: each both ways, and where it does not apply."""

import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from iris_hpo.data.checks import DATA_CHECKS, SPLIT_CHECKS, DataFacts
from iris_hpo.data.dataset import Dataset
from iris_hpo.data.examples import Examples
from iris_hpo.data.findings import Finding
from iris_hpo.data.identifiers import doubts
from iris_hpo.data.kinds import CATEGORY, NUMBER
from iris_hpo.data.roles import RowRoles

ROWS = 200
RANDOM = np.random.default_rng(1)
NOISE = RANDOM.normal(size=(ROWS, 2))
CLASSES = np.where(RANDOM.random(ROWS) < 0.5, "no", "yes")
NUMBERS = RANDOM.normal(size=ROWS)


def data(
    *columns: NDArray[Any],
    target: NDArray[Any] = CLASSES,
    kinds: tuple[str, ...] = (),
    roles: RowRoles | None = None,
) -> Dataset:
    """Two columns of noise, and others."""
    features: NDArray[Any] = np.column_stack([NOISE[: len(target)], *columns])
    if kinds:
        features = np.array(
            [*NOISE[: len(target)].T.tolist(), *(column.tolist() for column in columns)], object
        ).T
    names = tuple(f"x{index}" for index in range(features.shape[1]))
    kinds = (NUMBER, NUMBER, *kinds) if kinds else ()
    notes = doubts([*features.T], dict(enumerate(names)))
    return Dataset(features, target, names, "y", "", tuple(notes), (), kinds, roles or RowRoles())


def examine(check: str, dataset: Dataset, scoring: str = "accuracy") -> Finding:
    return DATA_CHECKS[check].examine(DataFacts(dataset, scoring))


@pytest.mark.parametrize("check", DATA_CHECKS)
def test_sound_data_passes(check: str) -> None:
    finding = examine(check, data())
    assert finding.passed
    assert finding.applies
    assert finding.text[-1] != "."


def test_an_identifier_is_named() -> None:
    finding = examine("features_identify_no_rows", data(np.arange(ROWS) * 2.0))
    assert not finding.passed
    assert finding.text.startswith("the feature x2 differs in every row")


DOUBLE = NUMBERS * 2 + 5


@pytest.mark.parametrize(
    ("column", "target", "kind"),
    [
        (np.where(CLASSES == "no", 0.0, 1.0), CLASSES, NUMBER),
        (np.where(CLASSES == "no", 3.0, 7.0) + NOISE[:, 0] / 10, CLASSES, NUMBER),
        (np.where(CLASSES == "no", np.nan, 7.0), CLASSES, NUMBER),
        (np.where(CLASSES == "no", "", "paid"), CLASSES, CATEGORY),
        (DOUBLE, NUMBERS, NUMBER),
        (np.exp(-DOUBLE), NUMBERS, NUMBER),
    ],
)
def test_a_feature_made_from_the_target_is_named(
    column: NDArray[Any], target: NDArray[Any], kind: str
) -> None:
    dataset = data(column, target=target, kinds=(kind,))
    finding = examine("no_feature_alone_predicts", dataset)
    assert not finding.passed
    assert finding.text.startswith("x2 predicts the target nearly without error, alone")


def test_several_are_named_together() -> None:
    column = np.where(CLASSES == "no", 0.0, 1.0)
    finding = examine("no_feature_alone_predicts", data(column, -column))
    assert finding.text.startswith("x2, x3 predict the target nearly without error, each alone")


@pytest.mark.parametrize(
    ("column", "target"),
    [
        (np.where(RANDOM.random(ROWS) < 0.1, 2.0, CLASSES == "no"), CLASSES),
        (NUMBERS + NOISE[:, 1] / 3, NUMBERS),
        (np.zeros(ROWS), np.sort(CLASSES)),  # the rows are in the order of the classes
    ],
)
def test_a_feature_that_only_helps_is_not(column: NDArray[Any], target: NDArray[Any]) -> None:
    assert examine("no_feature_alone_predicts", data(column, target=target)).passed


def test_the_row_number_of_sorted_classes_is() -> None:
    dataset = data(np.arange(ROWS) + 0.5, target=np.sort(CLASSES))
    assert "x2 predicts" in examine("no_feature_alone_predicts", dataset).text


@pytest.mark.parametrize("target", [CLASSES[:30], np.repeat(["no", "yes"], [195, 5])])
def test_few_rows_say_nothing_of_single_features(target: NDArray[Any]) -> None:
    column = np.where(target == "no", 0.0, 1.0)
    finding = examine("no_feature_alone_predicts", data(column, target=target))
    assert finding == Finding("does not apply: so few rows may agree by chance", applies=False)


@pytest.mark.parametrize(
    ("column", "kind", "text"),
    [
        (np.full(ROWS, 7.0), "", "constant: x2"),
        (np.full(ROWS, "a"), CATEGORY, "constant: x2"),
        (np.where(np.arange(ROWS) < 5, 1.0, np.nan), NUMBER, "nearly empty: x2"),
        (np.where(np.arange(ROWS) < 5, "a", ""), CATEGORY, "nearly empty: x2"),
    ],
)
def test_a_column_without_content_is_named(column: NDArray[Any], kind: str, text: str) -> None:
    finding = examine("features_are_filled", data(column, kinds=(kind,) if kind else ()))
    assert (finding.text, finding.passed) == (text, False)


def test_a_column_half_empty_is_not() -> None:
    column = np.where(np.arange(ROWS) < 100, 1.0, np.nan)
    assert examine("features_are_filled", data(column, kinds=(NUMBER,))).passed


def test_tiny_classes_are_counted() -> None:
    target = np.where(np.arange(ROWS) < 3, "rare", CLASSES)
    finding = examine("classes_are_large_enough", data(target=target))
    assert not finding.passed
    assert finding.text.startswith("1 class with fewer than 10 rows: rare (3): ")


def test_many_tiny_classes_are_one_line() -> None:
    target = np.array([f"c{index}" for index in range(ROWS)])
    text = examine("classes_are_large_enough", data(target=target)).text
    assert "c0 (1), c1 (1), c10 (1), c100 (1), c101 (1) and 195 more" in text


def test_the_largest_class_stands_beside_the_accuracy() -> None:
    unequal = data(target=np.repeat(["no", "yes"], [190, 10]))
    finding = examine("scoring_suits_classes", unequal)
    assert not finding.passed
    assert "no, has 95.0 % of the rows" in finding.text
    assert "the accuracy 0.950" in finding.text
    other = examine("scoring_suits_classes", unequal, "roc_auc")
    assert (other.passed, other.applies) == (True, False)
    assert other.text == (
        "does not apply: the scoring is roc_auc; the largest class, no, has 95.0 % of the rows"
    )


@pytest.mark.parametrize("check", ["classes_are_large_enough", "scoring_suits_classes"])
def test_numbers_have_no_classes(check: str) -> None:
    finding = examine(check, data(target=NUMBERS))
    assert (finding.text, finding.applies) == ("does not apply: the target is a number", False)


FIRST, LAST = np.arange(150), np.arange(150, 200)


def divided(dataset: Dataset) -> Examples:
    """The first 150 rows to train on, the others to test."""
    train, test = dataset.take(FIRST), dataset.take(LAST)
    return Examples(
        train.features, train.target, test.features, test.target, (), train.roles, test.roles
    )


def examine_split(check: str, dataset: Dataset) -> Finding:
    return SPLIT_CHECKS[check].examine(divided(dataset))


def test_rows_that_stand_in_both_parts_are_counted() -> None:
    features = NOISE.copy()
    features[[150, 160]] = features[[3, 4]]
    features[0, 0], features[170] = -0.0, [0.0, features[0, 1]]
    dataset = data()
    for repeated in (features, features.astype(object)):
        vars(dataset)["features"] = repeated
        finding = examine_split("rows_are_apart", dataset)
        assert not finding.passed
        assert finding.text.startswith("3 of 50 test rows have the features of a training row")


def test_different_rows_pass() -> None:
    assert examine_split("rows_are_apart", data()).passed
    assert examine_split("rows_are_apart", data(CLASSES, kinds=(CATEGORY,))).passed


def test_rows_that_are_alike_by_nature_are_no_leak() -> None:
    dataset = data()
    vars(dataset)["features"] = np.round(NOISE / 3)
    assert not examine_split("rows_are_apart", dataset).applies


def test_groups_in_both_parts_are_named() -> None:
    groups = np.where(np.arange(ROWS) < 150, "a", "b")
    assert examine_split("groups_are_apart", data(roles=RowRoles(group=groups))).passed
    groups[3] = "b"
    finding = examine_split("groups_are_apart", data(roles=RowRoles(group=groups)))
    assert not finding.passed
    assert finding.text == "1 group in both parts: b; choose splitter: grouped"


def test_test_rows_before_training_rows_are_counted() -> None:
    times = np.arange(ROWS) / 2.0
    assert examine_split("time_order_is_kept", data(roles=RowRoles(time=times))).passed
    times[[150, 199]] = 0
    finding = examine_split("time_order_is_kept", data(roles=RowRoles(time=times)))
    assert not finding.passed
    assert finding.text.startswith("2 of 50 test rows are earlier than a training row")


@pytest.mark.parametrize(
    ("check", "role"), [("groups_are_apart", "group"), ("time_order_is_kept", "time")]
)
def test_without_the_role_they_do_not_apply(check: str, role: str) -> None:
    finding = examine_split(check, data())
    assert (finding.text, finding.applies) == (
        f"does not apply: no column has the role {role}",
        False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(200_000, 20), (200, 100_000)])
def test_large_tables_take_seconds_and_little_memory(shape: tuple[int, int]) -> None:
    features = RANDOM.normal(size=shape)
    target = np.where(RANDOM.random(shape[0]) < 0.5, "no", "yes")
    names = tuple(map(str, range(shape[1])))
    dataset = Dataset(features, target, names, "y", "")
    half = shape[0] // 2
    split = Examples(features[:half], target[:half], features[half:], target[half:], ())
    started = time.process_time()
    tracemalloc.start()
    for check in DATA_CHECKS.values():
        assert check.examine(DataFacts(dataset, "accuracy")).passed
    for check in SPLIT_CHECKS.values():
        assert check.examine(split).passed
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - started < 15
    assert peak < 1.2 * features.nbytes
