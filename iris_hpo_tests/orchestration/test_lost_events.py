"""Sensors request again what a run has done that is recorded no more, or could not be stored."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from iris_hpo.orchestration.record import latest
from iris_hpo.orchestration.recorder import Recorder
from iris_hpo.orchestration.run_requests import MOST_TIMES
from iris_hpo.training.trial import TrialResult
from iris_hpo_tests.orchestration.following import Follower, ends_of
from iris_hpo_tests.projects import KEYS, SpecProject


@pytest.fixture
def follower(project: SpecProject) -> Follower:
    return Follower(project, "parameter_files_sensor")


def done(project: SpecProject) -> set[str]:
    return project.partition_status("scores")["materialized"]


def lose_events(project: SpecProject, asset: str, *, kept: int) -> None:
    """Lose an asset's events from one on, as a power cut does; the runs are in another database."""
    of_asset = (
        "SELECT id FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION' "
        f"AND asset_key LIKE '%{asset}%' ORDER BY id LIMIT 1 OFFSET {kept}"
    )
    with project.instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
        connection.execute(sa.text(f"DELETE FROM event_logs WHERE id >= ({of_asset})"))


def lose_runs(project: SpecProject) -> None:
    """Lose the list of runs, a database of its own, as one that was damaged and moved away."""
    with project.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.execute(sa.text("DELETE FROM run_tags"))
        connection.execute(sa.text("DELETE FROM runs"))


@pytest.mark.parametrize("is_run_lost", [False, True], ids=["events", "events-and-run"])
def test_scores_whose_events_were_lost_are_requested_again(
    follower: Follower, *, is_run_lost: bool
) -> None:
    project = follower.project
    follower.tick()
    assert not follower.tick()
    lose_events(project, "scores", kept=2)
    if is_run_lost:
        lose_runs(project)
    left = [key for key in KEYS if key not in done(project)]
    assert len(left) == len(KEYS) - 2

    (request,) = follower.tick()
    assert ends_of(request) == (left[0], left[-1])
    assert done(project) == set(KEYS)
    assert not follower.tick()


def test_a_selection_whose_event_was_lost_is_requested_again(follower: Follower) -> None:
    project = follower.project
    follower.tick()
    assert project.run("selection").success
    assert not follower.tick()
    lose_events(project, "selection", kept=0)

    (request,) = follower.tick()
    assert request.job_name == "select"
    assert not follower.tick()


@contextmanager
def going_back(project: SpecProject) -> Iterator[None]:
    """Put the event log back as it was before the block, as from a copy; sensors go on."""
    storage: Any = project.instance.event_log_storage
    with closing(sqlite3.connect(":memory:")) as copy:
        with storage.index_connection() as connection:
            connection.connection.driver_connection.backup(copy)
        yield
        with storage.index_connection() as connection:
            copy.backup(connection.connection.driver_connection)


def test_values_that_are_missing_in_an_older_event_log_are_requested_again(
    follower: Follower,
) -> None:
    project = follower.project
    follower.tick()
    project.write_axis("c", 0.5, 8, 128, 2048)
    with going_back(project):
        assert follower.tick()
    assert len(project.registered()) == len(KEYS)

    assert follower.tick()
    assert len(done(project)) == 8
    assert not follower.tick()


def test_scores_that_nobody_is_to_make_are_counted(follower: Follower) -> None:
    project = follower.project
    follower.tick()
    assert not follower.tick()
    project.instance.wipe_assets([project.names.asset("scores")])

    assert not follower.tick()
    missing = "6 candidates, nothing new; 6 candidates without a score: run the search again"
    assert follower.look().skip_message == f"{missing} (iris-hpo run)"


def test_an_older_event_log_with_other_data_is_noted(follower: Follower) -> None:
    project, data = follower.project, Follower(follower.project, "raw_data_sensor")
    follower.tick()
    assert not data.tick()
    project.change_data()
    with going_back(project):
        assert data.tick()

    missing = "the data has not changed, but raw_data has other data: run the search again"
    assert data.look().skip_message == f"{missing} (iris-hpo run)"


@pytest.mark.parametrize("is_done", [False, True], ids=["candidates", "selection"])
def test_artifacts_that_were_away_for_a_while(
    follower: Follower, monkeypatch: pytest.MonkeyPatch, *, is_done: bool
) -> None:
    """Such as a share: its run fails, and is requested again once they are back."""
    project, away = follower.project, follower.project.root / "away"
    if is_done:
        follower.tick()
        project.artifacts.rename(away)
        assert not project.run("selection").success
    else:
        record = Recorder.record

        def lose(recorder: Recorder, results: Sequence[TrialResult]) -> None:
            record(recorder, results)
            if project.artifacts.exists():
                project.artifacts.rename(away)

        with monkeypatch.context() as patch:
            patch.setattr(Recorder, "record", lose)
            follower.tick()
        assert 0 < len(done(project)) < len(KEYS)
    for _ in range(MOST_TIMES + 1):
        tick = follower.look()
        assert not tick.run_requests
        assert f"{project.artifacts} is missing: restore the folder" in tick.skip_message

    away.rename(project.artifacts)
    assert follower.tick()
    assert done(project) == set(KEYS)
    if is_done:
        assert latest(project.instance, project.names.asset("selection"))
