"""Snapshots of frames: the same bytes for the same content, and tables that are read back."""

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # noqa: TID253
import polars as pl
import pyarrow as pa  # noqa: TID253
import pytest

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import read_dataset
from iris_hpo.data.snapshots import snapshot
from iris_hpo.errors import InputError

CONTENT: dict[str, list[Any]] = {
    "whole": [1, 2, None, 4],
    "number": [0.5, None, -1.25, 1e300],
    "text": ["a", "", None, "ä"],
    "truth": [True, False, None, True],
    "day": [date(2024, 1, 31), None, date(1969, 12, 31), date(2024, 2, 29)],
    "moment": [datetime(2024, 1, 31, 12), None, datetime(1969, 12, 31), datetime(2024, 2, 29)],  # noqa: DTZ001
}
TABLE = pa.table(CONTENT)

SAME: dict[str, Callable[[], object]] = {
    "polars": lambda: pl.DataFrame(CONTENT),
    "lazy": lambda: pl.LazyFrame(CONTENT),
    "pandas": lambda: TABLE.to_pandas(types_mapper=pd.ArrowDtype),
    "record batch": lambda: TABLE.to_batches()[0],
    "chunks": lambda: pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1, 2), TABLE.slice(3)]),
    "slice": lambda: pa.concat_tables([TABLE.slice(3), TABLE]).combine_chunks().slice(1),
    "narrow": lambda: TABLE.cast(
        pa.schema(
            {
                "whole": pa.int8(),
                "number": pa.float64(),
                "text": pa.string_view(),
                "truth": pa.bool_(),
                "day": pa.date64(),
                "moment": pa.timestamp("ms"),
            }
        )
    ),
    "categories": lambda: TABLE.set_column(2, "text", TABLE["text"].dictionary_encode()),
    "described": lambda: TABLE.replace_schema_metadata({"made": "today"}),
    "index": lambda: TABLE.to_pandas(types_mapper=pd.ArrowDtype).set_index(pd.Index([7, 5, 3, 1])),
}


@pytest.mark.parametrize("frame", SAME.values(), ids=SAME)
def test_the_same_content_has_the_same_bytes(frame: Callable[[], object]) -> None:
    assert snapshot(frame(), "it") == snapshot(TABLE, "it")


def test_other_content_has_other_bytes() -> None:
    others = [
        TABLE.slice(0, 3),
        TABLE.select([1, 0, 2, 3, 4, 5]),
        TABLE.rename_columns([*"abcdef"]),
    ]
    assert len({snapshot(table, "it") for table in [TABLE, *others]}) == 4


@pytest.mark.parametrize("kind", [pa.float32(), pa.decimal128(5, 2), pa.float64()])
def test_numbers_are_stored_in_one_way(kind: pa.DataType) -> None:
    values = [Decimal("0.25"), None, Decimal("-1.5")]
    column = pa.array(values if pa.types.is_decimal(kind) else [*map(_float, values)], kind)
    assert snapshot(pa.table({"x": column}), "it") == snapshot(
        pd.DataFrame({"x": [0.25, np.nan, -1.5]}), "it"
    )


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def test_not_a_number_is_missing() -> None:
    assert snapshot(pl.DataFrame({"x": [1.0, float("nan")]}), "it") == snapshot(
        pl.DataFrame({"x": [1.0, None]}), "it"
    )


def test_memory_below_missing_values_does_not_count() -> None:
    valid = pa.py_buffer(bytes([0b101]))
    hidden = [
        pa.Array.from_buffers(pa.int64(), 3, [valid, pa.py_buffer(np.array([1, x, 3]))])
        for x in (5, 6)
    ]
    assert len({snapshot(pa.table({"x": array}), "it") for array in hidden}) == 1


def test_times_with_a_zone_are_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    there = pl.DataFrame({"t": [datetime(2024, 1, 31, 14, tzinfo=zone)]})
    assert snapshot(there, "it") == snapshot(pl.DataFrame({"t": [datetime(2024, 1, 31, 12)]}), "it")  # noqa: DTZ001


def test_a_snapshot_is_read_as_the_table_that_it_is(tmp_path: Path) -> None:
    table = {"x": [1, 2, 3], "y": [0.1, None, 0.3], "z": ["a", "b", "a"], "label": ["p", "q", "p"]}
    arrow, text = tmp_path / "data.arrow", tmp_path / "data.csv"
    arrow.write_bytes(snapshot(pl.DataFrame(table), "it"))
    pl.DataFrame(table).write_csv(text)
    read = [read_dataset(path, Layout(), "classification", mixed=True) for path in (arrow, text)]
    assert read[0].features.tolist()[0] == read[1].features.tolist()[0] == [1.0, 0.1, "a"]
    assert read[0].kinds == read[1].kinds == ("number", "number", "category")
    assert read[0].target.tolist() == read[1].target.tolist()


def test_an_empty_frame_is_a_table_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "data.arrow"
    path.write_bytes(snapshot(TABLE.slice(0, 0), "it"))
    with pytest.raises(InputError, match="holds no rows"):
        read_dataset(path, Layout(), "classification")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"a": pl.DataFrame()}, "the asset x gives a dict; .* join its partitions to one frame"),
        ([1, 2], "the asset x gives a list; a frame of pandas or polars"),
        (None, "the asset x gives a NoneType"),
        (pl.Series([1]), "the asset x gives a Series"),
        (pl.DataFrame({"a": [[1]]}), "the column 'a' has the type large_list.*leave it out"),
        (pd.DataFrame({"a": [1, "b"]}), "cannot be stored as a table: .*column a"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "cannot be stored as a table: .*[Dd]uplicate"),
    ],
)
def test_what_is_no_table_is_refused(frame: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        snapshot(frame, "the asset x")
