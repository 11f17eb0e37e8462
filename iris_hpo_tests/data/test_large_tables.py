"""Tables of any size are read in bounded memory and linear time, or refused at once."""

import os
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # noqa: TID253
import pytest

from iris_hpo.data.cells import MAX_LABEL
from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Dataset, read_dataset
from iris_hpo.data.prediction_rows import read_features
from iris_hpo.data.sources import DatasetError, file_digest
from iris_hpo.data.tables import MAX_ROW
from iris_hpo.files import memory_bytes


def refusal(path: Path) -> str:
    with pytest.raises(DatasetError) as refused:
        read_dataset(path, Layout(), "classification")
    return str(refused.value).removeprefix(f"{path}")


def peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    os.mkfifo(path)

    problem = ": the data cannot be read: it is a named pipe, not a regular file"
    assert refusal(path) == problem
    with pytest.raises(DatasetError, match="named pipe"):
        file_digest(path)
    with pytest.raises(DatasetError, match="named pipe"):
        read_features(path, ["x"], "kind")


def test_a_device_is_refused() -> None:
    assert refusal(Path("/dev/zero")).endswith("it is a device, not a regular file")


def test_a_sparse_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    with path.open("wb") as file:
        file.truncate(memory_bytes())

    assert "are more than the" in refusal(path)


ENDLESS = f"a row of more than {MAX_ROW:,} characters; write one example a line"


def test_an_endless_line_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("1," * MAX_ROW)

    assert peak_bytes(lambda: refusal(path)) < 8 * MAX_ROW
    assert refusal(path) == f", line 1: {ENDLESS}"


def test_an_endless_row_of_many_lines_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iris_hpo.data.tables.MAX_ROW", 1_000)
    path = tmp_path / "data.csv"
    path.write_text("1,2,a\n" * 1_000 + '"\n",' * 1_000)

    place, problem = refusal(path).split(": ")
    assert problem.startswith("a row of more than 1,000 characters")
    assert int(place.removeprefix(", line ")) > 1_000, "the rows before it are not counted"


def test_a_long_label_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(f"1,{'a' * MAX_LABEL}\n2,{'b' * 20_000}\n")

    assert refusal(path) == (
        f", line 2, column 2: the label '{'b' * 60}...' has 20,000 characters; give the class a "
        f"name of at most {MAX_LABEL}"
    )


def test_memory_is_a_few_times_that_of_the_numbers(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("".join(f"{number}.25,{number}.5,a\n" for number in range(20_000)))
    numbers = 20_000 * 2 * 8

    def work() -> Dataset:
        return read_dataset(path, Layout(), "classification")

    assert peak_bytes(work) < path.stat().st_size + 12 * numbers


def test_time_is_a_few_times_that_of_pandas(tmp_path: Path) -> None:
    """It was 60 times. Less than twice at 200,000 rows; a busy machine blurs both."""
    numbers = np.random.default_rng(0).normal(size=(20_000, 20))
    frame = pd.DataFrame(numbers).add_prefix("x").assign(kind="a")

    assert times_of_pandas(tmp_path / "data.csv", frame) < 8


def test_time_of_texts_is_a_few_times_that_of_pandas(tmp_path: Path) -> None:
    """It was 14 times. About twice at 50,000 rows, where pandas makes Python texts too."""
    draw = np.random.default_rng(0)
    texts = draw.integers(0, 10**6, size=(20_000, 4)).astype(str)
    frame = pd.DataFrame(texts).add_prefix("item ").map("item {}".format)
    frame["missing"] = np.where(draw.random(20_000) < 0.1, np.nan, draw.normal(size=20_000))
    frame["colour"], frame["kind"] = draw.choice(["red", "blue"], 20_000), "a"

    assert times_of_pandas(tmp_path / "data.csv", frame, dtype=object) < 6


def times_of_pandas(path: Path, frame: pd.DataFrame, **options: Any) -> float:
    frame.to_csv(path, index=False)

    def seconds(work: Callable[[], object]) -> float:
        begun = time.process_time()
        work()
        return time.process_time() - begun

    layout = Layout("kind")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("iris_hpo.data.tables.LARGE", 1)
        ours = min(
            seconds(lambda: read_dataset(path, layout, "classification", mixed=True))
            for _ in range(3)
        )
    read: Any = partial(pd.read_csv, path, **options)
    return ours / min(seconds(read) for _ in range(3))


@pytest.mark.parametrize("columns", [2_000, 100_000])
def test_time_is_linear_in_columns(tmp_path: Path, columns: int) -> None:
    names = [f"x{index}" for index in range(columns)]
    cells = ",".join(f"{index}.5" for index in range(columns))
    path = tmp_path / "data.csv"
    path.write_text(",".join([*names, "kind"]) + f"\n{cells},a\n{cells},b\n")

    begun = time.process_time()
    dataset = read_dataset(path, Layout("kind"), "classification")
    features = read_features(path, names[::-1], "kind")
    seconds = time.process_time() - begun

    assert dataset.features.shape == (2, columns)
    assert features.tolist() == dataset.features[:, ::-1].tolist()
    assert seconds < 3, "100,000 columns took minutes where each was looked up in a list"
