"""Axes of several types and of tuples: keys exact both ways, and what users may write."""

import re
from itertools import combinations, pairwise
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_hpo.errors import InputError
from iris_hpo.samplers.parameter_files import ParameterFileError, read_parameter_files
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.space.values import TYPES
from iris_hpo_tests.space.test_space import FLOATS, INTS, NULLABLE, TEXTS, exactly, read, spelled

# Texts that are spelled like values of the other types.
NUMBER_LIKE = ("1", "1.0", "-3", "1e5", ".5", "5.", "+7", "nan", "inf", "0x1", "~31")
OTHERS_LIKE = ("True", "False", "true", "x", "5x", "5x5", "5x0.1", "1x1x", "(5,)", "~", "None")
LOOKALIKES = st.sampled_from(NUMBER_LIKE + OTHERS_LIKE)
TUPLES = st.lists(FLOATS | INTS, max_size=4).map(tuple)
VALUES = {
    "float": FLOATS,
    "int": INTS,
    "str": TEXTS | LOOKALIKES | st.from_regex(r"[0-9.x+e~-]{0,6}", fullmatch=True),
    "bool": st.booleans(),
    "tuple": TUPLES,
}
KINDS = [kinds for size in range(1, 6) for kinds in combinations(TYPES, size)]


def axis_of(kinds, **settings):
    return Axis("value", "V", type=kinds, **settings)


@st.composite
def axes_with_values(draw, count):
    """An axis of any types, and values of it."""
    kinds = draw(st.sampled_from(KINDS))
    values = st.one_of(st.none(), *(VALUES[kind] for kind in kinds))
    return axis_of(kinds, nullable=True), [draw(values) for _ in range(count)]


def key_of(axis, value):
    """The key of a value; none if it is too long for one."""
    space = ParameterSpace([axis])
    return space.candidate([value]).key if len(axis.encode(value)) < 200 else None


@given(axes_with_values(1))
def test_every_key_is_read_back_with_its_type(drawn):
    axis, (value,) = drawn
    if key_of(axis, value) is None:
        return
    space = ParameterSpace([axis])

    candidate = space.candidate([value])

    assert spelled(space.parse_key(candidate.key).values) == spelled(candidate.values)
    assert space.parse_key(candidate.key) == candidate
    assert spelled(candidate.values) == spelled([axis.check(value)])


@given(axes_with_values(2))
def test_two_values_never_share_a_key(drawn):
    axis, (first, second) = drawn

    same = spelled([axis.check(first)]) == spelled([axis.check(second)])

    assert (axis.encode(axis.check(first)) == axis.encode(axis.check(second))) == same


@given(axes_with_values(1))
def test_a_key_is_safe_as_a_file_name_and_a_partition_key(drawn):
    axis, (value,) = drawn
    key = key_of(axis, value) or "V"

    assert re.fullmatch(r"[A-Za-z0-9.~+-]+", key)  # no "_", which parts the axes
    assert ".." not in key  # no way up, and not Dagster's range
    assert PurePosixPath(key).name == PureWindowsPath(key).name == key


@given(
    st.sampled_from(KINDS),
    st.text(max_size=8) | st.from_regex(r"[0-9.xeTrue+~-]{0,8}", fullmatch=True) | LOOKALIKES,
)
def test_any_text_is_the_canonical_spelling_or_refused(kinds, text):
    key, reason = read(ParameterSpace([axis_of(kinds, nullable=True)]), f"V{text}")

    assert key == f"V{text}" or (key is None and "is no candidate: " in reason)


@given(st.tuples(FLOATS, INTS, TEXTS, st.booleans()))
def test_the_keys_of_one_type_are_those_of_earlier_versions(values):
    texts = [axis.encode(value) for axis, value in zip(NULLABLE, values, strict=True)]

    number, whole, text, truth = values
    assert texts[0] == repr(number)
    assert texts[1] == repr(whole)
    escaped = "".join(
        part
        if re.fullmatch(r"[A-Za-z0-9.-]", part)
        else "".join(f"~{b:02X}" for b in part.encode())
        for part in text
    )
    assert texts[2] == escaped.replace("..", ".~2E")
    assert texts[3] == repr(truth)


