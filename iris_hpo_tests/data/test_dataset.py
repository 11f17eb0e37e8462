"""Reading data: what is accepted, and every refusal with file, line, column and value."""

import runpy
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import read_dataset
from iris_hpo.data.prediction_rows import read_features
from iris_hpo.data.sources import DatasetError, file_digest

DATA = Path(__file__).parents[2] / "data"
ANY = Layout()
ROWS = "1,2,a\n3,4,b\n"


@pytest.fixture
def csv_file(tmp_path):
    def write(content):
        path = tmp_path / "data.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def parquet_file(tmp_path):
    pytest.importorskip("pyarrow", reason="the parquet extra is not installed")
    import pandas as pd

    def write(columns):
        path = tmp_path / "data.parquet"
        pd.DataFrame(columns).to_parquet(path, index=False)
        return path

    return write


def refusal_of(path, layout=ANY, task="classification"):
    with pytest.raises(DatasetError) as refusal:
        read_dataset(path, layout, task)
    return refusal.value


def assert_holds(dataset, features, target):
    assert dataset.features.dtype == np.float64
    assert dataset.features.flags.c_contiguous
    assert dataset.features.tolist() == features
    assert dataset.target.tolist() == target


def test_the_committed_data_is_what_its_script_makes():
    made = runpy.run_path(str(DATA / "make_noisy_iris.py"))["noisy_iris"]()

    assert (DATA / "noisy_iris.csv").read_bytes() == made.encode()


def test_the_committed_data_is_150_flowers_of_three_kinds(noisy_iris):
    assert noisy_iris.features.shape == (150, 4)
    assert noisy_iris.features[0].tolist() == [
        5.12514604422,
        3.47357902734,
        1.52808453009,
        0.220980023431,
    ]
    names, counts = np.unique(noisy_iris.target, return_counts=True)
    assert names.tolist() == ["Iris-setosa", "Iris-versicolor", "Iris-virginica"]
    assert counts.tolist() == [50, 50, 50]
    assert noisy_iris.feature_names == ("feature_1", "feature_2", "feature_3", "feature_4")
    assert noisy_iris.target_name == "target"
    assert noisy_iris.digest == file_digest(DATA / "noisy_iris.csv")


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        "\ufeff" + ROWS,
        ROWS.replace("\n", "\r\n"),
        ROWS.replace("\n", "\r"),
        "\n1,2,a\n\n , ,\n3,4,b",
        " 1 ,  2,a \n3,\t4,b\n",
        '"1","2","a"\n3,4,"b"\n',
        "1.0,2e0,a\n+3,.4e1,b\n",
    ],
)
def test_csv_without_a_header_may_look_like(csv_file, content):
    dataset = read_dataset(csv_file(content), ANY, "classification")

    assert_holds(dataset, [[1, 2], [3, 4]], ["a", "b"])
    assert dataset.feature_names == ("feature_1", "feature_2")
    assert dataset.target_name == "target"


@pytest.mark.parametrize(
    ("header", "layout"),
    [
        ("x,y,kind\n", ANY),
        ("x,y,kind\n", Layout(header=True)),
        ("x,y,kind\n", Layout("kind")),
        ("x,y,kind\n", Layout("kind", header=True)),
        ("x,y,kind\n", Layout(2)),
        ("\ufeff\n x , y ,kind\r\n", Layout("kind")),
        ('"x","y","kind"\n', ANY),
        ("x,y,3\n", ANY),
    ],
)
def test_a_header_is_found_and_gives_the_names(csv_file, header, layout):
    dataset = read_dataset(csv_file(header + ROWS), layout, "classification")

    assert_holds(dataset, [[1, 2], [3, 4]], ["a", "b"])
    assert dataset.feature_names == ("x", "y")
    assert dataset.target_name in ("kind", "3")


