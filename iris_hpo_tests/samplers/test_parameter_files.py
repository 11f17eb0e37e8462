"""Parameter files: what is read, what is tolerated, and every refusal with its message."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_hpo.errors import InputError
from iris_hpo.samplers.parameter_files import (
    ParameterFileError,
    check_axis_files,
    read_parameter_files,
)
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace

IRIS = ParameterSpace(
    [Axis("C", symbol="C", positive=True), Axis("gamma", symbol="G", positive=True)]
)
MIXED = ParameterSpace(
    [Axis("depth", "D", type="int", nullable=True), Axis("kernel", "K", type="str")]
)
COMMITTED = Path(__file__).parents[2] / "data" / "parameters"


def arrange(folder, files):
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def keys_of(folder, space=IRIS):
    return [candidate.key for candidate in read_parameter_files(folder, space).candidates]


def refusal_of(folder, space=IRIS, **limits):
    with pytest.raises(ParameterFileError) as refusal:
        read_parameter_files(folder, space, **limits)
    return refusal.value


ONE_BY_ONE = {"c_parameters.txt": "0.5\n", "gamma_parameters.txt": "0.25\n"}
ONLY = ["C0.5_G0.25"]


def test_the_committed_files_make_the_77_candidates_of_the_seed():
    found = read_parameter_files(COMMITTED, IRIS)

    keys = [candidate.key for candidate in found.candidates]
    assert len(keys) == len(set(keys)) == 77
    assert (keys[0], keys[1], keys[7], keys[-1]) == (
        "C0.031_G0.001",
        "C0.031_G0.004",
        "C0.125_G0.001",
        "C32768.0_G4.0",
    )
    assert found.axis_values == {
        "C": (0.031, 0.125, 0.5, 2.0, 8.0, 32.0, 128.0, 512.0, 2048.0, 8192.0, 32768.0),
        "gamma": (0.001, 0.004, 0.016, 0.063, 0.25, 1.0, 4.0),
    }
    assert found.explicit == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c_parameters.txt", "\ufeff0.5\n"),
        ("c_parameters.txt", "0.5\r\n"),
        ("c_parameters.txt", "\r\n0.5\r\n\r\n"),
        ("c_parameters.txt", "# the smallest\r0.5\r"),
        ("c_parameters.txt", "0.5"),
        ("c_parameters.txt", "\n\n  0.5 \t\n\n"),
        ("c_parameters.txt", "# C, from the seed\n0.5  # the best so far\n#2\n"),
        ("c_parameters.txt", "0.5\n0.500\n5e-1\n+.5\n"),
        ("C_parameters.txt", "0.5\n"),
        ("c_parameters_fine.txt", "0.5\n"),
        ("c_parameters.fine.txt", "0.5\n"),
    ],
)
def test_a_file_of_values_may_look_like(tmp_path, name, content):
    arrange(tmp_path, {"gamma_parameters.txt": "0.25\n", name: content})

    assert keys_of(tmp_path) == ONLY


@pytest.mark.parametrize(
    "name",
    [
        "c_parameters.txt~",
        ".c_parameters.txt",
        ".c_parameters.txt.swp",
        "#c_parameters.txt#",
        "#c_parameters.txt",
        "~c_parameters.txt",
        "c_parameters.txt.bak",
        "c_parameters.bak",
        "candidates.csv~",
        ".candidates.csv",
        "README.md",
        "notes",
    ],
)
def test_backups_hidden_files_and_other_formats_are_ignored(tmp_path, name):
    arrange(tmp_path, {**ONE_BY_ONE, name: "not a number\n"})

    assert keys_of(tmp_path) == ONLY


@pytest.mark.parametrize("name", ["c_parameters.txt", "old.txt", "old.csv"])
def test_folders_are_ignored(tmp_path, name):
    (tmp_path / name).mkdir()
    arrange(tmp_path, {"c_parameters_2.txt": "0.5", "gamma_parameters.txt": "0.25"})

    assert keys_of(tmp_path) == ONLY


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path):
    (tmp_path / "c_parameters.txt").mkdir()
    arrange(tmp_path, {"gamma_parameters.txt": "0.25"})

    assert str(refusal_of(tmp_path)).endswith("one a line (c_parameters.txt is a folder)")


def test_a_link_to_a_file_is_read(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("0.5\n")
    folder = tmp_path / "parameters"
    folder.mkdir()
    arrange(folder, {"gamma_parameters.txt": "0.25\n"})
    (folder / "c_parameters.txt").symlink_to(elsewhere)

    assert keys_of(folder) == ONLY


def test_files_of_an_axis_are_pooled_and_the_axes_are_crossed_in_order(tmp_path):
    arrange(
        tmp_path,
        {
            "c_parameters.txt": "10\n9\n",
            "c_parameters_more.txt": "9.0\n1\n",
            "gamma_parameters.txt": "2\n",
            "gamma_parameters_fine.txt": "0.5\n",
        },
    )

    found = read_parameter_files(tmp_path, IRIS)

    assert found.axis_values == {"C": (1.0, 9.0, 10.0), "gamma": (0.5, 2.0)}
    assert [candidate.key for candidate in found.candidates] == [
        "C1.0_G0.5",
        "C1.0_G2.0",
        "C9.0_G0.5",
        "C9.0_G2.0",
        "C10.0_G0.5",
        "C10.0_G2.0",
    ]


@pytest.mark.parametrize(
    "content",
    [
        "C,gamma\n0.5,0.25\n",
        "gamma,C\n0.25,0.5\n",
        "\ufeffC,gamma\r\n0.5,0.25\r\n",
        "C,gamma\r0.5,0.25\r",
        " C , gamma \n\n 0.5 , 0.25 \n,\n",
        '"C","gamma"\n"0.5","0.25"\n"0.500",.25',
        '# the best, "so far\n  # and " more\nC,gamma\n#9,9\n0.5,0.25\n',
    ],
)
def test_a_file_of_candidates_may_look_like(tmp_path, content):
    arrange(tmp_path, {"anything.csv": content})

    found = read_parameter_files(tmp_path, IRIS)

    assert [candidate.key for candidate in found.candidates] == ONLY
    assert found.explicit == 1
    assert found.axis_values == {"C": (), "gamma": ()}


def test_explicit_candidates_join_the_grid_once_and_in_order(tmp_path):
    arrange(
        tmp_path,
        {
            "c_parameters.txt": "1\n3\n",
            "gamma_parameters.txt": "1\n",
            "fine.csv": "C,gamma\n2,9\n1,1\n",
            "finer.csv": "gamma,C\n9,2.0\n0.5,3\n",
        },
    )

    found = read_parameter_files(tmp_path, IRIS)

    assert [candidate.key for candidate in found.candidates] == [
        "C1.0_G1.0",
        "C2.0_G9.0",
        "C3.0_G0.5",
        "C3.0_G1.0",
    ]
    assert found.explicit == 3
    assert found.axis_values == {"C": (1.0, 3.0), "gamma": (1.0,)}


def test_other_types_are_read_too(tmp_path):
    arrange(
        tmp_path,
        {
            "depth_parameters.txt": "10\nnone\n9\n",
            "kernel_parameters.txt": "rbf\n",
            "more.csv": 'kernel,depth\n"#1, or ""2""",7\n,none\n',
        },
    )

    assert [candidate.values for candidate in read_parameter_files(tmp_path, MIXED).candidates] == [
        (None, ""),
        (None, "rbf"),
        (7, '#1, or "2"'),
        (9, "rbf"),
        (10, "rbf"),
    ]