@given(axes_with_values(2))
def test_values_of_all_types_have_an_order(drawn):
    axis, values = drawn
    first, second = map(axis.check, values)

    less, greater = (
        axis.sort_key(first) < axis.sort_key(second),
        axis.sort_key(first) > axis.sort_key(second),
    )

    assert less + greater == (spelled([first]) != spelled([second]))


def test_values_are_ordered_by_none_numbers_texts_tuples():
    ordered = [None, 0.5, True, 1.0, 1, 2, "", "1", "auto", (), (5,), (5, 5), (10,)]
    ordered[2:5] = sorted([True, 1.0, 1], key=lambda value: type(value).__name__)
    axis = axis_of(TYPES, nullable=True)

    assert all(axis.sort_key(low) < axis.sort_key(high) for low, high in pairwise(ordered))


@pytest.mark.parametrize(
    ("kinds", "value", "key"),
    [
        ("tuple", (50,), "V50x"),
        ("tuple", (50, 50), "V50x50"),
        ("tuple", [50, 0.5], "V50x0.5"),
        ("tuple", (), "Vx"),
        ("tuple", (1e22, -1), "V1e+22x-1"),
        (("float", "str"), 0.1, "V0.1"),
        (("float", "str"), 1, "V1.0"),
        (("float", "str"), "scale", "Vscale"),
        (("float", "str"), "1", "V~31"),
        (("str", "float"), "nan", "Vnan"),
        (("int", "float"), 1, "V1"),
        (("int", "float"), 1.0, "V1.0"),
        (("bool", "str"), True, "VTrue"),
        (("bool", "str"), "True", "V~54rue"),
        (("tuple", "str"), "5x5", "V~35x5"),
        (("tuple", "int"), 5, "V5"),
    ],
)
def test_how_values_are_spelled(kinds, value, key):
    space = ParameterSpace([axis_of(kinds)])

    candidate = space.candidate([value])

    assert candidate.key == key
    assert spelled(space.parse_key(key).values) == spelled(candidate.values)


@pytest.mark.parametrize(
    ("kinds", "key", "rule"),
    [
        ("tuple", "V5", "value '5' is not a tuple of numbers"),
        ("tuple", "V5x5x", "it is spelled 'V5x5'"),
        ("tuple", "V05x", "it is spelled 'V5x'"),
        ("tuple", "V-0.0x", "it is spelled 'V0.0x'"),
        ("tuple", "V1e999x", "value '1e999x' is too large for a number"),
        (("float", "str"), "V1", "it is spelled 'V1.0'"),
        (("float", "str"), "V~73cale", "it is spelled 'Vscale'"),
        (("int", "float"), "V01", "it is spelled 'V1'"),
        (("bool", "str"), "V~74rue", "it is spelled 'Vtrue'"),
    ],
)
def test_each_value_has_one_spelling(kinds, key, rule):
    with pytest.raises(ValueError, match=exactly(f"{key!r} is no candidate: {rule}")):
        ParameterSpace([axis_of(kinds)]).parse_key(key)


@pytest.mark.parametrize(
    ("kinds", "text", "value"),
    [
        (("float", "str"), "0.1", 0.1),
        (("float", "str"), "1", 1.0),
        (("float", "str"), "scale", "scale"),
        (("int", "float", "str"), "1", 1),
        (("int", "float", "str"), "1.0", 1.0),
        (("int", "float", "str"), "1e3", 1000.0),
        (("int", "str"), "10.0", 10),
        ("int", "10.0", 10),
        ("int", "10.", 10),
        (("bool", "str"), "TRUE", True),
        (("bool", "str"), "yes", "yes"),
        ("tuple", "(50,)", (50,)),
        ("tuple", "(50, 50)", (50, 50)),
        ("tuple", "[50, 0.5]", (50, 0.5)),
        ("tuple", "()", ()),
        (("int", "tuple"), "5", 5),
        (("int", "tuple"), "(5)", (5,)),
        (("tuple", "str"), "(a)", "(a)"),
    ],
)
def test_a_value_is_read_by_how_it_is_written(kinds, text, value):
    assert spelled([axis_of(kinds).parse(text)]) == spelled([value])