@pytest.mark.parametrize(
    ("content", "layout", "names"),
    [
        ("1,2,a\n", Layout(-1), ("feature_1", "feature_2")),
        ("1,a,2\n", Layout(1), ("feature_1", "feature_2")),
        ("a,1,2\n", Layout(0), ("feature_1", "feature_2")),
        ("a,1,2\n", Layout(-3), ("feature_1", "feature_2")),
        ("x,y,kind\n1,2,a\n", Layout("kind"), ("x", "y")),
        ("x,kind,y\n1,a,2\n", Layout("kind"), ("x", "y")),
        ("kind,x,y\na,1,2\n", Layout("kind"), ("x", "y")),
        ("1,2,kind\n1,2,a\n", Layout("kind"), ("1", "2")),
        ("1,2,kind\n1,2,a\n", Layout(header=True), ("1", "2")),
    ],
)
def test_the_target_is_found_by_name_or_position(csv_file, content, layout, names):
    dataset = read_dataset(csv_file(content), layout, "classification")

    assert_holds(dataset, [[1, 2]], ["a"])
    assert dataset.feature_names == names


def test_without_a_header_texts_of_the_first_row_are_data(csv_file):
    path = csv_file("x,y,kind\n1,2,a\n")

    assert str(refusal_of(path, Layout(header=False))) == (
        f"{path}, line 1, column 1: 'x' is not a number; encode it as one or drop the column; "
        "the same holds for 2 (line 1, 'y')"
    )


def test_labels_are_texts_and_may_be_anything_on_one_line(csv_file):
    dataset = read_dataset(csv_file('1,"a, ""b"""\n2,7\n3,é ü\n4,NA\n'), ANY, "classification")

    assert dataset.target.tolist() == ['a, "b"', "7", "é ü", "NA"]


def test_the_target_of_a_regression_is_a_number(csv_file):
    dataset = read_dataset(csv_file("y,x\n1e3,2\n-4,5\n"), Layout("y"), "regression")

    assert_holds(dataset, [[2], [5]], [1000.0, -4.0])
    assert dataset.target.dtype == np.float64
    assert (dataset.feature_names, dataset.target_name) == (("x",), "y")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_numbers_are_read_exactly(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("exact") / "data.csv"
    path.write_text("".join(f"{number!r},a\n" for number in numbers))

    dataset = read_dataset(path, ANY, "classification")

    assert list(map(repr, dataset.features[:, 0].tolist())) == list(map(repr, numbers))


def test_rows_are_chosen_by_number(noisy_iris):
    features, target = noisy_iris.rows(np.array([149, 0]))

    assert features.tolist() == [
        noisy_iris.features[149].tolist(),
        noisy_iris.features[0].tolist(),
    ]
    assert target.tolist() == ["Iris-virginica", "Iris-setosa"]


def test_the_digest_is_of_the_bytes(csv_file):
    content = b"\xef\xbb\xbf1,a\r\n"
    path = csv_file(content)

    digest = sha256(content).hexdigest()
    assert read_dataset(path, ANY, "classification").digest == file_digest(path) == digest


NO_NUMBER = "is not a number; encode it as one or drop the column"


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("", ""),
        ("  ", ""),
        ('""', ""),
        ("NA", "NA"),
        ("n/a", "n/a"),
        ("null", "null"),
        ("None", "None"),
        ("NaN", "NaN"),
        ("?", "?"),
    ],
)
def test_a_missing_value_is_refused(csv_file, cell, shown):
    path = csv_file(f"x,y,kind\n1,2,a\n\n3,{cell},b\n")

    refusal = refusal_of(path)

    assert str(refusal) == (
        f"{path}, line 4, column y: the value is missing ({shown!r}); fill it in or remove the row"
    )
    assert (refusal.line, refusal.column) == (4, "y")


