"""The key codec: exact both ways, one spelling, safe as a file name."""

import re
from itertools import pairwise
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_hpo.errors import InputError
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import MAX_KEY_LENGTH, Candidate, ParameterSpace
from iris_hpo.text import shorten

IRIS = ParameterSpace(
    [Axis("C", symbol="C", positive=True), Axis("gamma", symbol="G", positive=True)]
)
FLOAT = Axis("rate", symbol="R")
INT = Axis("trees", symbol="N", type="int")
STR = Axis("kernel", symbol="K", type="str")
BOOL = Axis("shrink", symbol="S", type="bool")
NULLABLE = tuple(
    Axis(axis.name, axis.symbol, type=axis.type, nullable=True) for axis in (FLOAT, INT, STR, BOOL)
)
MIXED = ParameterSpace([FLOAT, INT, STR, BOOL])
OPTIONAL = ParameterSpace(NULLABLE)

NASTY_FLOATS = st.sampled_from(
    [0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.1 + 0.2, 1e16, 1e22]
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | NASTY_FLOATS
INTS = st.integers(1 - 10**18, 10**18 - 1)
NASTY_TEXTS = st.sampled_from(
    ["", ".", "..", "...", "/", "../x", "a_b", "~", "~41", "\0", "\n", "\x7f", "é", "🌱", "none"]
)
TEXTS = st.text(max_size=8) | NASTY_TEXTS
VALUES = st.tuples(FLOATS, INTS, TEXTS, st.booleans())
OPTIONAL_VALUES = st.tuples(*(st.none() | of for of in (FLOATS, INTS, TEXTS, st.booleans())))


def exactly(message):
    return rf"\A{re.escape(message)}\Z"


def spelled(values):
    """Values with the properties that `==` ignores: the type, and the sign of zero."""
    return [(type(value), repr(value)) for value in values]


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ((0.031, 0.001), "C0.031_G0.001"),
        ((0.5, 0.25), "C0.5_G0.25"),
        ((32768, 4), "C32768.0_G4.0"),
        ((1e-9, 1e22), "C1e-09_G1e+22"),
    ],
)
def test_a_key_is_the_symbols_and_the_values(values, key):
    candidate = IRIS.candidate(values)

    assert candidate == Candidate(key, values)
    assert spelled(candidate.values) == spelled(map(float, values))
    assert IRIS.parse_key(key) == candidate


@pytest.mark.parametrize(
    ("axis", "value", "key"),
    [
        (INT, 200, "N200"),
        (INT, -7, "N-7"),
        (INT, 3.0, "N3"),
        (BOOL, True, "STrue"),
        (BOOL, False, "SFalse"),
        (STR, "rbf", "Krbf"),
        (STR, "", "K"),
        (STR, "v1.2-rc", "Kv1.2-rc"),
        (STR, "a_b", "Ka~5Fb"),
        (STR, "../x", "K.~2E~2Fx"),
        (STR, "...", "K.~2E."),
        (STR, "~", "K~7E"),
        (STR, "é", "K~C3~A9"),
        (STR, "\n", "K~0A"),
        (STR, "none", "Knone"),
        (NULLABLE[2], None, "K~"),
        (NULLABLE[0], None, "R~"),
    ],
)
def test_how_each_type_is_spelled(axis, value, key):
    space = ParameterSpace([axis])

    assert space.candidate([value]).key == key
    assert space.parse_key(key).values == (value,)


@given(VALUES)
def test_every_key_is_read_back_exactly(values):
    candidate = MIXED.candidate(values)

    assert candidate.values == values
    assert MIXED.parse_key(candidate.key) == candidate
    assert spelled(MIXED.parse_key(candidate.key).values) == spelled(candidate.values)


@given(OPTIONAL_VALUES)
def test_none_is_read_back_among_other_values(values):
    candidate = OPTIONAL.candidate(values)

    assert candidate.values == values
    assert spelled(OPTIONAL.parse_key(candidate.key).values) == spelled(candidate.values)


