"""Runs of a user's own jobs that contain a search are known wherever its own runs are."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.events import AssetMaterializationPlannedData
from dagster._core.execution.api import create_execution_plan
from dagster._core.execution.plan.objects import StepSuccessData
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

from iris_hpo.command import reset
from iris_hpo.errors import InputError
from iris_hpo.orchestration import overlaps, turns
from iris_hpo.orchestration.build import build_search
from iris_hpo.orchestration.draw_requests import draw_again
from iris_hpo.orchestration.failures import INTERRUPTED
from iris_hpo.orchestration.proposals import delete_proposals
from iris_hpo.orchestration.ranges import range_tags
from iris_hpo.orchestration.reselection import select_again, select_what_was_left
from iris_hpo.orchestration.run_requests import requests_again
from iris_hpo.orchestration.signs import UNMARKED_SECONDS, Watch
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.turns import release_dead_runs
from iris_hpo.orchestration.working_runs import runs_at_work, runs_with_signs
from iris_hpo.parts import Part
from iris_hpo.run_settings import BudgetSettings
from iris_hpo_tests.orchestration.following import Follower, assets_of, counted_statements
from iris_hpo_tests.orchestration.test_drawing import bowl_spec, draw
from iris_hpo_tests.projects import CANDIDATES, KEYS, SOURCES, SpecProject, failure_text, succeed

STARTED = dg.DagsterRunStatus.STARTED
ANONYMOUS = "__anonymous_asset_job_nightly"
"""The job that Dagster makes for a schedule `nightly` with a target."""


@dg.asset
def before() -> None:
    """A user's asset that the search has nothing to do with."""


@dg.asset(deps=["scores"])
def report() -> None:
    """A user's asset below the candidates."""


OWN = ("before", "report")
REPOSITORY = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("project"), "repository")


def with_own_jobs(project: SpecProject) -> SpecProject:
    """Put jobs of the user's own, whole or with assets of the user's own, beside the search."""
    everything = dg.AssetSelection.assets(*SOURCES, *CANDIDATES, "selection", *OWN)
    schedule = dg.ScheduleDefinition(
        name="nightly", cron_schedule="@daily", target=dg.AssetSelection.assets(*CANDIDATES)
    )
    jobs = [
        dg.define_asset_job("all", dg.AssetSelection.assets(*SOURCES, *CANDIDATES)),
        dg.define_asset_job("everything", everything),
        dg.define_asset_job("own", dg.AssetSelection.assets(*OWN)),
    ]
    yours = dg.Definitions(assets=[before, report], jobs=jobs, schedules=[schedule])
    project.defs = dg.Definitions.merge(build_search(project.spec), yours)
    return project


def create(
    project: SpecProject,
    job: str,
    selected: Sequence[str] = (),
    status: dg.DagsterRunStatus = STARTED,
    tags: dict[str, str] | None = None,
) -> str:
    """Create a run of a job, whole or over a selection of its assets."""
    run = project.instance.create_run_for_job(
        project.defs.resolve_job_def(job),
        status=status,
        asset_selection=frozenset(map(project.names.asset, selected)) or None,
        tags=tags,
        remote_job_origin=RemoteJobOrigin(REPOSITORY, job),  # as each run has that can be queued
    )
    assert run.asset_selection == (frozenset(map(project.names.asset, selected)) or None)
    return run.run_id


def record(project: SpecProject, run_id: str, event: str, *steps: str) -> None:
    """Record that steps of a run have begun or ended."""
    for step in steps:
        kind = dg.DagsterEventType[event].value
        data = StepSuccessData(0.0) if event == "STEP_SUCCESS" else None
        happened = dg.DagsterEvent(kind, "job", step_key=step, event_specific_data=data)
        project.instance.report_dagster_event(happened, run_id)


LAUNCHES = pytest.mark.parametrize(
    ("job", "selected"),
    [
        ("all", ()),
        ("everything", ()),
        ("everything", ("scores", "report")),
        (ANONYMOUS, ()),
    ],
    ids=["whole", "whole with own assets", "partial", "anonymous"],
)


@pytest.fixture
def own(project: SpecProject) -> SpecProject:
    """Six candidates that nothing was done for."""
    return with_own_jobs(project)


@pytest.fixture
def drawn(tmp_path: Path, instance: dg.DagsterInstance) -> SpecProject:
    """An adaptive search with two results, whose budget leaves two more."""
    spec = bowl_spec(tmp_path, sampler=Part("random"), budget=BudgetSettings(candidates=2))
    project = SpecProject(tmp_path, instance, spec)
    succeed(draw(project))
    larger = replace(spec, budget=BudgetSettings(candidates=4))
    return with_own_jobs(SpecProject(tmp_path, instance, larger))


