"""The splitter ``time``: no row is predicted by later ones, nor by rows of its own time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from iris_hpo.data.by_time import ByTime
from iris_hpo.data.chosen_rows import choose_rows
from iris_hpo.data.dataset import Dataset
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.splitters import Division, SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.parts import Part
from iris_hpo_tests.data.rows_with_roles import dataset, tables, with_roles

NUMBERS = dataset(np.arange(30.0), RowRoles())


def times_of(data: Dataset) -> np.ndarray:
    assert data.roles.time is not None
    return data.roles.time


@settings(max_examples=40, deadline=None)
@given(
    data=st.one_of(tables(), tables(numbers=True)),
    test_size=st.floats(0.05, 0.6),
    folds=st.sampled_from([0, 2, 3]),
    gap=st.sampled_from([0, 1, 2.5]),
    window=st.sampled_from([None, 1, 4]),
)
def test_no_row_is_predicted_by_later_rows_or_rows_of_its_own_time(
    data: Dataset, test_size: float, folds: int, gap: float, window: float | None
) -> None:
    part = Part("time", {"gap": gap, "window": window})
    try:
        chosen = choose_rows(data, Division(part, SplitSettings(test_size, folds=folds), data.task))
    except InputError:  # too few times, or one class is left
        return
    times = times_of(data)

    assert times[chosen.train].max() < times[chosen.test].min() - gap
    left_out = np.setdiff1d(np.arange(len(times)), [*chosen.train, *chosen.test])
    assert (times[left_out] < times[chosen.test].min()).all()
    assert (times[left_out] >= times[chosen.test].min() - gap).all()
    inner, before = times[chosen.train], -np.inf
    for fit, validate in chosen.folds:
        first = inner[validate].min()
        assert inner[fit].max() < first - gap
        assert window is None or inner[fit].min() >= first - gap - window
        assert before < first
        before = inner[validate].max()
    if chosen.folds:
        assert before == inner.max()


@pytest.mark.parametrize("folds", [2, 5])
def test_where_all_times_differ_folds_are_scikit_learns(folds: int) -> None:
    shuffled = np.random.default_rng(1).permutation(30)
    data = with_roles(NUMBERS, time=shuffled.astype(float))

    made = ByTime(folds=folds).folds(data)

    order = np.argsort(shuffled)
    own = TimeSeriesSplit(folds).split(order)
    assert [(a.tolist(), b.tolist()) for a, b in made] == [
        (sorted(order[a].tolist()), sorted(order[b].tolist())) for a, b in own
    ]


def test_the_latest_share_of_the_rows_is_the_test() -> None:
    data = with_roles(NUMBERS, time=np.arange(30.0)[::-1])

    train, test = ByTime(test_size=0.25).split(data)

    assert test.tolist() == list(range(8))
    assert train.tolist() == list(range(8, 30))


def test_rows_of_one_time_stay_together_at_the_nearest_border() -> None:
    data = with_roles(NUMBERS, time=np.repeat([1.0, 2.0, 3.0], [10, 13, 7]))

    assert len(ByTime(test_size=0.2, folds=0).split(data)[1]) == 7
    assert len(ByTime(test_size=0.6, folds=0).split(data)[1]) == 20


def test_a_gap_leaves_rows_out_and_a_window_rolls() -> None:
    data = with_roles(NUMBERS, time=np.arange(30.0))

    train, test = ByTime(test_size=0.2, gap=2).split(data)
    folds = ByTime(folds=2, gap=2, window=5).folds(data)

    assert (train.tolist(), test.tolist()) == (list(range(22)), list(range(24, 30)))
    assert [fit.tolist() for fit, _ in folds] == [[3, 4, 5, 6, 7], [13, 14, 15, 16, 17]]
    assert [validate.tolist() for _, validate in folds] == [[*range(10, 20)], [*range(20, 30)]]


@pytest.mark.parametrize(
    ("made", "times", "message"),
    [
        (
            {},
            [1] * 30,
            "30 rows have 1 different time, and a test part needs 2, as rows of one time",
        ),
        ({"gap": 40}, range(30), "a gap of 40 leaves no row before the test; give less"),
    ],
)
def test_times_that_make_no_test_part_are_refused(made, times, message) -> None:
    with pytest.raises(InputError, match=message):
        ByTime(**made).split(with_roles(NUMBERS, time=np.array(times, float)))


@pytest.mark.parametrize(
    ("made", "times", "message"),
    [
        (
            {"folds": 5},
            [n // 10 for n in range(30)],
            "30 rows have 3 different times, and 5 folds need 6, as rows of one time stay toge",
        ),
        (
            {"folds": 2, "gap": 11},
            range(30),
            "fold 1 has no rows to fit: none lies before its gap of 11; give a smaller gap",
        ),
        (
            {"folds": 2, "window": 0.5},
            [n + (n >= 10) for n in range(30)],
            "fold 1 has no rows to fit: none lies before its gap of 0, within 0.5; give",
        ),
    ],
)
def test_times_that_make_no_folds_are_refused(made, times, message) -> None:
    with pytest.raises(InputError, match=message):
        ByTime(**made).folds(with_roles(NUMBERS, time=np.array(times, float)))


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (
            {"gap": -1},
            "splitter 'time' refuses its settings: gap -1 must be a number of at least 0",
        ),
        ({"gap": "7 days"}, "gap '7 days' must be a number of at least 0, such as 7"),
        ({"window": 0}, "window 0 must be a number greater than 0, such as 365"),
        ({"window": True}, "window True must be a number greater than 0"),
        ({"folds": 3}, "folds is no setting of the splitter time; write it beside it"),
        ({"size": 3}, "splitter 'time' refuses its settings: it has no 'size'; "),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(own, message) -> None:
    with pytest.raises(InputError, match=message):
        Division(Part("time", own), SplitSettings(), "regression").splitter()
