"""PostgreSQL, S3 and Dask at once: the command, the daemon's sensors, slices, and runs that die."""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress

import dagster as dg
import pytest

from iris_hpo_tests.end_to_end.dev import Dev, dagster_dev
from iris_hpo_tests.projects import ShippedProject
from iris_hpo_tests.scale.cluster import Cluster, cluster
from iris_hpo_tests.scale.deployment import make_deployment
from iris_hpo_tests.scale.postgres import Postgres
from iris_hpo_tests.scale.s3 import CREDENTIALS, S3, using

pytestmark = pytest.mark.slow

ARTIFACTS = "s3://bucket/searches/iris"


@pytest.fixture(scope="module")
def workers(s3_process: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers that reach the object storage."""
    with cluster(tmp_path_factory.mktemp("cluster"), environment=s3_process.environment) as made:
        yield made


def settings_of(postgres: Postgres, s3: S3, workers: Cluster) -> dict[str, str]:
    s3.clear()
    return {
        **s3.environment,
        "DAGSTER_POSTGRES_URL": postgres.new_database(),
        "IRIS_HPO_ARTIFACTS": ARTIFACTS,
        "IRIS_HPO_DASK_ADDRESS": workers.address,
    }


def test_the_command_does_the_whole_flow(
    postgres: Postgres, s3_process: S3, workers: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    alone = ShippedProject.create(tmp_path_factory.mktemp("alone"))
    assert alone.call("run", "--engine", "serial", "--quiet").returncode == 0
    settings = settings_of(postgres, s3_process, workers)
    project = make_deployment(tmp_path_factory.mktemp("deployed"), settings)

    first = project.command("run", "--json")
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert (told["candidates"], told["trained"], told["failed"]) == (77, 77, {})
    assert told["files"] == f"{ARTIFACTS}/selection"
    with using(s3_process):
        second = project.call("run", "--json")
        assert json.loads(second.stdout)["trained"] == 0
        data = str(project.data / "noisy_iris.csv")
        for question in (("leaderboard", "--format", "csv"), ("predict", data)):
            assert project.call(*question).stdout == alone.call(*question).stdout != ""
        status = json.loads(project.call("status", "--json").stdout)
    assert status["assets"]["scores"]["up to date"] == 77
    assert not project.artifacts.exists()
    with_secrets = first.stdout + first.stderr + second.stdout
    assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in with_secrets


@pytest.fixture(scope="module")
def dev(
    postgres: Postgres, s3_process: S3, workers: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dev]:
    """`dagster dev` on all of it, with slices of thirty candidates."""
    settings = {
        **settings_of(postgres, s3_process, workers),
        "IRIS_HPO_CANDIDATES_PER_RUN": "30",
        "IRIS_HPO_SENSOR_SECONDS": "3",
    }
    project = make_deployment(tmp_path_factory.mktemp("dev"), settings)
    file = project.root / "home" / "dagster.yaml"
    file.write_text(
        file.read_text().replace("poll_interval_seconds: 20", "poll_interval_seconds: 2")
    )
    with dagster_dev(project, {}) as started:
        yield started


def test_the_sensor_requests_slices_and_selects(dev: Dev) -> None:
    dev.wait_for_selection(scored=77, candidates=77)
    runs = dev.wait_for_runs(*(run.run_id for run in dev.requests("parameter_files_sensor")))
    assert [run.status for run in runs] == ["SUCCESS"] * 3
    for asset, found in dev.partitions(77).items():
        assert set(dev.ui.times_trained(asset, found.keys).values()) == {1}
        per_run = [list(found.run_ids.values()).count(run.run_id) for run in runs]
        assert sorted(per_run) == [17, 30, 30]


def test_a_backfill_makes_slices_and_a_killed_run_is_tried_again(dev: Dev) -> None:
    before = dev.partitions(77)
    keys = before["models"].keys
    with dev.project.instance() as instance:
        backfill = dev.ui.backfill(keys, "models", "scores")
        killed = dev.wait("run to kill", lambda: _kill_one(dev, instance, backfill))

    def completed() -> dict[str, object] | None:
        found = dev.ui.backfill_status(backfill)
        return None if found["status"] == "REQUESTED" else found

    done = dev.wait("end of the backfill", completed)
    assert done["status"] == "COMPLETED_SUCCESS", done
    statuses = {run["runId"]: run["status"] for run in done["runs"]}
    assert statuses.pop(killed) == "FAILURE"
    assert list(statuses.values()) == ["SUCCESS"] * 3
    (again,) = dev.ui.runs(tags=[{"key": "dagster/parent_run_id", "value": killed}])
    assert again.run_id in statuses
    for asset, found in dev.partitions(77).items():
        assert {key for key in keys if found.run_ids[key] == before[asset].run_ids[key]} == set()
        assert set(dev.ui.times_trained(asset, keys).values()) == {1}  # the rest was reused
    # The selection that follows would otherwise begin while the server ends.
    # It waits for the last step, and not for the end of its run.
    dev.wait_for_runs(*statuses)
    ended = max(end for run_id in statuses for _, end in dev.ui.steps(run_id).values())
    dev.wait_for_selection(after=ended, scored=77)


def _kill_one(dev: Dev, instance: dg.DagsterInstance, backfill: str) -> str | None:
    """Kill the process of a run of the backfill whose step has started; gives the run's id.

    None if there is none, or if it had ended before it was killed: there are more. Before the step,
    Dagster starts processes that copy its output, and others that end these if the run is killed; a
    run that is killed in between leaves the first for good.
    """
    tags = [{"key": "dagster/backfill", "value": backfill}]
    for run in dev.ui.runs(tags=tags, statuses=["STARTED"]):
        logs = instance.all_logs(run.run_id)
        found = re.search(r"\(pid: (\d+)\)", " ".join(log.message for log in logs))
        events = [log.dagster_event.event_type for log in logs if log.dagster_event]
        if not found or dg.DagsterEventType.STEP_START not in events:
            continue
        with suppress(ProcessLookupError):
            os.kill(int(found[1]), signal.SIGKILL)
        left = instance.get_run_by_id(run.run_id)
        if left is not None and left.status != dg.DagsterRunStatus.SUCCESS:
            return run.run_id
    return None
