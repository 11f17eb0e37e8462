"""Both examples from a fresh folder, as their user works: `dg`, `dagster`, `iris-hpo`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from iris_hpo_tests.generality.reference import Scores, divided, grid_search, scores_of
from iris_hpo_tests.projects import (
    DAGSTERS_WARNINGS,
    Answer,
    Process,
    YamlProject,
    finish,
    run_jobs,
)

WINE = {"n_estimators": [2, 5, 10], "max_depth": [1, 2, 4, 8]}
"""Smaller forests than those of the example: its own values are run by the README's commands."""
DIGITS = {"svc__C": [1.0, 10.0], "svc__gamma": [0.003, 0.01, 0.03]}
ASSETS = ("models", "parameters", "raw_data", "scores", "selection", "split")

pytestmark = [pytest.mark.slow, *DAGSTERS_WARNINGS]


def copy_examples(root: Path) -> YamlProject:
    """A copy with data."""
    made = YamlProject.of_examples(root)
    made.write_values("wine", n_estimators=WINE["n_estimators"])
    return made


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> YamlProject:
    """A copy; the tests of this module work on it in turn."""
    made = copy_examples(tmp_path_factory.mktemp("examples") / "project")
    # Two of Dagster's tools that make an instance's tables at once can spoil them for good: each
    # stamps its own revision. So these are there before the first tool starts.
    with made.instance():
        return made


@pytest.fixture(scope="module", autouse=True)
def started(examples: YamlProject) -> Iterator[Mapping[str, Process]]:
    """The `dg` commands, begun at once: the first tests run while these import."""
    with (
        examples.start("dg", "check", "defs") as check,
        examples.start("dg", "list", "components", "--json") as components,
    ):
        yield {"check": check, "components": components}


@pytest.fixture(scope="module")
def said(started: Mapping[str, Process]) -> Mapping[str, Answer]:
    """What the `dg` commands said."""
    return {name: finish(process) for name, process in started.items()}


def wine_key(values: tuple[Any, ...]) -> str:
    return f"N{values[0]}_D{values[1]}"


def digits_key(values: tuple[Any, ...]) -> str:
    return f"C{values[0]}_G{values[1]}"


def assert_scikit_learn_agrees(
    project: YamlProject, search: str, wanted: Mapping[str, Scores]
) -> None:
    rows = project.leaderboard(search)
    assert {row["candidate"]: scores_of(row) for row in rows} == wanted


@pytest.fixture(scope="module")
def wine() -> dict[str, Scores]:
    """scikit-learn's scores of the wine search."""
    features, target = load_wine(return_X_y=True)
    forest = RandomForestClassifier(random_state=0)
    found = grid_search(forest, WINE, features, target, scoring="accuracy", repeats=3)
    return {wine_key(values): scores for values, scores in found.items()}


@pytest.fixture(scope="module")
def digits() -> dict[str, Scores]:
    """scikit-learn's scores of the digits search."""
    features, target = load_digits(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), SVC())
    found = grid_search(pipeline, DIGITS, features, target, scoring="accuracy", folds=3)
    return {digits_key(values): scores for values, scores in found.items()}


def test_wine_through_the_command(examples: YamlProject, wine: dict[str, Scores]) -> None:
    answer = examples.call("run", "--search", "wine", "--engine", "serial")

    assert (answer.code, answer.err) == (0, "")
    assert "12 trained, 0 reused, 0 failed" in answer.out
    assert "... and 2 more: iris-hpo leaderboard --search wine" in answer.out
    assert f"files: {examples.selection('wine')}" in answer.out
    assert examples.partitions("wine") == list(wine)
    assert_scikit_learn_agrees(examples, "wine", wine)

    best = max(scores[1] for scores in wine.values())
    top = next(scores for scores in wine.values() if scores[1] == best)
    error = top[2] / 14**0.5  # of 3 x 5 folds
    close = [key for key, scores in wine.items() if scores[1] >= best - error - 1e-9]
    rows = examples.leaderboard("wine")
    assert {row["candidate"] for row in rows if row["selected"] == "true"} == set(close)
    assert [row["candidate"] for row in rows if row["champion"] == "true"] == [close[0]]
    assert f"champion {close[0]}: " in answer.out
    assert f"{len(close)} candidates lie within one standard error of the best" in answer.out


def test_a_second_run_trains_nothing(examples: YamlProject) -> None:
    before = examples.files("wine")
    found = examples.run("wine")
    assert (found["trained"], found["reused"], found["runs"]) == (0, 12, [])
    assert examples.files("wine") == before