GRID = {"c_parameters.txt": "1\n2\n", "gamma_parameters.txt": "3\n4\n"}


@pytest.mark.parametrize(
    "files",
    [
        {"c_parameters.txt": "2.0\r\n1e0\r\n", "gamma_parameters.txt": "#\n4\n\n3"},
        {"C_parameters_a.txt": "2", "c_parameters_b.txt": "1\n2", "gamma_parameters.txt": "4\n3"},
        {"all.csv": "C,gamma\n1,3\n1,4\n2,3\n2,4\n"},
        {"a.csv": "gamma,C\n4,2\n3,1\n", "b.csv": "C,gamma\n1,4\n2,3\n2,4\n"},
        {**GRID, "some.csv": "C,gamma\n1,3\n"},
    ],
)
def test_the_same_candidates_have_the_same_digest_however_they_are_written(tmp_path, files):
    (tmp_path / "grid").mkdir()
    (tmp_path / "other").mkdir()

    grid = read_parameter_files(arrange(tmp_path / "grid", GRID), IRIS)
    other = read_parameter_files(arrange(tmp_path / "other", files), IRIS)

    assert other.candidates == grid.candidates
    assert other.digest == grid.digest


def test_big_whole_numbers_keep_their_order_however_they_are_written(tmp_path):
    space = ParameterSpace([Axis("n", "N", type="int")])
    numbers = [10**17, 10**17 + 1, 10**17 + 2]  # one and the same as floats
    rows = "\n".join(map(str, numbers))
    (tmp_path / "forward").mkdir()
    (tmp_path / "backward").mkdir()

    values = read_parameter_files(arrange(tmp_path / "forward", {"n_parameters.txt": rows}), space)
    explicit = read_parameter_files(
        arrange(tmp_path / "backward", {"n.csv": "n\n" + "\n".join(rows.split()[::-1])}), space
    )

    assert [candidate.values for candidate in values.candidates] == [(n,) for n in numbers]
    assert explicit.candidates == values.candidates
    assert explicit.digest == values.digest