@given(VALUES, VALUES)
def test_different_candidates_have_different_keys(first, second):
    assert (MIXED.candidate(first).key == MIXED.candidate(second).key) == (first == second)


def test_minus_zero_is_zero():
    space = ParameterSpace([FLOAT])

    assert space.candidate([-0.0]) == space.candidate([0.0])
    assert space.candidate([-0.0]).key == "R0.0"
    assert spelled(space.candidate([-0.0]).values) == [(float, "0.0")]


@given(VALUES | OPTIONAL_VALUES)
def test_a_key_is_safe_in_paths_urls_and_ranges(values):
    key = OPTIONAL.candidate(values).key

    assert re.fullmatch(r"[A-Za-z0-9._~+-]+", key)
    assert ".." not in key  # no way up, and not Dagster's range
    assert PurePosixPath(key).name == PureWindowsPath(key).name == key
    assert len(f"model_{key}.json") <= 255


def read(space, text):
    """The key that a text is, and the reason if it is none."""
    try:
        return space.parse_key(text).key, ""
    except ValueError as refusal:
        return None, str(refusal)


@given(
    st.text()
    | st.from_regex(r"C[0-9.e+~-]{0,6}_G[0-9.e+~-]{0,6}", fullmatch=True)
    | st.from_regex(r"C.*_G.*", fullmatch=True)
)
def test_any_text_is_the_canonical_spelling_or_refused(text):
    key, reason = read(IRIS, text)

    assert key == text or (key is None and "is no candidate: " in reason)
    assert reason.isprintable()


@given(st.text() | st.from_regex(r"K[A-Za-z.~0-9]*", fullmatch=True))
def test_any_text_on_a_text_axis_is_the_canonical_spelling_or_refused(text):
    key, reason = read(ParameterSpace([STR]), text)

    assert key == text or (key is None and "is no candidate: " in reason)


FORM = "a key has the form C<C>_G<gamma>"


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("C0.50_G1.0", "it is spelled 'C0.5_G1.0'"),
        ("C1_G1.0", "it is spelled 'C1.0_G1.0'"),
        ("C+1.0_G1.0", "it is spelled 'C1.0_G1.0'"),
        ("C1e0_G1.0", "it is spelled 'C1.0_G1.0'"),
        ("C1e-9_G1.0", "it is spelled 'C1e-09_G1.0'"),
        ("C0.5", FORM),
        ("C0.5_G1.0_X3", FORM),
        ("G1.0_C0.5", FORM),
        ("c0.5_g1.0", FORM),
        ("", FORM),
        ("../../x", FORM),
        ("/etc/passwd", FORM),
        ("a...b", FORM),
        ("C0.5_G1.0...C2.0_G1.0", FORM),
        ("C0.5,C2.0", FORM),
        ("C_G", "C '' is not a number"),
        ("C0.5_G../../x", "gamma '../../x' is not a number"),
        ("C0.5_G1.0\n", r"gamma '1.0\n' is not a number"),
        ("C0.5_G1.0\0", r"gamma '1.0\x00' is not a number"),
        ("C 0.5_G1.0", "C ' 0.5' is not a number"),
        ("C0.5_G1\u0661", "gamma '1\u0661' is not a number"),
        ("C0x1_G1.0", "C '0x1' is not a number"),
        ("Cnan_G1.0", "C 'nan' is not a finite number"),
        ("C-inf_G1.0", "C '-inf' is not a finite number"),
        ("C1e999_G1.0", "C '1e999' is too large for a number"),
        ("C0.0_G1.0", "C '0.0' is not greater than zero"),
        ("C-1.0_G1.0", "C '-1.0' is not greater than zero"),
        ("C~_G1.0", "C '~' is none, which this axis does not allow"),
    ],
)
def test_a_key_is_refused_with_its_rule(key, rule):
    with pytest.raises(ValueError, match=exactly(f"{key!r} is no candidate: {rule}")):
        IRIS.parse_key(key)