@pytest.mark.parametrize(
    ("kinds", "text", "reason"),
    [
        (("float", "str"), "nan", "is not a finite number"),
        (("int", "str"), "1.5", "is not a whole number of at most 18 digits"),
        ("tuple", "50", "is not a tuple of numbers"),
        ("tuple", "(50, a)", "is not a tuple of numbers"),
        ("tuple", "(50, 50]", "is not a tuple of numbers"),
        ("tuple", "(1e999,)", "is too large for a number"),
    ],
)
def test_a_value_is_refused_with_the_reason(kinds, text, reason):
    with pytest.raises(ValueError, match=exactly(reason)):
        axis_of(kinds).parse(text)


def test_numbers_of_a_tuple_can_have_to_be_positive():
    with pytest.raises(ValueError, match=r"^is not greater than zero$"):
        axis_of("tuple", positive=True).parse("(5, 0)")


def test_the_order_of_the_types_and_repeats_do_not_matter():
    assert axis_of(("str", "float", "str")) == axis_of(["float", "str"])
    assert axis_of(["int"]).identity() == axis_of("int").identity()
    assert axis_of("int").identity()["type"] == "int"


def test_an_axis_describes_all_values_that_it_expects():
    assert axis_of(("float", "str"), positive=True, nullable=True).expects == (
        "a finite number greater than zero such as 0.25 or 1e-3, or a text, or none"
    )


def test_only_a_scale_has_a_simple_end():
    assert axis_of(("float", "str"), simplest="low").simplicity("scale") == (1, 0.0)
    assert axis_of("tuple", simplest="high").simplicity((5, 6)) == (0, -11)
    with pytest.raises(InputError, match="str, bool values have no low and no high end"):
        axis_of(("bool", "str"), simplest="low")


# Parameter files

FOREST = ParameterSpace([Axis("d", "D", type="int", nullable=True), Axis("k", "K", type="str")])
ALL_NULLABLE = ParameterSpace(
    [Axis("d", "D", type="int", nullable=True), Axis("e", "E", type=("int", "str"), nullable=True)]
)


def keys_of(folder, space):
    return [candidate.key for candidate in read_parameter_files(folder, space).candidates]


def test_a_blank_cell_is_none_where_none_is_a_value(tmp_path):
    (tmp_path / "x.csv").write_text("d,k\n,gini\n3,gini\n   \n,\n\n10.0,gini\n")

    assert keys_of(tmp_path, FOREST) == ["D~_Kgini", "D3_Kgini", "D10_Kgini"]


def test_a_blank_cell_of_texts_is_none_too(tmp_path):
    axes = [Axis("d", "D", type="int"), Axis("k", "K", type="str", nullable=True)]
    (tmp_path / "x.csv").write_text("d,k\n3,\n3,gini\n")

    assert keys_of(tmp_path, ParameterSpace(axes)) == ["D3_K~", "D3_Kgini"]


def test_a_blank_row_is_refused_where_it_could_be_a_candidate(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("d,e\n1,2\n,\n")

    with pytest.raises(
        ParameterFileError,
        match=exactly(
            f"{file}, line 3: is blank, and none is a value of every axis; write none, or delete it"
        ),
    ):
        read_parameter_files(tmp_path, ALL_NULLABLE)


def test_a_line_of_spaces_is_no_candidate(tmp_path):
    (tmp_path / "x.csv").write_text("d\n1\n  \n\n")

    assert keys_of(tmp_path, ParameterSpace([ALL_NULLABLE.axes[0]])) == ["D1"]


def test_equal_numbers_of_different_types_are_different_candidates(tmp_path):
    (tmp_path / "value_parameters.txt").write_text("1\n1.0\ntrue\n1\n(1,)\nauto\n")

    keys = keys_of(tmp_path, ParameterSpace([axis_of(TYPES)]))

    assert sorted(keys) == sorted(["V1", "V1.0", "VTrue", "V1x", "Vauto"])