def test_other_candidates_have_another_digest(tmp_path):
    arrange(tmp_path, GRID)
    before = read_parameter_files(tmp_path, IRIS).digest
    arrange(tmp_path, {"c_parameters.txt": "1\n2\n3\n"})

    assert read_parameter_files(tmp_path, IRIS).digest != before


CELL_EXPECTS = "write a finite number greater than zero such as 0.25 or 1e-3"
C_EXPECTS = f"{CELL_EXPECTS}, one a line"
KNOWN_FILES = (
    "the name does not begin with a known axis; parameter files are called "
    "c_parameters*.txt, gamma_parameters*.txt or *.csv"
)
HEADER = "the header must be C,gamma"


@pytest.mark.parametrize(
    ("name", "content", "line", "problem"),
    [
        (
            "c_parameters.txt",
            "0.5\n\nabc\n",
            3,
            (
                f"C 'abc' is not a number; {C_EXPECTS}; for texts too, write type: [float, str] "
                "to the axis"
            ),
        ),
        (
            "c_parameters.txt",
            "none\n",
            1,
            f"C 'none' is not a number; {C_EXPECTS}; for none, write nullable: true to the axis",
        ),
        (
            "c_parameters.txt",
            "(1, 2)\n",
            1,
            f"C '(1, 2)' is not a number; {C_EXPECTS}; for tuples, write type: tuple to the axis",
        ),
        ("c_parameters.txt", "0,5\n", 1, f"C '0,5' is not a number; {C_EXPECTS}"),
        ("c_parameters.txt", "1 2\n", 1, f"C '1 2' is not a number; {C_EXPECTS}"),
        ("c_parameters.txt", "1\r2\rx\r", 3, f"C 'x' is not a number; {C_EXPECTS}"),
        ("c_parameters.txt", "1\r\n2\r\nx\r\n", 3, f"C 'x' is not a number; {C_EXPECTS}"),
        ("c_parameters.txt", "NaN\n", 1, f"C 'NaN' is not a finite number; {C_EXPECTS}"),
        ("c_parameters.txt", "-inf\n", 1, f"C '-inf' is not a finite number; {C_EXPECTS}"),
        ("c_parameters.txt", "1e999\n", 1, f"C '1e999' is too large for a number; {C_EXPECTS}"),
        ("c_parameters.txt", "1\n0\n", 2, f"C '0' is not greater than zero; {C_EXPECTS}"),
        ("c_parameters.txt", "-0.5\n", 1, f"C '-0.5' is not greater than zero; {C_EXPECTS}"),
        ("c_parameters.txt", "a\x1b[31m", 1, rf"C 'a\x1b[31m' is not a number; {C_EXPECTS}"),
        ("c_parameters.txt", "9" * 61 + "x", 1, f"C '{'9' * 60}...' is not a number; {C_EXPECTS}"),
        ("c_parameters.txt", "", None, f"holds no value; {C_EXPECTS}"),
        ("c_parameters.txt", "# later\n\n", None, f"holds no value; {C_EXPECTS}"),
        ("c_parameters_2.txt", "", None, f"holds no value; {C_EXPECTS}"),
        ("c_parameters.txt", b"1\n\xff\n", 2, "byte 0xff is not UTF-8 text; save it as UTF-8"),
        (
            "c_parameters.txt",
            b"\xef\xbb\xbf1\r2\r\xe9\r",
            3,
            "byte 0xe9 is not UTF-8 text; save it as UTF-8",
        ),
        (
            "c_parameters.txt",
            "0.5\n".encode("utf-16"),
            1,
            "byte 0xff is not UTF-8 text; save it as UTF-8",
        ),
        (
            "c_parameters.txt",
            b"1\r2\0\r",
            2,
            "holds a NUL byte, as no text does; remove it, or write the file again",
        ),
        (
            "c_parameters.txt",
            "5\n".encode("utf-16-le"),
            1,
            "holds a NUL byte, as no text does; remove it, or write the file again",
        ),
        ("depth_parameters.txt", "3\n", None, KNOWN_FILES),
        ("c.txt", "3\n", None, KNOWN_FILES),
        ("cc_parameters.txt", "3\n", None, KNOWN_FILES),
        ("readme.txt", "these are parameters", None, KNOWN_FILES),
        ("x.csv", "", None, "holds no candidate; write the header C,gamma, then one a row"),
        (
            "x.csv",
            "C,gamma\n",
            None,
            "holds no candidate; write the header C,gamma, then one a row",
        ),
        ("x.csv", "C,depth\n1,2\n", 1, f"'depth' is not an axis; {HEADER}"),
        ("x.csv", "c,gamma\n1,2\n", 1, f"'c' is not an axis; {HEADER}"),
        ("x.csv", "C;gamma\n1;2\n", 1, f"'C;gamma' is not an axis; {HEADER}"),
        ("x.csv", "\n0.5,0.25\n", 2, f"'0.5' is not an axis; {HEADER}"),
        ("x.csv", "C\n1\n", 1, f"the axis 'gamma' is missing; {HEADER}"),
        ("x.csv", "C,gamma,C\n1,2,1\n", 1, f"an axis is named twice; {HEADER}"),
        ("x.csv", "C,gamma\n1,2\n\n1\n", 4, "has 1 cell; the header has 2"),
        ("x.csv", "C,gamma\n1,2,3\n", 2, "has 3 cells; the header has 2"),
        ("x.csv", "gamma,C\n1,x\n", 2, f"C 'x' is not a number; {CELL_EXPECTS}"),
        ("x.csv", "# why\rC,gamma\r1,\r", 3, f"gamma '' is not a number; {CELL_EXPECTS}"),
        ("x.csv", "C,gamma\n0,1\n", 2, f"C '0' is not greater than zero; {CELL_EXPECTS}"),
        ("x.csv", 'C,gamma\n"1,2\n', 2, "is not CSV: unexpected end of data"),
        ("x.csv", 'C,gamma\n"1"x,2\n', 2, "is not CSV: ',' expected after '\"'"),
        ("x.csv", b"C,gamma\n1,\x802\n", 2, "byte 0x80 is not UTF-8 text; save it as UTF-8"),
        (
            "x.csv",
            b"C,gamma\n1,2\0\n",
            2,
            "holds a NUL byte, as no text does; remove it, or write the file again",
        ),
    ],
)
def test_a_file_is_refused_with_its_name_line_and_value(tmp_path, name, content, line, problem):
    arrange(tmp_path, {**ONE_BY_ONE, name: content})

    refusal = refusal_of(tmp_path)

    place = f"{tmp_path / name}, line {line}" if line else f"{tmp_path / name}"
    assert str(refusal) == f"{place}: {problem}"
    assert (refusal.path, refusal.line) == (tmp_path / name, line)


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({}, "C"),
        ({"c_parameters.txt": "1"}, "gamma"),
        ({"gamma_parameters.txt": "1"}, "C"),
        ({"gamma_parameters.txt": "1", "x.csv": "C,gamma\n1,2\n"}, "C"),
    ],
)
def test_an_axis_without_values_is_refused(tmp_path, files, name):
    arrange(tmp_path, files)

    assert str(refusal_of(tmp_path)) == (
        f"{tmp_path}: the axis {name!r} has no values; "
        f"put them into {name.lower()}_parameters.txt, one a line"
    )


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    assert str(refusal_of(tmp_path / "none")) == (
        f"{tmp_path / 'none'}: this folder of parameter files cannot be read: "
        "No such file or directory"
    )


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    arrange(tmp_path, ONE_BY_ONE)
    (tmp_path / "c_parameters_2.txt").symlink_to(tmp_path / "gone")

    assert str(refusal_of(tmp_path)) == (
        f"{tmp_path / 'c_parameters_2.txt'}: cannot be read: No such file or directory"
    )