class TestKnown:
    @LAUNCHES
    @pytest.mark.parametrize("status", ["QUEUED", "STARTING", "STARTED", "CANCELING"])
    def test_whatever_its_status(
        self, own: SpecProject, job: str, selected: Sequence[str], status: str
    ) -> None:
        run_id = create(own, job, selected, dg.DagsterRunStatus(status))
        assert runs_at_work(own.study()) == [run_id]

    @pytest.mark.parametrize(
        ("job", "selected"),
        [("own", ()), ("everything", OWN), ("everything", ("raw_data", "selection"))],
    )
    def test_not_one_over_other_assets(
        self, own: SpecProject, job: str, selected: Sequence[str]
    ) -> None:
        create(own, job, selected)
        assert runs_at_work(own.study()) == []

    def test_not_a_re_execution_of_other_steps(self, own: SpecProject) -> None:
        """As from a failure, which keeps the selection of the run that failed."""
        job = own.defs.resolve_job_def("everything")
        plan = create_execution_plan(job, step_keys_to_execute=["report"])
        own.instance.create_run_for_job(job, execution_plan=plan, status=STARTED)
        assert runs_at_work(own.study()) == []

    def test_not_a_run_of_another_search(self, own: SpecProject) -> None:
        create(own, "all")
        other = replace(own.spec, name="other", partitions="other_candidates")
        assert runs_at_work(SpecProject(own.root, own.instance, other).study()) == []

    def test_not_once_its_work_on_the_search_has_ended(self, own: SpecProject) -> None:
        """The job may make assets of the user's own for hours."""
        run_id = create(own, "everything")
        steps = ("raw_data", "split", "parameters", "candidates")
        record(own, run_id, "STEP_START", *steps)
        record(own, run_id, "STEP_SUCCESS", *steps)
        assert runs_at_work(own.study()) == [run_id], "it is to select"
        record(own, run_id, "STEP_SUCCESS", "selection")
        assert runs_at_work(own.study()) == []

    def test_its_plan_is_read_once(self, own: SpecProject) -> None:
        create(own, "everything", status=dg.DagsterRunStatus.QUEUED)
        create(own, "everything", status=dg.DagsterRunStatus.QUEUED)
        follower = Follower(own, "parameter_files_sensor")
        follower.look()
        with counted_statements() as sent:
            follower.look()
        assert not any("FROM snapshots" in statement for statement in sent)
        with counted_statements() as alone:
            runs_at_work(own.study())
        assert len(alone) == 1


class TestRequests:
    @LAUNCHES
    def test_no_draw_beside_it(self, drawn: SpecProject, job: str, selected: Sequence[str]) -> None:
        run_id = create(drawn, job, selected)
        assert draw_again(drawn.study(), "") == ([], "")
        run = drawn.instance.get_run_by_id(run_id)
        assert run is not None
        drawn.instance.report_run_failed(run)
        assert len(draw_again(drawn.study(), "")[0]) == 1

    def test_no_draw_after_it_was_cancelled(self, drawn: SpecProject) -> None:
        run = drawn.instance.get_run_by_id(create(drawn, "all"))
        assert run is not None
        drawn.instance.report_run_canceled(run)
        requests, cursor = draw_again(drawn.study(), "")
        assert requests == []
        assert cursor.endswith(run.run_id)
        drawn.instance.add_run_tags(run.run_id, {INTERRUPTED: "true"})
        assert len(draw_again(drawn.study(), "")[0]) == 1

    @LAUNCHES
    def test_none_again_beside_it(
        self, own: SpecProject, job: str, selected: Sequence[str]
    ) -> None:
        self.leave(own)
        assert len(requests_again(own.study(), "")[0]) == 1
        create(own, job, selected)
        assert requests_again(own.study(), "") == ([], "")

    def test_with_the_sources_that_a_whole_job_has_not_made(self, own: SpecProject) -> None:
        self.leave(own)
        (request,), _ = requests_again(own.study(), "")
        assert assets_of(request) == [*SOURCES, *CANDIDATES]
        succeed(own.run("raw_data"))
        (request,), _ = requests_again(own.study(), "")
        assert assets_of(request) == ["split", "parameters", *CANDIDATES]

    def leave(self, project: SpecProject) -> None:
        """A run of a whole job over a range, whose process ended with nothing done."""
        project.instance.add_dynamic_partitions("c_gamma", list(KEYS))
        run = project.instance.get_run_by_id(create(project, "all", tags=range_tags(KEYS)))
        assert run is not None
        for key in KEYS:
            planned = AssetMaterializationPlannedData(project.names.asset("scores"), partition=key)
            project.instance.report_dagster_event(
                dg.DagsterEvent.build_asset_materialization_planned_event(
                    "all", "candidates", planned
                ),
                run.run_id,
            )
        project.instance.report_run_failed(run)


