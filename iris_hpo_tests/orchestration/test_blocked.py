"""A check of the search that blocks what is below its asset; sensors request nothing past it."""

from dataclasses import replace

import pytest

from iris_hpo_tests.orchestration.following import Follower, assets_of
from iris_hpo_tests.projects import SpecProject

CHECK = "classes_are_large_enough"
SENSORS = ("parameter_files_sensor", "raw_data_sensor")


@pytest.fixture
def blocking(project: SpecProject) -> SpecProject:
    """A search that is blocked by a class of four rows."""
    project.spec = replace(project.spec, blocking_checks=(CHECK,))
    return project


def spoil(project: SpecProject) -> str:
    """Leave few rows of a class; give the content from before."""
    content = project.data_file.read_text()
    project.data_file.write_text("".join(content.splitlines(keepends=True)[:104]))
    return content


def follow(project: SpecProject, times: int = 6) -> list[Follower]:
    followers = [Follower(project, sensor) for sensor in SENSORS]
    for _ in range(times):
        for follower in followers:
            follower.tick()
    return followers


def test_sensors_ask_for_a_blocked_search_once(blocking: SpecProject) -> None:
    spoil(blocking)

    follow(blocking)

    assert len(blocking.instance.get_runs()) == 1
    assert not blocking.materializations("split")


def test_new_data_that_is_blocked_is_not_learnt_from(blocking: SpecProject) -> None:
    followers = follow(blocking)
    models = len(blocking.materializations("models"))
    spoil(blocking)
    for _ in range(6):
        for follower in followers:
            follower.tick()

    assert len(blocking.materializations("models")) == models == 6
    assert blocking.data_version("raw_data")


def test_raw_data_that_somebody_made_alone_is_examined_again(blocking: SpecProject) -> None:
    followers = follow(blocking)
    spoil(blocking)
    blocking.run("raw_data")

    requests = [request for follower in followers for request in follower.tick()]

    assert [assets_of(request)[0] for request in requests] == ["raw_data"]
    assert len(blocking.materializations("models")) == 6


@pytest.mark.parametrize("begun", [True, False])
def test_once_the_check_is_left_out_the_search_goes_on(
    blocking: SpecProject, *, begun: bool
) -> None:
    if begun:
        follow(blocking)
    spoil(blocking)
    cursors = [follower.cursor for follower in follow(blocking)]
    spec = replace(blocking.spec, blocking_checks=())
    edited = SpecProject(blocking.root, blocking.instance, spec)
    for sensor, cursor in zip(SENSORS, cursors, strict=True):
        Follower(edited, sensor, cursor).tick()

    assert len(edited.materializations("models")) == (12 if begun else 6)


def test_once_the_data_is_right_the_search_goes_on(blocking: SpecProject) -> None:
    content = spoil(blocking)
    followers = follow(blocking)
    blocking.data_file.write_text(content)
    for _ in range(3):
        for follower in followers:
            follower.tick()

    assert len(blocking.materializations("models")) == 6
