"""What labels and targets of a user's table do to a search."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.tree import DecisionTreeClassifier

from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS

FEATURES, CLASSES = make_classification(80, 4, flip_y=0.2, random_state=3)
TREE = {
    "data_file": "d.csv",
    "estimator": "sklearn.tree.DecisionTreeClassifier",
    "axes": [{"name": "max_depth", "symbol": "D", "type": "int"}],
}


def write_table(project: YamlProject, target: list[object]) -> None:
    rows = [[*numbers, label] for numbers, label in zip(FEATURES.tolist(), target, strict=True)]
    project.write_data("d.csv", [["a", "b", "c", "d", "kind"], *rows])
    project.write_values("s", max_depth=[2, 4])


def labelled(*names: str) -> list[object]:
    return [names[label] for label in CLASSES]


def test_a_scoring_that_cannot_judge_the_classes_is_refused_once(project: YamlProject) -> None:
    write_table(project, labelled("no", "yes"))
    project.write_search("s", **TREE, scoring="f1")

    answer = project.call("run", "--search", "s", "--engine", "serial")

    assert answer.code == 2
    assert answer.err == (
        "iris-hpo: scoring 'f1' cannot judge the classes no, yes; choose f1_macro, or say which "
        "class is the positive one, as in pos_label: 'yes'\n"
    )


@pytest.mark.parametrize(
    ("names", "positive", "written"),
    [
        (("False", "True"), None, "{'False': 50, 'True': 1}"),
        (("0.0", "1.0"), None, "{0: 50.0, 1: 1}"),
        (("1", "2"), 2, "{'1': 50.0, 2: 1.0}"),
    ],
)
def test_labels_that_spell_truth_values_or_numbers_have_weights_and_a_positive_class(
    project: YamlProject, names: tuple[str, str], positive: object, written: str
) -> None:
    write_table(project, labelled(*names))
    path = project.write_search(
        "s",
        **TREE,
        settings={"class_weight": "WEIGHTS"},
        scoring="f1",
        **({"pos_label": positive} if positive else {}),
    )
    path.write_text(path.read_text().replace("WEIGHTS", written))

    assert project.run("s")["trained"] == 2

    train, test = train_test_split(
        np.arange(80), test_size=0.2, random_state=0, stratify=np.array(labelled(*names))
    )
    train, test = np.sort(train), np.sort(test)
    row = next(row for row in project.leaderboard("s") if row["candidate"] == "D2")
    tree = DecisionTreeClassifier(max_depth=2, random_state=0, class_weight={0: 50, 1: 1})
    plain = DecisionTreeClassifier(max_depth=2, random_state=0)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    means, without = (
        cross_val_score(each, FEATURES[train], CLASSES[train], cv=folds, scoring="f1")
        for each in (tree, plain)
    )
    predicted = tree.fit(FEATURES[train], CLASSES[train]).predict(FEATURES[test])
    assert float(row["cv_mean"]) == pytest.approx(means.mean(), abs=1e-12)
    assert float(row["score"]) == pytest.approx(f1_score(CLASSES[test], predicted), abs=1e-12)
    assert means.mean() != without.mean(), "the weights matter"


def test_labels_that_yaml_reads_as_truth_values_are_to_be_quoted(project: YamlProject) -> None:
    write_table(project, labelled("no", "yes"))
    path = project.write_search("s", **TREE, settings={"class_weight": "WEIGHTS"})
    path.write_text(path.read_text().replace("WEIGHTS", "{yes: 5, no: 1}"))

    answer = project.call("run", "--search", "s", "--engine", "serial")

    assert answer.code == 2
    assert "defs.yaml:" in answer.err
    assert "quote it, spelt as in the data: {'yes': 5, 'no': 1}" in answer.err


def test_a_class_with_fewer_rows_than_folds_is_noted_once(project: YamlProject) -> None:
    write_table(project, [*labelled("a", "b")[:-4], "c", "c", "c", "c"])
    project.write_search("s", **TREE)

    answer = project.call("run", "--search", "s", "--engine", "serial")

    assert answer.code == 0, answer.err
    note = (
        "note: fewer training rows than the 5 folds have the classes c (3): some folds are scored "
        "without them"
    )
    assert answer.out.count("fewer training rows") == 1
    assert note in " ".join(answer.out.split())
    assert "least populated" not in answer.out + answer.err
    assert project.run("s")["notes"] == [note.removeprefix("note: ")]


def test_a_constant_number_to_predict_is_refused_once(project: YamlProject) -> None:
    write_table(project, [7.5] * 80)
    project.write_search(
        "s",
        data_file="d.csv",
        estimator="sklearn.tree.DecisionTreeRegressor",
        axes=TREE["axes"],
    )

    answer = project.call("run", "--search", "s", "--engine", "serial")

    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert answer.err.endswith(
        "d.csv: every row has the target 7.5; there is nothing to predict: give another target\n"
    )


def test_an_estimator_that_predicts_a_column_predicts_one_label_a_line(
    project: YamlProject,
) -> None:
    write_table(project, labelled("no", "yes"))
    estimator = "iris_hpo_tests.training.boosters.Column"
    project.write_search("s", **{**TREE, "estimator": estimator}, folds=2)
    project.run("s")

    predicted = project.call("predict", str(project.root / "data" / "d.csv"), "--search", "s")

    lines = predicted.out.splitlines()
    assert len(lines) == 80
    assert set(lines) == {"no", "yes"}