@pytest.mark.parametrize("row", ["NA,?,a", ",n/a,a", "nan,null,a", "none,?,a"])
def test_missing_values_in_the_first_row_are_no_header(csv_file, row):
    path = csv_file(f"{row}\n1,2,b\n")

    first, second, _ = row.split(",")
    assert str(refusal_of(path)) == (
        f"{path}, line 1, column 1: the value is missing ({first!r}); "
        f"fill it in or remove the row; the same holds for 2 (line 1, {second!r})"
    )


@pytest.mark.parametrize(
    "cell",
    [
        "red",
        "0x1A",
        "1 234",
        "1_000",
        "1'000",
        "1.234.5",
        "1;5",
        "12%",
        "$5",
        "--1",
        "1e",
        "٣",
        "\u22121",
    ],
)
def test_what_is_not_a_number_is_refused(csv_file, cell):
    path = csv_file(f"1,2,a\n3,{cell},b\n")

    assert str(refusal_of(path)) == f"{path}, line 2, column 2: {cell!r} {NO_NUMBER}"


@pytest.mark.parametrize("cell", ["1,5", "1,234.5"])
def test_a_decimal_comma_is_refused_quoted_or_not(csv_file, cell):
    path = csv_file(f'1,2,a\n3,"{cell}",b\n')
    assert str(refusal_of(path)) == f"{path}, line 2, column 2: {cell!r} {NO_NUMBER}"

    path = csv_file(f"1,2,a\n3,{cell},b\n")
    assert (
        str(refusal_of(path))
        == f"{path}, line 2: has 4 columns; the lines before have 3; correct or remove the line"
    )


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e400", "-1e400", "9" * 400])
def test_what_is_not_finite_is_refused(csv_file, cell):
    path = csv_file(f"1,2,a\n3,{cell},b\n")

    shown = cell if len(cell) < 60 else f"{cell[:60]}..."
    assert str(refusal_of(path)) == (
        f"{path}, line 2, column 2: {shown!r} is not finite; remove the row"
    )


EMPTY = "holds no rows; write one example a line"
MISSING_VALUE = "the value is missing (''); fill it in or remove the row"
WITHOUT = "fill it in, or write without_target: drop to leave such rows out"
MISSING_LABEL = f"the label is missing in 1 row; {WITHOUT}"
AS_CSV = "; correct the line, or save the table as CSV"
WORKBOOK = "is a workbook or a ZIP archive; save the sheet as CSV (UTF-8), or unpack it"
COMMAS = "features and a target, separated by commas, are needed"
SAVE = "save the file as UTF-8"
NO_UTF8 = "is not UTF-8 text"
WESTERN = f"{NO_UTF8}; write encoding: cp1252 if it reads"
DAMAGED = f"{NO_UTF8}; the others are: correct it, or {SAVE}"
UNMARKED = (
    "is UTF-16 without a byte order mark, or no text; write encoding: utf-16-le, or save the file "
    "as UTF-8"
)
NUL = "holds a NUL byte, as no text does; remove it, or write the file again"


