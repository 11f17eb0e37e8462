"""Columns with texts, dates and missing values: their kinds, their values, the stored split."""

import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Dataset, Task, read_dataset
from iris_hpo.data.named_splitters import SHUFFLED
from iris_hpo.data.prediction_rows import read_features
from iris_hpo.data.sources import DatasetError
from iris_hpo.data.split import divide, read_examples, write_split
from iris_hpo.data.splitters import Division, SplitSettings
from iris_hpo.store.objects import open_store

HEADER = "height,sunny,day,colour,note,kind\n"
NOTES = ["warm and dry", "=SUM(A1)", "'quoted", "rain, later", ""]


def row(n: int) -> str:
    height = ["1.5", "NA", "-2"][n % 3]
    sunny, colour = ["True", "false", "?"][n % 3], ["red", "blue", "n/a"][n % 3]
    return f'{height},{sunny},2012/01/{n % 28 + 1:02},{colour},"{NOTES[n % 5]} {n}",{"ab"[n % 2]}\n'


TABLE = HEADER + "".join(map(row, range(60)))
KINDS = ("number", "truth value", "date", "category", "text")


def read(tmp_path: Path, text: str, layout: Layout | None = None, task: Task = "classification"):
    path = tmp_path / "data.csv"
    path.write_text(text)
    return read_dataset(path, layout or Layout(), task, mixed=True)


def refusal(tmp_path: Path, text: str, layout: Layout | None = None) -> str:
    with pytest.raises(DatasetError) as refused:
        read(tmp_path, text, layout)
    return str(refused.value).removeprefix(str(tmp_path / "data.csv"))


def days(year: int, month: int, day: int) -> float:
    return float((date(year, month, day) - date(1970, 1, 1)).days)


def test_each_column_has_a_kind_and_its_values(tmp_path: Path) -> None:
    dataset = read(tmp_path, TABLE)

    assert dataset.kinds == KINDS
    assert [column.kind for column in dataset.columns] == [*KINDS, "category"]
    assert repr(dataset.features[:3].tolist()) == repr(
        [
            [1.5, 1.0, days(2012, 1, 1), "red", "warm and dry 0"],
            [math.nan, 0.0, days(2012, 1, 2), "blue", "=SUM(A1) 1"],
            [-2.0, math.nan, days(2012, 1, 3), "", "'quoted 2"],
        ]
    )


def test_complete_numbers_are_read_as_ever(tmp_path: Path) -> None:
    dataset = read(tmp_path, "x,t,kind\n1,True,a\n2,False,b\n")

    assert dataset.kinds == ()
    assert dataset.features.dtype == np.float64
    assert [column.kind for column in dataset.columns] == ["number", "truth value", "category"]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2", "NA", ""], "number"),
        (["TRUE", "false", ""], "truth value"),
        (["2012-01-31", "2013-12-01"], "date"),
        (["2012-01-31 12:30", "2013-12-01T00:00:00Z"], "date"),
        (["31.01.2012", "01.12.2013"], "date (day first)"),
        (["01/31/2012", "12/01/2013"], "date (month first)"),
        (["2012-01-31 12:30:00+01:00", "2013-12-01 00:00:00 UTC"], "date"),
        (["1/31/2012 3:45 PM", "12/1/2013 12:00:00 am"], "date (month first)"),
        (["2012-01-31", *["2013-12-01"] * 40, "-"], "category"),
        (["2012-13-31", "2013-12-01"], "category"),
        (["1", "a"], "category"),
        (["007", "a", "1.0"], "category"),
        ([f"word {n}" for n in range(41)], "text"),
    ],
)
def test_the_kind_follows_from_the_cells(tmp_path: Path, cells: list[str], kind: str) -> None:
    rows = "".join(f'{n},"{cell}",{n % 2}\n' for n, cell in enumerate(cells))

    dataset = read(tmp_path, f"n,x,kind\n{rows},,0\n")

    assert dataset.kinds[-1] == kind


def test_a_text_among_numbers_is_refused_with_its_line_or_is_a_category(tmp_path: Path) -> None:
    text = "x,y,kind\n" + "1,,a\n" * 10 + "1O,2,b\n"

    assert refusal(tmp_path, text) == (
        ", line 12, column x: '1O' is not a number, as nearly all cells of the column are; correct "
        "it, write missing: ['1O'] if it says that a value is missing, or write columns: {'x': "
        "category}"
    )
    assert math.isnan(read(tmp_path, text, Layout(missing=["1O"])).features[-1, 0])
    assert read(tmp_path, text, Layout(columns={"x": "category"})).kinds == ("category", "number")


