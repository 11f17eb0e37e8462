"""``kill -9`` of adaptive searches, also with two workers; a sensor and a command at once."""

import importlib
import os
import signal
import time
from itertools import count
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Barrier
from pathlib import Path
from shutil import copy
from typing import Any, Final

import dagster as dg
import pytest

from iris_hpo.engines.loky import end_spare, start_ahead
from iris_hpo.orchestration.proposal_notes import read_proposals
from iris_hpo.parts import Part
from iris_hpo.run_settings import BudgetSettings, WorkSettings
from iris_hpo_tests.orchestration import bowls
from iris_hpo_tests.orchestration.test_drawing import bowl_spec, launch
from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.projects import CANDIDATES, SOURCES, SpecProject, succeed
from iris_hpo_tests.ticks import evaluate_tick

RUN: Final = "iris_hpo.orchestration.runner:"
DRAWING: Final = "iris_hpo.orchestration.drawing:"
RECORDER: Final = "iris_hpo.orchestration.recorder:Recorder."
PROPOSALS: Final = "iris_hpo.orchestration.proposals:"
TRIAL: Final = "iris_hpo.training.trial:TrialWork."
BOWL: Final = "iris_hpo_tests.orchestration.bowls:bowl"

MOMENTS: Final = (
    (RUN + "Launcher._run", 1, "before"),  # nothing is recorded
    ("iris_hpo.orchestration.drawing_run:wait_for_turn", 1, "after"),  # settings, no candidate
    (PROPOSALS + "register", 1, "before"),  # drawn, not noted
    (PROPOSALS + "register", 1, "after"),  # noted, not registered
    (PROPOSALS + "register", 2, "after"),  # registered, not planned
    (PROPOSALS + "plan_results", 2, "after"),  # planned, not stored: events are stored together
    ("iris_hpo.orchestration.drawing_run:register_proposal", 2, "after"),
    (BOWL, 1, "before"),  # in training
    (BOWL, 2, "after"),
    ("iris_hpo.store.folder:ArtifactStore.write_together", 2, "before"),
    (TRIAL + "_ensure_model", 2, "after"),  # the model is stored, the score is not
    (TRIAL + "__call__", 2, "after"),  # both are stored, none is recorded
    (RECORDER + "_log_model", 2, "before"),
    (RECORDER + "_log_score", 2, "before"),  # the model is recorded, the score is not
    (RECORDER + "record", 2, "after"),
    (DRAWING + "Supply.note", 1, "after"),
    (DRAWING + "Drawing.propose", 2, "before"),  # between two candidates
    (DRAWING + "Drawing.propose", 2, "after"),
    ("iris_hpo.orchestration.drawing_run:DrawingRun.end", 1, "before"),  # all are recorded
    ("iris_hpo.orchestration.assets.selection:write_selection", 1, "before"),
    ("iris_hpo.orchestration.assets.selection:write_selection", 1, "after"),
)
"""Function, the number of the call, and whether the process ends before the call or after it."""

WITH_TWO_WORKERS: Final = (
    (PROPOSALS + "register", 3, "after"),  # noted, not registered; the other one is in training
    (RECORDER + "record", 2, "before"),  # one or both are stored, not recorded
    (DRAWING + "Supply.note", 2, "after"),  # recorded; the other one is in training
)

PRELOADED: Final = ("optuna", "iris_hpo_tests.orchestration.warm_bowl")

SAMPLER: Final = Part("tpe", {"n_startup_trials": 5})


def make_home(root: Path) -> Path:
    (root / "home").mkdir(parents=True)
    copy(REPOSITORY / ".dagster" / "dagster.yaml", root / "home")
    return root


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a search that is disturbed; `opened` sets the variable."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    return make_home(tmp_path / "disturbed")


def opened(root: Path) -> dg.DagsterInstance:
    os.environ["DAGSTER_HOME"] = str(root / "home")
    return dg.DagsterInstance.from_config(str(root / "home"))


def project_in(root: Path, instance: dg.DagsterInstance, candidates: int = 28) -> SpecProject:
    budget = BudgetSettings(candidates=candidates)
    return SpecProject(root, instance, bowl_spec(root, sampler=SAMPLER, budget=budget))


def plant(place: str, call: int, when: str) -> None:
    """Let this process end as by ``kill -9`` at a call of a function."""
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    function, calls = getattr(owner, name), count(1)

    def deadly(*arguments: Any, **named: Any) -> Any:
        is_moment = next(calls) == call
        if is_moment and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **named)
        if is_moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


def run_until(root: Path, moment: tuple[str, int, str] | None) -> None:
    """Do what `iris-hpo run` does, up to a moment."""
    with opened(root) as instance:
        project = project_in(root, instance)
        if moment:
            plant(*moment)
        launch(project)


