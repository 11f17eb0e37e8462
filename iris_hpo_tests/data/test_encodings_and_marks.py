"""Files that are no UTF-8, and a user's own marks for missing values."""

import math
from pathlib import Path

import pytest

from iris_hpo.data import tables
from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Dataset, read_dataset
from iris_hpo.data.decoding import EncodingError
from iris_hpo.data.marks import Missing
from iris_hpo.data.prediction_rows import read_features
from iris_hpo.errors import InputError

TEXT = "größe,stadt,note\n" + "1,Köln,gut\n2,Zürich,übel\n" * 20
RUSSIAN = "\u0438\u043c\u044f,y\n" + "\u0418\u0432\u0430\u043d,1\n\u041f\u0451\u0442,0\n" * 20


@pytest.fixture(params=[False, True], ids=["by rows", "by columns"])
def is_large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether tables are read as large ones."""
    if request.param:
        monkeypatch.setattr(tables, "LARGE", 1)
    return request.param


def read(path: Path, layout: Layout, task: str = "classification") -> Dataset:
    return read_dataset(path, layout, task, mixed=True)  # type: ignore[arg-type]


def content(data: Dataset) -> str:
    """The content of a data set; NaN equals itself."""
    return repr((data.features.tolist(), data.target.tolist(), data.feature_names, data.kinds))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(TEXT, "cp1252"), (TEXT, "latin-1"), (TEXT, "utf-16-be"), (RUSSIAN, "cp1251")],
)
@pytest.mark.usefixtures("is_large")
def test_a_file_is_read_in_its_encoding(tmp_path: Path, text: str, encoding: str) -> None:
    path, plain = tmp_path / "data.csv", tmp_path / "plain.csv"
    path.write_bytes(text.encode(encoding))
    plain.write_text(text)

    assert content(read(path, Layout(encoding=encoding))) == content(read(plain, Layout()))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.usefixtures("is_large")
def test_a_file_that_shows_its_encoding_needs_no_other(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(TEXT.encode(encoding))

    data = read(path, Layout(encoding="cp1252"))

    assert data.feature_names == ("größe", "stadt")
    rows = read_features(path, data.feature_names, "note", 2, data.kinds, encoding="cp1252")
    assert rows.tolist() == data.features.tolist()


def test_the_likely_encoding_is_that_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(TEXT.replace("größe", "size").encode("cp1252"))

    with pytest.raises(EncodingError) as refused:
        read(path, Layout())

    assert (refused.value.likely, refused.value.word, refused.value.line) == ("cp1252", "Köln", 2)


@pytest.mark.parametrize(
    ("bytes_of", "problem"),
    [
        (RUSSIAN.encode("cp1251"), "or name its encoding, as in encoding: cp1251"),
        (TEXT.encode() + b"3,K\xf6ln,gut\n", "the others are: correct it"),
    ],
)
def test_no_encoding_is_guessed_without_reason(
    tmp_path: Path, bytes_of: bytes, problem: str
) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(bytes_of)

    with pytest.raises(InputError, match=problem) as refused:
        read(path, Layout())
    assert not isinstance(refused.value, EncodingError)


def test_another_encoding_than_the_one_given_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes("x,y\n1,a\n2,Köln\n".encode("cp1252"))

    with pytest.raises(InputError, match="line 3: is not shift_jis text; write another encoding"):
        read(path, Layout(encoding="shift_jis"))


@pytest.mark.parametrize("encoding", ["latn", "base64", ""])
def test_an_unknown_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(InputError, match="is unknown; write one") as refused:
        Layout(encoding=encoding)
    assert refused.value.field == ("encoding",)


MARKED = (
    "size,mass,city,day,kind\n"
    + "1.5,-999,Bern,2020-01-01,a\n-999.0,3,keine Angabe,keine Angabe,b\n" * 10
    + "2,4, keine Angabe ,2020-01-03,a\n-9.99e2,5,-999,2020-01-04,keine Angabe\n"
)
UNMARKED = (
    "size,mass,city,day,kind\n"
    + "1.5,,Bern,2020-01-01,a\n,3,,,b\n" * 10
    + "2,4,,2020-01-03,a\n,5,,2020-01-04,\n"
)


@pytest.mark.parametrize("missing", [(-999, "keine Angabe"), ("-999", "keine Angabe")])
@pytest.mark.usefixtures("is_large")
def test_marks_are_empty_cells(tmp_path: Path, missing: Missing) -> None:
    marked, unmarked = tmp_path / "marked.csv", tmp_path / "unmarked.csv"
    marked.write_text(MARKED)
    unmarked.write_text(UNMARKED)

    data, expected = read(marked, Layout("kind", missing=missing)), read(unmarked, Layout("kind"))

    assert content(data) == content(expected)
    assert data.notes == expected.notes == ("1 row without a target: left out",)
    names, kinds = data.feature_names, data.kinds
    rows = read_features(marked, names, "kind", "kind", kinds, missing=missing)
    assert repr(rows.tolist()) == repr(read_features(unmarked, names, "kind", -1, kinds).tolist())


@pytest.mark.usefixtures("is_large")
def test_marks_may_be_those_of_a_column(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("insulin,children,y\n" + "0,0,1.5\n80,2,0\n" * 10)

    data = read(path, Layout(missing={"insulin": [0]}), "regression")

    assert repr(data.features[:2].tolist()) == "[[nan, 0.0], [80.0, 2.0]]"
    assert data.target[:2].tolist() == [1.5, 0.0]


@pytest.mark.usefixtures("is_large")
def test_marks_in_a_numeric_target_leave_rows_out(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,y\n" + "1,2.5\n2,3\n3,-1\n" * 10)

    data = read(path, Layout(missing=[-1]), "regression")

    assert data.target.tolist() == [2.5, 3.0] * 10
    assert data.features.dtype == float


def test_a_first_row_of_marks_is_no_header_of_rows_to_predict(tmp_path: Path) -> None:
    path, missing = tmp_path / "data.csv", ["none known", -999]
    path.write_text("none known,-999,a\n" + "Bern,1.5,a\nGraz,2,b\n" * 3)
    data = read(path, Layout(header=False, missing=missing))

    rows = read_features(
        path, data.feature_names, "target", -1, data.kinds, header=False, missing=missing
    )

    assert repr(rows.tolist()) == repr(data.features.tolist())
    assert repr(rows[0].tolist()) == "['', nan]"


def test_marks_of_a_column_that_there_is_not_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,y\n1,a\n2,b\n")

    with pytest.raises(InputError, match="has no column 'z', which `missing` names"):
        read(path, Layout(missing={"z": [0]}))
    path.write_text("1,a\n2,b\n")
    with pytest.raises(InputError, match="has no header, so `missing` cannot name columns"):
        read(path, Layout(header=False, missing={"1": [0]}))


def test_a_truth_value_is_no_mark() -> None:
    with pytest.raises(InputError, match="quote a word that YAML reads as a truth value"):
        Layout(missing=[False])


@pytest.mark.parametrize("missing", [[math.nan], {"a": [math.inf]}])
def test_a_mark_that_is_no_finite_number_is_refused(missing: Missing) -> None:
    with pytest.raises(InputError, match="is no finite number; quote it as it is in the cells"):
        Layout(missing=missing)