def test_a_row_that_describes_the_columns_is_refused(tmp_path: Path) -> None:
    text = "x,y,kind\n(kg),(m),-\n" + "1,,a\n" * 10

    assert "correct it, remove the line if it describes the columns, write" in refusal(
        tmp_path, text
    )


@pytest.mark.parametrize("mark", ["-", "n.a.", "N.A.", "#DIV/0!", "\\N", "(null)", "Missing"])
def test_a_mark_among_numbers_says_that_a_value_is_missing(tmp_path: Path, mark: str) -> None:
    text = "x,y,kind\n" + "1,,a\n" * 10 + f"{mark},2,b\n"

    dataset = read(tmp_path, text)

    assert dataset.kinds == ("number", "number")
    assert math.isnan(dataset.features[-1, 0])


def test_a_mark_among_many_numbers_or_dates_is_missing_however_often(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n % 19 + 10}.0{n % 9 + 1}.2012,{n % 2}\n-,--,1\n" for n in range(50))

    dataset = read(tmp_path, f"x,day,kind\n{rows}")

    assert dataset.kinds == ("number", "date (day first)")
    assert np.isnan(dataset.features[1].astype(float)).all()


def test_times_are_those_of_utc(tmp_path: Path) -> None:
    cells = ["2012-01-31 01:30:00+02:00", "2012-01-30 23:30 UTC", "2012-01-30T18:30-0500"]
    rows = "".join(f"{n % 2}.5,{cell},{n % 2}\n" for n, cell in enumerate(cells))

    dataset = read(tmp_path, f"x,at,kind\n{rows}")

    assert {*dataset.features[:, 1]} == {days(2012, 1, 30) + 23.5 / 24}


def test_half_of_the_day_is_read(tmp_path: Path) -> None:
    cells = ["1/30/2012 12:00 AM", "1/30/2012 12:00 PM", "1/30/2012 6:00:00 pm"]
    rows = "".join(f"{n % 2}.5,{cell},{n % 2}\n" for n, cell in enumerate(cells))

    dataset = read(tmp_path, f"x,at,kind\n{rows}")

    first = days(2012, 1, 30)
    assert dataset.features[:, 1].tolist() == [first, first + 0.5, first + 0.75]


@pytest.mark.parametrize(
    ("column", "note"),
    [
        (["train"] * 9 + ["Test"], "the feature x says train or test; write columns: {'x': part}"),
        (["$1,200.50", "$3"] * 5, "the feature x seems to hold numbers, such as '$1,200.50'"),
        (["1,200", "33"] * 5, "the feature x seems to hold numbers, such as '1,200'"),
        (["12.5%", "3%"] * 5, "the feature x seems to hold numbers, such as '12.5%'"),
        (["12.5 kg", "3 kg"] * 5, "the feature x seems to hold numbers, such as '12.5 kg'"),
        (["a1", "b2"] * 5, ""),
        (["train", "bus"] * 5, ""),
        ([*"abcabcabc", "Total"], "the last row has 'Total' as x; remove it if it sums up"),
        (["Total", *"abcabcab", "Total"], ""),
        (["-999", "0.5", "-999", "700", "3"] * 2, "the feature x is -999 in 4 rows; if that says"),
        (["9999", "0.5", "9999", "70", ""] * 2, "the feature x is 9999 in 4 rows; if that says"),
        (["-999", "-1500", "-700", "20", "4"] * 2, ""),
        (["99", "0.5", "99", "7", "3"] * 2, ""),
        (["20240131", "20231201"] * 5, "the feature x seems to hold dates, such as 20240131"),
        (["20240131", "20231301"] * 5, ""),
        (["test"] * 10, ""),
    ],
)
def test_a_text_that_is_no_category_is_noted(tmp_path: Path, column: list[str], note: str) -> None:
    rows = "".join(f'{n % 4},"{cell}",{n % 2}\n' for n, cell in enumerate(column))

    notes = read(tmp_path, f"y,x,kind\n{rows}").notes

    assert len(notes) == bool(note)
    assert all(remark.startswith(note) for remark in notes)


def test_numbers_may_be_names(tmp_path: Path) -> None:
    dataset = read(tmp_path, "x,kind\n007,a\n7,b\n", Layout(columns={"x": "category"}))

    assert dataset.features.tolist() == [["007"], ["7"]]


