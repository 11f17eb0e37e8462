"""Which columns are learnt from: row numbers, headers of numbers, and the target by position."""

import io
from pathlib import Path

import numpy as np
import pandas as pd  # noqa: TID253
import pytest

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Dataset, Task, read_dataset
from iris_hpo.data.prediction_rows import read_features
from iris_hpo.data.sources import DatasetError
from iris_hpo.errors import InputError

FRAME = pd.DataFrame({"x": [5.1, 4.9, 6.3], "y": [3.5, 3.0, 2.9], "kind": ["a", "a", "b"]})
NUMBERS = pd.DataFrame([[5.1, 3.5, 1.4, 0.2], [4.9, 3.0, 1.4, 0.3], [6.3, 2.9, 5.6, 1.8]])
R_ROWS = '"","x","y","kind"\n"1",5.1,3.5,"a"\n"2",4.9,3,"a"\n"3",6.3,2.9,"b"\n'
FEATURES = [[5.1, 3.5], [4.9, 3.0], [6.3, 2.9]]
LEFT_OUT = "column 1 has no name and counts the rows: it is left out"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "data.csv"
    path.write_text(text)
    return path


def read(
    tmp_path: Path, text: str, layout: Layout | None = None, task: Task = "classification"
) -> Dataset:
    return read_dataset(written(tmp_path, text), layout or Layout(), task)


def refusal(tmp_path: Path, text: str, layout: Layout, task: Task = "classification") -> str:
    with pytest.raises(DatasetError) as refused:
        read(tmp_path, text, layout, task)
    return str(refused.value).removeprefix(str(tmp_path / "data.csv"))


@pytest.mark.parametrize(
    "target", ["kind", -1, 3], ids=["by name", "the last", "by its position in the file"]
)
@pytest.mark.parametrize(
    "text",
    [
        FRAME.to_csv(),
        FRAME.set_axis([1, 2, 3]).to_csv(),
        FRAME.to_csv(quoting=1),
        FRAME.to_csv(index_label="Unnamed: 0"),
        R_ROWS,
        FRAME.to_csv(sep=";"),
        FRAME.to_csv(sep="\t"),
    ],
)
def test_a_column_without_a_name_that_counts_the_rows_is_left_out(
    tmp_path: Path, text: str, target: str | int
) -> None:
    dataset = read(tmp_path, text, Layout(target))

    assert dataset.features.tolist() == FEATURES
    assert dataset.features.flags.c_contiguous
    assert (dataset.feature_names, dataset.target_name) == (("x", "y"), "kind")
    assert dataset.target.tolist() == ["a", "a", "b"]
    named = "is named 'Unnamed: 0'" if "Unnamed" in text else "has no name"
    assert dataset.notes == (f"column 1 {named} and counts the rows: it is left out",)


def test_all_columns_that_count_the_rows_are_left_out(tmp_path: Path) -> None:
    twice = pd.read_csv(io.StringIO(FRAME.to_csv())).to_csv()

    dataset = read(tmp_path, twice, Layout("kind"))

    assert dataset.features.tolist() == FEATURES
    assert len(dataset.notes) == 2


def test_row_numbers_are_left_out_of_a_regression(tmp_path: Path) -> None:
    dataset = read(tmp_path, NUMBERS.to_csv(), Layout("3"), "regression")

    assert dataset.features.tolist() == NUMBERS[[0, 1, 2]].to_numpy().tolist()
    assert dataset.target.tolist() == NUMBERS[3].tolist()