@pytest.mark.parametrize(
    ("axis", "key", "rule"),
    [
        (INT, "N007", "it is spelled 'N7'"),
        (INT, "N-0", "it is spelled 'N0'"),
        (INT, "N2.0", "trees '2.0' is not a whole number of at most 18 digits"),
        (INT, "N" + "9" * 19, f"trees '{'9' * 19}' is not a whole number of at most 18 digits"),
        (FLOAT, "R-0.0", "it is spelled 'R0.0'"),
        (BOOL, "Strue", "it is spelled 'STrue'"),
        (BOOL, "S1", "shrink '1' is neither true nor false"),
        (STR, "K~41", "it is spelled 'KA'"),
        (STR, "K~c3~a9", "it is spelled 'K~7Ec3~7Ea9'"),
        (STR, "K~C3", "kernel '~C3' is not a text that was escaped for a key"),
        (STR, "Ké", "kernel 'é' is not a text that was escaped for a key"),
        (STR, "K\ud800", r"kernel '\ud800' is not a text that was escaped for a key"),
        (STR, "K..", "it is spelled 'K.~2E'"),
        (STR, "Ka/b", "it is spelled 'Ka~2Fb'"),
        (STR, "K~", "kernel '~' is none, which this axis does not allow"),
    ],
)
def test_each_type_has_one_spelling(axis, key, rule):
    with pytest.raises(ValueError, match=exactly(f"{key!r} is no candidate: {rule}")):
        ParameterSpace([axis]).parse_key(key)


def test_a_very_long_key_is_refused_in_a_short_message():
    with pytest.raises(
        ValueError,
        match=exactly(f"'C{'9' * 59}...' is no candidate: its 10000 characters are more than 200"),
    ):
        IRIS.parse_key("C" + "9" * 9_999)


def test_the_longest_key_is_read_and_one_character_more_is_refused():
    space = ParameterSpace([STR])
    longest = space.candidate(["x" * (MAX_KEY_LENGTH - 1)])

    assert len(longest.key) == MAX_KEY_LENGTH
    assert space.parse_key(longest.key) == longest
    with pytest.raises(ValueError, match=r"^makes a key of 201 characters; 200 is the limit$"):
        space.candidate(["x" * MAX_KEY_LENGTH])


@pytest.mark.parametrize(
    ("axis", "text", "value"),
    [
        (FLOAT, "0.500", 0.5),
        (FLOAT, "1e-3", 0.001),
        (FLOAT, "+.5", 0.5),
        (FLOAT, "5.", 5.0),
        (FLOAT, "-0", 0.0),
        (FLOAT, "1E5", 100000.0),
        (INT, "007", 7),
        (INT, "-3", -3),
        (INT, "9" * 18, 10**18 - 1),
        (BOOL, "true", True),
        (BOOL, "FALSE", False),
        (STR, "None", "None"),
        (STR, "1", "1"),
        (NULLABLE[0], "None", None),
        (NULLABLE[1], "none", None),
        (NULLABLE[2], "NONE", None),
        (NULLABLE[3], "none", None),
    ],
)
def test_a_value_is_read_as_users_write_it(axis, text, value):
    assert spelled([axis.parse(text)]) == spelled([value])


POSITIVE_INT = Axis("depth", symbol="D", type="int", positive=True)


@pytest.mark.parametrize(
    ("axis", "text", "reason"),
    [
        (FLOAT, "", "is not a number"),
        (FLOAT, "abc", "is not a number"),
        (FLOAT, "1,5", "is not a number"),
        (FLOAT, "1_000", "is not a number"),
        (FLOAT, "0x10", "is not a number"),
        (FLOAT, "1e", "is not a number"),
        (FLOAT, "१", "is not a number"),
        (FLOAT, "none", "is not a number"),
        (FLOAT, "nan", "is not a finite number"),
        (FLOAT, "-Infinity", "is not a finite number"),
        (FLOAT, "1e400", "is too large for a number"),
        (IRIS.axes[0], "0", "is not greater than zero"),
        (IRIS.axes[0], "-1", "is not greater than zero"),
        (IRIS.axes[0], "1e-400", "is not greater than zero"),
        (INT, "1.5", "is not a whole number of at most 18 digits"),
        (INT, "1e3", "is not a whole number of at most 18 digits"),
        (INT, "1" + "0" * 18, "is not a whole number of at most 18 digits"),
        (INT, "٣", "is not a whole number of at most 18 digits"),
        (POSITIVE_INT, "0", "is not greater than zero"),
        (BOOL, "yes", "is neither true nor false"),
        (BOOL, "1", "is neither true nor false"),
    ],
)
def test_a_value_is_refused_with_the_reason(axis, text, reason):
    with pytest.raises(ValueError, match=exactly(reason)):
        axis.parse(text)


