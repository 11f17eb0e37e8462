"""Rows to predict: any layout that the training file may have had, every row, in its order."""

import gzip
import math
from pathlib import Path

import pytest

from iris_hpo.data.prediction_rows import read_features
from iris_hpo.data.tables import DatasetError

NAMES = ("age", "sex", "joined")
KINDS = ("number", "category", "date")
UNNAMED = ("feature_1", "feature_2", "feature_3")
TABLE = "sex,id,joined,age\nm,1,1970-01-02,30\n,2,,\n,,,\nnew,4,1970-01-03,41\n"
FEATURES = [
    [30.0, "m", 1.0],
    [math.nan, "", math.nan],
    [math.nan, "", math.nan],
    [41.0, "new", 2.0],
]


def read(path: Path, names=NAMES, target="alive", kinds=KINDS, **layout) -> str:
    return repr(read_features(path, names, "alive", target, kinds, **layout).tolist())


def test_every_row_stays_in_its_place(tmp_path: Path) -> None:
    import pandas as pd

    csv, packed, parquet, arrow = (
        tmp_path / name for name in ("d.csv", "d.csv.gz", "d.parquet", "d.feather")
    )
    csv.write_text(TABLE)
    packed.write_bytes(gzip.compress(TABLE.encode()))
    frame = pd.read_csv(csv, skip_blank_lines=False, parse_dates=["joined"])
    frame.to_parquet(parquet)
    frame.to_feather(arrow)

    for path in (csv, packed, parquet, arrow):
        assert read(path) == repr(FEATURES), path


@pytest.mark.parametrize("above", ["", "made on Monday\n"])
def test_lines_above_the_table_are_skipped_only_if_they_are_there(
    tmp_path: Path, above: str
) -> None:
    path = tmp_path / "d.csv"
    path.write_text(above + TABLE)

    assert read(path, skip_lines=1) == repr(FEATURES)


@pytest.mark.parametrize(
    ("rows", "left_out"),
    [
        ("30,m,1970-01-02\n41,new,1970-01-03\n", ()),
        ("30,m,1970-01-02,yes\n41,new,1970-01-03,no\n", ()),
        ("n,m,1970-01-02,yes\n41,new,1970-01-03,no\n", None),
        ("30,x,y,m,1970-01-02,yes\n41,x,y,new,1970-01-03,no\n", ("2", "3")),
        ("30,m,1970-01-02\n41,new,1970-01-03\n", ("2", "3")),
    ],
)
def test_without_a_header_columns_stand_as_in_training(
    tmp_path: Path, rows: str, left_out: tuple[str, ...] | None
) -> None:
    path = tmp_path / "d.csv"
    path.write_text(rows)

    if left_out is None:  # an age that is no number makes it a header
        with pytest.raises(DatasetError, match="line 1: the header does not name the features"):
            read(path, UNNAMED, -1)
        return
    assert read(path, UNNAMED, -1, left_out=left_out) == repr([FEATURES[0], FEATURES[3]])


def test_texts_in_all_columns_are_a_row_where_training_had_no_header(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("red,round,a\nblue,flat,b\n")

    kinds = ("category", "category")
    found = read(path, UNNAMED[:2], -1, kinds)

    assert found == repr([["red", "round"], ["blue", "flat"]])


def test_one_column_left_out_or_the_target_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("30,m,1970-01-02,yes\n")

    with pytest.raises(DatasetError, match=r"or all columns of the training file$"):
        read(path, UNNAMED, -1, left_out=("2",))


def test_a_header_that_lacks_features_names_them(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    for text in ("age,id\n3,1\n", "age,sex,id,alive\n3,m,1,yes\n"):
        path.write_text(text)
        missing = [name for name in NAMES if name not in text]

        with pytest.raises(DatasetError) as refusal:
            read(path, kinds=())

        named = ", ".join(map(repr, missing))
        noun = "feature" if len(missing) == 1 else "features"
        assert str(refusal.value) == f"{path}, line 1: the header does not name the {noun} {named}"


@pytest.mark.parametrize("kinds", [KINDS, ()])
def test_a_header_alone_has_no_rows(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    import pandas as pd

    csv, parquet = tmp_path / "d.csv", tmp_path / "d.parquet"
    csv.write_text("joined,sex,age\n")
    pd.DataFrame({name: [] for name in NAMES}).to_parquet(parquet)

    for path in (csv, parquet):
        assert read_features(path, NAMES, "alive", -1, kinds).shape == (0, 3)
        with pytest.raises(DatasetError, match="the header does not name the feature 'size'"):
            read_features(path, (*NAMES, "size"), "alive", -1, kinds)
    csv.write_text("")
    with pytest.raises(DatasetError, match="holds no rows"):
        read_features(csv, NAMES, "alive", -1, kinds)
