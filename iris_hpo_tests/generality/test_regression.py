"""Regression on scikit-learn's diabetes data."""

import re

import joblib
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from iris_hpo.selection.choosing import TOLERANCE
from iris_hpo_tests.generality.reference import divided, grid_search, scores_of
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> YamlProject:
    """Two searches on the same data, done once."""
    made = YamlProject.create(tmp_path_factory.mktemp("regression") / "project")
    load_diabetes(as_frame=True).frame.to_csv(made.root / "data" / "diabetes.csv", index=False)
    made.write_values("ridge", alpha=[0.01, 0.1, 1, 10], solver=["svd", "cholesky"])
    made.write_search(
        "ridge",
        data_file="diabetes.csv",
        target="target",
        estimator="sklearn.linear_model.Ridge",
        axes=[
            {"name": "alpha", "symbol": "A", "positive": True},
            {"name": "solver", "symbol": "S", "type": "str"},
        ],
    )
    made.write_values("svr", c=[1, 100], epsilon=[1, 10, 100])
    made.write_search(
        "svr",
        data_file="diabetes.csv",
        target=-1,
        steps=[
            {"estimator": "sklearn.preprocessing.StandardScaler"},
            {"estimator": "sklearn.svm.SVR", "settings": {"gamma": 0.01}},
        ],
        axes=[
            {"name": "C", "symbol": "C", "parameter": "svr__C", "positive": True},
            {"name": "epsilon", "symbol": "E", "parameter": "svr__epsilon"},
        ],
        scoring="neg_mean_squared_error",
        rule="cv",
        folds=3,
    )
    assert made.run("ridge")["trained"] == 8
    assert made.run("svr")["trained"] == 6
    return made


def test_r2_is_scikit_learns_without_stratifying(project: YamlProject) -> None:
    features, target = load_diabetes(return_X_y=True)
    grid = {"alpha": [0.01, 0.1, 1.0, 10.0], "solver": ["cholesky", "svd"]}
    wanted = grid_search(Ridge(random_state=0), grid, features, target, scoring="r2")

    rows = {row["candidate"]: row for row in project.leaderboard("ridge")}

    assert project.partitions("ridge") == [f"A{alpha}_S{solver}" for alpha, solver in wanted]
    for (alpha, solver), scores in wanted.items():
        # The last bits are LAPACK's, which may use more threads here.
        assert scores_of(rows[f"A{alpha}_S{solver}"]) == pytest.approx(scores, rel=1e-11)


def test_a_negated_error_is_scikit_learns_and_greater_is_better(project: YamlProject) -> None:
    features, target = load_diabetes(return_X_y=True)
    grid = {"svr__C": [1.0, 100.0], "svr__epsilon": [1.0, 10.0, 100.0]}
    pipeline = make_pipeline(StandardScaler(), SVR(gamma=0.01))
    wanted = grid_search(
        pipeline, grid, features, target, scoring="neg_mean_squared_error", folds=3
    )

    rows = project.leaderboard("svr")

    assert {row["candidate"]: scores_of(row) for row in rows} == {
        f"C{c}_E{epsilon}": scores for (c, epsilon), scores in wanted.items()
    }
    assert all(float(row["score"]) < 0 for row in rows)
    means = [float(row["cv_mean"]) for row in rows]
    assert means == sorted(means, reverse=True)
    assert rows[0]["champion"] == "true"
    assert float(rows[0]["root_mean_squared_error"]) ** 2 == pytest.approx(-float(rows[0]["score"]))


def test_equal_scores_tie_whatever_their_last_bits_are(project: YamlProject) -> None:
    """Two solvers may differ in them, by the machine; `selection/test_rules.py` has such scores."""
    rows = project.leaderboard("ridge")
    by_alpha: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_alpha.setdefault(row["param_alpha"], []).append(row)
    scores = {alpha: [float(row["score"]) for row in pair] for alpha, pair in by_alpha.items()}
    assert all(abs(one - two) <= TOLERANCE for one, two in scores.values())

    assert [row["rank"] for row in rows] == ["1", "1", "3", "3", "5", "5", "7", "7"]
    assert [row["selected"] for row in rows] == ["true"] * 2 + ["false"] * 6
    champion = next(row for row in rows if row["champion"] == "true")
    assert champion["param_solver"] == "cholesky", "the first in the order of the space"
    assert champion["param_alpha"] == rows[0]["param_alpha"]


