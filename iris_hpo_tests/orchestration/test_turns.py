"""Who may work: signs of life, what follows from them, and how a command waits for its turn."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import AssetMaterializationPlannedData, EngineEventData

from iris_hpo.event_log.postgres_server import PostgresAwayError
from iris_hpo.interrupts import Interrupt
from iris_hpo.orchestration import own_run, signs
from iris_hpo.orchestration.build import build_search
from iris_hpo.orchestration.failures import INTERRUPTED
from iris_hpo.orchestration.outcome import Outcome
from iris_hpo.orchestration.own_run import GivenUpError, at_work, check_turn
from iris_hpo.orchestration.ranges import range_tags
from iris_hpo.orchestration.runner import Launcher
from iris_hpo.orchestration.signs import (
    PATIENCE_SECONDS,
    UNMARKED_SECONDS,
    Sign,
    Watch,
    own_sign,
    read_signs,
    why_dead,
    write_sign,
)
from iris_hpo.orchestration.turns import release_dead_runs
from iris_hpo.processes import start_of
from iris_hpo.run_settings import SelectionSettings, WorkSettings
from iris_hpo_tests.orchestration.following import Follower, assets_of, counted_statements, ends_of
from iris_hpo_tests.processes import wait_for
from iris_hpo_tests.projects import CANDIDATES, KEYS, ONE_SLOT, SpecProject, small_spec

ALIVE = own_sign(1)
ELSEWHERE = replace(ALIVE, host="another", place="another boot")
LATER = replace(ALIVE, started=str(int(ALIVE.started) + 1))
"""Its process has the id of this one, and was started before it."""


class Clock:
    """Gives the time that it was set to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ended() -> Sign:
    """The sign of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return replace(ALIVE, process=process.pid)


@pytest.fixture(scope="module")
def home_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an instance on which nothing was done."""
    home = tmp_path_factory.mktemp("home")
    with open_home(home) as instance:
        instance.get_runs()
    return home


def open_home(home: Path) -> dg.DagsterInstance:
    """An instance on disk, with pools and event log as shipped."""
    event_log = {
        "module": "iris_hpo.event_log",
        "class": "KeptSqliteEventLog",
        "config": {"dagster_home": str(home)},
    }
    return dg.DagsterInstance.local_temp(str(home), {**ONE_SLOT, "event_log_storage": event_log})


@pytest.fixture(scope="module")
def defs_once(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_search(small_spec(tmp_path_factory.mktemp("defs")))


@pytest.fixture
def project(tmp_path: Path, home_once: Path, defs_once: dg.Definitions) -> Iterator[SpecProject]:
    """Six candidates on an instance on disk, whose pools have one slot."""
    with open_home(shutil.copytree(home_once, tmp_path / "home")) as instance:
        made = SpecProject.create(tmp_path / "project", instance)
        made.defs = defs_once
        yield made


class TestProcesses:
    def test_a_living_one(self) -> None:
        assert ALIVE.lives() is True

    def test_one_that_ended(self, ended: Sign) -> None:
        assert ended.lives() is False

    def test_a_zombie(self) -> None:
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            sign = replace(ALIVE, process=process.pid, started=str(start_of(process.pid)))
            assert sign.lives() is True
            process.kill()
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            assert sign.lives() is False

    @pytest.mark.parametrize("process", [os.getpid(), 1], ids=["own", "1"])
    def test_an_id_that_another_process_has_now(self, process: int) -> None:
        assert replace(LATER, process=process).lives() is False

    @pytest.mark.parametrize(
        "change",
        [
            {"place": ALIVE.place.replace(ALIVE.host, "renamed", 1), "host": "renamed"},
            {"place": ALIVE.place.replace("pid:[", "pid:[9")},
            {"place": "another machine"},
            {"place": ""},
        ],
        ids=["host renamed", "another container", "another machine", "no Linux"],
    )
    def test_what_cannot_be_known_here(self, ended: Sign, change: dict[str, str]) -> None:
        assert replace(ended, **change).lives() is None

    def test_one_that_may_not_be_looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_process: int, _signal: int) -> None:
            raise PermissionError

        monkeypatch.setattr(signs, "start_of", lambda _process: None)
        monkeypatch.setattr(os, "kill", refuse)
        assert ALIVE.lives() is None


