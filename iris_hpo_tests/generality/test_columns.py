"""What a user is told of the columns of a data file, and that `predict` takes the same ones."""

import dagster as dg
import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.tree import DecisionTreeClassifier

from iris_hpo.command.project import find_search
from iris_hpo.data.columns import Layout
from iris_hpo_tests.generality.reference import grid_search, scores_of
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS

LEFT_OUT = "column 1 has no name and counts the rows: it is left out"


def tree_search(project: YamlProject, data_file: str = "flowers.csv", **fields: object) -> None:
    project.write_values("tree", max_depth=[3])
    project.write_search(
        "tree",
        data_file=data_file,
        estimator="sklearn.tree.DecisionTreeClassifier",
        axes=[{"name": "max_depth", "symbol": "D", "type": "int"}],
        folds=2,
        **fields,
    )


def write_text(project: YamlProject, text: str) -> str:
    path = project.root / "data" / "flowers.csv"
    path.write_text(text)
    return str(path)


def first_line(project: YamlProject) -> str:
    return (project.artifacts("tree") / "split" / "train.csv").read_text().partition("\n")[0]


@pytest.mark.parametrize(
    "target",
    ["Species", pytest.param(5, marks=pytest.mark.slow), pytest.param(-1, marks=pytest.mark.slow)],
)
def test_row_numbers_are_not_learnt_from_and_that_is_noted(
    project: YamlProject, target: str | int
) -> None:
    frame = load_iris(as_frame=True).frame.rename(columns={"target": "Species"})
    path = write_text(project, frame.set_axis(range(1, 151)).to_csv(quoting=2))
    tree_search(project, target=target)
    labels = frame.pop("Species").to_numpy()
    tree = DecisionTreeClassifier(random_state=0)
    wanted = grid_search(
        tree, {"max_depth": [3]}, frame.to_numpy(), labels, scoring="accuracy", folds=2
    )

    answer = project.call("run", "--search", "tree", "--engine", "serial")

    assert answer.code == 0, answer.err
    assert answer.out.count(f"note: {LEFT_OUT}\n") == 1
    assert [scores_of(row) for row in project.leaderboard("tree")] == [*wanted.values()]
    with project.instance() as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["tree", "raw_data"]))
    assert event is not None
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    assert metadata["notes"].value == [LEFT_OUT]
    assert metadata["features"].value == 4
    predicted = project.call("predict", "--search", "tree", path).out.split()
    assert np.mean([int(label) for label in predicted] == labels) > 0.9
    again = project.run("tree")
    assert (again["trained"], again["notes"]) == (0, [LEFT_OUT])


