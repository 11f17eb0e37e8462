"""The work of a run as a file: arrays are not copied by workers, and each worker has its own."""

import mmap
from pathlib import Path
from typing import Any

import numpy as np

from iris_hpo.engines.shared_work import pack, unpack, unpack_from

ARRAYS = {
    "rows": np.random.default_rng(0).normal(size=(300, 7)),
    "columns": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "labels": np.array(["a", "bc", ""]),
    "numbers": np.arange(5),
    "none": np.empty((0, 3)),
    "objects": np.array([[1.5, "red"], [float("nan"), ""]], dtype=object),
}


def unpacked(folder: Path, work: object) -> Any:
    path = folder / "work"
    path.write_bytes(pack(work))
    return unpack(path)


def base(array: Any) -> object:
    while isinstance(array, np.ndarray):
        array = array.base
    return array.obj if isinstance(array, memoryview) else array


def test_what_is_packed_is_unpacked(tmp_path: Path) -> None:
    work = unpacked(tmp_path, {**ARRAYS, "number": 3})

    assert work.pop("number") == 3
    for name, array in ARRAYS.items():
        assert repr(work[name].tolist()) == repr(array.tolist())
        assert (work[name].dtype, work[name].shape) == (array.dtype, array.shape)
        assert work[name].flags.f_contiguous == array.flags.f_contiguous


def test_arrays_are_those_of_the_file(tmp_path: Path) -> None:
    work = unpacked(tmp_path, ARRAYS)

    assert {name for name in ARRAYS if isinstance(base(work[name]), mmap.mmap)} == {
        "rows",
        "columns",
        "labels",
        "numbers",
        "none",
    }
    assert work["rows"].ctypes.data % 64 == 0


def test_what_a_worker_writes_no_other_sees(tmp_path: Path) -> None:
    first = unpacked(tmp_path, ARRAYS)
    second = unpack(tmp_path / "work")

    first["rows"][:] = 0

    assert second["rows"].tolist() == ARRAYS["rows"].tolist()
    again: Any = unpack(tmp_path / "work")
    assert again["rows"].tolist() == ARRAYS["rows"].tolist()


def test_what_is_sent_is_unpacked_and_can_be_written_to() -> None:
    work: Any = unpack_from(bytearray(pack(ARRAYS)))

    for name, array in ARRAYS.items():
        assert repr(work[name].tolist()) == repr(array.tolist())
        assert work[name].flags.writeable
