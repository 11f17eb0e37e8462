"""Several at once: two commands, a command and a run of the UI, a file edited during a run."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from filelock import FileLock

from iris_hpo.command import turns
from iris_hpo.iris import iris_search
from iris_hpo.orchestration.names import names_of
from iris_hpo.orchestration.partitions import PartitionChange, apply_change
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.signs import own_sign, write_sign
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.turns import describe, describe_runs
from iris_hpo.processes import is_stopped
from iris_hpo_tests.faults.conftest import small, wait_for
from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.projects import ShippedProject
from iris_hpo_tests.projects.command import environment_of

FOLDS = ("--folds", "2")
ARGUMENTS = ("-m", "iris_hpo", "run", "--engine", "serial", *FOLDS)
MATERIALIZE = ("-m", "dagster", "asset", "materialize", "-m", "iris_hpo.definitions", "--select")

Process = subprocess.Popen[str]


def start(project: ShippedProject, *arguments: str) -> Process:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def materialize_sources(project: ShippedProject) -> None:
    from iris_hpo.definitions import defs

    job = defs.resolve_implicit_global_asset_job_def()
    sources = [dg.AssetKey(name) for name in ("raw_data", "split", "parameters")]
    with environment_of(project.environment), project.instance() as instance:
        assert job.execute_in_process(instance=instance, asset_selection=sources).success


def finish(processes: Sequence[Process]) -> list[str]:
    """Return the output of each process; all must succeed."""
    outputs = [process.communicate(timeout=240)[0] for process in processes]
    for process, out in zip(processes, outputs, strict=True):
        assert process.returncode == 0, out
        assert "Traceback" not in out
        assert "database is locked" not in out
    return outputs


def selection(project: ShippedProject) -> dict[str, bytes]:
    folder = project.artifacts / "selection"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in (".csv", ".pkl", ".png")
    }


def trained(project: ShippedProject) -> list[str]:
    """The candidates whose models were trained, as often as they were."""
    with project.instance() as instance:
        records = instance.fetch_materializations(dg.AssetKey("models"), limit=1000).records
    return sorted(
        str(record.partition_key)
        for record in records
        if record.asset_materialization
        and record.asset_materialization.metadata["reused"].value is False
    )


@pytest.mark.slow
@pytest.mark.parametrize("attempt", [1, 2])
def test_two_commands_at_once_on_a_fresh_instance(
    few: ShippedProject, undisturbed: ShippedProject, attempt: int
) -> None:
    """The tables of the instance, the partitions and the results are made once."""
    del attempt  # where two processes meet is chance
    outputs = finish([start(few, *ARGUMENTS), start(few, *ARGUMENTS)])
    assert selection(few) == selection(undisturbed)
    assert len(trained(few)) == 6
    assert sum("6 trained, 0 reused, 0 failed" in out for out in outputs) == 1
    assert sum("0 trained, 6 reused, 0 failed" in out for out in outputs) == 1


@pytest.mark.slow
def test_two_commands_of_different_settings_take_turns(few: ShippedProject, tmp_path: Path) -> None:
    outputs = finish([start(few, *ARGUMENTS, "--seed", seed) for seed in ("1", "2")])
    assert sum("waiting for another iris-hpo run of this search" in out for out in outputs) == 1
    assert all("6 trained, 0 reused, 0 failed" in out for out in outputs)
    last = next(
        seed for seed, out in zip(("1", "2"), outputs, strict=True) if "waiting for another" in out
    )
    alone = small(ShippedProject.create(tmp_path / "alone"))
    assert alone.call(*ARGUMENTS[2:], "--seed", last, "--quiet").returncode == 0
    assert selection(few) == selection(alone)


@pytest.mark.slow
def test_a_command_during_a_run_of_the_ui(few: ShippedProject, undisturbed: ShippedProject) -> None:
    """The run that sensors request is the job of the search, in a process of its own."""
    materialize_sources(few)
    ends = "C0.5_G0.25...C8.0_G4.0"
    other = start(few, *MATERIALIZE, "models,scores", "--partition-range", ends)
    finish([start(few, *ARGUMENTS), other])
    assert few.call(*ARGUMENTS[2:]).returncode == 0
    assert selection(few) == selection(undisturbed)
    counts = json.loads(few.call("status", "--folds", "2", "--json").stdout)["assets"]
    assert {name: found["up to date"] for name, found in counts.items()} == {
        "raw_data": 1,
        "split": 1,
        "parameters": 1,
        "models": 6,
        "scores": 6,
        "selection": 1,
    }


@pytest.mark.slow
def test_parameter_files_edited_in_the_middle_of_a_run(
    project: ShippedProject, tmp_path: Path
) -> None:
    """A value comes, and another goes; what the run leaves to do, the next one does."""
    process = start(project, *ARGUMENTS)
    scores = project.artifacts / "scores"

    def reached() -> bool:
        assert process.poll() is None, "the run ended before its files were edited"
        return scores.is_dir() and len(list(scores.iterdir())) >= 5

    wait_for(reached, "the run does not come so far")
    gamma = project.parameters / "gamma_parameters.txt"
    gamma.write_text(gamma.read_text().replace("1.000\n", ""))
    (project.parameters / "c_parameters_more.txt").write_text("3\n")
    finish([process])
    found = json.loads(project.call(*ARGUMENTS[2:], "--json").stdout)
    assert (found["candidates"], found["trained"], found["failed"]) == (72, 6, {})

    fresh = ShippedProject.create(tmp_path / "fresh")
    for path in project.parameters.iterdir():
        (fresh.parameters / path.name).write_bytes(path.read_bytes())
    assert fresh.call(*ARGUMENTS[2:], "--quiet").returncode == 0
    assert selection(project) == selection(fresh)


def test_several_processes_register_candidates_at_once(done: ShippedProject) -> None:
    """A sensor and a command may find the same new values at the same time."""
    names = names_of(iris_search())
    home = str(done.root / "home")
    keys = [[f"C{number}.{digit}_G1.0" for digit in range(10)] for number in range(100, 140)]
    errors: list[Exception] = []
    together = threading.Barrier(2)

    def register(instance: dg.DagsterInstance) -> None:
        study = Study(iris_search(), instance, Storage())
        for some in keys:
            together.wait(60)
            try:
                apply_change(study, PartitionChange(tuple(some), ()))
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not be
                errors.append(error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", home)
        with (
            dg.DagsterInstance.from_config(home) as one,
            dg.DagsterInstance.from_config(home) as other,
        ):
            threads = [threading.Thread(target=register, args=(it,)) for it in (one, other)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for name in (names.partitions_name, str(names.from_files.name)):
                registered = one.get_dynamic_partitions(name)
                assert len(registered) == len(set(registered)) == 6 + 400
    assert errors == []


@pytest.fixture
def holder() -> Iterator[int]:
    """A process that others wait for."""
    process = subprocess.Popen(["sleep", "600"])
    yield process.pid
    process.kill()
    process.wait()


def advice(process: int) -> str:
    return (
        f"which is stopped: kill -CONT {process} lets it go on, kill -9 {process} ends it, and its "
        "work is taken over"
    )


def test_a_command_that_waits_for_a_stopped_one_says_how_to_take_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holder: int
) -> None:
    """Also if that one is stopped later."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setattr(turns, "_LOOK_SECONDS", 0.1)
    (tmp_path / ".search.holder").write_text(f" (process {holder}, since 10:00:00)")
    held = FileLock(tmp_path / ".search.lock")
    held.acquire()
    log = SimpleNamespace(get_maximum_record_id=lambda: None)
    study: Any = SimpleNamespace(
        spec=iris_search(), instance=SimpleNamespace(event_log_storage=log)
    )
    lines: list[str] = []

    def wait() -> None:
        with turns.turn(study, lines.append):
            lines.append("my turn")

    thread = threading.Thread(target=wait)
    thread.start()
    wait_for(lambda: len(lines) == 1, "the first line")
    os.kill(holder, signal.SIGSTOP)
    wait_for(lambda: len(lines) == 2, "the second line")
    held.release()
    thread.join(60)

    other = f"another iris-hpo run of this search (process {holder}, since 10:00:00)"
    assert lines == [
        f"waiting for {other}; Ctrl-C ends the wait",
        f"waiting for {other}, {advice(holder)}; Ctrl-C ends the wait",
        "my turn",
    ]


def test_a_run_that_waits_for_a_stopped_one_says_how_to_take_over(holder: int) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        sign = replace(own_sign(1), process=holder)
        write_sign(instance, "a-run", sign)
        assert describe_runs(instance, ["a-run"]) == {"a-run": describe("a-run", sign, None)}
        os.kill(holder, signal.SIGSTOP)
        wait_for(lambda: is_stopped(holder), "stop")
        assert describe_runs(instance, ["a-run"])["a-run"].endswith(f", {advice(holder)}")
        write_sign(instance, "a-run", replace(sign, place="another machine"))
        assert "stopped" not in describe_runs(instance, ["a-run"])["a-run"]
