"""Columns with a role decide how rows are divided, drawn and weighted: whole searches."""

import csv
import json
from typing import Any

import numpy as np
import pytest

from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS


def write_search(project: YamlProject, columns: dict[str, str], **fields: object) -> None:
    draw = np.random.default_rng(3)
    rows: list[list[object]] = [["x", "y", "who", "day", "how", "set", "kind"]]
    for row in range(120):
        kind = int(draw.integers(2))
        x, y = draw.normal(size=2).round(3) + kind
        day = f"2024-{1 + row // 28:02}-{1 + row % 28:02}"
        rows.append([x, y, f"g{row // 4}", day, 1 + row % 3, row % 4 or "test", "ab"[kind]])
    project.write_data("table.csv", rows)
    project.write_values("tree", max_depth=[1, 3])
    others = dict.fromkeys(["who", "day", "how", "set"], "drop")
    project.write_search(
        "tree",
        data_file="table.csv",
        target="kind",
        columns={**others, **columns},
        estimator="sklearn.tree.DecisionTreeClassifier",
        axes=[{"name": "max_depth", "symbol": "D", "type": "int"}],
        **{"splitter": "auto", "folds": 3, **fields},
    )


def read_part(project: YamlProject, part: str) -> list[dict[str, str]]:
    text = (project.artifacts("tree") / "split" / f"{part}.csv").read_text()
    return list(csv.DictReader(text.splitlines()))


def card(project: YamlProject) -> dict[str, Any]:
    text = (project.artifacts("tree") / "split" / "split.json").read_text()
    made: dict[str, Any] = json.loads(text)
    return made


@pytest.mark.slow
def test_whole_groups_with_weights_are_divided_drawn_and_kept(project: YamlProject) -> None:
    write_search(project, {"who": "group", "how": "weight"})

    answer = project.run("tree")

    assert (answer["trained"], answer["failed"]) == (2, {})
    train, test = read_part(project, "train"), read_part(project, "test")
    assert not {row["group"] for row in train} & {row["group"] for row in test}
    assert {row["weight"] for row in train} == {"1.0", "2.0", "3.0"}
    assert card(project)["splitter"] == {"use": "grouped", "version": 1}
    assert "draws of 30 groups of" in answer["estimate"]["method"]
    assert all("correct" not in row for row in project.leaderboard("tree"))
    assert project.run("tree")["trained"] == 0
    shown = project.call("leaderboard", "--search", "tree")
    assert (shown.code, "champion" in shown.out) == (0, True)

    write_search(project, {"who": "group"})
    assert project.run("tree")["trained"] == 2


@pytest.mark.slow
def test_the_latest_rows_are_the_test_and_nothing_is_estimated(project: YamlProject) -> None:
    write_search(
        project, {"day": "time"}, splitter={"use": "time", "settings": {"gap": 2, "window": 30}}
    )

    answer = project.run("tree")

    assert (answer["trained"], answer["failed"], answer["estimate"]) == (2, {}, None)
    assert "the order of the rows matters" in answer["estimate_reason"]
    latest = max(float(row["time"]) for row in read_part(project, "train"))
    assert all(float(row["time"]) > latest + 2 for row in read_part(project, "test"))
    assert card(project)["left_out"] == 2
    assert "the splitter leaves out 2 rows" in answer["notes"]


@pytest.mark.slow
def test_given_parts_and_folds_are_taken_as_they_are(project: YamlProject) -> None:
    write_search(project, {"set": "part"})

    answer = project.run("tree")

    assert (answer["trained"], answer["failed"]) == (2, {})
    assert [int(row["row"]) % 4 for row in read_part(project, "test")] == [1] * 30
    folds = read_part(project, "folds")
    for row in folds:
        number = (int(row["row"]) - 1) % 4
        assert row[f"fold_{number}"] == "validate"
    refused = project.call("run", "--search", "tree", "--folds", "4")
    assert refused.code == 2
    assert "(1, 2, 3), and the search has 4: write folds: 3" in refused.err


def test_what_contradicts_itself_is_refused_with_its_line(project: YamlProject) -> None:
    write_search(project, {"who": "group", "day": "time"})

    answer = project.call("run", "--search", "tree")

    yaml = project.root / "defs" / "tree" / "defs.yaml"
    line = next(n for n, text in enumerate(yaml.read_text().splitlines(), 1) if "splitter:" in text)
    assert answer.code == 2
    assert (
        f"{yaml}:{line} - attributes.splitter the columns who (group), day (time) call for "
        "different splitters; name one: splitter: grouped or splitter: time"
    ) in answer.err
