"""Artifacts, record and files that disagree: `status` shows it, `run` repairs it."""

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.projects import ShippedProject

ARGUMENTS = ("run", "--engine", "serial", "--folds", "2")
GOOD = {"raw_data": 1, "split": 1, "parameters": 1, "models": 6, "scores": 6, "selection": 1}


def up_to_date(project: ShippedProject) -> dict[str, int]:
    result = project.call("status", "--folds", "2", "--json")
    assert result.stderr == ""
    assets = json.loads(result.stdout)["assets"]
    return {name: found["up to date"] for name, found in assets.items()}


def delete_artifacts(project: ShippedProject) -> None:
    shutil.rmtree(project.artifacts)


def delete_instance(project: ShippedProject) -> None:
    home = project.root / "home"
    shutil.rmtree(home)
    home.mkdir()
    shutil.copy(REPOSITORY / ".dagster" / "dagster.yaml", home)


def delete_event_log(project: ShippedProject) -> None:
    shutil.rmtree(project.root / "home" / "history")


def delete_models(project: ShippedProject) -> None:
    shutil.rmtree(project.artifacts / "models")


def delete_scores(project: ShippedProject) -> None:
    shutil.rmtree(project.artifacts / "scores")


def delete_split(project: ShippedProject) -> None:
    shutil.rmtree(project.artifacts / "split")


def delete_selection(project: ShippedProject) -> None:
    shutil.rmtree(project.artifacts / "selection")


def age_cards(project: ShippedProject) -> None:
    """Cards as another version of the project may have written them: other fields."""
    for path in project.artifacts.rglob("*.json"):
        card = json.loads(path.read_text())
        card["written_by"] = "0.0.1"
        card.pop("convergence_warnings", None)
        path.write_text(json.dumps(card))


def empty_files(project: ShippedProject) -> None:
    """As a crash of the machine may leave them."""
    for path in project.artifacts.rglob("*"):
        if path.is_file():
            path.write_bytes(b"")


def break_cards(project: ShippedProject) -> None:
    for path in project.artifacts.rglob("*.json"):
        path.write_bytes(b'[{"a": ' * 100_000)


def forget_partitions(project: ShippedProject) -> None:
    """A person deleted all in the UI."""
    with project.instance() as instance:
        for name in ("c_gamma", "c_gamma_from_files"):
            for key in instance.get_dynamic_partitions(name):
                instance.delete_dynamic_partition(name, key)


def leave_files(project: ShippedProject) -> None:
    """What was left by a writer that died, and by nobody of ours."""
    folder = project.artifacts / ".temporary"
    folder.mkdir(exist_ok=True)
    left = folder / f"999999999-{'0' * 32}-0"
    left.write_text("half")
    os.utime(left, (0, 0))
    (project.artifacts / "selection" / "models" / "model_C9.0_G9.0.pkl").write_text("old")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("disturb", "worse"),
    [
        (delete_artifacts, {"split", "parameters", "models", "scores", "selection"}),
        (delete_instance, set(GOOD)),
        (delete_event_log, set(GOOD)),
        (delete_models, {"models", "scores"}),
        (delete_scores, {"scores", "selection"}),
        (delete_split, {"split", "selection"}),
        (delete_selection, {"selection"}),
        (age_cards, {"split", "parameters", "models", "scores", "selection"}),
        (empty_files, {"split", "parameters", "models", "scores", "selection"}),
        (break_cards, {"split", "parameters", "models", "scores", "selection"}),
        (forget_partitions, {"parameters"}),
        (leave_files, set()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_status_shows_it_and_run_repairs_it(
    done: ShippedProject,
    undisturbed: ShippedProject,
    disturb: Callable[[ShippedProject], None],
    worse: set[str],
) -> None:
    assert up_to_date(done) == GOOD
    disturb(done)
    found = up_to_date(done)
    assert {name for name in GOOD if found[name] != GOOD[name]} >= worse

    result = done.call(*ARGUMENTS, "--json")
    assert result.returncode == 0, result.stderr
    assert up_to_date(done) == GOOD
    for name, (_, content) in undisturbed.files().items():
        if name.endswith((".pkl", ".csv", ".png")):
            assert (done.artifacts / name).read_bytes() == content, name
    assert set(done.files()) - set(undisturbed.files()) <= {"selection/models/model_C9.0_G9.0.pkl"}
    assert done.call("leaderboard").returncode == 0


@pytest.mark.slow
def test_an_event_log_that_cannot_be_read_is_one_message(done: ShippedProject) -> None:
    for file in (done.root / "home" / "history" / "runs").glob("*.db"):
        with closing(sqlite3.connect(file)) as log, log:
            log.execute("UPDATE event_logs SET event = replace(event, '__class__', 'class')")

    result = done.call("status", "--folds", "2")

    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    home = re.escape(str(done.root / "home"))
    assert re.match(
        f"iris-hpo: what the Dagster instance of DAGSTER_HOME {home} has stored "
        "cannot be read: .*; it is damaged, or from another version",
        result.stderr,
    )