@pytest.mark.parametrize(
    ("axis", "value", "reason"),
    [
        (FLOAT, None, "is none, which this axis does not allow"),
        (FLOAT, "1", "is not a number"),
        (FLOAT, True, "is not a number"),
        (FLOAT, float("nan"), "is not a number"),
        (FLOAT, float("-inf"), "is too large for a number"),
        (FLOAT, 10**400, "is too large for a number"),
        (INT, 1.5, "is not a whole number"),
        (INT, float("inf"), "is too large for a number"),
        (INT, 10**400, "is too large for a number"),
        (INT, 10**18, "is not a whole number of at most 18 digits"),
        (INT, -(10**18), "is not a whole number of at most 18 digits"),
        (STR, 1, "is not a text"),
        (
            STR,
            "\ud83d",
            r"has half of a character; in YAML, write all of it as \U0001f600",
        ),
        (BOOL, 1, "is not true or false"),
        (BOOL, "true", "is not true or false"),
    ],
)
def test_a_candidate_holds_only_values_of_its_axes(axis, value, reason):
    refusal = exactly(f"has {axis.name} {shorten(str(value))}, which {reason}")
    with pytest.raises(ValueError, match=refusal):
        ParameterSpace([axis]).candidate([value])


def test_a_candidate_has_one_value_per_axis():
    with pytest.raises(ValueError, match=r"^has 3 values for 2 axes$"):
        IRIS.candidate([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        (FLOAT, "a finite number such as 0.25 or 1e-3"),
        (IRIS.axes[0], "a finite number greater than zero such as 0.25 or 1e-3"),
        (INT, "a whole number"),
        (POSITIVE_INT, "a whole number greater than zero"),
        (STR, "a text"),
        (BOOL, "true or false"),
        (NULLABLE[1], "a whole number, or none"),
    ],
)
def test_an_axis_says_what_it_expects(axis, words):
    assert axis.expects == words


@pytest.mark.parametrize(
    ("axis", "numeric"), [(FLOAT, True), (INT, True), (STR, False), (BOOL, False)]
)
def test_only_numbers_have_a_scale(axis, numeric):
    assert axis.is_numeric is numeric


NAME_RULE = (
    "a name is letters, digits and underscores, begins with a letter "
    "and does not contain '_parameters'"
)


@pytest.mark.parametrize("name", ["", "1x", "_x", "a b", "a,b", "é", "x\n", "c_Parameters"])
def test_a_name_is_refused_that_no_file_could_carry(name):
    with pytest.raises(InputError) as refusal:
        Axis(name, "X")

    assert str(refusal.value) == f"axis {name!r}: {NAME_RULE}"


@pytest.mark.parametrize("symbol", ["", "1", "X1", "X_", "X~", "é", "X\n", "X" * 17])
def test_a_symbol_is_letters(symbol):
    with pytest.raises(InputError) as refusal:
        Axis("x", symbol)

    assert str(refusal.value) == f"axis 'x': symbol {symbol!r} must be 1 to 16 letters"


def test_the_type_is_one_of_five():
    with pytest.raises(InputError) as refusal:
        Axis("x", "X", type="date")

    assert str(refusal.value) == (
        "axis 'x': type 'date' is unknown; use one of float, int, str, bool, tuple"
    )


