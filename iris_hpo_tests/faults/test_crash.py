"""``kill -9`` of a run at 20 random moments: what is recorded stays, and the next run completes."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.training.cards import ModelCard, ScoreCard
from iris_hpo_tests.faults.conftest import processes_of, wait_for
from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.projects import ShippedProject

ARGUMENTS = ("run", "--folds", "2")
KILLS = 20
SEED = 20


def start(project: ShippedProject) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "iris_hpo", *ARGUMENTS],
        cwd=REPOSITORY,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def count_files(project: ShippedProject) -> int:
    return sum(len(files) for _, _, files in os.walk(project.artifacts))


def kill_at(
    project: ShippedProject, process: subprocess.Popen[bytes], files: int, seconds: float
) -> None:
    """Kill a run some time after it has written so many files, of any kind.

    Until then models and scores are written; the time thereafter may be that of an event.
    """

    def reached() -> bool:
        assert process.poll() is None, "the run ended before it was killed"
        return count_files(project) >= files

    wait_for(reached, "the run does not come so far")
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    home = project.root / "home"
    wait_for(lambda: not processes_of(home), "a worker outlives its run", poll=0.2)


def reset(project: ShippedProject) -> None:
    shutil.rmtree(project.artifacts, ignore_errors=True)
    shutil.rmtree(project.root / "home")
    (project.root / "home").mkdir()
    shutil.copy(REPOSITORY / ".dagster" / "dagster.yaml", project.root / "home")


def recorded(project: ShippedProject, asset: str) -> dict[str, tuple[str, str]]:
    """Per candidate, the run that made its result, and the result's data version.

    A candidate whose model was recorded, but whose score was not, is worked on again: its model is
    recorded once more, as reused.
    """
    with project.instance() as instance:
        records = instance.fetch_materializations(dg.AssetKey(asset), limit=1000).records
    found: dict[str, tuple[str, str]] = {}
    for record in reversed(records):
        event = record.asset_materialization
        assert event is not None
        key, version = str(record.partition_key), (event.tags or {})["dagster/data_version"]
        assert key not in found or event.metadata["reused"].value is True, "done twice"
        assert found.setdefault(key, (record.run_id, version))[1] == version
    return found


@pytest.mark.slow
def test_kill_at_random_moments(tmp_path: Path) -> None:
    undisturbed = ShippedProject.create(tmp_path / "undisturbed")
    assert undisturbed.call(*ARGUMENTS, "--engine", "serial", "--quiet").returncode == 0
    leaderboard = (undisturbed.artifacts / "selection" / "leaderboard.csv").read_bytes()
    total = count_files(undisturbed)
    project = ShippedProject.create(tmp_path / "killed")
    chance = random.Random(SEED)
    moments: list[int] = []
    # The first file, the first of the selection, and any between.
    selection = sum(1 for _ in (undisturbed.artifacts / "selection").rglob("*.*"))
    ends = [(1, 0.0), (total - selection + 1, 0.0)]
    between = [
        (chance.randrange(1, total - selection), chance.uniform(0, 0.05)) for _ in range(KILLS - 2)
    ]
    for files, seconds in [*ends, *between]:
        reset(project)
        kill_at(project, start(project), files, seconds)
        models, scores = recorded(project, "models"), recorded(project, "scores")
        moments.append(len(scores))

        result = project.call(*ARGUMENTS, "--engine", "serial", "--json")
        assert result.returncode == 0, result.stderr
        outcome = json.loads(result.stdout)
        assert outcome["trained"] + outcome["reused"] == 77
        assert outcome["trained"] <= 77 - len(scores)

        after_models, after_scores = recorded(project, "models"), recorded(project, "scores")
        for before, after in ((models, after_models), (scores, after_scores)):
            assert {key: after[key] for key in before} == before
        check_store(project, after_models, after_scores)
        assert (project.artifacts / "selection" / "leaderboard.csv").read_bytes() == leaderboard
    # The moments were of every kind: before the first score was recorded, and after the last.
    assert len(moments) == KILLS
    assert min(moments) == 0
    assert max(moments) == 77


def check_store(
    project: ShippedProject, models: dict[str, tuple[str, str]], scores: dict[str, tuple[str, str]]
) -> None:
    """Every file is whole and is what was recorded, and there is no other."""
    split = json.loads((project.artifacts / "split" / "split.json").read_text())
    assert len(models) == len(scores) == 77
    for key, (_, version) in scores.items():
        card = ScoreCard(**json.loads((project.artifacts / "scores" / f"{key}.json").read_text()))
        model = ModelCard(
            **json.loads((project.artifacts / "models" / f"model_{key}.json").read_text())
        )
        assert card.version == version
        assert model.version == card.model_version == models[key][1]
        assert model.training_digest == split["train_digest"]
    assert len(list((project.artifacts / "models").iterdir())) == 2 * 77
    assert len(list((project.artifacts / "scores").iterdir())) == 77
    temporary = project.artifacts / ".temporary"
    assert not temporary.exists() or not list(temporary.iterdir())
