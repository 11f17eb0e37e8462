"""A search on a Dask cluster: the results of one process, nothing lost and nothing done twice."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo_tests.processes import REPOSITORY, free_port, wait_for
from iris_hpo_tests.projects import ShippedProject
from iris_hpo_tests.scale.cluster import Cluster, cluster
from iris_hpo_tests.scale.deployment import Deployment, make_deployment

pytestmark = pytest.mark.slow

LEADERBOARD = "selection/leaderboard.csv"
MANY = 300
"""Number of candidates: work for seconds on any workers, in some dozen chunks."""
SQLITE = REPOSITORY / ".dagster" / "dagster.yaml"


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def make(root: Path, address: str) -> Deployment:
    """A project on one machine's instance and folder, with a cluster."""
    return make_deployment(root, {"IRIS_HPO_DASK_ADDRESS": address}, instance=SQLITE)


def recorded(project: ShippedProject) -> Counter[tuple[str, str]]:
    """How often each candidate's model and score were recorded."""
    with project.instance() as instance:
        return Counter(
            (asset, str(record.partition_key))
            for asset in ("models", "scores")
            for record in instance.fetch_materializations(dg.AssetKey(asset), limit=5_000).records
        )


def start_search(project: ShippedProject, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "iris_hpo", "run", "--json", *options],
        cwd=REPOSITORY,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_models(project: ShippedProject, count: int) -> None:
    models = project.artifacts / "models"
    wait_for(f"{count} models", lambda: len(list(models.glob("*.pkl"))) >= count)


def make_short_search(project: ShippedProject, number: int = MANY) -> None:
    """Many explicit candidates, each fitted in milliseconds."""
    shutil.rmtree(project.parameters)
    project.parameters.mkdir()
    rows = [f"{1 + at // 15 / 8},{0.01 + at % 15 / 100}" for at in range(number)]
    (project.parameters / "many.csv").write_text("\n".join(["C,gamma", *rows]) + "\n")


def test_many_short_candidates_have_the_results_of_one_process(
    two_workers: Cluster, tmp_path: Path
) -> None:
    number = MANY // 2
    alone, spread = (make(tmp_path / name, two_workers.address) for name in ("alone", "spread"))
    for project, engine in ((alone, "serial"), (spread, "dask")):
        make_short_search(project, number)
        found = project.call("run", "--engine", engine, "--folds", "0", "--json")
        assert found.returncode == 0, found.stderr
        assert json.loads(found.stdout)["trained"] == number

    assert (spread.artifacts / LEADERBOARD).read_bytes() == (
        alone.artifacts / LEADERBOARD
    ).read_bytes()
    assert set(recorded(spread).values()) == {1}
    assert len(recorded(spread)) == 2 * number


def test_a_worker_that_is_killed_costs_nothing(two_workers: Cluster, tmp_path: Path) -> None:
    two_workers.wait_for_workers(2)
    project = make(tmp_path / "project", two_workers.address)
    make_short_search(project)
    victim = two_workers.processes()["worker-0"]

    search = start_search(project)
    wait_for_models(project, 100)
    os.kill(victim, signal.SIGKILL)
    out, err = search.communicate(timeout=240)

    assert search.returncode == 0, err
    summary = json.loads(out)
    assert (summary["trained"], summary["reused"], summary["failed"]) == (MANY, 0, {})
    assert set(recorded(project).values()) == {1}
    assert len(recorded(project)) == 2 * MANY


def test_a_scheduler_that_goes_away_fails_one_run(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with cluster(tmp_path / "first", workers=1, port=port) as made:
        project = make(tmp_path / "project", made.address)
        make_short_search(project)
        search = start_search(project)
        wait_for_models(project, 100)
        made.kill_scheduler()
        out, err = search.communicate(timeout=240)

    assert search.returncode == 2, err
    assert out == ""
    assert err.startswith(f"iris-hpo: the Dask scheduler at {made.address} has gone away")
    assert "Traceback" not in err
    kept = recorded(project)
    assert len(kept) >= 100
    assert set(kept.values()) == {1}

    with cluster(tmp_path / "second", workers=1, port=port):
        again = project.call("run", "--json")
    assert again.returncode == 0, again.stderr
    summary = json.loads(again.stdout)
    assert (summary["candidates"], summary["failed"]) == (MANY, {})
    assert summary["trained"] <= MANY - len(kept) // 2
    assert recorded(project).keys() >= kept.keys()
    assert len(recorded(project)) == 2 * MANY


def test_a_worker_that_does_not_see_the_artifacts_is_named(
    two_workers: Cluster, tmp_path: Path
) -> None:
    """What is in the memory of one process is as far from another as the disk of a machine."""
    two_workers.wait_for_workers(2)  # a test before has cost one
    address = two_workers.address
    settings = {"IRIS_HPO_DASK_ADDRESS": address, "IRIS_HPO_ARTIFACTS": "memory://store"}
    project = make_deployment(tmp_path / "project", settings, instance=SQLITE)
    found = project.command("run")

    assert found.returncode == 2
    assert found.stderr.startswith("iris-hpo: the Dask worker tcp://127.0.0.1:")
    assert "it cannot use the artifacts: memory://store/split/split.json is missing" in found.stderr
    assert found.stderr.count("\n") == 1
