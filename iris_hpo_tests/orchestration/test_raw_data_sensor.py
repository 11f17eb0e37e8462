"""`raw_data_sensor`: every branch, on the real sensor definition."""

import json

import dagster as dg
import pytest

from iris_hpo.orchestration import ticks
from iris_hpo_tests.orchestration.following import Follower, assets_of, ends_of
from iris_hpo_tests.projects import KEYS, SpecProject, succeed


@pytest.fixture
def following(scored: SpecProject) -> Follower:
    """On a project whose candidates are scored; the sensor knows the data."""
    follower = Follower(scored, "raw_data_sensor")
    assert skipped(follower) == "the data has not changed"
    return follower


def skipped(follower: Follower) -> str:
    """Look, demand that nothing is asked for, and give the message."""
    tick = follower.look()
    assert not tick.run_requests
    assert not tick.dynamic_partitions_requests
    return str(tick.skip_message)


def test_before_the_first_search_it_only_takes_note(project: SpecProject) -> None:
    follower = Follower(project, "raw_data_sensor")
    assert skipped(follower).startswith("the first search reads the data")
    assert skipped(follower) == "the data has not changed"


def test_the_cursor_is_small_json(following: Follower) -> None:
    assert json.loads(str(following.cursor)) == {
        "digest": following.project.data_version("raw_data"),
        "edits": "0",
    }


def test_unchanged_content_asks_for_nothing_whatever_its_time_stamp(following: Follower) -> None:
    data = following.project.data_file
    data.write_bytes(data.read_bytes())
    assert skipped(following) == "the data has not changed"


def test_new_content_asks_for_all_candidates(following: Follower) -> None:
    following.project.change_data()
    tick = following.look()
    (request,) = tick.run_requests
    assert request.job_name == "search"
    assert assets_of(request) == ["raw_data", "split", "models", "scores"]
    assert ends_of(request) == (KEYS[0], KEYS[-1])
    assert str(request.run_key).startswith(json.loads(str(following.cursor))["digest"])
    unread = "the data has not changed, but raw_data has other data: run the search again"
    assert skipped(following) == f"{unread} (iris-hpo run)", "once is enough"


def test_hand_added_candidates_follow_too(following: Follower) -> None:
    following.project.instance.add_dynamic_partitions("c_gamma", ["C1.0_G1.0"])
    following.project.change_data()
    (request,) = following.look().run_requests
    assert ends_of(request) == (KEYS[0], "C1.0_G1.0")


def test_a_range_does_not_end_with_the_empty_key(following: Follower) -> None:
    """Dagster accepts it as a partition, and takes it for none where a range ends."""
    following.project.instance.add_dynamic_partitions("c_gamma", [""])
    following.project.change_data()
    (request,) = following.look().run_requests
    assert ends_of(request) == (KEYS[0], KEYS[-1])


def test_its_run_leaves_nothing_stale(following: Follower) -> None:
    following.project.change_data()
    following.tick()
    for asset in ("models", "scores"):
        assert set(following.project.staleness(asset).values()) == {"FRESH"}
    assert {following.project.metadata("models", key)["reused"] for key in KEYS} == {False}


def test_content_that_changed_while_nobody_watched_is_noticed(scored: SpecProject) -> None:
    scored.change_data()
    assert len(Follower(scored, "raw_data_sensor").look().run_requests) == 1


def test_without_parameters_they_are_asked_for_too(project: SpecProject) -> None:
    succeed(project.run("raw_data", "split"))
    project.change_data()
    (request,) = Follower(project, "raw_data_sensor").look().run_requests
    assert assets_of(request) == ["raw_data", "split", "parameters"]
    assert ends_of(request) == (None, None)


def test_data_that_changed_before_the_first_search_was_done(project: SpecProject) -> None:
    follower = Follower(project, "raw_data_sensor")
    follower.look()
    project.change_data()
    (request,) = follower.look().run_requests
    assert assets_of(request) == ["raw_data", "split", "parameters"]


def test_broken_data_changes_nothing_until_it_is_right(following: Follower) -> None:
    project = following.project
    content, cursor = project.data_file.read_bytes(), following.cursor
    project.data_file.write_bytes(
        content.replace(b"Iris-setosa\n", b"Iris-setosa\n1,2,wide,4,x\n", 1)
    )
    for _ in range(2):
        message = f"{project.data_file}, line 2, column 3: 'wide' is not a number"
        assert message in following.refused()
        assert following.cursor == cursor

    project.data_file.write_bytes(content)
    assert skipped(following) == "the data has not changed"