def test_more_candidates_than_the_limit_are_refused(tmp_path):
    arrange(tmp_path, {**GRID, "x.csv": "C,gamma\n1,3\n9,9\n"})

    assert len(keys_of(tmp_path)) == 5
    assert len(read_parameter_files(tmp_path, IRIS, max_candidates=5).candidates) == 5
    assert str(refusal_of(tmp_path, max_candidates=4)) == (
        f"{tmp_path}: 2 x 2 values and 2 rows make 5 candidates; "
        "the limit is 4, set it with max_candidates"
    )


def test_a_grid_that_would_not_fit_in_memory_is_refused_at_once(tmp_path):
    values = "\n".join(map(str, range(1, 10_001)))
    arrange(tmp_path, {"c_parameters.txt": values, "gamma_parameters.txt": values})

    assert str(refusal_of(tmp_path)) == (
        f"{tmp_path}: 10000 x 10000 values and 0 rows make 100000000 candidates; "
        "the limit is 100000, set it with max_candidates"
    )


def test_a_key_that_would_be_too_long_is_refused(tmp_path):
    (tmp_path / "values").mkdir()
    (tmp_path / "rows").mkdir()
    text = "x" * 197
    arrange(tmp_path / "values", {"depth_parameters.txt": "1\n10\n", "kernel_parameters.txt": text})
    arrange(tmp_path / "rows", {"x.csv": f"depth,kernel\n1,rbf\n1,{text}\n"})

    problem = "makes a key of 201 characters; 200 is the limit"
    assert str(refusal_of(tmp_path / "rows", MIXED)) == (
        f"{tmp_path / 'rows' / 'x.csv'}, line 3: this candidate {problem}"
    )
    assert str(refusal_of(tmp_path / "values", MIXED)) == (
        f"{tmp_path / 'values'}: a combination of the values {problem}; write shorter ones"
    )