class TestSilence:
    def test_it_grows_until_the_beat_goes_on(self) -> None:
        clock = Clock()
        watch = Watch(clock)
        found = []
        for clock.now, beat in ((0, 1), (5, 1), (12, 1), (15, 2), (20, 2)):
            found.append(watch.silence("run", replace(ELSEWHERE, beat=beat)))
        assert found == [0, 5, 12, 0, 5]

    def test_a_pause_of_the_watcher_says_little(self) -> None:
        """The watcher was suspended, or the database was away: nobody could show anything."""
        clock = Clock()
        watch = Watch(clock)
        watch.silence("run", ELSEWHERE)
        clock.now = 3600
        assert watch.silence("run", ELSEWHERE) == 15

    def test_runs_are_watched_apart(self) -> None:
        clock = Clock()
        watch = Watch(clock)
        watch.silence("one", ELSEWHERE)
        clock.now = 10
        assert watch.silence("two", ELSEWHERE) == 0
        assert watch.silence("one", ELSEWHERE) == 10


@pytest.mark.parametrize(
    ("sign", "silence", "finished", "verdict"),
    [
        (ALIVE, 1e6, False, None),
        (ALIVE, 1e6, True, None),  # cancelled, but still at work
        (LATER, 0, False, "its process has died"),
        (LATER, 0, True, "its process has died"),
        (ELSEWHERE, PATIENCE_SECONDS - 1, False, None),
        (ELSEWHERE, PATIENCE_SECONDS, False, "no sign of life for 40 s"),
        (ELSEWHERE, PATIENCE_SECONDS, True, "no sign of life for 40 s"),
        (replace(ALIVE, beat=0), PATIENCE_SECONDS, False, None),  # between two steps
        (replace(ALIVE, beat=0), PATIENCE_SECONDS, True, "no sign of life for 40 s"),
        (replace(LATER, beat=0), PATIENCE_SECONDS, False, None),  # a process of one step
        (None, UNMARKED_SECONDS - 1, False, None),
        (None, UNMARKED_SECONDS, False, "no sign of life for 180 s"),
        (None, PATIENCE_SECONDS, True, "no sign of life for 40 s"),
    ],
)
def test_who_is_dead(
    *, sign: Sign | None, silence: float, finished: bool, verdict: str | None
) -> None:
    assert why_dead(sign, silence, finished=finished) == verdict


def test_a_takeover_takes_at_most_a_minute() -> None:
    assert PATIENCE_SECONDS + own_run.BEAT_SECONDS + 15 <= 60, (
        "Dagster looks every 15 s at the least"
    )
    assert own_run.BEAT_SECONDS * 5 < PATIENCE_SECONDS


def hold(
    project: SpecProject,
    sign: Sign | None,
    status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED,
    pool: str = "search",
) -> str:
    """A run that holds the only slot of a pool."""
    run_id = start(project, status)
    storage = project.instance.event_log_storage
    storage.set_concurrency_slots(pool, 1)
    assert storage.claim_concurrency_slot(pool, run_id, "candidates").is_claimed
    if sign:
        write_sign(project.instance, run_id, sign)
    return run_id


def start(project: SpecProject, status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED) -> str:
    """A run over candidates that shows no sign of life."""
    run = project.instance.create_run_for_job(
        project.defs.resolve_job_def("search"),
        status=status,
        asset_selection=frozenset(map(project.names.asset, CANDIDATES)),
    )
    return run.run_id


def record_process(project: SpecProject, run_id: str, process: int) -> None:
    """Record who executes a run, as Dagster's multiprocess executor does."""
    run = project.instance.get_run_by_id(run_id)
    assert run is not None
    data = EngineEventData.multiprocess(process)
    project.instance.report_engine_event("Executing steps", run, data)


def status_of(project: SpecProject, run_id: str) -> dg.DagsterRunStatus:
    run = project.instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def slots_held(project: SpecProject, pool: str = "search") -> int:
    info = project.instance.event_log_storage.get_concurrency_info(pool)
    return len(info.claimed_slots) + len(info.pending_steps)


