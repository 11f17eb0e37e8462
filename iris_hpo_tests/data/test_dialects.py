"""Tables as programs write them: separators, quotes, lines that are no rows, decimal commas."""

from pathlib import Path

import pandas as pd  # noqa: TID253
import pytest
from sklearn.datasets import load_iris

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Dataset, Task, read_dataset
from iris_hpo.data.prediction_rows import read_features
from iris_hpo.data.sources import DatasetError

ABOVE = " above the table: left out; skip_lines: 0 reads from line 1"
ORANGE = "lines 2 and 3 describe the columns, as Orange writes them: left out"


def read(
    tmp_path: Path,
    text: str,
    target: str | int = -1,
    task: Task = "classification",
    **layout: object,
) -> Dataset:
    path = tmp_path / "data.csv"
    path.write_text(text)
    return read_dataset(path, Layout(target, **layout), task, mixed=True)


def refusal(tmp_path: Path, text: str, target: str | int = -1, **layout: object) -> str:
    with pytest.raises(DatasetError) as refused:
        read(tmp_path, text, target, **layout)
    return str(refused.value).removeprefix(str(tmp_path / "data.csv"))


SPECTOR = "'OBS' 'GPA' 'TUCE' 'GRADE'\n1 2.66 20 0\n2 2.89 22 0\n3 3.28 24 1\n"
ALIGNED = 'mpg\tweight n\tname\n18.0   3504.  1\t"red car"\n 15.0   3693.  2\t"blue car"\n'


def test_spaces_separate(tmp_path: Path) -> None:
    dataset = read(tmp_path, SPECTOR, "GRADE")

    assert dataset.feature_names == ("GPA", "TUCE")
    assert dataset.features.tolist() == [[2.66, 20], [2.89, 22], [3.28, 24]]
    assert dataset.target.tolist() == ["0", "0", "1"]
    assert dataset.notes == (
        "the column OBS counts the rows: it is left out; columns: {'OBS': feature} keeps it",
    )


def test_any_number_of_spaces_and_tabs_separates(tmp_path: Path) -> None:
    assert read(tmp_path, ALIGNED, "name").features.tolist() == [[18, 3504, 1], [15, 3693, 2]]
    path = tmp_path / "data.csv"
    assert read_features(path, ["n", "mpg"], "name").tolist() == [[1, 18], [2, 15]]


def test_a_ragged_table_with_commas_is_not_taken_for_one_with_spaces(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a b,1,c\na d,2\nc d,3,e\n") == (
        ", line 2: has 2 columns; the lines before have 3; correct or remove the line"
    )


@pytest.mark.parametrize("header", [True, False])
def test_r_writes_names_of_rows_without_a_name_in_the_header(
    tmp_path: Path, *, header: bool
) -> None:
    frame = load_iris(as_frame=True).frame.set_axis(range(1, 151))
    text = frame.to_csv(sep=" ", quoting=2)
    assert text.startswith('"" ')

    dataset = read(tmp_path, text[3:] if header else text, "target")

    assert dataset.features.tolist() == frame.to_numpy()[:, :4].tolist()
    assert dataset.notes == ("column 1 has no name and counts the rows: it is left out",)


def test_a_header_that_lacks_a_name_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "x,kind\n5,2,a\n3,4,b\n5,1,b\n") == (
        ", line 2: has 3 columns; the lines before have 2; correct or remove the line"
    )


@pytest.mark.parametrize("header", ["a;b;kind\n", "", "'a';'b';'kind'\n"])
def test_numbers_may_have_decimal_commas_where_semicolons_separate(
    tmp_path: Path, header: str
) -> None:
    dataset = read(tmp_path, f"{header}1,5;2,25;x\n-0,5;1.234,75;y\n", -1)

    assert dataset.kinds == ()
    assert dataset.features.tolist() == [[1.5, 2.25], [-0.5, 1234.75]]


def test_a_target_may_have_decimal_commas(tmp_path: Path) -> None:
    dataset = read(tmp_path, "x;y\n1,5;2,5\n2;3\n", "y", "regression")

    assert (dataset.features.tolist(), dataset.target.tolist()) == ([[1.5], [2]], [2.5, 3])


