"""``kill -9`` of a run at 20 random moments: what is recorded stays, and the next run completes."""

import json
import os
import random
import shutil
import time
from collections.abc import Sequence
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.command.main import main
from iris_hpo.training.cards import ModelCard, ScoreCard
from iris_hpo_tests.faults.conftest import processes_of, wait_for
from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.projects import ShippedProject

ARGUMENTS = ("run", "--folds", "2")
CANDIDATES = 28
KILLS = 20
SEED = 20
PRELOADED = ("iris_hpo.definitions",)
WITH_WORKERS = 4
"""Every so many kills, the run has worker processes, whose start takes longest."""


def create(root: Path) -> ShippedProject:
    """Every moment of a run comes with few candidates too."""
    project = ShippedProject.create(root)
    project.write_axis("c", 0.5, 2, 8, 32)
    return project


def start(server: ForkServerContext, project: ShippedProject, *options: str) -> ForkServerProcess:
    process = server.Process(target=run_quietly, args=(project.environment, [*ARGUMENTS, *options]))
    process.start()
    return process


def run_quietly(environment: dict[str, str], arguments: Sequence[str]) -> None:
    """Do what ``iris-hpo`` does, in this process."""
    silence = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(silence, descriptor)
    os.environ.update(environment)
    main(arguments)


def count_files(project: ShippedProject) -> int:
    return sum(len(files) for _, _, files in os.walk(project.artifacts))


def kill_at(
    project: ShippedProject, process: ForkServerProcess, files: int, seconds: float
) -> None:
    """Kill a run some time after it has written so many files, of any kind.

    Until then models and scores are written; the time thereafter may be that of an event.
    """

    def reached() -> bool:
        assert process.is_alive(), "the run ended before it was killed"
        return count_files(project) >= files

    wait_for(reached, "the run does not come so far")
    time.sleep(seconds)
    process.kill()
    process.join()
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
def test_kill_at_random_moments(server: ForkServerContext, tmp_path: Path) -> None:
    undisturbed = create(tmp_path / "undisturbed")
    assert undisturbed.call(*ARGUMENTS, "--engine", "serial", "--quiet").returncode == 0
    leaderboard = (undisturbed.artifacts / "selection" / "leaderboard.csv").read_bytes()
    total = count_files(undisturbed)
    project = create(tmp_path / "killed")
    chance = random.Random(SEED)
    moments: list[int] = []
    # The first file, the first of the selection, and any between.
    selection = sum(1 for _ in (undisturbed.artifacts / "selection").rglob("*.*"))
    ends = [(1, 0.0), (total - selection + 1, 0.0)]
    between = [
        (chance.randrange(1, total - selection), chance.uniform(0, 0.05)) for _ in range(KILLS - 2)
    ]
    for number, (files, seconds) in enumerate([*ends, *between]):
        reset(project)
        engine = "loky" if number % WITH_WORKERS == 0 else "serial"
        kill_at(project, start(server, project, "--engine", engine), files, seconds)
        models, scores = recorded(project, "models"), recorded(project, "scores")
        moments.append(len(scores))

        result = project.call(*ARGUMENTS, "--engine", "serial", "--json")
        assert result.returncode == 0, result.stderr
        outcome = json.loads(result.stdout)
        assert outcome["trained"] + outcome["scored"] + outcome["reused"] == CANDIDATES
        assert outcome["trained"] + outcome["scored"] <= CANDIDATES - len(scores)

        after_models, after_scores = recorded(project, "models"), recorded(project, "scores")
        for before, after in ((models, after_models), (scores, after_scores)):
            assert {key: after[key] for key in before} == before
        check_store(project, after_models, after_scores)
        assert (project.artifacts / "selection" / "leaderboard.csv").read_bytes() == leaderboard
    # The moments were of every kind: before the first score was recorded, and after the last.
    assert len(moments) == KILLS
    assert min(moments) == 0
    assert max(moments) == CANDIDATES


def check_store(
    project: ShippedProject, models: dict[str, tuple[str, str]], scores: dict[str, tuple[str, str]]
) -> None:
    """Every file is whole and is what was recorded, and there is no other."""
    split = json.loads((project.artifacts / "split" / "split.json").read_text())
    assert len(models) == len(scores) == CANDIDATES
    for key, (_, version) in scores.items():
        card = ScoreCard(**json.loads((project.artifacts / "scores" / f"{key}.json").read_text()))
        model = ModelCard(
            **json.loads((project.artifacts / "models" / f"model_{key}.json").read_text())
        )
        assert card.version == version
        assert model.version == card.model_version == models[key][1]
        assert model.training_digest == split["train_digest"]
    assert len(list((project.artifacts / "models").iterdir())) == 2 * CANDIDATES
    assert len(list((project.artifacts / "scores").iterdir())) == CANDIDATES
    temporary = project.artifacts / ".temporary"
    assert not temporary.exists() or not list(temporary.iterdir())
