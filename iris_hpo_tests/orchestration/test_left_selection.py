"""A selection is requested again whose run died, was interrupted, or never was requested."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import dagster as dg
import pytest

from iris_hpo.orchestration import cut_short, reselection, ticks
from iris_hpo.orchestration.failures import INTERRUPTED
from iris_hpo.orchestration.names import failure
from iris_hpo.orchestration.reselection import (
    select_again,
    select_what_was_left,
    select_what_was_missed,
)
from iris_hpo.orchestration.run_requests import MOST_TIMES
from iris_hpo.parts import Part
from iris_hpo_tests.orchestration.following import Follower
from iris_hpo_tests.projects import SpecProject, succeed


@pytest.fixture
def follower(scored: SpecProject) -> Follower:
    """On a project whose candidates are scored, and of which nothing was selected."""
    made = Follower(scored, "parameter_files_sensor")
    assert made.tick() == []
    return made


def leave(
    project: SpecProject,
    tags: Mapping[str, str] | None = None,
    status: dg.DagsterRunStatus | None = None,
) -> dg.DagsterRun:
    """Make a run of the selection; without a status, one that never began."""
    return project.instance.create_run_for_job(
        project.defs.resolve_job_def("select"),
        asset_selection=frozenset([project.names.asset("selection")]),
        tags=tags,
        status=status,
    )


@pytest.mark.parametrize("interrupted", [True, False])
def test_it_is_requested_again(follower: Follower, *, interrupted: bool) -> None:
    instance = follower.project.instance
    if interrupted:
        instance.report_run_canceled(leave(follower.project, {INTERRUPTED: "true"}))
    else:
        instance.report_run_failed(leave(follower.project))
    (request,) = follower.tick()
    assert request.job_name == "select"
    assert follower.project.leaderboard()
    assert follower.tick() == []


def test_one_that_dagster_is_about_to_retry_is_left_to_it(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = follower.project.instance
    requested: list[int] = []
    for _ in range(MOST_TIMES + 2):
        run = leave(follower.project)
        instance.report_run_failed(run)
        instance.add_run_tags(run.run_id, {"dagster/will_retry": "true"})
        assert not follower.look().run_requests
        with monkeypatch.context() as later:
            later.setattr(cut_short, "_RETRY_SECONDS", 0)
            requested.append(len(follower.look().run_requests or ()))
        left = instance.get_run_by_id(run.run_id)
        assert left
        assert not left.is_complete_and_waiting_to_retry
    assert requested == [1] * MOST_TIMES + [0, 0]


def test_one_that_a_user_cancelled_is_left_alone(follower: Follower) -> None:
    follower.project.instance.report_run_canceled(leave(follower.project))
    assert follower.tick() == []


def test_one_that_says_why_it_failed_is_left_alone(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise failure("it would fail again")

    monkeypatch.setattr("iris_hpo.orchestration.assets.selection.read_selectable", refuse)
    assert not follower.project.run("selection").success
    assert follower.tick() == []


def test_it_is_requested_three_times(follower: Follower) -> None:
    requested: list[int] = []
    for _ in range(MOST_TIMES + 2):
        follower.project.instance.report_run_failed(leave(follower.project))
        requested.append(len(follower.look().run_requests or ()))
    assert requested == [1] * MOST_TIMES + [0, 0]


def test_requests_of_candidates_in_between_do_not_begin_the_count_again(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested: list[str] = []
    for number in range(2 * MOST_TIMES + 2):
        with monkeypatch.context() as now:
            if number % 2:
                candidates = dg.RunRequest(run_key=str(number), job_name="search")
                now.setattr(ticks, "requests_again", lambda *_, one=candidates: ([one], "1 1"))
            else:
                follower.project.instance.report_run_failed(leave(follower.project))
            requested += [request.job_name for request in follower.look().run_requests or ()]
    assert requested == ["select", "search"] * MOST_TIMES + ["search"]


def test_one_that_was_wiped_is_requested_once(follower: Follower) -> None:
    project = follower.project
    assert project.run("selection").success
    follower.tick()
    for _ in range(2):
        project.instance.wipe_assets([project.names.asset("selection")])
        at_work = leave(project, status=dg.DagsterRunStatus.STARTED)
        assert not follower.look().run_requests, "a run makes it"
        project.instance.report_run_canceled(at_work)

        (request,) = follower.look().run_requests
        assert request.job_name == "select"
        assert not follower.look().run_requests
        assert project.run("selection").success
        assert not follower.look().run_requests


def test_one_that_was_wiped_with_the_scores_is_not(follower: Follower) -> None:
    project = follower.project
    assert project.run("selection").success
    follower.tick()
    project.instance.wipe_assets([project.names.asset(name) for name in ("scores", "selection")])
    assert not follower.look().run_requests


def without_candidates(project: SpecProject) -> None:
    """Delete all candidates; their scores stay in the event log."""
    for key in project.registered():
        project.instance.delete_dynamic_partition("c_gamma", key)


@pytest.mark.parametrize("why", ["chooses otherwise", "was left", "wiped", "was missed"])
def test_none_is_requested_without_a_score_to_choose_by(follower: Follower, why: str) -> None:
    project = follower.project
    if why in ("chooses otherwise", "wiped"):
        succeed(project.run("selection"))
    if why == "was left":
        project.instance.report_run_failed(leave(project))
    if why == "wiped":
        project.instance.wipe_assets([project.names.asset("selection")])
    if why == "chooses otherwise":
        project.spec = replace(project.spec, rule="cv")
    scored = reselection._latest_score(project.study())
    request = {"was left": select_what_was_left, "was missed": select_what_was_missed}
    before = f"{scored} 0" if why == "was missed" else "1"
    (requested,), _ = request.get(why, select_again)(project.study(), before)
    assert requested.job_name == "select"

    without_candidates(project)

    assert request.get(why, select_again)(project.study(), before)[0] == []


def test_a_search_that_becomes_adaptive_first_tries_candidates(follower: Follower) -> None:
    project = follower.project
    succeed(project.run("selection"))
    follower.tick()
    ranges = [replace(axis, low=0.1, high=10.0) for axis in project.spec.axes]
    for file in project.parameters.iterdir():
        file.unlink()
    spec = replace(project.spec, axes=ranges, sampler=Part("random"))
    adaptive = Follower(SpecProject(project.root, project.instance, spec), follower.name)
    adaptive.cursor = follower.cursor

    requests = adaptive.look().run_requests

    assert {request.job_name for request in requests} == {"search"}


class TestMissed:
    """Scores that the selection's sensor does not see, as after the loss of an event log."""

    @pytest.fixture
    def waiting(self, follower: Follower, monkeypatch: pytest.MonkeyPatch) -> Follower:
        """The sensor, once it has seen the scores for long enough."""
        assert follower.tick() == []
        now = time.time()
        monkeypatch.setattr(reselection.time, "time", lambda: now + reselection.MISSED_SECONDS)
        return follower

    def test_it_is_requested_once(self, waiting: Follower) -> None:
        (request,) = waiting.look().run_requests
        assert request.job_name == "select"
        assert not waiting.look().run_requests

    def test_also_after_another_one(self, waiting: Follower) -> None:
        project = waiting.project
        succeed(project.run("selection"))
        waiting.look()
        assert "missed" not in json.loads(str(waiting.cursor))

        project.materialize_candidates(candidates={"force": True})
        waiting.look()
        assert "missed" in json.loads(str(waiting.cursor))

    def test_scores_that_come_begin_the_time_again(self, waiting: Follower) -> None:
        waiting.project.materialize_candidates(candidates={"force": True})
        assert not waiting.look().run_requests

    def test_one_that_is_under_way_or_was_cancelled_is_left_alone(self, waiting: Follower) -> None:
        at_work = leave(waiting.project, status=dg.DagsterRunStatus.STARTED)
        assert not waiting.look().run_requests
        waiting.project.instance.report_run_canceled(at_work)
        assert not waiting.look().run_requests

    def test_a_sensor_that_a_user_has_stopped_has_missed_nothing(
        self, waiting: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state = SimpleNamespace(
            instigator_name="selection_sensor", status=SimpleNamespace(value="STOPPED")
        )
        instance = waiting.project.instance
        monkeypatch.setattr(type(instance), "schedule_storage", object())
        monkeypatch.setattr(instance, "all_instigator_state", lambda: [state])
        assert not waiting.look().run_requests
