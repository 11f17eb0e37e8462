"""Formats of tables: separators, encodings, gzip, Arrow; large tables are read in blocks."""

import gzip
import random
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd  # noqa: TID253
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iris_hpo.data import numbers, tables
from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Dataset, Task, read_dataset
from iris_hpo.data.prediction_rows import read_features
from iris_hpo.data.sources import DatasetError, file_digest

ROWS = "x,y,kind\n1,0.1,café\n-2.5e3,3,NA\n0,-0.0,007\n"
AS_CSV = "correct the line, or save the table as CSV"
FEATURES = [[1, 0.1], [-2500, 3], [0, -0.0]]
LABELS = ["café", "NA", "007"]
FRAME = pd.DataFrame(FEATURES, columns=["x", "y"]).assign(kind=LABELS)


def read(path: Path, task: Task = "classification", target: str | int = -1) -> Dataset:
    return read_dataset(path, Layout(target, without_target="refuse"), task)


def refusal(path: Path) -> str:
    with pytest.raises(DatasetError) as refused:
        read(path)
    return str(refused.value).removeprefix(str(path))


def assert_holds(dataset: Dataset, content: bytes) -> None:
    assert list(map(repr, dataset.features.ravel().tolist())) == [
        repr(float(number)) for row in FEATURES for number in row
    ]
    assert dataset.target.tolist() == LABELS
    assert dataset.feature_names == ("x", "y")
    assert dataset.digest == sha256(content).hexdigest()


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("packed", [False, True])
def test_csv_may_be_written_as(
    tmp_path: Path, separator: str, quote: str, encoding: str, *, packed: bool
) -> None:
    lines = [line.split(",") for line in ROWS.splitlines()]
    text = "".join(
        separator.join(f"{quote}{cell}{quote}" for cell in line) + "\r\n" for line in lines
    )
    content = text.encode(encoding)
    path = tmp_path / ("data.csv.gz" if packed else "data.csv")
    path.write_bytes(gzip.compress(content) if packed else content)

    assert_holds(read(path), path.read_bytes())
    assert file_digest(path) == read(path).digest
    assert read_features(path, ["y", "x"], "kind").tolist() == [row[::-1] for row in FEATURES]


@pytest.mark.parametrize("name", ["data.feather", "data.arrow", "data.parquet", "data.parquet.gz"])
def test_frames_may_be_stored_as(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    plain = tmp_path / "plain"
    FRAME.to_parquet(plain) if "parquet" in name else FRAME.to_feather(plain)
    path.write_bytes(gzip.compress(plain.read_bytes()) if "gz" in name else plain.read_bytes())

    assert_holds(read(path), path.read_bytes())


def test_what_only_claims_to_be_arrow_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.feather"
    path.write_text(ROWS)

    assert refusal(path).startswith(": is not Arrow: ")


@pytest.mark.parametrize("cut", [5, -9, -1])
def test_damaged_gzip_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(ROWS.encode())[:cut])

    assert refusal(path).startswith(": cannot be unpacked by gzip: ")


def test_gzip_that_unpacks_to_more_than_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(b"1,2,a\n" * 100_000))
    monkeypatch.setattr("iris_hpo.data.sources.memory_bytes", lambda: 200_000)

    assert refusal(path) == ": is more than 100,000 bytes when it is unpacked; take fewer rows"