@pytest.mark.parametrize(
    ("content", "place", "problem"),
    [
        ("", "", EMPTY),
        ("\n \r\n,,\n", "", EMPTY),
        ("\ufeff", "", EMPTY),
        ("x,y,kind\n", "", "holds a header and no rows; write one example a line"),
        ("\n1\n2\n", ", line 2", f"has 1 column; {COMMAS}"),
        ("5.1 3.5 a\n", ", line 1", f"has 1 column; {COMMAS}"),
        ("5.1:3.5:a\n", ", line 1", f"has 1 column; {COMMAS}"),
        (
            "1,2,a\n3,4\n",
            ", line 2",
            "has 2 columns; the lines before have 3; correct or remove the line",
        ),
        (
            "x,y,kind\n1,2,a,\n",
            ", line 2",
            "has 4 columns; the lines before have 3; correct or remove the line",
        ),
        ("1,2,a\n3,4,\n", ", line 2, column 3", MISSING_LABEL),
        ("x,y,kind\n1,2, \n", ", line 2, column kind", MISSING_LABEL),
        ("\nx,x,kind\n1,2,a\n", ", line 2", "two columns are named 'x'; rename one"),
        ('x,"y\nz",kind\n1,2,a\n', ", line 2", r"the column name 'y\nz' holds a line break"),
        ('1,2,"a\nb"\n', ", line 2, column 3", r"the label 'a\nb' holds a line break"),
        ('1,2,"a\rb"\n', ", line 2, column 3", r"the label 'a\rb' holds a line break"),
        ('1,2,a\n"3,4,b\n', ", line 2", f"is not CSV: unexpected end of data{AS_CSV}"),
        ('1,2,a\n"3"4,4,b\n', ", line 2", f"is not CSV: ',' expected after '\"'{AS_CSV}"),
        (b"1,2,a\n3,4,\xe9\n", ", line 2", f"byte 0xe9 {WESTERN} 'é', or {SAVE}"),
        (b"\xef\xbb\xbf1,2,a\r3,4,b\r\xe95,6,c\r", ", line 3", f"byte 0xe9 {DAMAGED}"),
        ("1,2,a\n".encode("utf-16") + b"3", ", line 2", f"is not UTF-16 text; {SAVE}"),
        (ROWS.encode("utf-16-le"), "", UNMARKED),
        (b"1,2,a\r\n3,\x004,b\r\n", ", line 2", NUL),
        (b"1,2,a\r3,\x004,b\r", ", line 2", NUL),
        (b"\x89PNG\r\n\x1a\n", ", line 1", f"byte 0x89 {NO_UTF8}; {SAVE}"),
        (b"PK\x03\x04\x14\x00\x06\x00", "", WORKBOOK),
        (b"BZh91AY&SY\xa9", "", "is packed by bzip2; unpack it, or pack it by gzip"),
        ("<table>\n", ", line 1", "is HTML, JSON or ARFF, not a table; save it as CSV"),
    ],
)
def test_a_file_that_cannot_be_learnt_from_is_refused(csv_file, content, place, problem):
    path = csv_file(content)

    assert str(refusal_of(path)) == f"{path}{place}: {problem}"


@pytest.mark.parametrize(
    ("content", "layout", "problem"),
    [
        (ROWS, Layout(3), "has 3 columns; there is no target at position 3"),
        (ROWS, Layout(-4), "has 3 columns; there is no target at position -4"),
        (ROWS, Layout("kind"), "has no column 'kind' for the target; there are 1, 2, a"),
        (
            "x,y,kind\n" + ROWS,
            Layout("Kind"),
            "has no column 'Kind' for the target; there are x, y, kind",
        ),
        (
            ROWS,
            Layout("kind", header=False),
            "has no header; give the target 'kind' as a position instead",
        ),
    ],
)
def test_a_target_that_is_not_there_is_refused(csv_file, content, layout, problem):
    path = csv_file(content)

    assert str(refusal_of(path, layout)) == f"{path}: {problem}"


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("tall", f"'tall' {NO_NUMBER}"),
        ("", f"the target is missing in 1 row; {WITHOUT}"),
        ("inf", "'inf' is not finite; remove the row"),
    ],
)
def test_a_target_of_a_regression_that_is_no_number_is_refused(csv_file, cell, problem):
    path = csv_file(f"x,height\n1,1.5\n2,{cell}\n")

    assert str(refusal_of(path, task="regression")) == f"{path}, line 3, column height: {problem}"


def test_a_file_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "none.csv"

    problem = f"{path}: the data cannot be read: No such file or directory"
    assert str(refusal_of(path)) == problem
    with pytest.raises(DatasetError) as refusal:
        file_digest(path)
    assert str(refusal.value) == problem


def test_a_folder_is_refused(tmp_path):
    assert (
        str(refusal_of(tmp_path))
        == f"{tmp_path}: the data cannot be read: it is a folder, not a file"
    )


