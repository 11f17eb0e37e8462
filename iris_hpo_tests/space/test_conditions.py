"""Axes that exist only under a condition: the key codec stays exact, and grids have no repeats."""

import pickle
import re
from contextlib import suppress
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iris_hpo.errors import InputError
from iris_hpo.space.absent import ABSENT, Absent
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo_tests.space.spaces import CONDITIONAL, GAMMA, GRID, KERNEL, C

NUMBERS = st.floats(0.001, 1000)
POINTS = st.tuples(
    NUMBERS, st.sampled_from(["rbf", "poly", "linear", "", "G1.0"]), NUMBERS, st.integers(0, 9)
)
NESTED = ParameterSpace(
    [
        Axis("a", "A", type="bool"),
        Axis("b", "B", type="int", nullable=True, when={"a": True}),
        Axis("c", "C", when={"b": [1, None]}),
        Axis("d", "D", type="tuple", when={"a": False}),
    ]
)


def test_an_absent_axis_has_no_piece_and_no_value():
    candidate = CONDITIONAL.candidate([1, "linear", 0.5, 3])

    assert candidate.key == "C1.0_Klinear"
    assert candidate.values == (1.0, "linear", ABSENT, ABSENT)
    assert CONDITIONAL.named(candidate) == {"C": 1.0, "kernel": "linear"}
    assert CONDITIONAL.parameters(candidate) == {"C": 1.0, "kernel": "linear"}
    assert CONDITIONAL.cells(candidate) == {
        "C": 1.0,
        "kernel": "linear",
        "gamma": None,
        "degree": None,
    }


@pytest.mark.parametrize("others", [(0.5, 3), (ABSENT, ABSENT), (0.1, ABSENT), (None, "x")])
def test_points_that_differ_in_absent_axes_are_one_candidate(others):
    assert CONDITIONAL.candidate([1.0, "linear", *others]) == CONDITIONAL.candidate(
        [1.0, "linear", 0.2, 4]
    )


@settings(max_examples=40)
@given(POINTS)
def test_every_key_is_read_back_exactly(values):
    candidate = CONDITIONAL.candidate(values)

    assert CONDITIONAL.parse_key(candidate.key) == candidate


@settings(max_examples=40)
@given(POINTS, POINTS)
def test_different_candidates_have_different_keys(first, second):
    one, other = CONDITIONAL.candidate(first), CONDITIONAL.candidate(second)

    assert (one.key == other.key) == (one.values == other.values)


@settings(max_examples=40)
@given(
    st.from_regex(r"C[0-9.]{1,4}(_K(rbf|poly|linear))?(_G[0-9.]{1,4})?(_D[0-9])?", fullmatch=True)
)
def test_any_text_is_the_key_of_a_candidate_or_refused(text):
    with suppress(ValueError):
        assert CONDITIONAL.parse_key(text).key == text


@pytest.mark.parametrize(
    "key",
    ["C1.0_Klinear_G0.5", "C1.0_Krbf", "C1.0_Krbf_D3", "C1.0_Krbf_G0.5_D3", "C1.0_Kpoly_G0.5"],
)
def test_a_key_has_the_axes_of_its_candidate(key):
    form = "a key has the form C<C>_K<kernel>_[G<gamma>]_[D<degree>]"
    with pytest.raises(ValueError, match=re.escape(form)):
        CONDITIONAL.parse_key(key)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ([True, 1, 0.5, ()], "ATrue_B1_C0.5"),
        ([True, None, 0.5, ()], "ATrue_B~_C0.5"),
        ([True, 2, 0.5, ()], "ATrue_B2"),
        ([False, 1, 0.5, (1, 2)], "AFalse_D1x2"),
    ],
)
def test_a_condition_on_an_absent_axis_is_not_met(values, key):
    candidate = NESTED.candidate(values)

    assert candidate.key == key
    assert NESTED.parse_key(key) == candidate


def test_an_axis_that_exists_must_have_a_value():
    with pytest.raises(ValueError, match="has no gamma, which it must have"):
        CONDITIONAL.candidate([1, "rbf", ABSENT, ABSENT])


def test_a_grid_has_each_candidate_once():
    values = [axis.domain.values for axis in GRID.axes]
    keys = [candidate.key for candidate in GRID.grid(values)]

    assert len(keys) == len(set(keys)) == 4 * (3 + 3 * 3 + 1) == GRID.count(values, 10**6)
    assert set(keys) == {GRID.candidate(point).key for point in product(*values)}
    assert GRID.count(values, 10) == 11


def test_absent_comes_first_in_order_and_is_the_simplest():
    axes = [
        Axis("kernel", "K", type="str", simplest="neither"),
        Axis("gamma", "G", simplest="low", when={"kernel": "rbf"}),
    ]
    space = ParameterSpace(axes)
    without, low, high = (
        space.candidate(values) for values in (["linear", 0], ["rbf", -5.0], ["rbf", 1.0])
    )

    assert sorted([high, low, without], key=space.simplicity) == [without, low, high]
    assert space.order(without)[1] < space.order(low)[1] < space.order(high)[1]


def test_absent_is_one_object_of_its_own_type():
    assert pickle.loads(pickle.dumps(ABSENT)) is ABSENT
    assert ABSENT is not None
    assert isinstance(ABSENT, Absent)
    assert str(ABSENT) == ""


def test_where_to_look_is_no_part_of_an_axis_identity():
    plain = Axis("gamma", "G")

    assert GAMMA.identity() == plain.identity()
    assert hash(GAMMA) is not None


@pytest.mark.parametrize(
    ("axes", "message", "place"),
    [
        (
            [GAMMA, KERNEL],
            "axis 'gamma': when names 'kernel', which is no axis before it; list the axis",
            (0, "when", "kernel"),
        ),
        (
            [Axis("x", "X", when={"x": 1})],
            "axis 'x': when names the axis itself; name one above it",
            (0, "when", "x"),
        ),
        (
            [C, Axis("x", "X", when={"C": "rbf"})],
            "axis 'x': when C 'rbf' is not a number; write a finite number greater than zero",
            (1, "when", "C"),
        ),
        (
            [C, Axis("x", "X", when={"C": []})],
            "axis 'x': when 'C' lists no value, so this axis never exists; list at least one",
            (1, "when", "C"),
        ),
    ],
)
def test_a_condition_is_refused_that_can_never_be_met(axes, message, place):
    with pytest.raises(InputError) as refusal:
        ParameterSpace(axes)

    assert str(refusal.value).startswith(message)
    assert refusal.value.field == place
