"""Where to look on an axis: ranges, steps and listed values, and what of them is refused."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iris_hpo.errors import InputError
from iris_hpo.space.axes import Axis
from iris_hpo.space.domains import Levels, Range, stepped

UNITS = st.floats(0, 1)
RANGES = [
    Range(0.001, 1000.0, log=True),
    Range(-1.0, 1.0),
    Range(1_000_000.0, 1_000_000.5),
    Range(2, 9, whole=True),
    Range(1, 4096, log=True, whole=True),
]


@pytest.mark.parametrize("domain", RANGES, ids=str)
@settings(max_examples=30)
@given(unit=UNITS)
def test_every_place_is_a_value_in_the_range(domain, unit):
    value = domain.at(unit)

    assert domain.low <= value <= domain.high
    assert domain.covers(value)
    assert isinstance(value, int) == domain.whole
    assert abs(domain.unit(value) - unit) < (0.51 if domain.whole else 1e-5)


def test_the_ends_can_be_reached():
    for domain in RANGES:
        assert (domain.at(0.0), domain.at(1.0)) == (domain.low, domain.high)


def test_whole_numbers_have_equal_shares():
    places = [(index + 0.5) / 800 for index in range(800)]
    drawn = [Range(2, 9, whole=True).at(place) for place in places]

    assert {drawn.count(number) for number in range(2, 10)} == {100}


def test_a_log_range_is_looked_through_by_ratios():
    assert Range(0.01, 100.0, log=True).at(0.5) == 1.0
    assert Range(0.01, 100.0, log=True).unit(10.0) == pytest.approx(0.75)


@settings(max_examples=30)
@given(UNITS)
def test_numbers_have_few_digits(unit):
    text = repr(Range(0.001, 1000.0, log=True).at(unit))

    assert sum(character.isdigit() for character in text.partition("e")[0].strip("0.")) <= 7


def test_a_narrow_range_far_from_zero_keeps_its_values_apart():
    assert len({Range(1e6, 1e6 + 0.5).at(index / 1000) for index in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("axis", "values"),
    [
        (Axis("x", "X", low=0, high=0.5, step=0.1), (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)),
        (Axis("x", "X", low=0, high=0.55, step=0.1), (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)),
        (Axis("x", "X", low=0.1, high=0.3, step=0.2), (0.1, 0.3)),
        (Axis("x", "X", low=0.03125, high=2, step=4, log=True), (0.03125, 0.125, 0.5, 2.0)),
        (Axis("x", "X", low="1e-3", high=1, step=10, log=True), (0.001, 0.01, 0.1, 1.0)),
        (Axis("x", "X", type="int", low=2, high=9, step=3), (2, 5, 8)),
        (Axis("x", "X", type="int", low=1, high=100, step=10, log=True), (1, 10, 100)),
        (Axis("x", "X", type="int", values=[4, 1, "2", 4]), (1, 2, 4)),
        (Axis("x", "X", type="str", values=["b", "a"]), ("b", "a")),
        (Axis("x", "X", type="tuple", values=["(50,)", (50, 50)]), ((50,), (50, 50))),
        (Axis("x", "X", type="int", nullable=True, values=[4, None, 2]), (4, None, 2)),
        (Axis("x", "X", type="bool", values=[True, False]), (True, False)),
    ],
    ids=str,
)
def test_an_axis_lists_the_values_of_its_grid(axis, values):
    assert isinstance(axis.domain, Levels)
    assert axis.domain.values == values
    assert [type(value) for value in axis.domain.values] == [type(value) for value in values]


def test_a_tenth_of_a_decade_ends_where_it_should():
    steps = stepped(1.0, 100.0, 10**0.1, log=True)

    assert len(steps) == 21
    assert (steps[10], steps[-1]) == (10.0, 100.0)


@pytest.mark.parametrize(
    ("axis", "is_ordered"),
    [
        (Axis("x", "X", values=[2, 1]), True),
        (Axis("x", "X", type="str", values=["a", "b"]), False),
        (Axis("x", "X", type="bool", values=[False, True]), False),
        (Axis("x", "X", nullable=True, values=[1, None]), False),
        (Axis("x", "X", type=["float", "str"], values=[1, "scale"]), False),
    ],
    ids=str,
)
def test_only_numbers_have_neighbours(axis, is_ordered):
    assert axis.domain.is_ordered == is_ordered


def test_values_that_are_equal_in_python_are_different_values():
    axis = Axis("x", "X", type=["float", "int", "bool"], values=[1, 1.0, True])

    assert axis.domain.keys == ("1", "1.0", "True")
    assert [axis.unit(value) for value in (1, 1.0, True)] == pytest.approx([1 / 6, 0.5, 5 / 6])


def test_an_axis_that_says_nothing_has_no_domain():
    assert Axis("x", "X").domain is None
    assert not Axis("x", "X").covers(1.0)


@pytest.mark.parametrize(
    ("settings", "message", "field"),
    [
        ({"low": 1}, "a range needs low and high; write high too", ("high",)),
        ({"high": 1}, "a range needs low and high; write low too", ("low",)),
        ({"log": True}, "a range needs low and high; write low too", ("low",)),
        ({"step": 2}, "a range needs low and high; write low too", ("low",)),
        ({"low": 2, "high": 1}, "high 1.0 must be greater than low 2.0", ("high",)),
        ({"low": 1, "high": 1}, "high 1.0 must be greater than low 1.0", ("high",)),
        (
            {"low": 0, "high": 1, "log": True},
            "low 0.0 must be greater than zero for log: true",
            ("low",),
        ),
        ({"low": 1, "high": 2, "values": [1]}, "give either values or a range, not both", ("low",)),
        (
            {"low": "a", "high": 2},
            "low 'a' is not a number; write a finite number such as 0.25 or 1e-3",
            ("low",),
        ),
        ({"low": 0, "high": math.inf}, "high 'inf' is too large for a number", ("high",)),
        ({"low": 0, "high": 1, "step": 0}, "step 0.0 must be greater than 0", ("step",)),
        (
            {"low": 1, "high": 9, "step": 1, "log": True},
            "step 1.0 must be a factor, which is greater than 1",
            ("step",),
        ),
        (
            {"low": 0, "high": 1, "step": 1e-9},
            "the range has 1,000,000,001 steps; 100,000 is the limit",
            ("step",),
        ),
        (
            {"low": 0, "high": 1, "step": 1e-320},
            "the range has more than 1,000,000,000 steps; 100,000 is the limit",
            ("step",),
        ),
        (
            {"low": -1.7e308, "high": 1.7e308},
            "high 1.7e+308 is too far from low -1.7e+308; write a narrower range",
            ("high",),
        ),
        (
            {"type": "int", "low": 1, "high": 2.5},
            "high '2.5' is not a whole number; write a whole number",
            ("high",),
        ),
        ({"type": "str", "low": 1, "high": 2}, "only numbers have a range, not str", ("low",)),
        (
            {"positive": True, "low": -1, "high": 1},
            "low '-1' is not greater than zero; write a finite number greater than zero",
            ("low",),
        ),
        ({"values": [1, "x"]}, "values 'x' is not a number; write a finite", ("values", 1)),
        ({"values": [None]}, "values 'None' is none, which this axis", ("values", 0)),
    ],
    ids=str,
)
def test_a_range_is_refused_with_what_to_write(settings, message, field):
    with pytest.raises(InputError) as refusal:
        Axis("x", "X", **settings)

    assert str(refusal.value).startswith(f"axis 'x': {message}")
    assert refusal.value.field == field