def test_a_key_that_would_be_too_long_is_refused_where_the_axes_list_the_values(tmp_path):
    space = ParameterSpace((Axis("kernel", "K", type="str", values=("x" * 200,)),))

    with pytest.raises(InputError, match=r"a key of 201 characters.*; write shorter") as refusal:
        read_parameter_files(tmp_path / "nowhere", space)

    assert refusal.value.field == ("axes",)


@pytest.mark.parametrize(
    "files",
    [
        {"c_parameters.txt": "", "gamma_parameters.txt": "later"},
        {"C_parameters_fine.txt": "", "gamma_parameters_2.txt": ""},
        {"any.csv": ""},
    ],
)
def test_axes_with_files_are_accepted_whatever_they_hold(tmp_path, files):
    check_axis_files(arrange(tmp_path, files), IRIS.axes)


@pytest.mark.parametrize(
    ("files", "index", "name"),
    [
        ({}, 0, "C"),
        ({"c_parameters.txt": "1"}, 1, "gamma"),
        ({"gamma_parameters.txt": "1", ".c_parameters.txt": "1"}, 0, "C"),
    ],
)
def test_an_axis_without_a_file_is_refused(tmp_path, files, index, name):
    arrange(tmp_path, files)

    with pytest.raises(InputError) as refusal:
        check_axis_files(tmp_path, IRIS.axes)

    assert str(refusal.value) == (
        f"the axis {name!r} has no file; write its values, one a line, into "
        f"{tmp_path / f'{name.lower()}_parameters.txt'}"
    )
    assert refusal.value.field == (index,)


TOKENS = st.sampled_from(
    [b"1", b"0.5", b"-", b"e9", b"nan", b",", b"\n", b"\r", b'"', b"#", b" ", b"C", b"gamma",
     b"depth", b"kernel", b"none", b"\xef\xbb\xbf", b"\xff", b"\0", "é".encode(), b"9" * 200]
)  # fmt: skip
CONTENTS = st.binary(max_size=60) | st.lists(TOKENS, max_size=20).map(b"".join)
STARTS = {
    ("c_parameters.txt", IRIS): b"",
    ("x.csv", IRIS): b"C,gamma\n",
    ("depth_parameters.txt", MIXED): b"",
    ("kernel_parameters.txt", MIXED): b"",
    ("x.csv", MIXED): b"kernel,depth\n",
}


@pytest.mark.parametrize(("name", "space"), STARTS)
@given(content=CONTENTS, started=st.booleans())
def test_any_bytes_are_read_or_refused_by_name(tmp_path_factory, name, space, content, started):
    folder = tmp_path_factory.mktemp("fuzz")
    arrange(folder, {f"{axis.name}_parameters_0.txt": "1\n" for axis in space.axes})
    arrange(folder, {name: STARTS[name, space] + content if started else content})

    try:
        found = read_parameter_files(folder, space)
    except ParameterFileError as refusal:
        place = refusal.path
    else:
        place = folder
        assert all(space.parse_key(one.key) == one for one in found.candidates)
    assert place in (folder, folder / name)
