"""The data that a search takes: where the target stands, formats, labels, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import read_dataset
from iris_hpo_tests.generality.reference import grid_search, scores_of
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS

WITHOUT_TARGET = "fill it in, or write without_target: drop to leave such rows out"
NEIGHBOURS = [{"name": "n_neighbors", "symbol": "N", "type": "int", "positive": True}]


def knn_search(project: YamlProject, data_file: str, **fields: object) -> None:
    project.write_values("knn", n_neighbors=[1, 5])
    project.write_search(
        "knn",
        data_file=data_file,
        estimator="sklearn.neighbors.KNeighborsClassifier",
        axes=NEIGHBOURS,
        folds=2,
        **fields,
    )


def flowers() -> Any:
    """scikit-learn's iris with the species by name, in the middle."""
    frame, names = load_iris(as_frame=True).frame, load_iris().target_names
    frame.insert(2, "species", names[frame.pop("target")])
    return frame


def write_flowers(path: Path) -> None:
    if path.suffix == ".parquet":
        flowers().to_parquet(path, index=False)
    else:
        flowers().to_csv(path, index=False, header="bare" not in path.name)


@pytest.mark.parametrize(
    ("data_file", "fields"),
    [
        ("flowers.csv", {"target": 2}),
        ("flowers.parquet", {"target": "species"}),
        pytest.param("bare.csv", {"target": -3, "header": False}, marks=pytest.mark.slow),
    ],
)
def test_the_target_is_given_by_name_or_position(
    project: YamlProject, data_file: str, fields: dict[str, object]
) -> None:
    write_flowers(project.root / "data" / data_file)
    knn_search(project, data_file, **fields)
    frame = flowers()
    target = frame.pop("species").to_numpy()
    wanted = grid_search(
        KNeighborsClassifier(),
        {"n_neighbors": [1, 5]},
        frame.to_numpy(),
        target,
        scoring="accuracy",
        folds=2,
    )

    assert project.run("knn")["trained"] == 2

    rows = project.leaderboard("knn")
    assert {row["candidate"]: scores_of(row) for row in rows} == {
        f"N{neighbours}": scores for (neighbours,), scores in wanted.items()
    }
    header = (project.artifacts("knn") / "split" / "train.csv").read_text().splitlines()[0]
    names = "feature_1,feature_2,feature_3,feature_4,target"
    if "bare" not in data_file:
        names = f"{','.join(frame.columns)},species"
    assert header == f"row,{names}"
    rows_to_predict = project.root / "data" / data_file.replace("bare", "named")
    write_flowers(rows_to_predict)
    if "bare" not in data_file:  # without names the features come first
        predicted = project.call("predict", "--search", "knn", str(rows_to_predict)).out.split()
        assert sum(predicted == target) > 140


@pytest.mark.parametrize("kind", ["float32", "Float32"])  # NumPy's, and pandas' nullable one
def test_numbers_of_a_parquet_file_are_used_as_they_are(tmp_path: Path, kind: str) -> None:
    frame = flowers().astype(dict.fromkeys(flowers().columns.drop("species"), kind))
    frame["petals"] = np.arange(150, dtype=np.uint8) % 7
    frame.to_parquet(tmp_path / "flowers.parquet", index=False)

    found = read_dataset(tmp_path / "flowers.parquet", Layout("species"), "classification")

    assert found.features.tolist() == frame.drop(columns="species").to_numpy(np.float64).tolist()
    assert found.target.tolist() == frame["species"].tolist()


def test_a_scorer_takes_the_class_1_for_the_positive_one(project: YamlProject) -> None:
    load_breast_cancer(as_frame=True).frame.to_csv(project.root / "data/cancer.csv", index=False)
    project.write_values("tree", max_depth=[1, 3])
    project.write_search(
        "tree",
        data_file="cancer.csv",
        target="target",
        estimator="sklearn.tree.DecisionTreeClassifier",
        axes=[{"name": "max_depth", "symbol": "D", "type": "int"}],
        scoring="f1",
        folds=2,
    )
    features, target = load_breast_cancer(return_X_y=True)
    tree = DecisionTreeClassifier(random_state=0)
    wanted = grid_search(tree, {"max_depth": [1, 3]}, features, target, scoring="f1", folds=2)

    found = project.run("tree")

    assert found["interval"] is None, "the interval is of the accuracy"
    rows = project.leaderboard("tree")
    assert {row["candidate"]: scores_of(row) for row in rows} == {
        f"D{depth}": scores for (depth,), scores in wanted.items()
    }
    champion = next(row for row in rows if row["champion"] == "true")
    shown = project.call("leaderboard", "--search", "tree").out.splitlines()
    table = shown[next(at for at, line in enumerate(shown) if line.startswith("rank")) :]
    assert table[0].split()[:5] == ["rank", "candidate", "test", "score", "accuracy"]
    shown = next(line for line in table if line.endswith("champion")).split()
    assert shown[2:5] == [
        f"{float(champion['score']):.4f}",
        f"{float(champion['accuracy']):.4f}",
        f"({champion['correct']}/{champion['total']})",
    ]