def test_commas_and_semicolons_in_texts_do_not_separate(tmp_path: Path) -> None:
    text = 'name;x;kind\n"Abbott, John";1;a\n"Adams; Ann";2;b\n'
    assert read(tmp_path, text).features.tolist() == [["Abbott, John", 1], ["Adams; Ann", 2]]

    text = "x,note\n1,red; new\n2,blue; old\n"
    assert read(tmp_path, text, "x", "regression").features.tolist() == [
        ["red; new"],
        ["blue; old"],
    ]

    text = "name, first\tx\tkind\nAbbott, John\t1\ta\nAdams\t2\tb\n"
    assert read(tmp_path, text).feature_names == ("name, first", "x")


def test_a_separator_may_end_each_row_but_the_header(tmp_path: Path) -> None:
    dataset = read(tmp_path, "x,y,kind\n1,2,a,\n3,4,b,\n", "kind")

    assert dataset.features.tolist() == [[1, 2], [3, 4]]
    assert dataset.notes == ("the column 'Unnamed: 3' is empty: it is left out",)


# Lines that are no rows

ROWS = "x,y,z,kind\n" + "".join(f"{n}.5,{n % 3},{n % 5},{'ab'[n % 2]}\n" for n in range(30))


@pytest.mark.parametrize(
    ("above", "number"),
    [("# measured in 1936\n", 1), ("Flowers,1936\n\n", 2), ("Flowers\nby hand\n\n", 3)],
)
def test_lines_above_the_table_are_left_out_and_noted(
    tmp_path: Path, above: str, number: int
) -> None:
    dataset = read(tmp_path, above + ROWS)

    assert dataset.features.shape == (30, 3)
    assert dataset.feature_names == ("x", "y", "z")
    assert dataset.notes == (f"{number} line{'s' if number > 1 else ''}{ABOVE}",)
    bad = refusal(tmp_path, above + ROWS.replace("7.5,", "tall,"))
    assert bad.startswith(f", line {9 + number}, column x: 'tall' is not a number")


@pytest.mark.parametrize("classes", ["a,b", "a,b,c", "a,b,c,d,e"])
def test_the_counts_above_scikit_learns_tables_are_no_row(tmp_path: Path, classes: str) -> None:
    dataset = read(tmp_path, ROWS.replace("x,y,z,kind", f"30,3,{classes}"))

    assert dataset.features.shape == (30, 3)
    assert dataset.feature_names == ("feature_1", "feature_2", "feature_3")
    assert dataset.notes == (f"1 line{ABOVE}",)


def test_no_lines_are_looked_for_if_none_are_to_be_skipped(tmp_path: Path) -> None:
    assert "remove what stands above the table" in refusal(tmp_path, f"1936\n{ROWS}", skip_lines=0)


@pytest.mark.parametrize("types", ["c\td\tc\td", "continuous\ta b c\tc\tdiscrete", "c\td\ts\td"])
def test_oranges_descriptions_are_no_rows(tmp_path: Path, types: str) -> None:
    rows = ROWS.replace(",", "\t").partition("\n")
    text = f"{rows[0]}\n{types}\n\t\tmeta\tclass\n{rows[2]}"

    dataset = read(tmp_path, text, "kind")

    assert dataset.features.shape == (30, 2)
    assert dataset.feature_names == ("x", "y")
    assert dataset.notes == (ORANGE, "the column z is no feature by line 3")
    assert read(tmp_path, text, "kind", columns={"z": "feature"}).features.shape == (30, 3)
    assert "line 11" in refusal(tmp_path, text.replace("7.5\t", "tall\t"), "kind")


def test_short_texts_below_a_header_are_no_descriptions(tmp_path: Path) -> None:
    text = "size\tshape\tkind\nc\td\ta\nd\tc\tb\nc\tc\ta\n"

    assert len(read(tmp_path, text, "kind").target) == 3


# Columns

TEXTS = "p,x,s\ne,x,s\ne,b,x\n"


def test_texts_that_repeat_are_no_names(tmp_path: Path) -> None:
    assert len(read(tmp_path, TEXTS.replace("p,x,s", "x,x,s")).target) == 3
    with pytest.raises(DatasetError, match="two columns are named 'x'; rename one"):
        read(tmp_path, "x,x,kind\n1,2,a\n")


