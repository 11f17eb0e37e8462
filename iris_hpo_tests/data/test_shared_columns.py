"""Features of mixed tables in a worker: mapped arrays, not objects."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from iris_hpo.data.examples import Examples
from iris_hpo.data.shared_columns import SharedColumns, shared
from iris_hpo.engines.shared_work import pack, unpack

NAN = float("nan")
ROWS: list[list[object]] = [
    [1.5, "a", -0.0, "größe"],
    [NAN, "", 3.0, "\ud800 🎯"],
    [2.0, "a", 1e300, "größe"],
    [-7.0, "b\n", NAN, "größe"],
]


def objects(rows: list[list[object]] = ROWS) -> Any:
    return np.array(rows, dtype=object)


@pytest.mark.parametrize(
    "rows",
    [[2, 0, 2], np.array([True, False, True, False]), slice(1, 3), slice(None), slice(0, 0)],
)
def test_rows_are_the_same_objects(rows: Any) -> None:
    taken = SharedColumns(objects())[rows]

    assert taken.dtype == object
    assert taken.shape == objects()[rows].shape
    assert repr(taken.tolist()) == repr(objects()[rows].tolist())


def test_it_has_the_interface_of_the_array() -> None:
    features = SharedColumns(objects())

    assert (features.shape, features.size, len(features), features.ndim) == ((4, 4), 16, 4, 2)
    assert repr(features[:, 1].tolist()) == repr(objects()[:, 1].tolist())
    assert repr(features[3].tolist()) == repr(ROWS[3])
    joined: Any = np.concatenate([features, objects()])  # type: ignore[list-item]
    assert repr(joined.tolist()) == repr(ROWS + ROWS)


def test_more_texts_than_a_byte_can_number_are_kept() -> None:
    texts: list[list[object]] = [[f"text {at}"] for at in range(300)]
    assert SharedColumns(objects(texts)).copy().tolist() == texts


def test_equal_texts_are_one_object() -> None:
    texts = SharedColumns(objects())[:, 3]
    assert texts[0] is texts[2]


def test_rows_belong_to_whoever_takes_them() -> None:
    features = SharedColumns(objects())
    features.copy()[:] = "changed"
    features[[0, 1]][0, 0] = "changed"
    assert repr(features.copy().tolist()) == repr(ROWS)


def test_complete_numbers_stay_an_array() -> None:
    numbers = np.eye(3)
    assert shared(numbers) is numbers


def test_a_worker_maps_the_rows(tmp_path: Path) -> None:
    rows: list[list[object]] = [[at * 0.5, f"city {at % 7}"] for at in range(10_000)]
    target = np.arange(10_000.0)
    examples = Examples(objects(rows), target, objects(rows[:5]), target[:5], folds=())
    path = tmp_path / "work"
    path.write_bytes(pack(examples))

    unpacked = unpack(path)

    assert isinstance(unpacked, Examples)
    assert unpacked.features.copy().tolist() == rows
    assert unpacked.test_features.copy().tolist() == rows[:5]
    # Only what is not mapped is pickled into the process: no row is.
    assert len(pickle.dumps(examples, protocol=5, buffer_callback=lambda _: None)) < 5_000
