"""Slices: the setting, what Dagster and the sensors make of it, and turns of runs that overlap."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest

from iris_hpo.errors import InputError
from iris_hpo.iris import iris_search
from iris_hpo.orchestration import overlaps
from iris_hpo.orchestration.build import build_search
from iris_hpo.orchestration.ranges import candidates_per_run, cut
from iris_hpo.orchestration.runner import Launcher
from iris_hpo.run_settings import SelectionSettings, WorkSettings
from iris_hpo_tests.orchestration.following import Follower, assets_of, ends_of
from iris_hpo_tests.projects import CANDIDATES, KEYS, SpecProject, succeed

VARIABLE = "IRIS_HPO_CANDIDATES_PER_RUN"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[SpecProject]:
    """Six candidates, nothing run, on an instance on disk, as several runs use it."""
    home = tmp_path / "home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        yield SpecProject.create(tmp_path / "project", instance)


@pytest.mark.parametrize("wrong", ["0", "-1", "ten", "1.5", "\N{SUPERSCRIPT TWO}"])
def test_a_setting_that_is_no_number_of_candidates_is_refused(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, wrong)
    with pytest.raises(InputError) as refusal:
        build_search(iris_search())
    assert str(refusal.value) == (
        f"{VARIABLE} {wrong!r} must be a whole number above 0, or not be set"
    )


@pytest.mark.parametrize(("given", "size"), [(None, None), ("", None), (" 10 ", 10), ("1", 1)])
def test_the_setting_becomes_the_backfill_policy(
    given: str | None, size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if given is None:
        monkeypatch.delenv(VARIABLE, raising=False)
    else:
        monkeypatch.setenv(VARIABLE, given)
    assert candidates_per_run() == size
    graph = build_search(iris_search()).resolve_asset_graph()
    for asset in CANDIDATES:
        policy = graph.get(dg.AssetKey(asset)).backfill_policy
        assert policy is not None
        assert policy.max_partitions_per_run == size


def test_ranges_are_cut_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    ranges = [tuple("abcde"), tuple("f"), tuple("ghij")]
    monkeypatch.delenv(VARIABLE, raising=False)
    assert cut(ranges) == ranges
    monkeypatch.setenv(VARIABLE, "2")
    assert cut(ranges) == [*map(tuple, ("ab", "cd", "e", "f", "gh", "ij"))]


def test_the_sensors_ask_for_slices(project: SpecProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "4")
    wanted = [(KEYS[0], KEYS[3]), (KEYS[4], KEYS[5])]

    tick = Follower(project, "parameter_files_sensor").look()
    assert [ends_of(request) for request in tick.run_requests] == wanted
    assert len({request.run_key for request in tick.run_requests}) == 2

    project.search()
    data = Follower(project, "raw_data_sensor")
    assert not data.look().run_requests
    project.change_data()
    requests = data.look().run_requests
    assert [ends_of(request) for request in requests] == wanted
    for request in requests:  # each can be the first
        assert assets_of(request) == ["raw_data", "split", "models", "scores"]


def test_a_run_waits_for_an_earlier_one_over_the_same_candidates(
    project: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.materialize_sources()
    earlier = _started_run(project, KEYS[:3])
    waits: list[float] = []

    def wait(seconds: float) -> None:
        """Meanwhile the earlier run ends."""
        waits.append(seconds)
        assert _says_that_it_waits(project, earlier)
        project.instance.report_run_failed(project.instance.get_run_by_id(earlier), "killed")

    monkeypatch.setattr(overlaps, "time", SimpleNamespace(sleep=wait))
    succeed(project.run(*CANDIDATES, keys=KEYS[3:]))
    assert waits == [], "it shares none"

    succeed(project.run(*CANDIDATES, keys=KEYS[2:4]))

    assert waits == [1.0]


def test_a_command_that_waits_says_for_which_run(
    project: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.materialize_sources()
    earlier = _started_run(project, KEYS)

    def wait(_: float) -> None:
        project.instance.report_run_failed(project.instance.get_run_by_id(earlier), "killed")

    monkeypatch.setattr(overlaps, "time", SimpleNamespace(sleep=wait))
    lines: list[str] = []
    launcher = Launcher(project.study(), project.note_progress, lines.append)
    launcher.bring_up_to_date(
        project.settings(), SelectionSettings("test_score"), WorkSettings(engine="serial")
    )
    (line,) = lines
    assert re.fullmatch(
        rf"waiting for run {earlier[:8]} \(since \d\d:\d\d:\d\d\) over the same candidates; "
        "Ctrl-C ends the wait",
        line,
    )


def _started_run(project: SpecProject, keys: tuple[str, ...]) -> str:
    """A run over a range that some other process works on."""
    job = project.defs.resolve_job_def("search")
    run = project.instance.create_run_for_job(
        job,
        asset_selection=frozenset(map(project.names.asset, CANDIDATES)),
        tags={
            "dagster/asset_partition_range_start": keys[0],
            "dagster/asset_partition_range_end": keys[-1],
        },
    )
    for event, step in (("RUN_START", None), ("STEP_START", "candidates")):
        begun = dg.DagsterEvent(dg.DagsterEventType[event].value, job.name, step_key=step)
        project.instance.report_dagster_event(begun, run_id=run.run_id)
    return run.run_id


def _says_that_it_waits(project: SpecProject, earlier: str) -> bool:
    message = re.compile(rf"waiting for run {earlier[:8]}.* over the same candidates")
    return any(
        message.fullmatch(log.user_message)
        for run in project.instance.get_runs()
        for log in project.instance.all_logs(run.run_id)
    )
