"""What the machine lacks is no failure of a candidate: sensors request again what it left."""

import errno
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from iris_hpo.errors import InputError
from iris_hpo.orchestration import candidates_run, cut_short
from iris_hpo.orchestration.failed_candidates import failed_partitions
from iris_hpo.orchestration.home import check_settings_file
from iris_hpo.orchestration.selection_status import selection_state
from iris_hpo.run_settings import SelectionSettings
from iris_hpo.store import folder
from iris_hpo.store.digests import StoreReadError, StoreWriteError
from iris_hpo.store.folder import ArtifactStore
from iris_hpo_tests.orchestration.following import Follower
from iris_hpo_tests.permissions import without_rights_of_root
from iris_hpo_tests.projects import KEYS, SpecProject, failure_text

WHOLE = 2
"""Candidates that have room."""


class Room:
    """Room for some files of a kind."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kind: str, files: int) -> None:
        self.files = files
        write = ArtifactStore.write_together

        def write_or_refuse(store: ArtifactStore, files: Mapping[str, bytes]) -> None:
            if any(name.startswith(kind) for name in files):
                if not self.files:
                    raise StoreWriteError("the artifacts cannot be written: No space left")
                self.files -= 1
            write(store, files)

        monkeypatch.setattr(ArtifactStore, "write_together", write_or_refuse)


@pytest.fixture
def follower(prepared: SpecProject) -> Follower:
    return Follower(prepared, "parameter_files_sensor")


def done(project: SpecProject) -> set[str]:
    return project.partition_status("scores")["materialized"]


def check_nothing_failed(project: SpecProject) -> None:
    """No candidate counts as failed."""
    assert failed_partitions(project.instance, dg.AssetKey("scores")) == {}


@pytest.mark.parametrize("kind", ["models/", "scores/"])
def test_what_met_the_full_disk_is_requested_again(
    follower: Follower, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    project = follower.project
    room = Room(monkeypatch, kind, WHOLE)
    assert follower.tick()
    assert done(project) < set(KEYS)
    check_nothing_failed(project)

    room.files = len(KEYS)
    assert follower.tick()
    assert done(project) == set(KEYS)
    assert not follower.tick()


def test_a_disk_that_stays_full_is_tried_three_times(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    Room(monkeypatch, "models/", WHOLE)
    requests = [bool(follower.tick()) for _ in range(6)]
    assert requests == [True, True, True, True, False, False]
    check_nothing_failed(follower.project)
    assert re.fullmatch(
        "6 candidates, nothing new; 4 candidates left by 3 runs: see why the last one ended "
        r"\([0-9a-f-]{36}\), then run the search again \(iris-hpo run\)",
        follower.look().skip_message,
    )


def test_what_dagster_is_about_to_retry_is_left_to_it(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = follower.project.instance
    Room(monkeypatch, "models/", WHOLE)
    assert follower.tick()
    (run,) = instance.get_runs(limit=1)
    instance.add_run_tags(run.run_id, {"dagster/will_retry": "true"})
    assert not follower.look().run_requests

    instance.add_run_tags(run.run_id, {"dagster/auto_retry_run_id": "another"})
    assert follower.look().run_requests, "the retry has begun, and left the candidates too"


def test_what_dagster_has_not_retried_in_time_is_requested(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    Room(monkeypatch, "models/", WHOLE)
    assert follower.tick()
    (run,) = follower.project.instance.get_runs(limit=1)
    follower.project.instance.add_run_tags(run.run_id, {"dagster/will_retry": "true"})
    monkeypatch.setattr(cut_short, "_RETRY_SECONDS", 0)
    assert {request.job_name for request in follower.look().run_requests} == {"search"}


def test_a_disk_that_is_full_before_any_candidate_is_tried_again(
    project: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(project, "parameter_files_sensor")
    room = Room(monkeypatch, "split/", 0)
    assert follower.tick()
    assert done(project) == set()
    room.files = 10
    assert follower.tick()
    assert done(project) == set(KEYS)


def test_a_run_that_lacks_room_elsewhere_is_tried_again(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(candidates_run, "wait_for_turn", refuse)
        assert follower.tick()
    assert done(follower.project) == set()
    assert follower.tick()
    assert done(follower.project) == set(KEYS)


def test_what_cannot_be_read_for_now_does_not_pass_for_missing(
    searched: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is selected from the rest, nothing is trained again, and no candidate has failed."""
    before, read = searched.files(), folder.open_regular

    def refuse_one(path: Path, limit: int) -> Any:
        if path.name == f"{KEYS[2]}.json":
            raise OSError(errno.EMFILE, "Too many open files")
        return read(path, limit)

    monkeypatch.setattr(folder, "open_regular", refuse_one)
    for result in (searched.run("selection"), searched.materialize_candidates()):
        assert f"{KEYS[2]}.json cannot be read: Too many open files" in failure_text(result)
    assert failed_partitions(searched.instance, dg.AssetKey("scores")) == {}
    assert searched.files() == before


@pytest.mark.parametrize("place", ["selection", "selection/champion.json", "selection/models"])
def test_a_selection_that_cannot_be_read_for_now_is_named_and_not_out_of_date(
    searched: SpecProject, place: str
) -> None:
    closed = searched.artifacts / place
    mode = closed.stat().st_mode
    closed.chmod(0)
    try:
        with without_rights_of_root(), pytest.raises(StoreReadError) as refusal:
            selection_state(searched.study(), SelectionSettings("test_score"))
    finally:
        closed.chmod(mode)

    assert str(refusal.value).startswith(f"{closed} cannot be read: Permission denied")
    assert selection_state(searched.study(), SelectionSettings("test_score")) == "up to date"


def test_a_selection_is_not_made_without_the_champion_before_that_cannot_be_read(
    searched: SpecProject,
) -> None:
    """Its references and its fit on all rows would be made again, and it may be closed for good."""
    card = searched.artifacts / "selection" / "champion.json"
    card.chmod(0)
    with without_rights_of_root():
        text = failure_text(searched.run("selection"))
    card.chmod(0o644)

    assert f"{card} cannot be read: Permission denied" in text


def test_settings_of_an_instance_without_permission_are_to_be_made_readable(tmp_path: Path) -> None:
    settings = tmp_path / "dagster.yaml"
    settings.write_text("")
    settings.chmod(0)
    with without_rights_of_root(), pytest.raises(InputError) as refusal:
        check_settings_file(str(tmp_path))

    assert str(refusal.value) == (
        f"{settings} cannot be read: Permission denied; give the user of this process permission "
        "to read it"
    )
