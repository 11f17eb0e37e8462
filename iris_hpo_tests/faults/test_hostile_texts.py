"""Texts that a terminal obeys, poured into every door: nothing that comes out has them."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from iris_hpo_tests.generality.project import DAGSTERS_WARNINGS, Answer, Project

pytestmark = [*DAGSTERS_WARNINGS, pytest.mark.filterwarnings("always::FutureWarning")]

ESCAPES = "\x1b]0;x\x07\x1b[31m\x9b1m\u202e"
TREE = f"""
import warnings
from sklearn.tree import DecisionTreeClassifier

ESCAPES = {ESCAPES!r}


class Tree(DecisionTreeClassifier):
    def __init__(self, note="", max_depth=2):
        super().__init__(max_depth=max_depth)
        self.note = note

    def fit(self, X, y):
        warnings.warn("warned " + ESCAPES, FutureWarning)
        if self.note.startswith("bad"):
            raise ValueError("refused\\n" + ESCAPES)
        if self.note.startswith("disk"):
            raise SystemExit("left\\n" + ESCAPES)
        return super().fit(X, y)
"""
LABELS = (f"a{ESCAPES}", "=cmd|' /C calc'!A0")
VALUES = (f"good{ESCAPES}", f"bad{ESCAPES}", f"disk{ESCAPES}", "@SUM(A1)")


def texts_in(value: Any) -> Iterator[str]:
    """Every text in what is JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from texts_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_in(one)


def check_clean(text: str, source: str) -> None:
    assert not set(text) & set(ESCAPES) - set("]0;x[31m"), f"{source}: {text!r}"


def said(answer: Answer) -> str:
    return answer.out + answer.err


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project full of such texts; nothing was run."""
    project = Project.create(tmp_path_factory.mktemp("hostile"))
    (project.root / "hostile.py").write_text(TREE)
    rows = [[n % 7, n % 5, LABELS[n % 2]] for n in range(60)]
    project.write_data("d.csv", [["x", f"y{ESCAPES}", "label"], *rows])
    project.write_search(
        "s",
        data_file="d.csv",
        description=f"described {ESCAPES}",
        estimator="hostile.Tree",
        axes=[{"name": "note", "symbol": "N", "parameter": "note", "type": "str"}],
        folds=2,
    )
    project.write_values("s", note=VALUES)
    return project


def test_nothing_that_comes_out_has_what_a_terminal_obeys(hostile: Project) -> None:
    run = hostile.call("run", "--search", "s", "--engine", "serial")
    check_clean(said(run), "run")
    assert run.code == 1
    assert run.err.count(r"\x1b]0;x\x07\x1b[31m\x9b1m\u202e") == 3  # two failures, one warning
    again = hostile.call("run", "--search", "s", "--engine", "serial", "--force", "--json")
    found = json.loads(again.out)
    assert len(found["failed"]) == 2
    for text in (again.out, again.err, *texts_in(found["failed"])):
        check_clean(text, "run --json")

    missing = f"no{ESCAPES}"
    for arguments in (
        ("status", "--search", "s"),
        ("status", "--search", "s", "--json"),
        ("leaderboard", "--search", "s"),
        ("leaderboard", "--search", "s", "--format", "csv"),
        ("leaderboard", "--search", "s", "--format", "json"),
        ("status", "--search", missing),
        ("predict", missing, "--search", "s"),
        ("run", "--search", "s", "--set", missing),
        ("run", "--search", "s", "--data", missing),
        ("run", missing),
    ):
        check_clean(said(hostile.call(*arguments)), " ".join(arguments))

    with hostile.instance() as instance:
        events = [log for one in instance.get_runs() for log in instance.all_logs(one.run_id)]
        texts = [text for log in events for text in texts_in(json.loads(dg.serialize_value(log)))]
    assert any("refused" in text for text in texts)
    assert any("warned" in text for text in texts)
    for text in texts:
        check_clean(text, "event")
    graph = hostile.load().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        check_clean(graph.get(key).description or "", str(key))


def test_files_have_the_exact_texts_and_no_formula(hostile: Project) -> None:
    hostile.call("run", "--search", "s", "--engine", "serial", "--quiet")
    with (hostile.artifacts("s") / "split" / "train.csv").open(newline="") as file:
        labels = {row[-1] for row in csv.reader(file)} - {"label"}
    assert labels == {LABELS[0], f"'{LABELS[1]}"}
    assert {row["param_note"] for row in hostile.leaderboard("s")} == {VALUES[0], f"'{VALUES[3]}"}
    for path in Path(hostile.artifacts("s")).rglob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text(), newline="")):
            assert not [cell for cell in row if cell.startswith(("=", "@"))]
    rows = hostile.root / "rows.csv"
    rows.write_text("1,2\n4,4\n2,3\n5,1\n")
    predicted = hostile.call("predict", str(rows), "--search", "s").out.splitlines()
    assert set(predicted) <= set(LABELS)