@pytest.mark.parametrize(
    ("rows", "place", "problem"),
    [
        (
            [["height", "colour", "kind"], [1, "red", "a"], [2, "blue", "b"]],
            "line 2, column colour",
            "'red' is not a number; encode it as one or drop the column",
        ),
        (
            [[1, "red", "a"], [2, "blue", "b"]],
            "line 1, column 2",
            "'red' is not a number; encode it as one or drop the column",
        ),
        (
            [["height", "kind"], [1, "a"], ["", "b"]],
            "line 3, column height",
            "the value is missing (''); fill it in or remove the row",
        ),
        (
            [["height", "kind"], [1, "a"], [2, ""]],
            "line 3, column kind",
            f"the label is missing in 1 row; {WITHOUT_TARGET}",
        ),
        (
            [["height", "kind"], [1, "a"], ["inf", "b"]],
            "line 3, column height",
            "'inf' is not finite; remove the row",
        ),
    ],
)
def test_what_cannot_be_learnt_from_is_named(
    project: YamlProject, rows: list[list[object]], place: str, problem: str
) -> None:
    project.write_data("flowers.csv", rows)
    knn_search(project, "flowers.csv", prepare="none")
    path = project.root / "data" / "flowers.csv"

    for command in ("run", "status"):
        answer = project.call(command, "--search", "knn")
        assert (answer.code, answer.err) == (2, f"iris-hpo: {path}, {place}: {problem}\n")


def test_texts_missing_values_and_dates_are_prepared_and_predicted(project: YamlProject) -> None:
    island, sex = ["Torgersen", "Biscoe", "Dream"], ["MALE", "FEMALE", "NA"]
    rows = [
        [n + 1, island[n % 3], f"2012-01-{n % 28 + 1:02}", n % 5 if n % 7 else "NA", sex[n % 2]]
        for n in range(60)
    ]
    labelled = [[*row, "ab"[n % 3 == 0]] for n, row in enumerate(rows)]
    project.write_data("birds.csv", [["", "island", "day", "bill", "sex", "kind"], *labelled])
    knn_search(project, "birds.csv", target="kind")

    found = project.run("knn")

    assert found["trained"] == 2
    assert found["notes"] == ["column 1 has no name and counts the rows: it is left out"]
    assert project.run("knn")["trained"] == 0
    new = project.root / "new.csv"
    new.write_text("sex,bill,island,day\nNA,,Atlantis,2013-05-05\nMALE,3,Dream,\n")
    predicted = project.call("predict", "--search", "knn", str(new)).out.split()
    assert len(predicted) == 2
    assert {*predicted} <= {"a", "b"}
    knn_search(project, "birds.csv", target="kind", prepare="none")
    answer = project.call("status", "--search", "knn")
    assert answer.code == 2
    assert "line 2, column island: 'Torgersen' is not a number" in answer.err


@pytest.mark.slow
def test_a_mixed_table_is_worked_by_two_workers_and_refitted(project: YamlProject) -> None:
    """Row numbers, and rows without a target, as R writes them."""
    rows = [
        [n + 1, ["red", "blue", "NA"][n % 3], n % 5 if n % 7 else "", "ab"[n % 3 == 0]]
        for n in range(60)
    ]
    for row in rows[::9]:
        row[-1] = ""
    project.write_data("birds.csv", [["", "colour", "bill", "kind"], *rows])
    knn_search(project, "birds.csv", target="kind")

    first = project.run("knn", "--jobs", "2", "--refit", "all")

    assert (first["trained"], first["failed"]) == (2, {})
    assert first["notes"] == [
        "column 1 has no name and counts the rows: it is left out",
        "7 rows without a target: left out",
    ]
    files = project.files("knn")
    again = project.run("knn", "--jobs", "2", "--refit", "all")
    assert (again["trained"], again["reused"]) == (0, 2)
    assert project.files("knn") == files
    path = str(project.root / "data" / "birds.csv")
    assert len(project.call("predict", "--search", "knn", path).out.split()) == 60


def test_a_target_that_is_not_there_is_refused(project: YamlProject) -> None:
    write_flowers(project.root / "data" / "flowers.csv")
    knn_search(project, "flowers.csv", target="kind")
    path = project.root / "data" / "flowers.csv"

    answer = project.call("run", "--search", "knn")

    assert answer.code == 2
    assert answer.err == (
        f"iris-hpo: {path}: has no column 'kind' for the target; there are sepal length (cm), "
        "sepal width (cm), species, petal length (cm), petal width (cm)\n"
    )


def test_if_every_candidate_fails_each_reason_is_said(project: YamlProject) -> None:
    write_flowers(project.root / "data" / "flowers.csv")
    knn_search(project, "flowers.csv", target="species")
    project.write_values("knn", n_neighbors=[500, 600])

    answer = project.call("run", "--search", "knn", "--engine", "serial", "--json")

    assert (answer.code, answer.out) == (1, "")
    *failed, last = answer.err.splitlines()
    assert [line.partition(" failed: ")[0] for line in failed] == [
        "failed: N500: predicting",
        "failed: N600: predicting",
    ]
    assert all("Expected n_neighbors <= n_samples_fit" in line for line in failed)
    assert last.startswith("iris-hpo: none of the 2 candidates has a score")