def test_labels_and_targets_stay_strict(tmp_path: Path) -> None:
    assert read(tmp_path, "x,kind\nred,NA\nblue,1.0\n").target.tolist() == ["NA", "1.0"]
    with pytest.raises(DatasetError, match="line 3, column y: 'tall' is not a number"):
        read(tmp_path, "x,y\nred,1\nblue,tall\n", task="regression")
    target = read(tmp_path, "x,y\nred,1\nblue,2.5\n", task="regression").target
    assert (target.dtype, target.tolist()) == (np.float64, [1, 2.5])


def test_empty_columns_and_names_of_rows_are_left_out_and_noted(tmp_path: Path) -> None:
    dataset = read(tmp_path, ",x,y,kind\nMazda,1,,a\nFiat,,NA,b\n")

    assert dataset.feature_names == ("x",)
    assert [column.role for column in dataset.columns] == [
        "row number",
        "feature",
        "empty",
        "target",
    ]
    assert dataset.notes == (
        "the column y is empty: it is left out",
        "column 1 has no name and names the rows: it is left out",
    )


def test_row_numbers_beside_texts_are_left_out(tmp_path: Path) -> None:
    dataset = read(tmp_path, ",x,kind\n1,red,a\n2,blue,b\n3,red,b\n")

    assert dataset.feature_names == ("x",)


def test_texts_that_differ_in_every_row_are_noted(tmp_path: Path) -> None:
    rows = "".join(f"name {n},{n % 3 or ''},{n % 2}\n" for n in range(30))

    dataset = read(tmp_path, f"car,x,kind\n{rows}")

    [note] = dataset.notes
    assert note.startswith("the feature car differs in every row; if it only identifies rows, ")
    assert note.endswith("write columns: {'car': drop}")


def test_the_stored_split_gives_the_same_values(tmp_path: Path) -> None:
    dataset: Dataset = read(tmp_path, TABLE)
    division = Division(SHUFFLED, SplitSettings(folds=2), "classification", {})
    card, files = divide(dataset, division)
    store = open_store(str(tmp_path / "store"))
    write_split(store, card, files)

    examples = read_examples(store, card, "classification")

    numbers = [int(line.split(b",")[0]) - 1 for line in files["split/test.csv"].splitlines()[1:]]
    assert repr(examples.test_features.tolist()) == repr(dataset.features[numbers].tolist())
    assert examples.features.shape == (48, 5)
    assert card.kinds == list(KINDS)


NAMES = ("height", "sunny", "day", "colour", "note")


def test_rows_to_predict_have_the_kinds_of_training(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("extra,note,day,sunny,height,colour\n1,new,,TRUE,,green\n")

    features = read_features(path, NAMES, "kind", -1, KINDS)

    assert repr(features.tolist()) == repr([[math.nan, 1.0, math.nan, "green", "new"]])


@pytest.mark.parametrize("cell", ["31.01.2012", "2012-01-31", "2012-01-31T00:00:00"])
def test_a_date_to_predict_may_begin_with_the_year(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "new.csv"
    path.write_text(f"x,day\n-,{cell}\n")

    [[x, day]] = read_features(path, ("x", "day"), "kind", -1, ("number", "date (day first)"))

    assert math.isnan(x)
    assert day == days(2012, 1, 31)


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ("tall,,,,", "column height: 'tall' is not a number, as in training; correct it"),
        (",maybe,,,", "column sunny: 'maybe' is not a number, as in training; correct it"),
        (",,31.1.2012,,", "column day: '31.1.2012' is not a date written year-month-day, as in"),
    ],
)
def test_rows_to_predict_of_another_kind_are_refused(
    tmp_path: Path, cells: str, problem: str
) -> None:
    path = tmp_path / "new.csv"
    path.write_text(f"{','.join(NAMES)}\n{cells}\n")

    with pytest.raises(DatasetError, match=f"line 2, {problem}"):
        read_features(path, NAMES, "kind", -1, KINDS)


def test_lines_above_the_table_are_skipped(tmp_path: Path) -> None:
    text = "150,4,setosa\n\n5.1,3.5,1.4,0.2,1,2,a\n4.9,3,1.4,0.2,1,2,b\n"

    assert refusal(tmp_path, text, Layout(skip_lines=0)) == (
        ", line 1: has 3 columns and the next row 7; if this stands above the table, write "
        "skip_lines: 1"
    )
    dataset = read(tmp_path, text, Layout(skip_lines=1))
    assert dataset.features.shape == (2, 6)
    with pytest.raises(DatasetError, match="line 4: has 2 columns"):
        read(tmp_path, text.replace("4.9,3,1.4,0.2,1,2,b", "1,2"), Layout(skip_lines=1))
