"""An estimator of the project's own, in a module beside its definitions."""

import sys
from typing import Any

import dagster as dg
import pytest
from sklearn.datasets import load_wine

from iris_hpo.orchestration.storage import Storage
from iris_hpo_tests.generality.project import DAGSTERS_WARNINGS, Project

pytestmark = DAGSTERS_WARNINGS

MODULE = """\
from sklearn.tree import DecisionTreeClassifier


class Stump(DecisionTreeClassifier):
    pass
"""


@pytest.fixture
def own(project: Project) -> Project:
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


@pytest.mark.slow
def test_workers_import_it(own: Project) -> None:
    answer = own.tool("iris-hpo", "run", "--search", "stump", "--jobs", "2")
    assert answer.code == 0, answer.out
    assert "2 trained, 0 reused, 0 failed" in answer.out


def test_an_edit_of_it_makes_its_results_out_of_date(own: Project) -> None:
    assert own.run("stump")["trained"] == 2
    assert own.run("stump")["reused"] == 2
    cursor = tick(own, None).cursor
    assert "nothing new" in str(tick(own, cursor).skip_message)

    (own.root / "stumps.py").write_text(MODULE + "    # edited\n")

    requests = tick(own, cursor).run_requests
    assert [request.tags["dagster/asset_partition_range_end"] for request in requests] == ["D2"]
    assert "2 up to date" not in own.call("status", "--search", "stump").out
    assert own.run("stump")["trained"] == 2


def tick(own: Project, cursor: str | None) -> Any:
    defs = own.load()
    with own.entered(), own.instance() as instance:
        sys.path.insert(0, str(own.root))
        context = dg.build_sensor_context(
            instance=instance,
            cursor=cursor,
            definitions=defs,
            resources={"iris_hpo_storage": Storage()},
        )
        return defs.resolve_sensor_def("stump_parameter_files_sensor").evaluate_tick(context)