@pytest.mark.parametrize("header", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_predict_takes_the_target_where_it_stood(project: YamlProject, *, header: bool) -> None:
    frame = load_wine(as_frame=True).frame
    frame.insert(0, "grower", frame.pop("target"))
    path = project.root / "data" / "wine.csv"
    frame.to_csv(path, index=False, header=header)
    tree_search(project, "wine.csv", target=0)
    project.run("tree")
    bare = project.root / "bare.csv"
    frame.to_csv(bare, index=False, header=False)

    predicted = project.call("predict", "--search", "tree", str(bare)).out.split()

    assert np.mean([int(label) for label in predicted] == frame["grower"].to_numpy()) > 0.9
    assert project.call("predict", "--search", "tree", str(path)).out.split() == predicted


@pytest.mark.parametrize("word", ["on", "No", "yes", "OFF", "True"])
@pytest.mark.parametrize("style", ["  target: {word}", "  target: {word}  # to predict"])
def test_a_name_that_yaml_takes_for_a_truth_value_is_a_name(
    project: YamlProject, word: str, style: str
) -> None:
    tree_search(project)
    yaml = project.root / "defs" / "tree" / "defs.yaml"
    yaml.write_text(f"{yaml.read_text()}{style.format(word=word)}\n")

    with project.entered():
        spec = find_search("tree", project.root)

    assert spec.layout == Layout(word)


@pytest.mark.parametrize("columns", ["x,no,y", "x,n,y"])
def test_a_truth_value_that_names_no_column_is_refused(project: YamlProject, columns: str) -> None:
    path = write_text(project, f"{columns}\n1,2,a\n3,4,b\n")
    tree_search(project, target=True)

    answer = project.call("run", "--search", "tree")

    likely = "no" if "no" in columns else "y"
    assert answer.code == 2
    assert answer.err == (
        f"iris-hpo: {path}: has no column 'true' for the target; there are "
        f"{columns.replace(',', ', ')}; write the name in quotes, as in target: {likely!r}\n"
    )


@pytest.mark.parametrize("written", ["!!bool yes", "\n    yes"])
def test_a_truth_value_that_is_no_word_of_its_line_is_refused_with_its_line(
    project: YamlProject, written: str
) -> None:
    tree_search(project)
    yaml = project.root / "defs" / "tree" / "defs.yaml"
    text = f"{yaml.read_text()}  target: {written}\n"
    yaml.write_text(text)

    answer = project.call("run", "--search", "tree")

    line = next(n for n, found in enumerate(text.splitlines(), 1) if "target:" in found)
    assert answer.code == 2
    assert (
        f"{yaml}:{line} - attributes.target the target is the truth value True; quote the name of "
        "the column, as in target: 'yes', or give its position"
    ) in answer.err


def test_columns_and_rows_are_left_out_by_yaml_and_the_metadata_lists_them(
    project: YamlProject,
) -> None:
    rows = "".join(f"{n % 7},day {n},{n % 5}.5,{n % 2 if n % 10 else ''}\n" for n in range(60))
    path = write_text(project, f"x,day,y,kind\n{rows}")
    tree_search(project, columns={"day": "drop"}, without_target="drop")

    assert project.run("tree")["notes"] == ["6 rows without a target: left out"]

    assert first_line(project) == "row,x,y,kind"
    for name in ("raw_data", "split"):
        with project.instance() as instance:
            event = instance.get_latest_materialization_event(dg.AssetKey(["tree", name]))
        assert event is not None
        assert event.asset_materialization is not None
        table = event.asset_materialization.metadata["columns"]
        assert isinstance(table, dg.TableMetadataValue)
        names = ("column", "role", "kind")
        assert [tuple(record.data[name] for name in names) for record in table.records] == [
            ("x", "feature", "number"),
            ("day", "dropped", ""),
            ("y", "feature", "number"),
            ("kind", "target", "category"),
        ]
    assert len(project.call("predict", "--search", "tree", path).out.split()) == 60
    tree_search(project, columns={"day": "drop", "x": "drop"}, without_target="drop")
    assert project.run("tree")["trained"] == 1
    assert first_line(project) == "row,y,kind"
    tree_search(project, columns={"day": "groups"})
    answer = project.call("run", "--search", "tree")
    assert (answer.code, "defs.yaml:" in answer.err) == (2, True)
    assert "the role 'groups' of the column 'day' is unknown; there are drop" in answer.err


@pytest.mark.slow
def test_another_target_of_the_same_file_is_learnt(project: YamlProject) -> None:
    write_text(project, "".join(f"{n % 7},{n % 5}.5,{n % 2},{n % 3}\n" for n in range(60)))
    tree_search(project, target=-1)
    assert project.run("tree")["trained"] == 1
    before = project.files("tree")["split/train.csv"][1]

    tree_search(project, target=2)
    assert project.run("tree")["trained"] == 1
    assert project.files("tree")["split/train.csv"][1] != before
    assert project.run("tree")["trained"] == 0

    tree_search(project, target=-1)
    assert project.run("tree")["trained"] == 1
    assert project.files("tree")["split/train.csv"][1] == before


@pytest.mark.slow
def test_a_header_of_numbers_is_no_row(project: YamlProject) -> None:
    frame = load_iris(as_frame=True).frame
    frame.columns = range(5)
    path = write_text(project, frame.to_csv(index=False))
    tree_search(project)

    project.run("tree")

    assert first_line(project) == "row,0,1,2,3,4"
    assert len(project.call("predict", "--search", "tree", path).out.split()) == 150
