"""An estimator of the project's own, in a module beside its definitions."""

import pytest
from sklearn.datasets import load_wine

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