# Blocks


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Take every file for a large one; the list grows by what reading in blocks could read."""
    answers = list[bool]()
    read_blocks = numbers.read_blocks

    def noted(*arguments: object) -> object:
        content = read_blocks(*arguments)
        answers.append(content is not None)
        return content

    monkeypatch.setattr(numbers, "read_blocks", noted)
    monkeypatch.setattr(tables, "LARGE", 0)
    monkeypatch.setattr("iris_hpo.data.blocks.BLOCK", 7)
    return answers


def drawn_fraction(draw: random.Random) -> str:
    return draw.choice(
        [repr(draw.gauss(0, 1)), f"{draw.gauss(0, 1e6):.20f}", "1e-320", "+.5", "3."]
    )


def drawn_number(draw: random.Random) -> str:
    return draw.choice([drawn_fraction(draw), str(draw.randint(-(10**20), 10**20)), "-0", "0"])


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("header", ["", "a,b,kind\n"])
def test_numbers_in_blocks_are_those_by_rows(
    tmp_path: Path, blocks: list[bool], quote: str, header: str
) -> None:
    draw = random.Random(1)
    rows = [(drawn_number(draw), drawn_fraction(draw), draw.choice("abc")) for _ in range(500)]
    rows[:2] = [("1", "0.5", "a"), ("-3", "0.7", "b")]
    path = tmp_path / "data.csv"
    path.write_text(header + "".join(f"{x}, {y},{quote}{z}{quote}\n" for x, y, z in rows))

    dataset = read(path)

    assert blocks == [True]
    by_rows = [[float(x), float(y)] for x, y, _ in rows]
    assert dataset.features.tobytes() == np.array(by_rows).tobytes()
    assert dataset.target.tolist() == [z for _, _, z in rows]


def test_the_target_of_a_regression_is_read_in_blocks(tmp_path: Path, blocks: list[bool]) -> None:
    path = tmp_path / "data.csv"
    path.write_text("".join(f"{n}.5,{n},{n % 7}\n" for n in range(100)))

    dataset = read(path, "regression", 0)

    assert blocks == [True]
    assert dataset.target.tolist() == [n + 0.5 for n in range(100)]
    assert dataset.features.tolist() == [[n, n % 7] for n in range(100)]


@pytest.mark.parametrize(
    ("last", "problem"),
    [
        ("3,red,a", ", line 31, column y: 'red' is not a number; encode it as one or drop the col"),
        ("3,1_0,a", ", line 31, column y: '1_0' is not a number; encode it as one or drop the col"),
        ("3,,a", ", line 31, column y: the value is missing (''); fill it in or remove the row"),
        ("3,inf,a", ", line 31, column y: 'inf' is not finite; remove the row"),
        ("3,4", ", line 31: has 2 columns; the lines before have 3; correct or remove the line"),
        ("3,4,a,", ", line 31: has 4 columns; the lines before have 3; correct or remove the line"),
        ("3,4,", ", line 31, column kind: the label is missing in 1 row; fill it in"),
        ('"3"4,4,a', ", line 31: is not CSV: ',' expected after '\"'; " + AS_CSV),
        ('"3,4,a', ", line 31: is not CSV: unexpected end of data; " + AS_CSV),
        (
            "3,4,\0",
            ", line 31: holds a NUL byte, as no text does; remove it, or write the file again",
        ),
    ],
)
def test_a_refusal_in_a_late_block_names_the_place(
    tmp_path: Path, blocks: list[bool], last: str, problem: str
) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,y,kind\n" + "1,2,a\n" * 29 + f"{last}\n")

    assert refusal(path).startswith(problem)
    assert blocks == [False]


def test_a_byte_in_a_late_block_that_is_no_text_is_refused(
    tmp_path: Path, blocks: list[bool]
) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"1,2,a\n" * 3_000 + b"1,2,\xff\n")

    assert refusal(path) == (
        ", line 3001: byte 0xff is not UTF-8 text; write encoding: cp1252 if it reads 'ÿ', or "
        "save the file as UTF-8"
    )
    assert blocks == [False]


def test_a_large_frame_is_read_at_once(tmp_path: Path, blocks: list[bool]) -> None:
    path = tmp_path / "data.parquet"
    FRAME.assign(n=[1, 2**53 + 1, 3], t=[True, False, True]).to_parquet(path)

    dataset = read(path, target="kind")

    assert blocks == [True]
    assert dataset.features[1].tolist() == [-2500, 3, float(2**53 + 1), 0]


NUMBERS = ["1", "-2.5", "e9", "nan", "NA", "inf", "True", "_", "٣", "0x1"]
MARKS = [
    ",",
    ",",
    ",",
    "\n",
    "\n",
    "\n",
    "\r",
    '"',
    '"',
    " ",
    "a",
    "b",
    ";",
    "\t",
    "\x0b",
    "\ufeff",
]
TOKENS = st.sampled_from([*NUMBERS, *MARKS])


@given(body=st.lists(TOKENS, max_size=30).map("".join))
@settings(max_examples=150)
def test_any_text_is_read_in_blocks_as_by_rows(
    tmp_path_factory: pytest.TempPathFactory, body: str
) -> None:
    path = tmp_path_factory.mktemp("same") / "data.csv"
    path.write_bytes(f"x,y,kind\n1,2,a\n3,4,b\n5,6,a\n{body}".encode())
    answers = list[object]()
    for large in (2**21, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tables, "LARGE", large)
            try:
                dataset = read(path)
                answers.append((dataset.features.tobytes(), dataset.target.tolist()))
            except DatasetError as error:
                answers.append(str(error))

    assert answers[0] == answers[1]
