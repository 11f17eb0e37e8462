"""An estimator of the project's own, in a module beside its definitions."""

import sys
from typing import Any

import pytest
from sklearn.datasets import load_wine

from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject
from iris_hpo_tests.ticks import evaluate_tick

pytestmark = DAGSTERS_WARNINGS

MODULE = """\
from sklearn.tree import DecisionTreeClassifier


class Stump(DecisionTreeClassifier):
    pass
"""


@pytest.fixture
def own(project: YamlProject) -> YamlProject:
    """A search over an estimator that only this project has."""
    load_wine(as_frame=True).frame.to_csv(project.root / "data" / "wine.csv", index=False)
    (project.root / "stumps.py").write_text(MODULE)
    project.write_values("stump", max_depth=[1, 2])
    project.write_search(
        "stump",
        data_file="wine.csv",
        estimator="stumps.Stump",
        axes=[{"name": "max_depth", "symbol": "D", "type": "int"}],
        folds=2,
    )
    return project


FAILS = """\
import sys
from sklearn.tree import DecisionTreeClassifier


class Stump(DecisionTreeClassifier):
    def fit(self, X, y, sample_weight=None):
        if self.max_depth == 2:
            sys.exit("no licence")
        if self.max_depth == 3:
            raise KeyboardInterrupt("enough")
        if self.max_depth == 4:
            self.f_ = lambda v: v
        return super().fit(X, y)
"""


def test_one_that_would_end_the_run_or_cannot_be_stored_fails_alone(own: YamlProject) -> None:
    (own.root / "stumps.py").write_text(FAILS)
    own.write_values("stump", max_depth=[1, 2, 3, 4])

    answer = own.call("run", "--search", "stump", "--engine", "serial", "--quiet")

    assert answer.code == 1
    assert "Traceback" not in answer.err
    for reason in (
        "D2: fitting failed: SystemExit: no licence",
        "D3: fitting failed: KeyboardInterrupt: enough",
        "D4: storing the model failed: AttributeError: Can't pickle local object",
    ):
        assert reason in answer.out + answer.err
    assert [row["candidate"] for row in own.leaderboard("stump") if row["score"]] == ["D1"]


@pytest.mark.slow
def test_an_edit_of_it_makes_its_results_out_of_date(own: YamlProject) -> None:
    assert own.run("stump")["trained"] == 2
    assert own.run("stump")["reused"] == 2
    cursor = tick(own, None).cursor
    assert "nothing new" in str(tick(own, cursor).skip_message)

    (own.root / "stumps.py").write_text(MODULE + "    # edited\n")

    for known in (cursor, None):
        requests = tick(own, known).run_requests
        assert [request.tags["dagster/asset_partition_range_end"] for request in requests] == ["D2"]
    assert "2 up to date" not in own.call("status", "--search", "stump").out
    assert own.run("stump")["trained"] == 2


def test_its_champion_predicts_by_no_other_code(own: YamlProject) -> None:
    own.run("stump")
    data = str(own.root / "data" / "wine.csv")
    predict = ["predict", "--search", "stump", data]
    assert own.call(*predict).code == 0

    (own.root / "stumps.py").write_text(MODULE.replace("pass", "predict = None"))

    refused = own.call(*predict)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(
        "iris-hpo: the champion was trained with other code of stumps than this process has: "
    )


def tick(own: YamlProject, cursor: str | None) -> Any:
    defs = own.load()
    with own.entered(), own.instance() as instance:
        sys.path.insert(0, str(own.root))
        return evaluate_tick(defs, instance, "stump_parameter_files_sensor", cursor)
