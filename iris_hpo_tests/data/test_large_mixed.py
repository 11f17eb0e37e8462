"""Large tables with texts, dates and missing values are read by columns as they are by rows."""

import random
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd  # noqa: TID253
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iris_hpo.data import dataset as dataset_module
from iris_hpo.data import prediction_rows, tables
from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Task, read_dataset
from iris_hpo.data.prediction_rows import read_features
from iris_hpo.data.sources import DatasetError

HEADER = "height,grade,sunny,day,colour,note,kind\n"


@contextmanager
def large(size: int = 0, block: int = 70) -> Generator[list[bool]]:
    """Take files from a size on for large ones; the list says which reading by columns worked."""
    answers = list[bool]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "LARGE", size)
        patch.setattr("iris_hpo.data.text_columns.BLOCK", block)
        patch.setattr("iris_hpo.data.blocks.BLOCK", block)
        for module, name in ((dataset_module, "read_large"), (prediction_rows, "read_large_as")):
            read = getattr(module, name)

            def noted(*arguments: Any, read: Any = read, **options: Any) -> Any:
                content = read(*arguments, **options)
                answers.append(content is not None)
                return content

            patch.setattr(module, name, noted)
        yield answers


def described(path: Path, layout: Layout, task: Task = "classification") -> object:
    """All that is read of a table, or why it is refused."""
    try:
        data = read_dataset(path, layout, task, mixed=True)
    except DatasetError as error:
        return str(error)
    roles = {role: repr(array.tolist()) for role, array in data.roles.arrays.items()}
    features = (str(data.features.dtype), repr(data.features.tolist()))
    others = data.kinds, data.columns, data.notes, data.digest, data.roles.time_kind
    return features, repr(data.target), others, roles


def both(path: Path, layout: Layout, task: Task = "classification") -> list[bool]:
    """Compare; say which reading by columns worked."""
    by_rows = described(path, layout, task)
    with large() as answers:
        assert described(path, layout, task) == by_rows
    return answers


def row(n: int) -> str:
    height = ["1.5", "NA", f"-{n}", "1e3", "-0", " 7 "][n % 6]
    sunny, colour = ["True", "false", "?"][n % 3], [" red", "blue", "n/a", "'x"][n % 4]
    note = [f"note {n}", f'"rain, no {n}"', '""', f'"said ""{n}"""'][n % 4]
    return f"{height},{n % 5 + 1},{sunny},2012/01/{n % 28 + 1:02},{colour},{note},{'ab'[n % 2]}\n"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_all_kinds_are_those_by_rows(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "data.csv"
    lines = [line.replace("rain, no", "rain no") for line in map(row, range(100))]
    path.write_text(HEADER.replace(",", separator) + "".join(lines).replace(",", separator))

    assert both(path, Layout()) == [True]
    assert both(path, Layout(columns={"grade": "category", "day": "drop"})) == [True]
    assert both(path, Layout("height"), "regression") == [True]
    assert both(path, Layout("height", without_target="refuse"), "regression") == [False, False]
    assert both(path, Layout(columns={"colour": "group"})) == [False, False]  # some are missing


def test_what_only_a_later_block_shows(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [f"{n},{n % 3},x{n},{'ab'[n % 2]}\n" for n in range(80)]

    for late in ("NA,1,x,a", "5,,x,a", "-0,0,x,a", "True,1,x,b", "7,blue,x,a"):
        path.write_text(f"n,g,t,kind\n{''.join(rows)}{late}\n")
        assert both(path, Layout()) == [True] if late[:2] in ("NA", "5,") else [False, True]
    path.write_text("n,g,t,kind\n" + "".join(rows) + "1,2,a\n")
    assert both(path, Layout()) == [False, False]


def test_decimal_commas_and_roles(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [f"{n},5;{n % 4};2024-01-{n % 28 + 1:02};{n + 1};{n / 8}\n" for n in range(60)]
    path.write_text("x;who;day;how;kind\n" + "".join(rows).replace(".", ","))
    columns = {"who": "group", "day": "time", "how": "weight"}

    assert both(path, Layout(columns=columns), "regression") == [True]
    assert both(path, Layout(columns={"day": "time"}), "regression") == [True]


@pytest.mark.parametrize("name", ["data.parquet", "data.feather"])
def test_frames_are_those_by_rows(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    dates = pd.to_datetime(["2024-01-03T00", "2024-01-02T12", None])
    frame = pd.DataFrame(
        {
            "x": [0.5, float("nan"), -0.0] * 20,
            "n": pd.array([1, None, 2**53 + 1] * 20, dtype="Int64"),
            "t": [True, False, True] * 20,
            "day": [*dates] * 20,
            "note": ["red ", None, " 7"] * 20,
            "kind": ["a", "b", "a"] * 20,
        }
    )
    _ = frame.to_parquet(path) if name.endswith("parquet") else frame.to_feather(path)

    assert both(path, Layout("kind")) == [True]
    assert both(path, Layout("kind", columns={"x": "category", "n": "category"})) == [True]
    assert both(path, Layout("n"), "regression") == [True]


def test_rows_to_predict_are_those_by_rows(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(HEADER + "".join(map(row, range(60))))
    data = read_dataset(path, Layout(), "classification", mixed=True)
    new = tmp_path / "new.csv"
    new.write_text(HEADER + row(73).replace("blue", "violet") * 30 + ",,,,,,\n" * 3)

    def read() -> str:
        return repr(read_features(new, data.feature_names, "kind", kinds=data.kinds).tolist())

    by_rows = read()
    with large() as answers:
        assert read() == by_rows
    assert answers == [False, True]  # a block without any text looks like one of numbers
    new.write_text(HEADER + row(73) * 30 + "tall,,,,,,\n")
    with large(), pytest.raises(DatasetError, match="line 32, column height: 'tall' is not a num"):
        read()


CELLS = ["1", "-2.5", "NA", "inf", "True", "_", "٣", "red", "2012-01-31", "-0", "nan", "1,5", "."]
MARKS = [",", ",", ",", ",", "\n", "\n", "\n", "\r", '"', '"', " ", "a", "b", ";", "\x0b", "\ufeff"]
TOKENS = st.sampled_from([*CELLS, *MARKS])


@given(body=st.lists(TOKENS, max_size=30).map("".join), task=st.sampled_from(["x", "kind"]))
@settings(max_examples=150)
def test_any_text_is_read_by_columns_as_by_rows(
    tmp_path_factory: pytest.TempPathFactory, body: str, task: str
) -> None:
    path = tmp_path_factory.mktemp("same") / "data.csv"
    path.write_bytes(f"x,y,kind\n1,red,a\n3,4,b\n5,,a\n{body}".encode())

    both(path, Layout(task), "classification" if task == "kind" else "regression")


def test_a_cell_is_missing_in_any_spelling(tmp_path: Path) -> None:
    draw = random.Random(0)
    words = ["na", "N/A", "null", "None", "nAn", "?", ".", "<NA>", "#n/a", "", "nano", "k"]
    path = tmp_path / "data.csv"
    path.write_text(
        "t,kind\n" + "".join(f"{draw.choice(words)},{'ab'[n % 2]}\n" for n in range(90))
    )

    data = read_dataset(path, Layout(), "classification", mixed=True)
    assert {*data.features.ravel().tolist()} == {"", "nano", "k"}
    assert both(path, Layout()) == [True]
