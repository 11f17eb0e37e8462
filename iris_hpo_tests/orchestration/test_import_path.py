"""A project whose folder is on the import path only while its definitions are loaded.

So it is under `dagster dev -w workspace.yaml` in another folder.
"""

from pathlib import Path

import pytest

from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject, run_jobs
from iris_hpo_tests.ticks import evaluate_tick

pytestmark = [*DAGSTERS_WARNINGS, pytest.mark.slow]

CALLS = """\
def height(x: float) -> float:
    from heights import of

    return of(x)
"""


@pytest.fixture
def project(tmp_path: Path) -> YamlProject:
    made = YamlProject.create(tmp_path / "project")
    (made.root / "calls.py").write_text(CALLS)
    (made.root / "heights.py").write_text("def of(x):\n    return -x * x\n")
    made.write_search(
        "bowl",
        objective={"function": "calls:height"},
        axes=[{"name": "x", "symbol": "X", "values": [1.0, 2.0]}],
    )
    return made


def test_runs_and_sensors_find_its_modules(project: YamlProject) -> None:
    defs = project.load()
    with project.entered(), project.instance() as instance:
        first = evaluate_tick(defs, instance, "bowl_parameter_files_sensor")
        instance.add_dynamic_partitions("bowl_candidates", ["X1.0", "X2.0"])
        run_jobs(defs, instance, "bowl", "serial")

    with project.entered(), project.instance() as instance:
        second = evaluate_tick(defs, instance, "bowl_parameter_files_sensor", first.cursor)
        assert second.run_requests == []
    assert project.run("bowl")["reused"] == 2


def test_workers_find_its_modules(project: YamlProject) -> None:
    defs = project.load()
    with project.entered(), project.instance() as instance:
        instance.add_dynamic_partitions("bowl_candidates", ["X1.0", "X2.0"])
        run_jobs(defs, instance, "bowl", "loky")