def test_a_separator_too_many_makes_an_empty_column(tmp_path: Path) -> None:
    dataset = read(tmp_path, "x,kind,,\n1,a,,\n2,b,,\n", "kind")

    assert dataset.feature_names == ("x",)
    assert [column.role for column in dataset.columns] == ["feature", "target", "empty", "empty"]


@pytest.mark.parametrize("name", ["Obs", "obs.", "No.", "row_number", "rownames", "index", "#"])
def test_a_column_named_and_counting_as_row_numbers_is_left_out(tmp_path: Path, name: str) -> None:
    text = f"{name},x,kind\n1,5,a\n2,5,b\n3,6,b\n"

    assert read(tmp_path, text, "kind").feature_names == ("x",)
    kept = read(tmp_path, text, "kind", columns={name: "feature"})
    assert kept.feature_names == (name, "x")
    assert read(tmp_path, text.replace("3,6", "7,6"), "kind").feature_names == (name, "x")


def test_a_few_rows_without_a_target_are_left_out_and_noted(tmp_path: Path) -> None:
    text = "x,y\n" + "1,2\n" * 20 + "3,NA\n" * 10

    dataset = read(tmp_path, text, "y", "regression")

    assert len(dataset.target) == 20
    assert "10 rows without a target: left out" in dataset.notes
    advice = "fill it in, or write without_target: drop to leave such rows out"
    for more, layout, number in [("4,\n", {}, 11), ("", {"without_target": "refuse"}, 10)]:
        with pytest.raises(DatasetError) as refused:
            read(tmp_path, text + more, "y", "regression", **layout)
        assert str(refused.value).endswith(
            f"line 22, column y: the target is missing in {number} rows; {advice}"
        )


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("missing", [[0], [3, 4], [11], [0, 11]])
def test_row_numbers_are_left_out_where_rows_are(
    tmp_path: Path, start: int, missing: list[int]
) -> None:
    cells = ["NA" if n in missing else str(n % 5) for n in range(12)]
    rows = "".join(f"{n + start},{n % 3}.5,{cell}\n" for n, cell in enumerate(cells))

    dataset = read(tmp_path, f",x,y\n{rows}", "y", "regression")

    assert dataset.feature_names == ("x",)
    assert dataset.notes[0] == "column 1 has no name and counts the rows: it is left out"


def test_pandas_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(ALIGNED)

    frame = pd.read_csv(path, sep=r"\s+")

    dataset = read_dataset(path, Layout("name"), "classification")
    assert dataset.features.tolist() == frame[["mpg", "weight", "n"]].to_numpy().tolist()


def test_excel_names_the_separator_above_the_table(tmp_path: Path) -> None:
    dataset = read(tmp_path, "sep=;\na;b;kind\n1,5;2;x\n3;4;y\n")

    assert dataset.feature_names == ("a", "b")
    assert dataset.features.tolist() == [[1.5, 2], [3, 4]]
    assert dataset.notes == (f"1 line{ABOVE}",)


@pytest.mark.parametrize(
    ("above", "number"), [("Report,,,\n", 1), ("Report,,,\n,,,\nby shop,,,\n", 3)]
)
def test_titles_with_as_many_cells_as_the_table_are_left_out(
    tmp_path: Path, above: str, number: int
) -> None:
    dataset = read(tmp_path, above + ROWS)

    assert dataset.feature_names == ("x", "y", "z")
    assert dataset.notes[0] == f"{number} line{'s' if number > 1 else ''}{ABOVE}"


@pytest.mark.parametrize("first", ["1.5,,", "x,,", "x,,kind"])
def test_a_row_with_empty_cells_is_no_title(tmp_path: Path, first: str) -> None:
    dataset = read(tmp_path, f"{first}\n" + "1,2,a\n3,4,b\n" * 3, header=first[0] == "x")

    assert len(dataset.target) == 6
    assert not any(ABOVE in note for note in dataset.notes)


def test_spaces_around_the_name_of_the_target_do_not_count(tmp_path: Path) -> None:
    assert read(tmp_path, "x, Body Mass \n1,2\n2,3\n", " Body Mass ").target_name == "Body Mass"