def test_data_that_grows_is_left_to_the_next_tick(
    following: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cut between two rows, so that each look reads a table."""
    file, cursor = following.project.data_file, following.cursor
    content = file.read_bytes()
    lines = content.splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-2]))

    def go_on(_: float) -> None:
        file.write_bytes(b"".join(lines[:-1]))

    monkeypatch.setattr(ticks, "sleep", go_on)
    tick = following.look()
    assert not tick.run_requests
    assert "the data file is being written" in str(tick.skip_message)
    assert following.cursor == cursor

    assert len(following.look().run_requests) == 1


def test_half_written_data_is_waited_for(following: Follower) -> None:
    project = following.project
    content = project.data_file.read_bytes()
    project.data_file.write_bytes(content[:-30])  # ends within a row
    assert "columns" in following.refused()
    project.data_file.write_bytes(content + b"5,3,1.5,0.2,Iris-setosa\n")
    assert len(following.tick()) == 1
    assert project.metadata("raw_data")["dagster/row_count"] == 151


def test_a_file_that_vanishes_is_named(following: Follower) -> None:
    project = following.project
    cursor = following.cursor
    elsewhere = project.root / "elsewhere.csv"
    project.data_file.rename(elsewhere)
    assert f"{project.data_file}: the data cannot be read" in following.refused()
    assert following.cursor == cursor
    elsewhere.rename(project.data_file)
    assert skipped(following) == "the data has not changed"


def test_earlier_content_that_comes_back_is_acted_upon_each_time(following: Follower) -> None:
    """Run keys are remembered for ever: the same content must not give the same key."""
    project = following.project
    before = project.change_data()
    changed = project.data_file.read_bytes()
    for content, rows in ((changed, 149), (before, 150), (changed, 149)):
        project.data_file.write_bytes(content)
        assert len(following.tick()) == 1
        assert project.metadata("raw_data")["dagster/row_count"] == rows
    assert len(set(following.launched)) == 3
    assert set(project.staleness("scores").values()) == {"FRESH"}


@pytest.mark.parametrize("cursor", ["{not json", "[]", '"text"', "7", ""])
def test_a_cursor_that_makes_no_sense_is_none(following: Follower, cursor: str) -> None:
    good = following.cursor
    following.cursor = cursor
    assert skipped(following) == "the data has not changed", "the record knows"
    assert following.cursor == good

    following.cursor = cursor
    following.project.change_data()
    assert len(following.look().run_requests) == 1


def begin(project: SpecProject, *assets: str) -> dg.DagsterRun:
    """Make a run that is to make assets, as that of a user's own job, at work."""
    return project.instance.create_run_for_job(
        project.defs.resolve_job_def("search"),
        asset_selection=frozenset(map(project.names.asset, assets)),
        status=dg.DagsterRunStatus.STARTED,
    )


def test_a_run_that_reads_the_data_is_waited_for(following: Follower) -> None:
    project = following.project
    project.change_data()
    run = begin(project, "raw_data", "split")
    assert skipped(following) == f"waits for run {run.run_id}, which reads the data"

    project.materialize_sources()
    succeed(project.materialize_candidates())
    assert skipped(following) == "the data has not changed"


@pytest.mark.parametrize("made", [("raw_data",), ("raw_data", "split")])
def test_what_such_a_run_left_is_asked_for(following: Follower, made: tuple[str, ...]) -> None:
    following.project.change_data()
    succeed(following.project.run(*made))
    (request,) = following.tick()
    assert assets_of(request) == ["split", "models", "scores"]
    assert set(following.project.staleness("scores").values()) == {"FRESH"}
    assert skipped(following) == "the data has not changed"


def test_one_that_ended_without_reading_it_is_replaced(following: Follower) -> None:
    following.project.change_data()
    following.project.instance.report_run_failed(begin(following.project, "raw_data"))
    (request,) = following.look().run_requests
    assert assets_of(request) == ["raw_data", "split", "models", "scores"]


@pytest.mark.parametrize("is_log_lost", [False, True])
def test_a_run_that_may_do_the_first_search_is_waited_for(
    project: SpecProject, *, is_log_lost: bool
) -> None:
    follower = Follower(project, "parameter_files_sensor")
    run = begin(project, "raw_data", "split")
    if is_log_lost:
        project.instance.event_log_storage.wipe()
    assert skipped(follower) == f"waits for run {run.run_id}, which reads the data"
    project.instance.report_run_failed(run)
    (request,) = follower.look().run_requests
    assert assets_of(request) == ["raw_data", "split", "parameters", "models", "scores"]


def test_parameters_that_a_cancelled_run_has_left_are_recorded(following: Follower) -> None:
    project = following.project
    project.write_axis("c", 0.5, 8, 64)
    files = Follower(project, "parameter_files_sensor")
    files.register(files.look().dynamic_partitions_requests)
    project.change_data()

    (request,) = following.tick()

    assert assets_of(request) == ["raw_data", "split", "parameters", "models", "scores"]
    assert project.plan().is_empty
