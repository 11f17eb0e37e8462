"""Searches over values of several types and over tuples, with choices that are no texts."""

import pickle
from typing import Any

import pytest
from sklearn.datasets import load_iris

from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS


def project_of(root: Any) -> YamlProject:
    made = YamlProject.create(root)
    load_iris(as_frame=True).frame.to_csv(made.root / "data" / "iris.csv", index=False)
    return made


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> YamlProject:
    """An SVM over a gamma of numbers and texts, done once."""
    made = project_of(tmp_path_factory.mktemp("several") / "project")
    made.write_values("svm", gamma=["scale", "auto", "0.1"])
    made.write_search(
        "svm",
        data_file="iris.csv",
        estimator="sklearn.svm.SVC",
        axes=[{"name": "gamma", "symbol": "G", "type": ["float", "str"], "positive": True}],
        choices=[
            {"name": "shrinking", "default": True, "options": [True, False]},
            {"name": "tol", "default": 0.001, "options": [0.001, "1e-2"]},
            {"name": "class_weight", "default": None, "options": [None, "balanced"]},
        ],
        folds=2,
        reports=["heatmap"],
    )
    assert made.run("svm")["trained"] == 3
    return made


def test_numbers_and_texts_are_candidates_of_one_axis(project: YamlProject) -> None:
    assert project.partitions("svm") == ["G0.1", "Gauto", "Gscale"]
    rows = {row["candidate"]: row["param_gamma"] for row in project.leaderboard("svm")}
    assert rows == {"G0.1": "0.1", "Gauto": "auto", "Gscale": "scale"}
    assert (project.selection("svm") / "heatmap.png").stat().st_size > 0


def test_nothing_is_done_twice(project: YamlProject) -> None:
    assert project.run("svm")["reused"] == 3


def test_a_run_sets_choices_as_yaml_writes_them(project: YamlProject) -> None:
    written = ("shrinking=false", "tol=0.01", "class_weight=none")
    project.run("svm", *(word for setting in written for word in ("--set", setting)))
    champion = pickle.loads((project.selection("svm") / "champion.pkl").read_bytes())
    chosen = {"shrinking": False, "tol": 0.01, "class_weight": None}
    found = {name: champion.get_params()[name] for name in chosen}
    assert {name: (type(value), value) for name, value in found.items()} == {
        name: (type(value), value) for name, value in chosen.items()
    }


def test_a_value_that_is_no_option_is_refused_with_those_that_are(project: YamlProject) -> None:
    answer = project.call("run", "--search", "svm", "--set", "shrinking=no")
    assert answer.code == 2
    assert "shrinking 'no' is unknown; choose one of true, false" in answer.err


def test_the_launchpad_offers_the_options_as_yaml_writes_them(project: YamlProject) -> None:
    assets = project.load().resolve_asset_graph()
    key = next(key for key in assets.get_all_asset_keys() if key.path == ["svm", "parameters"])
    definition = assets.get(key).assets_def.op
    fields = definition.config_schema.config_type.fields
    offered = {
        name: [value.config_value for value in fields[name].config_type.enum_values]
        for name in ("shrinking", "tol", "class_weight")
    }
    assert offered == {
        "shrinking": ["true", "false"],
        "tol": ["0.001", "0.01"],
        "class_weight": ["none", "balanced"],
    }
    assert fields["class_weight"].default_value == "none"


def test_tuples_are_candidates(tmp_path: Any) -> None:
    made = project_of(tmp_path / "project")
    made.write_values("net", h=["(3,)", "(3, 2)", "[3,2]", "4"])
    made.write_search(
        "net",
        data_file="iris.csv",
        estimator="sklearn.neural_network.MLPClassifier",
        settings={"solver": "lbfgs", "max_iter": 400},
        axes=[
            {
                "name": "h",
                "symbol": "H",
                "parameter": "hidden_layer_sizes",
                "type": ["int", "tuple"],
            }
        ],
        folds=0,
    )
    found = made.run("net")
    assert made.partitions("net") == ["H4", "H3x", "H3x2"]
    assert found["trained"] == 3
    rows = {row["candidate"]: row["param_h"] for row in made.leaderboard("net")}
    assert rows == {"H4": "4", "H3x": "(3,)", "H3x2": "(3, 2)"}
    assert made.run("net")["reused"] == 3


def test_if_all_fail_by_their_type_the_reason_names_the_type(tmp_path: Any) -> None:
    made = project_of(tmp_path / "project")
    made.write_values("tree", max_depth=["2", "3"])
    made.write_search(
        "tree",
        data_file="iris.csv",
        estimator="sklearn.tree.DecisionTreeClassifier",
        axes=[{"name": "max_depth", "symbol": "D"}],
        folds=2,
    )

    answer = made.call("run", "--search", "tree", "--engine", "serial")

    assert answer.code == 1
    *failed, last = answer.err.splitlines()
    hint = "if max_depth must be a whole number, write type: int to its axis"
    assert [line.partition(": fitting")[0] for line in failed] == ["failed: D2.0", "failed: D3.0"]
    assert all(line.endswith(hint) for line in failed)
    assert last.startswith("iris-hpo: none of the 2 candidates has a score: all failed; D2.0: ")
    assert last.endswith(hint)
    assert "materialise" not in answer.err
    assert not made.selection("tree").exists()