def test_parquet_is_read_exactly(parquet_file):
    path = parquet_file({"x": [0.1 + 0.2, 5e-324], "n": [1, -2], "kind": ["a", "b"]})

    dataset = read_dataset(path, ANY, "classification")

    assert_holds(dataset, [[0.1 + 0.2, 1], [5e-324, -2]], ["a", "b"])
    assert (dataset.feature_names, dataset.target_name) == (("x", "n"), "kind")
    assert dataset.digest == file_digest(path)


def test_parquet_of_less_precision_keeps_its_values(parquet_file):
    path = parquet_file({"x": np.array([0.1, 1e-40], dtype=np.float32), "kind": ["a", "b"]})

    assert_holds(
        read_dataset(path, ANY, "classification"),
        [[float(np.float32(0.1))], [float(np.float32(1e-40))]],
        ["a", "b"],
    )


def test_the_target_of_parquet_is_found_by_name(parquet_file):
    path = parquet_file({"height": [1.5, 2.5], "x": [1, 2]})

    assert_holds(read_dataset(path, Layout("height"), "regression"), [[1], [2]], [1.5, 2.5])


@pytest.mark.parametrize(
    ("columns", "place", "problem"),
    [
        ({"x": [1.0, None], "kind": ["a", "b"]}, ", row 2, column x", MISSING_VALUE),
        (
            {"x": [1.0, np.inf], "kind": ["a", "b"]},
            ", row 2, column x",
            "'inf' is not finite; remove the row",
        ),
        ({"x": ["1", "red"], "kind": ["a", "b"]}, ", row 2, column x", f"'red' {NO_NUMBER}"),
        ({"x": [[1, 2]], "kind": ["a"]}, ", row 1, column x", f"'[1 2]' {NO_NUMBER}"),
        ({"x": [1, 2], "kind": ["a", None]}, ", row 2, column kind", MISSING_LABEL),
        (
            {"x": [1], "kind": ["a\nb"]},
            ", row 1, column kind",
            r"the label 'a\nb' holds a line break",
        ),
        ({"x\r": [1], "kind": ["a"]}, "", r"the column name 'x\r' holds a line break"),
        ({"x": [1, 2]}, ", row 1", f"has 1 column; {COMMAS}"),
        ({"x": [], "kind": []}, "", EMPTY.replace("line", "row")),
    ],
)
def test_parquet_that_cannot_be_learnt_from_is_refused(parquet_file, columns, place, problem):
    path = parquet_file(columns)

    assert str(refusal_of(path)) == f"{path}{place}: {problem}"


def test_what_only_claims_to_be_parquet_is_refused(tmp_path):
    pytest.importorskip("pyarrow", reason="the parquet extra is not installed")
    path = tmp_path / "data.parquet"
    path.write_text(ROWS)

    assert str(refusal_of(path)).startswith(f"{path}: is not Parquet: ")


FEATURES = ("x", "y")


@pytest.mark.parametrize(
    "content",
    [
        "1,2\n3,4\n",
        "1,2,\n3,4,b\n",
        ROWS,
        "x,y\n1,2\n3,4\n",
        "y,x\n2,1\n4,3\n",
        "kind,y,note,x\na,2,,1\n?,4,z,3\n",
        "\ufeffx,y\r\n1,2\r\n\r\n3,4\r\n",
    ],
)
def test_rows_to_predict_may_look_like(csv_file, content):
    features = read_features(csv_file(content), FEATURES, "kind")

    assert features.dtype == np.float64
    assert features.tolist() == [[1, 2], [3, 4]]


def test_rows_to_predict_may_be_parquet(parquet_file):
    path = parquet_file({"note": ["-"], "y": [2], "x": [1]})

    assert read_features(path, FEATURES, "kind").tolist() == [[1, 2]]


def test_features_without_names_are_taken_by_position(csv_file):
    path = csv_file("1,2\n")

    assert read_features(path, ("feature_1", "feature_2"), "target").tolist() == [[1, 2]]