def test_row_numbers_are_left_out_of_parquet(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    FRAME.reset_index(names="Unnamed: 0").to_parquet(path, index=False)

    assert read_dataset(path, Layout(), "classification").feature_names == ("x", "y")


@pytest.mark.parametrize(
    "numbers", [[0, 1, 3], [1, 1, 2], [2, 3, 4], [0, 2, 1], [0.5, 1.5, 2.5], [-1, 0, 1]]
)
def test_other_columns_without_a_name_stay_and_are_noted(
    tmp_path: Path, numbers: list[float]
) -> None:
    dataset = read(tmp_path, FRAME.set_axis(numbers).to_csv(), Layout("kind"))

    assert dataset.features[:, 0].tolist() == numbers
    assert dataset.notes == (
        "the feature '' has no name; if it only identifies rows, write columns: {'': drop}",
    )


@pytest.mark.parametrize(("text", "name"), [(FRAME.to_csv(index_label="plot"), "plot")])
def test_a_column_with_a_name_stays_and_is_noted_if_it_counts_the_rows(
    tmp_path: Path, text: str, name: str
) -> None:
    dataset = read(tmp_path, text, Layout("kind"))

    assert dataset.feature_names == (name, "x", "y")
    [note] = dataset.notes
    assert note == (
        f"the feature {name} counts the rows; if it only identifies rows, write columns: "
        f"{{'{name}': drop}}"
    )


@pytest.mark.parametrize("name", ["id", "ID", "row_id", "PassengerId"])
def test_a_column_that_is_named_as_an_identifier_and_counts_the_rows_is_left_out(
    tmp_path: Path, name: str
) -> None:
    text = FRAME.to_csv(index_label=name)
    keeping = f"columns: {{'{name}': feature}} keeps it"
    note = f"the column {name} counts the rows: it is left out; {keeping}"

    assert read(tmp_path, text, Layout("kind")).feature_names == ("x", "y")
    assert read(tmp_path, text, Layout("kind")).notes == (note,)
    kept = read(tmp_path, text, Layout("kind", columns={name: "feature"}))
    assert kept.feature_names == (name, "x", "y")


@pytest.mark.parametrize("index", [[*range(39, -1, -1)], [*range(100, 140)]])
def test_the_index_of_chosen_or_shuffled_rows_is_left_out(tmp_path: Path, index: list[int]) -> None:
    frame = pd.DataFrame({"x": [n % 7 for n in range(40)], "kind": [*"ab"] * 20}, index=index)

    dataset = read(tmp_path, frame.to_csv(), Layout("kind"))

    assert dataset.feature_names == ("x",)
    [note] = dataset.notes
    assert note.startswith("column 1 has no name and ")
    assert note.endswith("s the rows: it is left out")


def test_a_file_without_a_header_keeps_its_columns(tmp_path: Path) -> None:
    dataset = read(tmp_path, FRAME.to_csv(header=False, index_label=False))

    assert dataset.features.shape == (3, 3)
    assert len(dataset.notes) == 1


def test_row_numbers_and_a_target_alone_are_refused(tmp_path: Path) -> None:
    text = FRAME[["kind"]].to_csv()

    assert refusal(tmp_path, text, Layout("kind")) == (
        ": holds the numbers of rows and a target; add features"
    )


def test_a_target_that_counts_the_rows_stays_the_target(tmp_path: Path) -> None:
    dataset = read(tmp_path, FRAME[["x", "y"]].to_csv(), Layout(0), "regression")

    assert dataset.target.tolist() == [0, 1, 2]
    assert dataset.feature_names == ("x", "y")


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("width", [3, 4, 11])
def test_a_header_that_counts_the_columns_is_a_header(
    tmp_path: Path, width: int, *, index: bool
) -> None:
    numbers = np.random.default_rng(0).normal(size=(5, width))

    dataset = read(tmp_path, pd.DataFrame(numbers).to_csv(index=index), task="regression")

    assert dataset.features.tolist() == numbers[:, :-1].tolist()
    assert dataset.target.tolist() == numbers[:, -1].tolist()
    assert dataset.feature_names == tuple(map(str, range(width - 1)))
    assert dataset.target_name == str(width - 1)


def test_whole_numbers_may_stand_below_a_header_that_counts(tmp_path: Path) -> None:
    dataset = read(tmp_path, "0,1,2,3\n5,0,7,1\n", task="regression")

    assert dataset.features.tolist() == [[5, 0, 7]]


@pytest.mark.parametrize("target", ["kind", 4, -1])
def test_the_target_may_have_a_name_beside_columns_that_are_counted(
    tmp_path: Path, target: str | int
) -> None:
    text = NUMBERS.assign(kind=["a", "a", "b"]).to_csv(index=False)

    dataset = read(tmp_path, text, Layout(target))

    assert dataset.features.tolist() == NUMBERS.to_numpy().tolist()
    assert dataset.target_name == "kind"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("0,1,a\n0.5,1.5,b\n", 2),
        ("1,2,3,4\n5,0,7,1\n", 2),
        ("0,1,2,3\n", 1),
        ("0.0,1.0,2.0,3.0\n0.5,1.5,2.5,3.5\n", 2),
    ],
)
def test_rows_that_begin_small_are_rows(tmp_path: Path, text: str, rows: int) -> None:
    assert len(read(tmp_path, text).target) == rows


