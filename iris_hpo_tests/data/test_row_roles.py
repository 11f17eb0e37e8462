"""Columns that describe rows: their group, time, weight and part."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from iris_hpo.data import tables
from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Dataset, read_dataset
from iris_hpo.data.tables import DatasetError
from iris_hpo.errors import InputError

ROLES = {"who": "group", "when": "time", "how": "weight", "where": "part"}


def read(
    folder: Path, text: str, columns: dict[str, str], *, mixed: bool = False, task="classification"
) -> Dataset:
    path = folder / "table.csv"
    path.write_text(text)
    return read_dataset(path, Layout("kind", columns=columns), task, mixed=mixed)


def refusal(folder: Path, text: str, columns: dict[str, str]) -> str:
    with pytest.raises(DatasetError) as refused:
        read(folder, text, columns)
    return str(refused.value).removeprefix(str(folder / "table.csv"))


@pytest.mark.parametrize("words", [False, True])
def test_columns_with_a_role_describe_rows_and_are_no_features(tmp_path, words) -> None:
    text = "who,x,when,how,kind,where\nann,1,2024-01-02,2,a,train\nbob,2,2024-01-01,0.5,b,test\n"
    text = (
        text.replace(",x,", ",x,z,").replace("ann,1,", "ann,1,red,").replace(",2,20", ",2,tan,20")
    )
    columns = ROLES if words else {**ROLES, "z": "drop"}

    data = read(tmp_path, text, columns, mixed=words)

    assert data.feature_names == (("x", "z") if words else ("x",))
    assert data.roles.group is not None
    assert data.roles.group.tolist() == ["ann", "bob"]
    assert data.roles.time is not None
    days = [(datetime(2024, 1, day) - datetime(1970, 1, 1)).days for day in (2, 1)]  # noqa: DTZ001
    assert data.roles.time.tolist() == days
    assert data.roles.weight is not None
    assert data.roles.weight.tolist() == [2.0, 0.5]
    assert data.roles.part is not None
    assert data.roles.part.tolist() == ["train", "test"]
    kinds = {column.name: (column.role, column.kind) for column in data.columns}
    assert kinds["who"] == ("group", "category")
    assert kinds["when"] == ("time", "ISO date")
    assert kinds["how"] == ("weight", "number")
    assert kinds["where"] == ("part", "category")


def test_rows_without_a_target_are_left_out_of_roles_too(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("x,who,kind\n1,a,k\n2,b,\n3,c,l\n")
    layout = Layout("kind", columns={"who": "group"}, without_target="drop")

    data = read_dataset(path, layout, "classification")

    assert data.roles.group is not None
    assert data.roles.group.tolist() == ["a", "c"]
    path.write_text("x,who,kind\n1,a,\n2,b,\n")
    layout = replace(layout, columns={"who": "time"})
    with pytest.raises(DatasetError, match="no row has a target"):
        read_dataset(path, layout, "classification")


@pytest.mark.parametrize(
    ("cells", "times", "kind"),
    [
        (["3", "1.5", "-2"], [3.0, 1.5, -2.0], "number"),
        (["1970-01-02", "1970-01-01 12:00", "1969-12-31"], [1.0, 0.5, -1.0], "ISO date"),
        (["13/1/1970", "2/1/1970", "1/1/1970"], [12.0, 1.0, 0.0], "date (day first)"),
        (
            ["1970-01-02T00:00+12:00", "1970-01-01T06:00", "1970-01-01"],
            [0.5, 0.25, 0.0],
            "ISO date",
        ),
    ],
)
def test_times_are_numbers_dates_or_iso_texts(
    tmp_path: Path, cells: list[str], times: list[float], kind: str
) -> None:
    rows = "".join(f"{n},{cell},a\n" for n, cell in enumerate(cells))

    roles = read(tmp_path, f"x,when,kind\n{rows}", {"when": "time"}).roles

    assert roles.time is not None
    assert (roles.time.tolist(), roles.time_kind) == (times, kind)


@pytest.mark.parametrize(
    ("role", "cells", "message"),
    [
        ("weight", ("1", "0"), "line 3, column r: the weight '0' is no number greater than 0"),
        ("weight", ("-1", "1"), "line 2, column r: the weight '-1' is no number greater than 0"),
        ("weight", ("1", "true"), "line 3, column r: the weight 'true' is no number"),
        ("weight", ("1", "inf"), "line 3, column r: the weight 'inf' is no number"),
        ("weight", ("", "1"), "line 2, column r: the weight is missing; fill it in"),
        ("group", ("a", "NA"), "line 3, column r: the group is missing; fill it in"),
        ("part", ("train", ""), "line 3, column r: the part is missing; fill it in"),
        ("time", ("3", "soon"), "line 3, column r: the time 'soon' is no number, as the others"),
        ("time", ("2024-01-31", "2024-02-31"), "the time '2024-02-31' is no date such as 2024-03"),
        ("time", ("soon", "later"), "line 2, column r: the time 'soon' is no date such as"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(
    tmp_path: Path, role: str, cells: tuple[str, str], message: str
) -> None:
    text = f"x,r,kind\n1,{cells[0]},a\n2,{cells[1]},b\n"

    assert message in refusal(tmp_path, text, {"r": role})


def test_the_target_has_no_other_role(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("x,who\n1,a\n")
    with pytest.raises(
        DatasetError, match=r"'who' is the target, the one at position -1, and `col"
    ):
        read_dataset(tmp_path / "table.csv", Layout(columns={"who": "group"}), "classification")
    with pytest.raises(
        InputError, match="'group' of the column 'who' cannot be that of the target"
    ):
        Layout("who", columns={"who": "group"})


@pytest.mark.parametrize("role", ROLES.values())
def test_a_role_that_describes_rows_is_given_once(role: str) -> None:
    with pytest.raises(
        InputError, match=f"'{role}' of the column 'b' is that of the column 'a' too"
    ):
        Layout(columns={"a": role, "b": role})


def test_a_table_of_roles_and_a_target_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, "who,kind\na,b\n", {"who": "group"})

    assert text == ": every column but the target has a role or is dropped; keep one"


def test_numbers_that_are_groups_keep_their_spelling(tmp_path: Path) -> None:
    groups = read(tmp_path, "x,who,kind\n1,007,a\n2,7,b\n", {"who": "group"}).roles.group

    assert groups is not None
    assert np.unique(groups).tolist() == ["007", "7"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_large_files_and_frames_have_roles_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    import pandas as pd

    monkeypatch.setattr(tables, "LARGE", 1)
    frame = pd.DataFrame(
        {
            "x": [0.5, 1.5, 2.5],
            "who": [7, 7, 8],
            "when": pd.to_datetime(["2024-01-03 00:00", "2024-01-02 12:00", "2024-01-01 00:00"]),
            "how": [1, 2, 3],
            "kind": ["a", "b", "a"],
        }
    )
    path = tmp_path / f"table{suffix}"
    _ = frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)

    columns = {name: ROLES[name] for name in ("who", "when", "how")}
    data = read_dataset(path, Layout("kind", columns=columns), "classification")

    assert data.features.ravel().tolist() == [0.5, 1.5, 2.5]
    assert data.roles.arrays["group"].tolist() == ["7", "7", "8"]
    assert (data.roles.arrays["time"] - 19_723).tolist() == [2.0, 1.5, 0.0]
    assert data.roles.arrays["weight"].tolist() == [1.0, 2.0, 3.0]
