"""A project that was searched once by the command, with a candidate that failed; only read."""

import pytest

from iris_hpo_tests.projects import ShippedProject

FAILED = "C0.50_G1.0"
"""A key that a user has registered by hand, and that is none."""


@pytest.fixture(scope="package")
def searched(tmp_path_factory: pytest.TempPathFactory) -> ShippedProject:
    project = ShippedProject.create(tmp_path_factory.mktemp("searched"))
    project.write_axis("c", 0.5, 8)
    project.write_axis("gamma", 0.25)
    with project.instance() as instance:
        instance.add_dynamic_partitions("c_gamma", [FAILED])
    answer = project.call("run", "--engine", "serial", "--folds", "2", "--json")
    assert answer.returncode == 1, answer.stderr
    (project.root / "run.json").write_text(answer.stdout)
    return project
