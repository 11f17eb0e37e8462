"""A search of which every part is the user's own: those of docs/extending.md, together."""

import pytest
from sklearn.datasets import load_wine

from iris_hpo_tests.generality.test_extending import blocks
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject, run_jobs

pytestmark = [
    *DAGSTERS_WARNINGS,
    # Python warns of its own process pools where threads run, such as those of a progress bar.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

PARTS: dict[str, object] = {
    "sampler": {
        "use": "own_parts.RandomSearch",
        "settings": {"number": 4, "bounds": {"power": [0.1, 1]}},
    },
    "splitter": {
        "use": "own_parts.Grouped",
        "settings": {"feature": "magnesium", "n_folds": 3},
    },
    "objective": "own_parts.NearestCentre",
    "engine": "own_parts.Processes",
    "reports": ["own_parts.Page"],
}


@pytest.fixture
def own(project: YamlProject) -> YamlProject:
    load_wine(as_frame=True).frame.to_csv(project.root / "data" / "wine.csv", index=False)
    (project.root / "own_parts.py").write_text("\n\n".join(blocks("python")))
    axes = [{"name": "power", "symbol": "P"}]
    project.write_search("own", data_file="wine.csv", axes=axes, **PARTS)
    return project


def check_selection(project: YamlProject) -> None:
    rows = project.leaderboard("own")
    assert len(rows) == 4
    assert all(0.5 < float(row["score"]) <= 1 and 0.5 < float(row["cv_mean"]) < 1 for row in rows)
    assert {path.name for path in project.selection("own").iterdir()} == {
        "best.html",
        "champion.json",
        "champion.pkl",
        "leaderboard.csv",
        "models",
        "references.json",
    }
    assert (project.artifacts("own") / "split" / "folds.csv").exists()


def test_the_command_runs_it_and_reuses_all(own: YamlProject) -> None:
    first, again = own.run("own"), own.run("own")
    assert (first["trained"], first["failed"]) == (4, {})
    assert (again["trained"], again["reused"], again["runs"]) == (0, 4, [])
    check_selection(own)


def test_dagster_runs_it(own: YamlProject) -> None:
    defs = own.load()
    with own.code_location() as instance:
        run_jobs(defs, instance, "own")
    check_selection(own)
