"""Whatever a candidate does to its worker, it loses itself and nobody else."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sklearn.datasets import load_diabetes

from iris_hpo.orchestration.failed_candidates import failed_partitions, failure_reasons
from iris_hpo.orchestration.record import data_versions
from iris_hpo_tests.faults.conftest import processes_of, wait_for
from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, ShippedProject, YamlProject, finish

pytestmark = [*DAGSTERS_WARNINGS, pytest.mark.slow]

MODULE = """\
import os
import resource
import signal
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.tree import DecisionTreeRegressor


class Faulty(DecisionTreeRegressor):
    def __init__(self, fault="none", max_depth=3, random_state=None):
        super().__init__(max_depth=max_depth, random_state=random_state)
        self.fault = fault

    def fit(self, X, y):
        if self.fault == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "killed once" and not Path("mark").exists():
            Path("mark").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "memory":
            before = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, before[1]))
            try:
                np.ones(8 << 30, dtype=np.uint8)
            finally:
                resource.setrlimit(resource.RLIMIT_AS, before)
        if self.fault == "endless":
            while True:
                time.sleep(0.1)
        if self.fault == "raises":
            raise ValueError("not to my taste")
        if self.fault == "warns":
            warnings.warn("not converged", ConvergenceWarning)
        return super().fit(X, y)

    def predict(self, X):
        return super().predict(X) * (np.nan if self.fault == "nan" else 1)
"""
FINE = ("none", "killed once", "warns")
REASONS = {
    "killed": "its worker process died 2 times (killed, or out of memory)",
    "memory": "fitting failed: MemoryError: Unable to allocate 8.00 GiB for an array",
    "endless": "did not finish within 15 s (candidate_timeout)",
    "raises": "fitting failed: ValueError: not to my taste",
    "nan": "predicting failed: ValueError: Input contains NaN.",
}


def key(fault: str) -> str:
    return f"F{fault.replace(' ', '~20')}_D3"


@pytest.fixture
def faulty(tmp_path: Path) -> YamlProject:
    """A search of which most candidates do harm, each in its own way."""
    project = YamlProject.create(tmp_path / "project")
    load_diabetes(as_frame=True).frame[:60].to_csv(project.root / "data" / "d.csv", index=False)
    (project.root / "faulty.py").write_text(MODULE)
    project.write_values("faulty", fault=[*FINE, *REASONS], max_depth=[3])
    project.write_search(
        "faulty",
        data_file="d.csv",
        estimator="faulty.Faulty",
        axes=[
            {"name": "fault", "symbol": "F", "type": "str"},
            {"name": "max_depth", "symbol": "D", "type": "int"},
        ],
        folds=0,
    )
    return project


def test_each_loses_itself_alone(faulty: YamlProject) -> None:
    arguments = ("--search", "faulty", "--jobs", "2", "--candidate-timeout", "15")
    answer = finish(faulty.start("iris-hpo", "run", *arguments))

    assert answer.code == 1, answer.out
    assert "3 trained, 0 reused, 5 failed" in answer.out
    failure_lines = [line for line in answer.out.splitlines() if line.startswith("failed: ")]
    assert len(failure_lines) == len(REASONS), "\n".join(failure_lines)
    for fault, reason in REASONS.items():
        assert (
            sum(line.startswith(f"failed: {key(fault)}: {reason}") for line in failure_lines) == 1
        ), "\n".join(failure_lines)
    assert "Traceback" not in answer.out
    assert "ConvergenceWarning" not in answer.out
    with faulty.instance() as instance:
        check_record(instance)
    assert {row["candidate"] for row in faulty.leaderboard("faulty")} == set(map(key, FINE))
    assert not processes_of(faulty.root / ".dagster")


def check_record(instance: dg.DagsterInstance) -> None:
    """The culprits' partitions alone are failed, with their reasons; the others have results."""
    wrong, fine = set(map(key, REASONS)), set(map(key, FINE))
    trained = {*fine, key("nan")}  # this one has a model, and no score
    models, scores = dg.AssetKey(["faulty", "models"]), dg.AssetKey(["faulty", "scores"])
    assert set(data_versions(instance, models)) == trained
    assert set(data_versions(instance, scores)) == fine
    assert set(failed_partitions(instance, models)) == wrong - trained
    failed = failed_partitions(instance, scores)
    assert set(failed) == wrong
    (run_id,) = set(failed.values())
    reasons = failure_reasons(instance, run_id)
    assert set(reasons) == wrong
    assert all(reasons[key(fault)].startswith(REASONS[fault]) for fault in REASONS)
    counted = {
        str(event.partition): event.metadata["convergence_warnings"].value
        for event in _materializations(instance, models)
    }
    assert counted[key("warns")] == 1
    assert counted[key("none")] == 0


def _materializations(
    instance: dg.DagsterInstance, asset: dg.AssetKey
) -> list[dg.AssetMaterialization]:
    records = instance.fetch_materializations(asset, limit=100).records
    return [one.asset_materialization for one in records if one.asset_materialization]


def workers_of(home: Path) -> list[int]:
    return [
        process
        for process in processes_of(home)
        if b"popen_loky" in Path(f"/proc/{process}/cmdline").read_bytes()
    ]


def test_killed_workers_of_a_real_search_cost_nothing(
    project: ShippedProject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two of the workers, one after the other, in the middle of 77 candidates."""
    undisturbed = ShippedProject.create(tmp_path_factory.mktemp("undisturbed"))
    assert undisturbed.call("run", "--engine", "serial", "--quiet").returncode == 0
    home = project.root / "home"
    process = subprocess.Popen(
        [sys.executable, "-m", "iris_hpo", "run", "--jobs", "2", "--json"],
        cwd=REPOSITORY,
        env=project.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    scores = project.artifacts / "scores"
    killed: list[int] = []
    for enough in (5, 25):

        def reached(enough: int = enough) -> bool:
            assert process.poll() is None, "the run ended before its worker was killed"
            return scores.is_dir() and len(list(scores.iterdir())) >= enough

        wait_for(reached, "the run does not come so far")
        wait_for(lambda: not set(workers_of(home)) <= {*killed}, "no worker", poll=0.05)
        victim = next(one for one in workers_of(home) if one not in killed)
        os.kill(victim, signal.SIGKILL)
        killed.append(victim)
    out, _ = process.communicate(timeout=240)

    assert process.returncode == 0
    found: dict[str, Any] = json.loads(out)
    assert (found["trained"], found["failed"]) == (77, {})
    assert (project.artifacts / "selection" / "leaderboard.csv").read_bytes() == (
        undisturbed.artifacts / "selection" / "leaderboard.csv"
    ).read_bytes()
    assert not list((project.artifacts / ".temporary").iterdir())