def run_with_two_workers_until(root: Path, moment: tuple[str, int, str] | None) -> None:
    """Do the same with two workers that are there from the beginning."""
    with opened(root) as instance:
        start_ahead(2, 2)
        project = project_in(root, instance, 12)
        if moment:
            plant(*moment)
        launch(project, work=WorkSettings(engine="loky", jobs=2))
        end_spare()


def check_record(root: Path, workers: int = 1) -> list[str]:
    """Every candidate has its number, and was scored at most once; return the candidates."""
    with opened(root) as instance:
        project = project_in(root, instance)
        keys = project.registered()
        notes = [(each.key, each.number) for each in read_proposals(project.study()).values()]
        assert notes[: len(keys)] == [(key, number) for number, key in enumerate(keys)]
        assert len(notes) <= len(keys) + 1  # one may be noted that is not registered
        scores = project.by_partition("scores")
        assert all(len(events) == 1 for events in scores.values())
        lost = set(keys) - set(scores)
        assert len(lost) <= workers  # only what was in flight
        assert workers > 1 or lost <= set(keys[-1:])
        return keys


@pytest.mark.slow
def test_a_search_goes_on_after_a_kill_at_any_moment(
    server: ForkServerContext, root: Path, tmp_path: Path
) -> None:
    other = make_home(tmp_path / "undisturbed")
    run_until(other, None)
    with opened(other) as instance:
        project = project_in(other, instance)
        undisturbed, leaderboard = project.registered(), project.leaderboard()

    for moment in MOMENTS:
        process = server.Process(target=run_until, args=(root, moment))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL, moment
        keys = check_record(root)
        assert keys == undisturbed[: len(keys)]
    run_until(root, None)

    assert len(undisturbed) == 28
    with opened(root) as instance:
        project = project_in(root, instance)
        assert project.registered() == undisturbed
        assert len(project.by_partition("scores")) == 28
        assert project.partition_status("scores")["failed"] == set()
        assert project.leaderboard() == leaderboard


@pytest.mark.slow
def test_two_workers_go_on_within_the_budget(server: ForkServerContext, root: Path) -> None:
    before: list[str] = []
    for moment in (*WITH_TWO_WORKERS, None):
        process = server.Process(target=run_with_two_workers_until, args=(root, moment))
        process.start()
        process.join()
        assert process.exitcode == (-signal.SIGKILL if moment else 0), moment
        keys = check_record(root, 2)
        assert keys[: len(before)] == before
        before = keys

    assert len(keys) == 12
    with opened(root) as instance:
        project = project_in(root, instance, 12)
        assert set(project.by_partition("scores")) == set(keys)
        assert project.partition_status("scores")["failed"] == set()
        proposals = read_proposals(project.study()).values()
        assert any(each.results_known < each.number for each in proposals), "both were at work"


def run_slowly(root: Path, tags: dict[str, str] | None, start: Barrier) -> None:
    """Do what `iris-hpo run` does, or execute the run that a sensor requested with these tags."""
    bowl = bowls.bowl
    bowls.bowl = lambda x, y: (time.sleep(0.05), bowl(x, y))[1]
    with opened(root) as instance:
        project = project_in(root, instance, 12)
        start.wait()
        if tags is None:
            launch(project)
        else:
            succeed(project.run(*CANDIDATES, tags=tags))


@pytest.mark.slow
def test_a_sensor_and_a_command_at_once_share_one_budget(
    server: ForkServerContext, root: Path
) -> None:
    with opened(root) as instance:
        project = project_in(root, instance, 12)
        succeed(project.run(*SOURCES))
        sensor = "parameter_files_sensor"
        # The first tick notes the files, the second asks for the next run.
        cursor = evaluate_tick(project.defs, instance, sensor, None, project.storage).cursor
        tick = evaluate_tick(project.defs, instance, sensor, cursor, project.storage)
    (request,) = tick.run_requests
    start = server.Barrier(2)
    tags = {"dagster/sensor_name": sensor, **request.tags}
    processes = [server.Process(target=run_slowly, args=(root, own, start)) for own in (None, tags)]

    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0]
    with opened(root) as instance:
        project = project_in(root, instance, 12)
        keys = project.registered()
        assert len(keys) == 12
        assert [len(events) for events in project.by_partition("scores").values()] == [1] * 12
        proposals = read_proposals(project.study()).values()
        assert [(each.key, each.number) for each in proposals] == [
            (key, number) for number, key in enumerate(keys)
        ]
        first, second = sorted(
            (record.start_time or 0.0, record.end_time or 0.0)
            for record in instance.get_run_records(dg.RunsFilter(job_name="search"))
            if project.names.asset("scores") in (record.dagster_run.asset_selection or ())
        )
        assert second[0] < first[1], "both were at work"