@pytest.mark.parametrize("text", ["0,1\n1,3\n2,5\n", "0,1,2\n1,0,1\n"])
def test_what_may_be_a_header_or_a_row_needs_a_word(tmp_path: Path, text: str) -> None:
    first = text.partition("\n")[0]
    assert refusal(tmp_path, text, Layout(), "regression") == (
        f", line 1: {first} may be a row, or a header as pandas writes it; set header: true or "
        "header: false"
    )
    rows = text.count("\n")
    for header in (True, False):
        dataset = read(tmp_path, text, Layout(header=header), "regression")
        assert len(dataset.target) == rows - header


def test_a_number_that_is_a_position_and_a_name_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, NUMBERS.to_csv(), Layout(3), "regression") == (
        ": the column at position 3 is '2', and another is named '3'; quote the name of the one "
        "that is the target"
    )


@pytest.mark.parametrize("truth", [True, False])
def test_a_truth_value_is_no_target(*, truth: bool) -> None:
    with pytest.raises(InputError, match="quote the name of the column"):
        Layout(truth)


@pytest.mark.parametrize("cells", [("True", "False"), ("TRUE", "false")])
def test_truth_values_are_1_and_0(tmp_path: Path, cells: tuple[str, str]) -> None:
    text = f"{cells[0]},2,a\n{cells[1]},3,b\n"

    assert read(tmp_path, text).features.tolist() == [[1, 2], [0, 3]]
    path = written(tmp_path, text)
    assert read_features(path, ["x", "y"], "kind").tolist() == [[1, 2], [0, 3]]


def test_truth_values_of_parquet_are_1_and_0(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    pd.DataFrame({"x": [True, False], "kind": ["a", "b"]}).to_parquet(path, index=False)

    assert read_dataset(path, Layout(), "classification").features.tolist() == [[1], [0]]


def test_all_columns_that_are_no_numbers_are_named_at_once(tmp_path: Path) -> None:
    text = "x,day,colour,size,kind\n1,2012/01/01,red,3,a\n2,2012/01/02,blue,NA,b\n"

    assert refusal(tmp_path, text, Layout("kind")) == (
        ", line 2, column day: '2012/01/01' is a date; give year, month and day as numbers or drop "
        "the column; the same holds for colour (line 2, 'red'), size (line 3, 'NA')"
    )


def test_lines_above_the_table_are_named(tmp_path: Path) -> None:
    text, layout = "Flowers of 1936\nx,y,kind\n1,2,a\n", Layout(-1, skip_lines=0)

    assert refusal(tmp_path, text, layout) == (
        ", line 1: has 1 column and the next row 3; remove what stands above the table, "
        "or write skip_lines: 1"
    )


# Roles of columns, and rows without a target


def test_a_column_with_the_role_drop_is_left_out(tmp_path: Path) -> None:
    text = "day,x,y,kind\nMonday,5.1,3.5,a\n,4.9,3,a\nFriday,6.3,2.9,b\n"

    dataset = read(tmp_path, text, Layout("kind", columns={"day": "drop"}))

    assert dataset.features.tolist() == FEATURES
    assert dataset.feature_names == ("x", "y")
    assert [(column.name, column.role, column.kind) for column in dataset.columns] == [
        ("day", "dropped", ""),
        ("x", "feature", "number"),
        ("y", "feature", "number"),
        ("kind", "target", "category"),
    ]


def test_columns_without_a_header_are_named_by_number(tmp_path: Path) -> None:
    text = FRAME.assign(day="Monday").to_csv(index=False, header=False)

    dataset = read(tmp_path, text, Layout(2, header=False, columns={"4": "drop"}))

    assert dataset.features.tolist() == FEATURES
    assert dataset.feature_names == ("feature_1", "feature_2")


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_column_with_the_role_target_is_the_target(tmp_path: Path, task: Task) -> None:
    text = "x,size,y,flag\n5.1,7,3.5,True\n4.9,8,3,False\n6.3,9,2.9,True\n"

    dataset = read(tmp_path, text, Layout(columns={"size": "target"}), task)

    assert dataset.target.tolist() == (["7", "8", "9"] if task == "classification" else [7, 8, 9])
    assert [column.kind for column in dataset.columns if column.role == "feature"] == [
        "number",
        "number",
        "truth value",
    ]
    assert dataset.target_name == "size"


def test_row_numbers_have_a_role(tmp_path: Path) -> None:
    columns = read(tmp_path, FRAME.to_csv()).columns

    assert (columns[0].name, columns[0].role, columns[0].kind) == ("", "row number", "")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"x": "ignore"}, "'ignore' of the column 'x' is unknown; there are drop, category"),
        ({"x": "target", "y": "target"}, "there is one target, not x, y; name it once"),
    ],
)
def test_roles_that_cannot_be_followed_are_refused(columns: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        Layout(columns=columns)

    assert refused.value.field[0] == "columns"


def test_two_targets_are_refused() -> None:
    with pytest.raises(InputError, match="there is one target, not x, kind; name it once"):
        Layout("kind", columns={"x": "target"})


def test_a_role_of_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "x,y,kind\n1,2,a\n", Layout("kind", columns={"z": "drop"})) == (
        ": has no column 'z', which `columns` names; there are x, y, kind"
    )
    assert refusal(tmp_path, "x,kind\n1,a\n", Layout("kind", columns={"x": "drop"})) == (
        ": every column but the target is dropped; keep one"
    )


