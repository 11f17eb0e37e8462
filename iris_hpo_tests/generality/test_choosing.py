"""A search that names no rule chooses by cross-validation, and never on its few test rows."""

from sklearn.datasets import load_breast_cancer
from sklearn.tree import DecisionTreeClassifier

from iris_hpo_tests.generality.reference import grid_search, scores_of
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS


def test_breast_cancer_by_log_loss_has_the_champion_of_cross_validation(
    project: YamlProject,
) -> None:
    frame = load_breast_cancer(as_frame=True).frame
    frame.to_csv(project.root / "data" / "cells.csv", index=False)
    depths = [1, 2]
    project.write_values("cells", max_depth=depths)
    project.write_search(
        "cells",
        data_file="cells.csv",
        estimator="sklearn.tree.DecisionTreeClassifier",
        scoring="neg_log_loss",
        axes=[{"name": "max_depth", "symbol": "D", "type": "int"}],
    )
    labels = frame.pop("target").to_numpy()
    wanted = grid_search(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": depths},
        frame.to_numpy(),
        labels,
        scoring="neg_log_loss",
    )

    outcome = project.run("cells")

    rows = {row["candidate"]: row for row in project.leaderboard("cells")}
    for (value,), scores in wanted.items():
        assert scores_of(rows[f"D{value}"]) == scores
    by_test = max(wanted, key=lambda values: wanted[values][0])
    by_folds = max(wanted, key=lambda values: wanted[values][1])
    assert by_test != by_folds, "else the data would not tell the rules apart"
    assert outcome["champion"] == f"D{by_folds[0]}"