WIDTH = "the model needs 2 features, with or without kind after them"


@pytest.mark.parametrize(
    ("content", "place", "problem"),
    [
        ("", "", EMPTY),
        ("x,z\n", ", line 1", "the header does not name the feature 'y'"),
        ("x,z\n1,2\n", ", line 1", "the header does not name the feature 'y'"),
        ("\nX,Y\n1,2\n", ", line 2", "the header does not name the features 'x', 'y'"),
        (
            "x,y\n1,2\n,\n3,4\n",
            ", line 3, column x",
            f"{MISSING_VALUE}; the same holds for y (line 3, '')",
        ),
        ("x,y,x\n1,2,3\n", ", line 1", "two columns are named 'x'; rename one"),
        ("x,y\n1,2\n3\n", ", line 3", "has 1 column; the header has 2; correct or remove the line"),
        ("x,y\n1,2,a\n", ", line 2", "has 3 columns; the header has 2; correct or remove the line"),
        ("1\n", ", line 1", f"has 1 column; {WIDTH}"),
        ("1,2,a,b\n", ", line 1", f"has 4 columns; {WIDTH}"),
        ("y,x\n1,red\n", ", line 2, column x", f"'red' {NO_NUMBER}"),
        (
            "1,2\n3,\n",
            ", line 2, column y",
            MISSING_VALUE,
        ),
        ("1,2\n1e400,2\n", ", line 2, column x", "'1e400' is not finite; remove the row"),
        (b"1,\xff\n", ", line 1", f"byte 0xff {WESTERN} 'ÿ', or {SAVE}"),
    ],
)
def test_rows_that_cannot_be_predicted_are_refused(csv_file, content, place, problem):
    path = csv_file(content)

    with pytest.raises(DatasetError) as refusal:
        read_features(path, FEATURES, "kind")

    assert str(refusal.value) == f"{path}{place}: {problem}"


def test_parquet_without_a_feature_is_refused(parquet_file):
    path = parquet_file({"x": [1], "kind": ["a"]})

    with pytest.raises(DatasetError) as refusal:
        read_features(path, FEATURES, "kind")

    assert str(refusal.value) == f"{path}: the header does not name the feature 'y'"


TOKENS = st.sampled_from(
    [b"1", b"-2.5", b"e9", b"nan", b"NA", b",", b",", b"\n", b"\n", b"\r", b'"', b" ", b"x", b"y",
     b"kind", b"\xef\xbb\xbf", b"\xff", b"\0", "é".encode(), "\u2028".encode(), b"_", b"9" * 400]
)  # fmt: skip
CONTENTS = st.binary(max_size=60) | st.lists(TOKENS, max_size=25).map(b"".join)
LAYOUTS = st.builds(
    Layout,
    st.integers(-3, 3) | st.sampled_from(["kind", "x", ""]),
    st.none() | st.booleans(),
)


@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
@given(content=CONTENTS, layout=LAYOUTS, task=st.sampled_from(["classification", "regression"]))
def test_any_bytes_are_read_or_refused(tmp_path_factory, name, content, layout, task):
    path = tmp_path_factory.mktemp("fuzz") / name
    path.write_bytes(content)

    try:
        dataset = read_dataset(path, layout, task)
    except DatasetError as error:
        message = str(error)
    else:
        message = str(path)
        rows, width = dataset.features.shape
        assert rows == len(dataset.target) >= 1
        assert width == len(dataset.feature_names) >= 1
        assert np.isfinite(dataset.features).all()
    assert message.startswith(str(path))


@given(content=CONTENTS)
def test_any_bytes_are_predicted_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "data.csv"
    path.write_bytes(content)

    try:
        features = read_features(path, FEATURES, "kind")
    except DatasetError as error:
        message = str(error)
    else:
        message = str(path)
        assert features.ndim == 2
        assert features.shape[1] == 2
        assert np.isfinite(features).all()
    assert message.startswith(str(path))