@pytest.mark.parametrize(
    ("name", "values", "noted"),
    [
        ("customer_id", [(7 * n) % 40 + 100 for n in range(40)], True),
        ("customerID", [(7 * n) % 40 + 100 for n in range(40)], True),
        ("order", [3 * n for n in range(40)], True),
        ("order", [-3 * n for n in range(40)], True),
        ("width", [(7 * n) % 40 for n in range(40)], False),
        ("time_id", [n % 20 for n in range(40)], False),
        ("order", [n + 0.5 for n in range(40)], False),
    ],
)
def test_an_identifier_is_noted_by_name(
    tmp_path: Path, name: str, values: list[float], *, noted: bool
) -> None:
    text = pd.DataFrame({name: values, "kind": ["a", "b"] * 20}).to_csv(index=False)

    dataset = read(tmp_path, text)

    assert dataset.features[:, 0].tolist() == values
    note = f"the feature {name} differs in every row; if it only identifies rows, write columns: "
    assert dataset.notes == ((f"{note}{{'{name}': drop}}",) if noted else ())


@pytest.mark.parametrize(
    ("task", "text", "problem"),
    [
        ("classification", "x,kind\n1,a\n2,\n3,NA\n4,\n", "the label is missing in 2 rows"),
        ("regression", "x,y\n1,2\n2,NA\n3,?\n4,\n", "the target is missing in 3 rows"),
    ],
)
def test_rows_without_a_target_are_refused_or_dropped(
    tmp_path: Path, task: Task, text: str, problem: str
) -> None:
    assert refusal(tmp_path, text, Layout(), task).endswith(
        f": {problem}; fill it in, or write without_target: drop to leave such rows out"
    )

    dataset = read(tmp_path, text, Layout(without_target="drop"), task)

    kept = {"classification": [1, 3], "regression": [1]}[task]
    assert dataset.features[:, 0].tolist() == kept
    assert len(dataset.target) == len(kept)
    assert f"{4 - len(kept)} rows without a target: left out" in dataset.notes


def test_a_table_without_any_target_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "x,kind\n1,\n2,\n", Layout(without_target="drop")) == (
        ": no row has a target; name another column"
    )


# Rows to predict

TARGET_FIRST = "a,5.1,3.5\na,4.9,3.0\nb,6.3,2.9\n"