class TestReleasing:
    @pytest.mark.parametrize(
        ("before", "after"),
        [("STARTED", "FAILURE"), ("STARTING", "FAILURE"), ("CANCELING", "CANCELED")],
    )
    def test_a_dead_run_ends_and_lets_go(
        self, project: SpecProject, ended: Sign, before: str, after: str
    ) -> None:
        run_id = hold(project, ended, dg.DagsterRunStatus(before))
        (released,) = release_dead_runs(project.instance)
        assert released.run_id == run_id
        assert released.text == (
            f"run {run_id[:8]} (process {ended.process} on {ended.host}): its process has died"
        )
        assert status_of(project, run_id) is dg.DagsterRunStatus(after)
        assert slots_held(project) == 0
        assert release_dead_runs(project.instance) == []

    def test_who_reads_that_it_failed_finds_it_failed(
        self, project: SpecProject, ended: Sign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Dagster's daemon does not try a run again that still seems to work."""
        run_id = hold(project, ended, dg.DagsterRunStatus.STARTED)
        storage, found = project.instance.event_log_storage, dict[str, dg.DagsterRunStatus]()
        store = storage.store_event

        def noting(entry: dg.EventLogEntry) -> None:
            if entry.dagster_event_type is not None:
                found[entry.dagster_event_type.value] = status_of(project, run_id)
            store(entry)

        monkeypatch.setattr(storage, "store_event", noting)
        release_dead_runs(project.instance)

        assert found["PIPELINE_FAILURE"] is dg.DagsterRunStatus.FAILURE

    def test_an_ended_run_lets_go_of_what_it_kept(self, project: SpecProject, ended: Sign) -> None:
        run_id = hold(project, ended, dg.DagsterRunStatus.FAILURE)
        assert len(release_dead_runs(project.instance)) == 1
        assert slots_held(project) == 0
        assert status_of(project, run_id) is dg.DagsterRunStatus.FAILURE

    def test_one_of_another_machine_after_its_beat_stood_still(self, project: SpecProject) -> None:
        clock = Clock()
        watch = Watch(clock)
        run_id = hold(project, ELSEWHERE)
        for clock.now in range(0, int(PATIENCE_SECONDS), 10):
            assert release_dead_runs(project.instance, watch=watch) == []
        write_sign(project.instance, run_id, replace(ELSEWHERE, beat=2))
        for clock.now in range(int(PATIENCE_SECONDS), 2 * int(PATIENCE_SECONDS), 10):
            assert release_dead_runs(project.instance, watch=watch) == []
        clock.now += 10
        assert [one.run_id for one in release_dead_runs(project.instance, watch=watch)] == [run_id]

    def test_one_without_a_sign_only_in_the_pool_of_the_search(self, project: SpecProject) -> None:
        """Such as one of an earlier version; a user's own runs show none either."""
        clock = Clock()
        watch = Watch(clock)
        ours, theirs = hold(project, None), hold(project, None, pool="database")
        found: list[str] = []
        for clock.now in range(0, int(UNMARKED_SECONDS) + 10, 10):
            released = release_dead_runs(project.instance, "search", watch)
            found += [one.run_id for one in released]
            found += [one.run_id for one in release_dead_runs(project.instance, None, watch)]
        assert found == [ours]
        assert slots_held(project, "database") == 2, "its claim, and its place in the queue"
        assert status_of(project, theirs) is dg.DagsterRunStatus.STARTED

    @pytest.mark.parametrize(
        ("launcher", "patience"), [("ended", PATIENCE_SECONDS), ("lives", UNMARKED_SECONDS)]
    )
    def test_one_whose_process_ended_before_its_step_worked(
        self, project: SpecProject, ended: Sign, launcher: str, patience: float
    ) -> None:
        """Such as `dagster asset materialize`, whose steps are processes of their own."""
        clock = Clock()
        watch = Watch(clock)
        run_id = hold(project, None)
        record_process(project, run_id, ended.process if launcher == "ended" else os.getpid())
        for clock.now in range(0, int(patience), 10):
            assert release_dead_runs(project.instance, "search", watch) == []
        clock.now += 10
        (released,) = release_dead_runs(project.instance, "search", watch)
        assert released.text == f"run {run_id[:8]}: no sign of life for {patience:.0f} s"
        assert slots_held(project) == 0

    @pytest.mark.parametrize("status", ["STARTED", "FAILURE"])
    def test_one_whose_process_ended_after_its_work(
        self, project: SpecProject, ended: Sign, status: str
    ) -> None:
        """Such as a command that could not store the end of its run."""
        run_id = hold(project, replace(ended, beat=0), dg.DagsterRunStatus(status))
        record_process(project, run_id, ended.process)
        (released,) = release_dead_runs(project.instance)
        assert released.text.endswith("its process has died")
        assert status_of(project, run_id) is dg.DagsterRunStatus.FAILURE
        assert slots_held(project) == 0

    def test_one_between_two_steps_lives_while_the_process_that_starts_them_does(
        self, project: SpecProject, ended: Sign
    ) -> None:
        run_id = hold(project, replace(ended, beat=0))
        record_process(project, run_id, os.getpid())
        assert release_dead_runs(project.instance) == []
        record_process(project, run_id, ended.process)
        assert len(release_dead_runs(project.instance)) == 1

    def test_one_that_waits_for_a_slot_is_left_alone(
        self, project: SpecProject, ended: Sign
    ) -> None:
        """It shows no sign until its step begins; its process may be of another machine."""
        clock = Clock()
        watch = Watch(clock)
        hold(project, ALIVE)
        waiting = start(project)
        claim = project.instance.event_log_storage.claim_concurrency_slot
        assert not claim("search", waiting, "candidates").is_claimed
        record_process(project, waiting, ended.process)
        for clock.now in range(0, 2 * int(UNMARKED_SECONDS), 10):
            assert release_dead_runs(project.instance, "search", watch, [waiting]) == []

    @pytest.mark.parametrize("status", ["STARTED", "STARTING"])
    def test_one_that_is_waited_for_and_holds_nothing(
        self, project: SpecProject, status: str
    ) -> None:
        """Dagster itself gives up one that does not start."""
        clock = Clock()
        watch = Watch(clock)
        run_id = start(project, dg.DagsterRunStatus(status))
        for clock.now in range(0, int(UNMARKED_SECONDS), 10):
            assert release_dead_runs(project.instance, "search", watch, [run_id]) == []
        clock.now += 10
        released = release_dead_runs(project.instance, "search", watch, [run_id])
        assert [one.run_id for one in released] == ([run_id] if status == "STARTED" else [])

    def test_the_living_are_left_alone(self, project: SpecProject) -> None:
        run_id = hold(project, ALIVE)
        assert release_dead_runs(project.instance, "search") == []
        assert status_of(project, run_id) is dg.DagsterRunStatus.STARTED
        assert slots_held(project) == 2


class TestWorking:
    def test_every_run_shows_signs_while_it_works(
        self, project: SpecProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever has launched it: the resource does it."""
        monkeypatch.setattr(own_run, "BEAT_SECONDS", 0.01)
        seen: set[Sign] = set()
        written = own_run.write_sign

        def write(instance: dg.DagsterInstance, run_id: str, sign: Sign) -> None:
            seen.add(sign)
            written(instance, run_id, sign)

        monkeypatch.setattr(own_run, "write_sign", write)
        result = project.run("raw_data")
        assert result.success
        assert {replace(ALIVE, beat=beat) for beat in (0, 1, 2)} <= seen
        assert read_signs(project.instance, [result.run_id]) == {
            result.run_id: replace(ALIVE, beat=0)
        }

    @pytest.mark.parametrize("error", [PostgresAwayError("away"), OSError(24, "Too many open")])
    def test_its_beat_outlives_a_database_that_stays_away(
        self, project: SpecProject, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        monkeypatch.setattr(own_run, "BEAT_SECONDS", 0.01)
        written, refused = own_run.write_sign, list[int]()

        def write(instance: dg.DagsterInstance, run_id: str, sign: Sign) -> None:
            if sign.beat == 2:
                refused.append(sign.beat)
                raise error
            written(instance, run_id, sign)

        monkeypatch.setattr(own_run, "write_sign", write)
        run_id = hold(project, None)
        with at_work(project.instance, run_id):
            wait_for(
                "next beat", lambda: read_signs(project.instance, [run_id])[run_id].beat > 2, 30
            )
        assert refused

    def test_a_run_that_was_ended_from_outside_works_no_further(
        self, project: SpecProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(own_run, "BEAT_SECONDS", 0.01)
        run_id = hold(project, None)
        with at_work(project.instance, run_id):
            check_turn(run_id)
            run = project.instance.get_run_by_id(run_id)
            assert run is not None
            project.instance.report_run_failed(run)
            wait_for("notice", lambda: own_run._own[run_id].is_over, 30)
            with pytest.raises(GivenUpError, match="ended from outside"):
                check_turn(run_id)

    def test_it_releases_the_dead_while_it_waits(
        self, project: SpecProject, ended: Sign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also a run that no command and no sensor watches, such as of `dagster asset`."""
        monkeypatch.setattr(own_run, "BEAT_SECONDS", 0.2)
        dead = hold(project, ended)
        assert project.run("raw_data").success
        assert status_of(project, dead) is dg.DagsterRunStatus.FAILURE


class TestTick:
    """With `dagster dev` alone, the sensor releases: nobody else may be at work."""

    @pytest.mark.parametrize("readable", [True, False], ids=["files", "no files"])
    def test_it_releases_the_dead(
        self, project: SpecProject, ended: Sign, *, readable: bool
    ) -> None:
        run_id = hold(project, ended)
        follower = Follower(project, "parameter_files_sensor")
        if readable:
            assert follower.look().run_requests
        else:
            project.parameters.rename(project.root / "elsewhere")
            assert "cannot be read" in follower.refused()
        assert status_of(project, run_id) is dg.DagsterRunStatus.FAILURE
        assert slots_held(project) == 0

    def test_it_leaves_the_living_alone_and_stays_cheap(self, project: SpecProject) -> None:
        run_id = hold(project, ALIVE)
        with counted_statements() as sent:
            assert release_dead_runs(project.instance, "search") == []
        assert len(sent) <= 6
        Follower(project, "parameter_files_sensor").look()
        assert status_of(project, run_id) is dg.DagsterRunStatus.STARTED
        assert slots_held(project) == 2


class TestAskedAgain:
    """What runs left whose process ended."""

    @pytest.fixture
    def follower(self, project: SpecProject) -> Follower:
        follower = Follower(project, "parameter_files_sensor")
        follower.register(follower.look().dynamic_partitions_requests)
        return follower

    def attempt(
        self, project: SpecProject, sign: Sign, *sources: str, keys: Sequence[str] = KEYS
    ) -> str:
        run = project.instance.create_run_for_job(
            project.defs.resolve_job_def("search"),
            status=dg.DagsterRunStatus.STARTED,
            asset_selection=frozenset(map(project.names.asset, [*sources, *CANDIDATES])),
            tags=range_tags(keys),
        )
        for key in keys:
            planned = AssetMaterializationPlannedData(project.names.asset("scores"), partition=key)
            event = dg.DagsterEvent.build_asset_materialization_planned_event(
                "search", "candidates", planned
            )
            project.instance.report_dagster_event(event, run.run_id)
        write_sign(project.instance, run.run_id, sign)
        return run.run_id

    def test_three_times_without_progress(
        self, project: SpecProject, follower: Follower, ended: Sign
    ) -> None:
        keys: set[str | None] = set()
        for _ in range(3):
            self.attempt(project, ended)
            (request,) = follower.look().run_requests
            assert ends_of(request) == (KEYS[0], KEYS[-1])
            keys.add(request.run_key)
        assert len(keys) == 3
        self.attempt(project, ended)
        assert not follower.look().run_requests
        assert not follower.look().run_requests

    def test_in_one_run_with_finished_candidates_between(
        self, project: SpecProject, follower: Follower, ended: Sign
    ) -> None:
        self.attempt(project, ended, keys=KEYS[:1])
        self.attempt(project, ended, keys=KEYS[4:5])
        (request,) = follower.look().run_requests
        assert ends_of(request) == (KEYS[0], KEYS[4])

    def test_with_the_sources_that_it_did_not_make(
        self, project: SpecProject, follower: Follower, ended: Sign
    ) -> None:
        assert project.run("raw_data").success
        self.attempt(project, ended, "split", "parameters")
        (request,) = follower.look().run_requests
        assert assets_of(request) == ["split", "parameters", "models", "scores"]
        assert project.run("split").success
        (request,) = follower.look().run_requests
        assert assets_of(request) == ["parameters", "models", "scores"]

    def test_one_that_was_never_launched_works_on_nothing(
        self, project: SpecProject, follower: Follower, ended: Sign
    ) -> None:
        """Its command was killed in between; nobody will launch it."""
        self.attempt(project, ended)
        start(project, dg.DagsterRunStatus.NOT_STARTED)
        assert len(follower.look().run_requests) == 1

    def test_only_when_nobody_works(
        self, project: SpecProject, follower: Follower, ended: Sign
    ) -> None:
        run_id = self.attempt(project, ALIVE)
        assert not follower.look().run_requests
        write_sign(project.instance, run_id, ended)
        assert len(follower.look().run_requests) == 1

    @pytest.mark.parametrize("interrupted", [True, False], ids=["a signal", "a person"])
    def test_who_cancelled_it(
        self, project: SpecProject, follower: Follower, *, interrupted: bool
    ) -> None:
        run_id = self.attempt(project, ALIVE)
        if interrupted:
            project.instance.add_run_tags(run_id, {INTERRUPTED: "true"})
        run = project.instance.get_run_by_id(run_id)
        assert run is not None
        project.instance.report_run_canceled(run)
        assert bool(follower.look().run_requests) is interrupted


def launch(project: SpecProject, said: list[str]) -> Outcome:
    """Search two candidates by the command's code."""
    project.write_axis("c", 8)
    launcher = Launcher(project.study(), project.note_progress, said.append)
    return launcher.bring_up_to_date(
        project.settings(folds=0), SelectionSettings("test_score"), WorkSettings(engine="serial")
    )


class TestCommand:
    def test_it_takes_over_from_the_dead_and_says_so(
        self, project: SpecProject, ended: Sign
    ) -> None:
        run_id = hold(project, ended)
        said: list[str] = []
        assert launch(project, said).counts.trained == 2
        (line,) = said
        assert line == (
            f"taking over from run {run_id[:8]} (process {ended.process} on {ended.host}): its "
            "process has died"
        )

    def test_it_says_for_whom_it_waits_until_that_one_dies(
        self, project: SpecProject, ended: Sign
    ) -> None:
        run_id = hold(project, ALIVE)
        said: list[str] = []

        def die() -> None:
            while not said:
                time.sleep(0.05)
            write_sign(project.instance, run_id, ended)

        thread = threading.Thread(target=die)
        thread.start()
        assert launch(project, said).counts.trained == 2
        thread.join()
        assert said[0] == (
            f"waiting for run {run_id[:8]} (process {ALIVE.process} on {ALIVE.host}); Ctrl-C ends "
            "the wait"
        )
        assert len(said) <= 2, "who releases it may be the run's own thread"

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_ends_the_wait_at_once(self, project: SpecProject, number: int) -> None:
        run_id = hold(project, ALIVE)
        said: list[str] = []
        handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]

        def stop() -> None:
            while not said:
                time.sleep(0.05)
            time.sleep(1)
            os.kill(os.getpid(), number)

        thread = threading.Thread(target=stop)
        thread.start()
        with pytest.raises(Interrupt):
            launch(project, said)
        thread.join()
        assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers
        assert slots_held(project) == 2, "its place in the queue is given back"
        (own,) = project.run_ids() - {run_id}
        assert status_of(project, own) is dg.DagsterRunStatus.CANCELED
        assert status_of(project, run_id) is dg.DagsterRunStatus.STARTED


@pytest.mark.slow
def test_a_killed_search_is_released_and_resumed(tmp_path: Path) -> None:
    """A process dies after two candidates, with the only slot of the pool in its hands."""
    home = tmp_path / "dagster_home"
    home.mkdir()
    script = Path(__file__).with_name("killed_search.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "project"), str(home)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 9, done.stderr

    with dg.DagsterInstance.local_temp(str(home), ONE_SLOT) as instance:
        project = SpecProject(tmp_path / "project", instance, small_spec(tmp_path / "project"))
        (run,) = instance.get_runs()
        assert run.status is dg.DagsterRunStatus.STARTED
        storage = instance.event_log_storage
        assert storage.get_concurrency_info("search").active_slot_count == 1
        trained = project.files("models")
        assert len(trained) == 4, "two models with their cards"

        assert [one.run_id for one in release_dead_runs(instance)] == [run.run_id]
        found = instance.get_run_by_id(run.run_id)
        assert found is not None
        assert found.status is dg.DagsterRunStatus.FAILURE
        assert storage.get_concurrency_info("search").active_slot_count == 0

        outcome = project.launch()
        assert (outcome.counts.trained, outcome.counts.reused) == (4, 2)
        assert project.files("models").items() >= trained.items()
        assert project.partition_status("scores")["failed"] == set()
        assert len(project.leaderboard()) == 6