def test_status_leaderboard_and_predict_take_the_search(examples: YamlProject) -> None:
    status = json.loads(examples.call("status", "--search", "wine", "--json").out)
    assert status["assets"]["scores"]["up to date"] == 12

    printed = examples.call("leaderboard", "--search", "wine", "--format", "csv")
    assert printed.out == (examples.selection("wine") / "leaderboard.csv").read_text()
    rows = examples.leaderboard("wine")
    table = examples.call("leaderboard", "--search", "wine", "--top", "1").out.splitlines()
    header, first = table[-2:]
    assert header.startswith("rank")
    assert first.split()[1] == rows[0]["candidate"]

    labels = examples.call(
        "predict", "--search", "wine", str(examples.root / "data" / "wine.csv")
    ).out.split()
    features, target = load_wine(return_X_y=True)
    champion = next(row for row in rows if row["champion"] == "true")
    # The champion is trained again, on all rows.
    rows = np.concatenate(divided(RandomForestClassifier(), target))
    forest = RandomForestClassifier(
        n_estimators=int(champion["param_n_estimators"]),
        max_depth=int(champion["param_max_depth"]),
        random_state=0,
    ).fit(features[rows], target[rows])
    assert labels == [str(label) for label in forest.predict(features)]


def test_another_search_of_the_project_is_untouched(examples: YamlProject) -> None:
    assert not examples.artifacts("digits").exists()
    assert examples.partitions("digits") == []
    answer = examples.call("leaderboard", "--search", "digits")
    assert answer.code == 2
    assert answer.err == (
        "iris-hpo: nothing was selected yet by the search 'digits'; run the search first\n"
    )


def test_dg_checks_the_examples(said: Mapping[str, Answer]) -> None:
    assert said["check"].code == 0, said["check"].out
    assert said["check"].out.splitlines() == [
        "All component YAML validated successfully.",
        "All definitions loaded successfully.",
    ]


def test_dg_lists_the_component_with_its_documentation(said: Mapping[str, Answer]) -> None:
    items = json.loads(said["components"].out)["items"]
    found = {item["key"]: item["summary"] for item in items}
    assert found["iris_hpo.HyperparameterSearch"] == (
        "Tune the hyperparameters of a scikit-learn estimator, one tracked partition per candidate."
    )


def test_dg_lists_what_all_searches_make(examples: YamlProject) -> None:
    answer = examples.tool("dg", "list", "defs", "--json")
    assert answer.code == 0, answer.out
    found = json.loads(answer.out)

    def keys(kind: str, field: str) -> set[str]:
        return {item[field] for item in found[kind]}

    searches = ("wine", "digits", "branin", "centres", "descend", "boosted")
    assert keys("assets", "asset_key") == {
        f"{name}/{asset}" for name in searches for asset in ASSETS
    }
    assert keys("jobs", "name") == {
        f"{name}_{job}" for name in searches for job in ("search", "select")
    }
    assert keys("sensors", "name") == {
        f"{name}_{sensor}_sensor"
        for name in searches
        for sensor in ("parameter_files", "raw_data", "selection")
    }


def materialize(project: YamlProject, job: str, *names: str, **config: object) -> None:
    """Materialise assets without partitions in this process."""
    keys = [dg.AssetKey(["digits", name]) for name in names]
    with project.code_location() as instance:
        made = project.load().resolve_job_def(f"digits_{job}")
        run_config = {"ops": {f"digits__{op}": {"config": value} for op, value in config.items()}}
        result = made.execute_in_process(run_config, instance, asset_selection=keys)
    assert result.success


def test_digits_through_dagster(examples: YamlProject, digits: dict[str, Scores]) -> None:
    materialize(examples, "search", "raw_data", "split", "parameters")
    # As a user does it, with Dagster's default executor: each step is a process.
    command = "dagster asset materialize -m definitions --select digits/models,digits/scores"
    answer = examples.tool(*command.split(), "--partition-range", "C1.0_G0.003...C10.0_G0.03")
    assert answer.code == 0, answer.out
    materialize(examples, "select", "selection", selection={"engine": "serial"})

    assert examples.partitions("digits") == list(digits)
    assert_scikit_learn_agrees(examples, "digits", digits)
    found = examples.run("digits")
    assert (found["trained"], found["reused"], found["runs"]) == (0, 6, [])


def test_the_other_way_round_gives_the_same(examples: YamlProject, tmp_path: Path) -> None:
    for search in ("wine", "digits"):
        examples.run(search)
    other = copy_examples(tmp_path / "project")
    with other.code_location() as instance:
        run_jobs(other.load(), instance, "wine", "serial")
    assert other.run("digits")["trained"] == 6

    for search in ("wine", "digits"):
        for name in ("leaderboard.csv", "heatmap.png"):
            mine, its = (one.selection(search) / name for one in (examples, other))
            assert mine.read_bytes() == its.read_bytes(), f"{search}: {name}"
        # A pickle's bytes may differ by which of its objects are shared; what it predicts may not.
        one, two = (
            joblib.load(found.selection(search) / "champion.pkl") for found in (examples, other)
        )
        features, _ = (load_wine if search == "wine" else load_digits)(return_X_y=True)
        assert one.predict(features).tolist() == two.predict(features).tolist()
