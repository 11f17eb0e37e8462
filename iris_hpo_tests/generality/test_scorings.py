"""Several scorings of a search: one decides, the others are reported and can be chosen by."""

import json

import pytest
from sklearn.datasets import make_classification

from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS

FEATURES, CLASSES = make_classification(80, 4, flip_y=0.2, random_state=3)
METRICS = """\
def cost(y_true, y_pred, miss=5):
    missed = (y_true == "yes") & (y_pred == "no")
    return float(miss * missed.sum() + (y_true != y_pred).sum())
"""
SCORINGS = """\
  scoring: [roc_auc, recall]
  metrics:
    - {use: my_metrics.cost, settings: {greater_is_better: false, miss: 9}}
  pos_label: yes
"""
COST = "neg_my_metrics.cost(miss=9)"


@pytest.fixture
def search(project: YamlProject) -> YamlProject:
    """A search over labels that YAML reads as truth values, with a function of its own."""
    rows = [
        [*numbers, ("no", "yes")[label]]
        for numbers, label in zip(FEATURES.tolist(), CLASSES, strict=True)
    ]
    project.write_data("d.csv", [["a", "b", "c", "d", "kind"], *rows])
    project.write_values("s", max_depth=[1, 2, 6])
    (project.root / "my_metrics.py").write_text(METRICS)
    path = project.write_search(
        "s",
        data_file="d.csv",
        estimator="sklearn.tree.DecisionTreeClassifier",
        axes=[{"name": "max_depth", "symbol": "D", "type": "int"}],
    )
    path.write_text(path.read_text() + SCORINGS)
    return project


@pytest.mark.slow
def test_one_decides_and_the_others_are_reported_and_can_be_chosen_by(search: YamlProject) -> None:
    said = search.run("s")

    rows = search.leaderboard("s")
    best = next(row for row in rows if row["champion"] == "true")
    assert float(best["cv_mean"]) == max(float(row["cv_mean"]) for row in rows)
    for name in ("recall", COST):
        assert said["metrics"][name] == float(best[name])
        assert said["metrics"][f"cv_mean_{name}"] == float(best[f"cv_mean_{name}"])
        card = json.loads((search.artifacts("s") / "scores" / "D2.json").read_bytes())
        assert len(card["fold_metrics"][name]) == 5
        assert name in card["metrics"]
    assert all(float(row[COST]) <= 0 for row in rows)
    assert "scores of 5 folds" in said["estimate"]["method"]

    chosen = search.run("s", "--metric", COST)

    assert chosen["trained"] == 0
    again = search.leaderboard("s")
    costs = {row["candidate"]: float(row[f"cv_mean_{COST}"]) for row in rows}
    assert {row["candidate"]: float(row["cv_mean"]) for row in again} == costs
    assert costs[chosen["champion"]] == max(costs.values())
    assert {row["candidate"]: row["cv_mean_roc_auc"] for row in again} == {
        row["candidate"]: row["cv_mean"] for row in rows
    }

    (search.root / "my_metrics.py").write_text(METRICS + "# edited\n")
    status = json.loads(search.call("status", "--search", "s", "--json").out)["assets"]

    assert status["scores"]["up to date"] == 0
    assert search.run("s", "--defaults")["failed"] == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("recall]", "recal]", "scoring 'recal' is unknown to scikit-learn; it knows accuracy"),
        ("my_metrics.cost", "my_metrics.none", "'my_metrics.none' cannot be imported"),
        ("miss: 9", "mis: 9", "my_metrics.cost' refuses its settings: got an unexpected keyword"),
        (
            "pos_label: yes",
            "pos_label: on",
            "pos_label 'on' is no class of the target; there are no, yes",
        ),
        ("roc_auc", "r2", "scoring 'r2' is for numbers, and this search predicts classes"),
    ],
)
def test_what_cannot_score_is_refused_in_one_message(
    search: YamlProject, old: str, new: str, message: str
) -> None:
    path = search.root / "defs" / "s" / "defs.yaml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))

    answer = search.call("run", "--search", "s", "--engine", "serial")

    assert answer.code == 2
    assert message in answer.err
    if "pos_label" not in new:
        line = text[: text.index(old)].count("\n") + 1
        assert f"defs.yaml:{line} - " in answer.err