class TestSelections:
    @LAUNCHES
    @pytest.mark.parametrize("why", ["chooses otherwise", "was left", "wiped"])
    def test_none_beside_it(
        self, searched: SpecProject, job: str, selected: Sequence[str], why: str
    ) -> None:
        project = with_own_jobs(searched)
        if why == "was left":
            left = project.instance.get_run_by_id(create(project, "select", ("selection",)))
            assert left is not None
            project.instance.report_run_failed(left)
        if why == "wiped":
            project.instance.wipe_assets([project.names.asset("selection")])
        select: Callable[..., tuple[list[dg.RunRequest], str | None]] = (
            select_what_was_left if why == "was left" else select_again
        )
        if why == "chooses otherwise":
            project.spec = replace(project.spec, rule="one_standard_error")
        study = project.study()
        assert len(select(study, "1")[0]) == 1
        create(project, job, selected)
        assert select(study, "1")[0] == []


class TestReset:
    @LAUNCHES
    def test_it_is_refused(
        self,
        drawn: SpecProject,
        monkeypatch: pytest.MonkeyPatch,
        job: str,
        selected: Sequence[str],
    ) -> None:
        def open_study(*_: object) -> AbstractContextManager[Study]:
            return nullcontext(drawn.study())

        monkeypatch.setattr(reset, "open_study", open_study)
        monkeypatch.setattr(reset, "turn", open_study)
        run_id = create(drawn, job, selected)
        with pytest.raises(InputError, match=f"^run {run_id[:8]} works on this search; wait "):
            reset.reset_search(search=None, data=None, artifacts=None, is_sure=True, as_json=False)
        assert len(drawn.registered()) == 2

    def test_a_selection_after_it_says_what_to_do(self, drawn: SpecProject) -> None:
        delete_proposals(drawn.study())
        assert failure_text(drawn.run("selection")) == (
            "no candidate is registered that can be chosen; launch the job search first"
        )


class TestTurns:
    def note_waits(self, monkeypatch: pytest.MonkeyPatch, end: Callable[[], None]) -> list[float]:
        """Note the seconds that runs wait; each wait ends by a call."""
        waits: list[float] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            end()

        monkeypatch.setattr(overlaps, "time", SimpleNamespace(sleep=wait))
        return waits

    @LAUNCHES
    @pytest.mark.parametrize("tags", [{}, range_tags(KEYS[3:])], ids=["all", "range"])
    def test_a_run_waits_until_it_is_done_with_candidates(
        self,
        own: SpecProject,
        monkeypatch: pytest.MonkeyPatch,
        job: str,
        selected: Sequence[str],
        tags: dict[str, str],
    ) -> None:
        own.materialize_sources()
        run_id = create(own, job, selected, tags=tags)
        record(own, run_id, "STEP_START", "candidates")

        def end() -> None:
            record(own, run_id, "STEP_SUCCESS", "candidates")

        waits = self.note_waits(monkeypatch, end)
        succeed(own.run(*CANDIDATES, keys=KEYS[:3]))
        assert len(waits) == (0 if tags else 1)
        succeed(own.run(*CANDIDATES, keys=KEYS[2:4]))
        assert waits == [1.0]
        run = own.instance.get_run_by_id(run_id)
        assert run is not None
        assert run.status is STARTED

    def test_no_run_waits_for_one_that_is_at_other_assets(
        self, own: SpecProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It takes its turn when it begins with candidates."""
        own.materialize_sources()
        run_id = create(own, "everything")
        record(own, run_id, "STEP_START", "before")
        other = create(own, "own")
        record(own, other, "STEP_START", "before", "report")

        def end() -> None:
            raise AssertionError

        waits = self.note_waits(monkeypatch, end)
        succeed(own.run(*CANDIDATES))
        assert waits == []

    @pytest.mark.parametrize("begun", [True, False])
    def test_only_one_at_candidates_is_given_up_without_a_sign(
        self, own: SpecProject, *, begun: bool
    ) -> None:
        """An asset of the user's own may run for hours, and shows none."""
        run_id = create(own, "everything")
        record(own, run_id, "STEP_START", "candidates" if begun else "before")
        clock = [0.0]
        watch = Watch(lambda: clock[0])
        released: list[turns.Released] = []
        for clock[0] in range(0, int(UNMARKED_SECONDS) + 10, 10):
            waited_for = runs_with_signs(own.study())
            released += release_dead_runs(own.instance, "search", watch, waited_for)
        assert [one.run_id for one in released] == ([run_id] if begun else [])
