"""Tables as R, pandas and spreadsheets write them: read as they are meant, or refused with why."""

from pathlib import Path

import numpy as np
import pandas as pd  # noqa: TID253
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Dataset, Task, read_dataset
from iris_hpo.data.sources import DatasetError


def read(tmp_path: Path, text: str, layout: Layout, task: Task = "classification") -> Dataset:
    path = tmp_path / "data.csv"
    path.write_text(text)
    return read_dataset(path, layout, task)


def refusal(tmp_path: Path, text: str, layout: Layout) -> str:
    with pytest.raises(DatasetError) as refused:
        read(tmp_path, text, layout)
    return str(refused.value).removeprefix(str(tmp_path / "data.csv"))


@pytest.mark.parametrize("first", [0, 1], ids=["pandas", "R"])
@pytest.mark.parametrize("target", ["Species", 5, -1])
def test_iris_with_row_numbers_scores_as_iris(
    tmp_path: Path, first: int, target: str | int
) -> None:
    """The rows are sorted by species, so that their numbers alone would give it away."""
    frame = load_iris(as_frame=True).frame.rename(columns={"target": "Species"})
    features = frame.drop(columns="Species").to_numpy()
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    wanted = cross_val_score(tree, features, frame["Species"])

    dataset = read(tmp_path, frame.set_axis(range(first, first + 150)).to_csv(), Layout(target))

    assert dataset.features.tolist() == features.tolist()
    found = cross_val_score(tree, dataset.features, dataset.target)
    assert found.tolist() == wanted.tolist()
    assert 0.95 < found.mean() < 0.98


def test_noise_with_row_numbers_stays_noise(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(120, 2)).round(4)
    frame = pd.DataFrame(noise, columns=["x1", "x2"]).assign(kind=["a"] * 60 + ["b"] * 60)

    dataset = read(tmp_path, frame.to_csv(), Layout("kind"))

    assert dataset.features.tolist() == noise.tolist()
    assert cross_val_score(DecisionTreeClassifier(), dataset.features, dataset.target).mean() < 0.7


def test_a_header_from_0_to_10_of_a_regression_is_a_header(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=(20, 11))

    dataset = read(tmp_path, pd.DataFrame(numbers).to_csv(index=False), Layout(), "regression")

    assert dataset.features.tolist() == numbers[:, :10].tolist()
    assert dataset.target.tolist() == numbers[:, 10].tolist()


def test_dummies_of_pandas_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"size": [1.5, 2.5, 0.5], "colour": ["red", "green", "red"], "kind": ["a", "b", "a"]}
    )
    text = pd.get_dummies(frame, columns=["colour"]).to_csv(index=False)
    assert "True" in text

    dataset = read(tmp_path, text, Layout("kind"))

    assert dataset.feature_names == ("size", "colour_green", "colour_red")
    assert dataset.features.tolist() == [[1.5, 0, 1], [2.5, 1, 0], [0.5, 0, 1]]


PENGUINS = """\
species,island,bill_length_mm,bill_depth_mm,sex
Adelie,Torgersen,39.1,18.7,MALE
Adelie,Torgersen,NA,NA,NA
Gentoo,Biscoe,46.1,13.2,FEMALE
"""
WEATHER = "date,wind,weather\n2012/01/01,4.7,drizzle\n2012/01/02,4.5,rain\n"


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        (
            PENGUINS,
            "species",
            (
                ", line 2, column island: 'Torgersen' is not a number; encode it as one or drop "
                "the column; the same holds for sex (line 2, 'MALE'), bill_length_mm (line 3, "
                "'NA'), bill_depth_mm (line 3, 'NA')"
            ),
        ),
        (
            WEATHER,
            "weather",
            (
                ", line 2, column date: '2012/01/01' is a date; give year, month and day as "
                "numbers or drop the column"
            ),
        ),
    ],
)
def test_texts_dates_and_missing_values_are_named_with_what_to_do(
    tmp_path: Path, text: str, target: str, message: str
) -> None:
    assert refusal(tmp_path, text, Layout(target)) == message


@pytest.mark.parametrize("separator", ["\t", ";"])
@pytest.mark.parametrize("header", [True, False])
def test_tabs_and_semicolons_separate(tmp_path: Path, separator: str, *, header: bool) -> None:
    frame = load_iris(as_frame=True).frame
    text = frame.to_csv(index=False, sep=separator, header=header)

    dataset = read(tmp_path, text, Layout(-1))

    assert dataset.features.tolist() == frame.to_numpy()[:, :4].tolist()
    assert len(set(dataset.target)) == 3


def test_a_line_above_the_table_is_refused_with_what_to_do(tmp_path: Path) -> None:
    text = "# measured in 1936\n" + load_iris(as_frame=True).frame.to_csv(index=False)

    assert refusal(tmp_path, text, Layout("target", skip_lines=0)) == (
        ", line 1: has 1 column and the next row 5; remove what stands above the table, "
        "or write skip_lines: 1"
    )
    assert len(read(tmp_path, text, Layout("target", skip_lines=1)).target) == 150
