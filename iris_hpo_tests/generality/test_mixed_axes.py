"""One search over axes of every type: float, int, text, true or false, and none."""

import io
import json
from collections.abc import Mapping

import pytest
from PIL import Image
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier

from iris_hpo.command.project import find_search
from iris_hpo.space.values import Value
from iris_hpo.training.cards import ModelCard
from iris_hpo_tests.generality.reference import Scores, grid_search, scores_of
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS

GRID = {
    "criterion": ["gini", "log_loss"],
    "bootstrap": [False, True],
    "max_depth": [None, 2],
    "max_features": [0.25, 1.0],
}
"""In the order of the search: texts by the alphabet, false first, none before anything else."""


def key_of(values: tuple[Value, ...]) -> str:
    criterion, bootstrap, depth, features = values
    return "_".join(
        (
            f"K{'log~5Floss' if criterion == 'log_loss' else criterion}",
            f"B{bootstrap}",
            f"D{'~' if depth is None else depth}",
            f"F{features}",
        )
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> YamlProject:
    """The search, done once."""
    made = YamlProject.create(tmp_path_factory.mktemp("mixed") / "project")
    load_wine(as_frame=True).frame.to_csv(made.root / "data" / "wine.csv", index=False)
    made.write_values(
        "mixed",
        criterion=["log_loss", "gini"],
        bootstrap=["True", "false"],
        max_depth=["none", "2", "2"],
        max_features=["1", "0.25"],
    )
    made.write_search(
        "mixed",
        data_file="wine.csv",
        target="target",
        estimator="sklearn.ensemble.RandomForestClassifier",
        settings={"n_estimators": 2},
        axes=[
            {"name": "criterion", "symbol": "K", "type": "str"},
            {"name": "bootstrap", "symbol": "B", "type": "bool"},
            {"name": "max_depth", "symbol": "D", "type": "int", "nullable": True},
            {"name": "max_features", "symbol": "F", "positive": True},
        ],
        folds=2,
        rule="cv",
        reports=["heatmap"],
    )
    assert made.run("mixed")["trained"] == 16
    return made


@pytest.fixture(scope="module")
def scores() -> Mapping[tuple[Value, ...], Scores]:
    """What scikit-learn makes of the same grid."""
    features, target = load_wine(return_X_y=True)
    forest = RandomForestClassifier(n_estimators=2, random_state=0)
    return grid_search(forest, GRID, features, target, scoring="accuracy", folds=2)


def test_every_score_is_scikit_learns(
    project: YamlProject, scores: Mapping[tuple[Value, ...], Scores]
) -> None:
    rows = project.leaderboard("mixed")
    assert {row["candidate"]: scores_of(row) for row in rows} == {
        key_of(values): wanted for values, wanted in scores.items()
    }


def test_candidates_are_registered_in_the_order_of_the_values(
    project: YamlProject, scores: Mapping[tuple[Value, ...], Scores]
) -> None:
    assert project.partitions("mixed") == [key_of(values) for values in scores]


def test_every_key_is_read_back_exactly_and_names_files(
    project: YamlProject, scores: Mapping[tuple[Value, ...], Scores]
) -> None:
    with project.entered():
        space = find_search("mixed", project.root).space
    for values in scores:
        candidate = space.parse_key(key_of(values))
        # 1 == 1.0 == True: the type is compared too.
        assert [(type(one), one) for one in candidate.values] == [(type(v), v) for v in values]
        assert (project.artifacts("mixed") / "models" / f"model_{candidate.key}.pkl").is_file()
        assert (project.artifacts("mixed") / "scores" / f"{candidate.key}.json").is_file()
    assert len(list((project.artifacts("mixed") / "scores").iterdir())) == 16


def test_the_leaderboard_writes_every_type(project: YamlProject) -> None:
    columns = [f"param_{name}" for name in GRID]
    rows = {
        row["candidate"]: [row[name] for name in columns] for row in project.leaderboard("mixed")
    }
    assert rows["Kgini_BFalse_D~_F0.25"] == ["gini", "false", "", "0.25"]
    assert rows["Klog~5Floss_BTrue_D2_F1.0"] == ["log_loss", "true", "2", "1.0"]


def test_the_leaderboard_as_json_has_numbers_and_truth_values(project: YamlProject) -> None:
    answer = project.call("leaderboard", "--search", "mixed", "--format", "json")
    rows = {row["candidate"]: row for row in json.loads(answer.out)}
    row = rows["Kgini_BFalse_D~_F0.25"]
    texts = next(r for r in project.leaderboard("mixed") if r["candidate"] == row["candidate"])
    assert [row[f"param_{name}"] for name in GRID] == ["gini", False, None, 0.25]
    assert list(row) == list(texts)
    assert (row["score"], row["cv_mean"]) == (float(texts["score"]), float(texts["cv_mean"]))
    assert [type(row[name]) for name in ("rank", "correct", "champion", "selected")] == [
        int,
        int,
        bool,
        bool,
    ]
    assert [row["candidate"] for row in rows.values() if row["champion"]] == [
        r["candidate"] for r in project.leaderboard("mixed") if r["champion"] == "true"
    ]


def test_run_as_json_has_the_champions_parameters(project: YamlProject) -> None:
    found = project.run("mixed")
    card = json.loads((project.selection("mixed") / "champion.json").read_text())
    assert found["parameters"] == card["parameters"]


def test_a_model_card_keeps_the_types(project: YamlProject) -> None:
    path = project.artifacts("mixed") / "models" / "model_Kgini_BTrue_D~_F1.0.json"
    card = ModelCard(**json.loads(path.read_text()))
    assert card.parameters == {
        "criterion": "gini",
        "bootstrap": True,
        "max_depth": None,
        "max_features": 1.0,
    }


def test_the_figure_shows_pairs_of_the_four_axes(project: YamlProject) -> None:
    figure = Image.open(io.BytesIO((project.selection("mixed") / "heatmap.png").read_bytes()))
    figure.load()
    assert figure.format == "PNG"
    # Three columns and three rows of panels, of which six are pairs, and the words about them.
    assert figure.size > (800, 700)