def test_the_leaderboard_has_no_counts_and_no_interval(project: YamlProject) -> None:
    assert list(project.leaderboard("ridge")[0]) == [
        *("rank", "candidate", "param_alpha", "param_solver", "score", "cv_mean", "cv_std"),
        *("mean_absolute_error", "root_mean_squared_error", "selected", "champion"),
    ]
    assert list(project.leaderboard("svr")[0])[7:10] == [
        "mean_absolute_error",
        "r2",
        "root_mean_squared_error",
    ]
    lines = project.call("leaderboard", "--search", "svr", "--top", "1").out.splitlines()
    header, line = lines[lines.index("") + 1 :]
    assert header.split() == ["rank", "candidate", "test", "score", "fold", "mean", "fold", "SD"]
    row = project.leaderboard("svr")[0]
    score, mean, std = (f"{float(row[name]):.4f}" for name in ("score", "cv_mean", "cv_std"))
    assert line.split() == ["1", row["candidate"], score, mean, std, "champion"]


def test_what_is_said_of_a_regression(project: YamlProject) -> None:
    answer = project.call("run", "--search", "svr", "--engine", "serial")
    row = project.leaderboard("svr")[0]
    assert row["candidate"] == "C100.0_E10.0"
    score = f"neg_mean_squared_error {float(row['score']):.4g}"
    edge = "the champion has the highest C of all that were tried"
    lines = answer.out.splitlines()
    assert lines[2].startswith("champion C100.0_E10.0: expect neg_mean_squared_error -")
    assert lines[3] == f"{score} on the 89 test rows, which did not choose it"
    assert any(re.match("better than the mean \\(-.* by ", line) for line in lines)
    assert "one candidate is the best (cv)" in lines
    assert any(line.startswith("champion.pkl was trained again on all 442 rows") for line in lines)
    assert lines[-3:] == [
        f"note: {edge}: better candidates may lie beyond",
        f"files: {project.selection('svr')}",
        f"champion's model: {project.selection('svr') / 'champion.pkl'}",
    ]


def test_predictions_are_numbers_one_a_line_and_exact(project: YamlProject) -> None:
    file = project.root / "data" / "diabetes.csv"
    answer = project.call("predict", "--search", "ridge", str(file))
    assert answer.code == 0, answer.err

    model = joblib.load(project.selection("ridge") / "champion.pkl")
    features, _ = load_diabetes(return_X_y=True)
    assert [float(line) for line in answer.out.splitlines()] == model.predict(features).tolist()


def test_the_split_keeps_the_rows_of_scikit_learn(project: YamlProject) -> None:
    _, target = load_diabetes(return_X_y=True)
    train, test = divided(Ridge(), target)
    for name, rows in (("train", train), ("test", test)):
        lines = (project.artifacts("ridge") / "split" / f"{name}.csv").read_text().splitlines()[1:]
        assert [int(line.partition(",")[0]) - 1 for line in lines] == rows.tolist()


def test_classes_cannot_be_asked_of_numbers(project: YamlProject) -> None:
    other = YamlProject.create(project.root.parent / "stratified")
    other.write_values("ridge", alpha=[1])
    path = other.write_search(
        "ridge",
        data_file="diabetes.csv",
        estimator="sklearn.linear_model.Ridge",
        axes=[{"name": "alpha", "symbol": "A"}],
        stratify=True,
    )
    answer = other.call("run", "--search", "ridge")
    assert answer.code == 2
    assert (
        f"{path}:9 - attributes.stratify stratify needs classes; regression targets have none"
        in answer.err
    )