@pytest.mark.parametrize("kind", ["str", "bool"])
def test_only_numbers_can_be_positive(kind):
    with pytest.raises(InputError) as refusal:
        Axis("x", "X", type=kind, positive=True)

    assert str(refusal.value) == f"axis 'x': only numbers can be positive, not {kind}"


def test_the_simple_end_is_one_of_three():
    with pytest.raises(InputError) as refusal:
        Axis("x", "X", simplest="small")

    assert str(refusal.value) == (
        "axis 'x': simplest 'small' is unknown; use one of low, high, neither"
    )


def test_texts_have_no_simple_end():
    with pytest.raises(InputError) as refusal:
        Axis("x", "X", type="str", simplest="low")

    assert str(refusal.value) == (
        "axis 'x': str values have no low and no high end; write simplest: neither"
    )


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ([], "a search needs at least one axis"),
        (
            [Axis("C", "C"), Axis("c", "D")],
            "two axes are named 'c'; names must differ in more than case",
        ),
        (
            [Axis("a", "A", "svc__C"), Axis("b", "B", "svc__C")],
            "axes 'a' and 'b' both set the parameter 'svc__C'",
        ),
    ],
)
def test_axes_with_equal_names_or_parameters_are_refused(axes, message):
    with pytest.raises(InputError) as refusal:
        ParameterSpace(axes)

    assert str(refusal.value) == message


@pytest.mark.parametrize(("first", "second"), [("G", "G"), ("Ga", "G"), ("G", "Ga"), ("g", "GA")])
def test_symbols_with_the_same_beginning_are_refused(first, second):
    with pytest.raises(InputError) as refusal:
        ParameterSpace([Axis("a", "X"), Axis("b", first), Axis("c", second)])

    assert str(refusal.value) == (
        f"axes 'b' and 'c': the symbols {first!r} and {second!r} could be confused in a key; "
        "choose symbols that do not begin alike"
    )


def test_values_go_by_the_axis_name_and_by_the_estimators_parameter():
    space = ParameterSpace([Axis("C", "C", "svc__C"), Axis("gamma", "G")])
    candidate = space.candidate([0.5, 2])

    assert space.named(candidate) == {"C": 0.5, "gamma": 2.0}
    assert space.parameters(candidate) == {"svc__C": 0.5, "gamma": 2.0}


def test_a_grid_crosses_the_axes_with_the_first_varying_slowest():
    assert [candidate.key for candidate in IRIS.grid([[1, 2], [3, 4]])] == [
        "C1.0_G3.0",
        "C1.0_G4.0",
        "C2.0_G3.0",
        "C2.0_G4.0",
    ]


def test_candidates_are_ordered_by_value_not_by_text():
    keys = ["C10.0_G0.1", "C9.0_G20.0", "C9.0_G3.0", "C1e-09_G1.0"]

    ordered = sorted(map(IRIS.parse_key, keys), key=IRIS.order)

    assert [candidate.key for candidate in ordered] == [
        "C1e-09_G1.0",
        "C9.0_G3.0",
        "C9.0_G20.0",
        "C10.0_G0.1",
    ]


@pytest.mark.parametrize(
    ("axis", "ordered"),
    [
        (NULLABLE[0], [None, -1e300, -2.0, 0.0, 5e-324, 3.0, 20.0]),
        (NULLABLE[1], [None, -3, 2, 10, 10**17, 10**17 + 1, 10**17 + 2]),
        (NULLABLE[2], [None, "", "B", "a", "b", "é"]),
        (NULLABLE[3], [None, False, True]),
    ],
)
def test_none_comes_first_then_values_in_order(axis, ordered):
    assert all(axis.sort_key(low) < axis.sort_key(high) for low, high in pairwise(ordered))


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("plain", "'plain'"),
        ("a\nb\x1b[31m", r"'a\nb\x1b[31m'"),
        ("x" * 60, f"'{'x' * 60}'"),
        ("x" * 61, f"'{'x' * 60}...'"),
    ],
)
def test_a_text_is_quoted_for_a_message(text, quoted):
    assert shorten(text) == quoted