@pytest.mark.parametrize(
    "text",
    [FRAME.to_csv(), R_ROWS, FRAME.drop(columns="kind").to_csv(), FRAME.to_csv(index=False)],
)
def test_prediction_ignores_row_numbers(tmp_path: Path, text: str) -> None:
    assert read_features(written(tmp_path, text), ["x", "y"], "kind").tolist() == FEATURES


@pytest.mark.parametrize("index", [True, False])
def test_prediction_knows_a_header_of_numbers(tmp_path: Path, *, index: bool) -> None:
    path = written(tmp_path, NUMBERS.to_csv(index=index))

    features = read_features(path, ["0", "1", "2"], "3")

    assert features.tolist() == NUMBERS[[0, 1, 2]].to_numpy().tolist()


@pytest.mark.parametrize("text", ["0,1,2,3\n0.5,1.5,2.5,3.5\n", "0,1,2\n0.5,1.5,2.5\n"])
def test_prediction_takes_no_header_of_numbers_for_a_row(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)

    with pytest.raises(
        DatasetError, match="line 1: the header does not name the features 'w', 'x'"
    ):
        read_features(path, ["w", "x", "y"], "kind")


@pytest.mark.parametrize(
    ("text", "target"),
    [
        (TARGET_FIRST, 0),
        (TARGET_FIRST, -3),
        ("1,5.1,3.5\n1,4.9,3.0\n2,6.3,2.9\n", 0),
        ("5.1,a,3.5\n4.9,a,3.0\n6.3,b,2.9\n", 1),
        ("5.1,3.5\n4.9,3.0\n6.3,2.9\n", 0),
        (FRAME.to_csv(index=False, header=False), -1),
    ],
)
def test_prediction_without_a_header_takes_the_columns_as_in_training(
    tmp_path: Path, text: str, target: int
) -> None:
    path = written(tmp_path, text)

    assert read_features(path, ["feature_1", "feature_2"], "target", target).tolist() == FEATURES


def test_a_single_feature_may_follow_the_target(tmp_path: Path) -> None:
    path = written(tmp_path, "a,1\nb,2\n")

    assert read_features(path, ["feature_1"], "target", 0).tolist() == [[1], [2]]


@pytest.mark.parametrize("target", ["kind", 5])
def test_prediction_refuses_to_guess_where_the_target_stands(
    tmp_path: Path, target: str | int
) -> None:
    path = written(tmp_path, TARGET_FIRST)

    with pytest.raises(DatasetError) as refused:
        read_features(path, ["x", "y"], "kind", target)

    assert str(refused.value) == (
        f"{path}, line 1: has 3 columns and no header, so which of them is kind is not known; "
        "leave it out, or write a header with kind and x,y above the rows"
    )


def test_prediction_refuses_to_guess_what_counts_the_rows(tmp_path: Path) -> None:
    path = written(tmp_path, FRAME.drop(columns="kind").to_csv(header=False))

    with pytest.raises(DatasetError, match="its first column counts the rows"):
        read_features(path, ["x", "y"], "kind", -1)


def test_prediction_refuses_a_row_that_may_be_a_header(tmp_path: Path) -> None:
    path = written(tmp_path, "1,0\n0,0\n")

    with pytest.raises(DatasetError, match="may be a header, or a row"):
        read_features(path, ["0", "1"], "2")


def test_sodium_in_a_header_is_no_missing_value(tmp_path: Path) -> None:
    """As in the glass fragments of MASS, whose columns are named by elements."""
    path = tmp_path / "glass.csv"
    path.write_text("RI,Na,type\n1.5,13.6,WinF\n1.6,13.9,Veh\n1.7,13.2,WinF\n")

    dataset = read_dataset(path, Layout(-1), "classification")
    assert dataset.feature_names == ("RI", "Na")
    assert len(dataset.target) == 3


def test_a_row_with_a_missing_value_above_texts_is_no_header(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("red,NA,a\nblue,2,b\ngreen,3,a\n")

    dataset = read_dataset(path, Layout(-1), "classification", mixed=True)
    assert len(dataset.target) == 3


def test_a_column_without_a_name_is_shown_among_the_others(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(",x,kind\n1,1.5,a\n2,1.6,b\n")

    with pytest.raises(DatasetError, match=r"there are one without a name, x, kind$"):
        read_dataset(path, Layout("sort"), "classification")
