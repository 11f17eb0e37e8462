"""A sensor's run under Dagster's real daemon dies; the next command, or the sensor, takes over.

Where nothing depends on the terminal, the daemon runs without the web server of `dagster dev`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.orchestration.failed_candidates import failed_partitions
from iris_hpo.orchestration.record import data_versions
from iris_hpo.orchestration.signs import read_signs
from iris_hpo.processes import is_alive
from iris_hpo_tests.faults.conftest import processes_of
from iris_hpo_tests.faults.test_interrupts import make
from iris_hpo_tests.processes import free_port, wait_for
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, Process, YamlProject, finish

pytestmark = [pytest.mark.slow, *DAGSTERS_WARNINGS]

SCORES = dg.AssetKey(["held", "scores"])
DAEMON = ("dagster._daemon", "run")
TWO_MINUTES = 120
"""For the command's start and four small fits on a busy machine; a run that never showed a sign of
life is released after three."""


@pytest.fixture
def project(tmp_path: Path) -> YamlProject:
    """Four candidates; the last two do not end while there is a file `hold`."""
    made = make(tmp_path / "project")
    (made.root / "hold").touch()
    return made


@contextmanager
def running(project: YamlProject, *arguments: str) -> Generator["subprocess.Popen[bytes]"]:
    """Start a module in a session of its own, as a terminal does; at the end nothing is left."""
    home = project.root / ".dagster"
    settings = {"DAGSTER_HOME": str(home), "IRIS_HPO_SENSOR_SECONDS": "2"}
    with (project.root / "dev.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=project.root,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.kill()
        kill(home)
        process.wait()


def kill(home: Path, kind: str = "") -> None:
    """Kill the processes that work on an instance, or those whose command has a word in it."""
    for process in processes_of(home):
        try:
            command = Path(f"/proc/{process}/cmdline").read_bytes().decode()
            if kind in command:
                os.kill(process, signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


def run_at_work(project: YamlProject) -> tuple[str, int]:
    """The run that works on the candidates, and its process."""
    with project.instance() as instance:
        runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
        ((run_id, sign),) = read_signs(instance, [run.run_id for run in runs]).items()
        return run_id, sign.process


def is_done(project: YamlProject, *keys: str) -> bool:
    """Whether these candidates have scores, and a selection was made from them."""
    with project.instance() as instance:
        board = project.selection("held") / "leaderboard.csv"
        scored = data_versions(instance, SCORES).keys() == set(keys)
        return scored and board.exists() and len(board.read_text().splitlines()) == 1 + len(keys)


def wait_for_line(command: Process) -> str:
    """The first line of a command that says what becomes of the run at work."""
    assert command.stdout is not None
    return next(line for line in command.stdout if line.startswith(("waiting for", "taking over")))


def check_nothing_failed(project: YamlProject, run_id: str) -> None:
    """What the dead run left was missing, not failed, and was made by another."""
    with project.instance() as instance:
        dead = instance.get_run_by_id(run_id)
        assert dead is not None
        assert dead.status is dg.DagsterRunStatus.FAILURE
        assert failed_partitions(instance, SCORES) == {}


def check_takes_over(project: YamlProject, run_id: str) -> None:
    started = time.monotonic()
    answer = finish(project.start("iris-hpo", "run", "--search", "held"))
    assert answer.code == 0, answer.out
    assert time.monotonic() - started < TWO_MINUTES
    assert f"taking over from run {run_id[:8]}" in answer.out
    assert is_done(project, "D1", "D2", "D3", "D4")
    check_nothing_failed(project, run_id)


def test_the_command_after_the_terminal_is_closed(project: YamlProject) -> None:
    dev = ("dagster", "dev", "-h", "127.0.0.1", "-p", str(free_port()))
    with running(project, *dev) as process:
        wait_for("fit", (project.root / "fitting").exists, 240)
        run_id, _ = run_at_work(project)
        os.killpg(process.pid, signal.SIGHUP)
        (project.root / "hold").unlink()
        check_takes_over(project, run_id)


def test_the_command_after_all_are_killed(project: YamlProject) -> None:
    with running(project, *DAEMON) as daemon:
        wait_for("fit", (project.root / "fitting").exists, 240)
        run_id, _ = run_at_work(project)
        daemon.kill()
        kill(project.root / ".dagster")
        (project.root / "hold").unlink()
        check_takes_over(project, run_id)


def test_the_sensor_takes_over_from_a_dead_run_and_a_run_outlives_its_code_server(
    project: YamlProject,
) -> None:
    with running(project, *DAEMON):
        wait_for("fit", (project.root / "fitting").exists, 240)
        dead_id, process = run_at_work(project)
        os.kill(process, signal.SIGKILL)
        (project.root / "hold").unlink()
        wait_for("selection from all", lambda: is_done(project, "D1", "D2", "D3", "D4"), 240)
        check_nothing_failed(project, dead_id)

        # A run is a process of its own: there is nothing to take over, only to wait for.
        (project.root / "fitting").unlink()
        (project.root / "hold").touch()
        project.write_values("held", max_depth=[1, 2, 3, 4, 5])
        wait_for("fit", (project.root / "fitting").exists, 240)
        run_id, process = run_at_work(project)
        kill(project.root / ".dagster", "grpc")
        assert is_alive(process)
        command = project.start("iris-hpo", "run", "--search", "held")
        line = wait_for_line(command)
        (project.root / "hold").unlink()
        answer = finish(command)
        assert answer.code == 0, answer.out
        assert line.startswith(f"waiting for run {run_id[:8]}")
        assert "taking over" not in answer.out
        assert is_done(project, "D1", "D2", "D3", "D4", "D5")
        with project.instance() as instance:
            fifth = dg.AssetRecordsFilter(SCORES, asset_partitions=["D5"])
            first = instance.fetch_materializations(fifth, limit=1, ascending=True).records
            assert [made.run_id for made in first] == [run_id]
