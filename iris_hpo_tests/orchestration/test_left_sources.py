"""Sensors request again what a run has left of the assets that candidates depend on."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import dagster as dg
import pytest

from iris_hpo.orchestration.assets import parameters, raw_data, split
from iris_hpo.orchestration.plan import behind_keys
from iris_hpo.orchestration.run_requests import MOST_TIMES, sources_left
from iris_hpo.orchestration.source_status import Settings
from iris_hpo.parts import Part
from iris_hpo.run_settings import BudgetSettings
from iris_hpo.space.axes import Axis
from iris_hpo.spec import SearchSpec
from iris_hpo_tests.orchestration.following import Follower, assets_of
from iris_hpo_tests.orchestration.test_edited_description import loaded_again
from iris_hpo_tests.projects import CANDIDATES, KEYS, SOURCES, SpecProject, succeed
from iris_hpo_tests.projects.spec import small_spec

BEGINNINGS: Final = {
    "raw_data": (raw_data, "check_claim"),
    "split": (split, "check_claim"),
    "parameters": (parameters, "claim_search"),
}
"""What each asset does first."""

BUDGET: Final = 3


def adaptive(home: Path) -> SearchSpec:
    return replace(
        small_spec(home),
        axes=(
            Axis("C", "C", positive=True, low=0.5, high=128, log=True),
            Axis("gamma", "G", positive=True, low=0.01, high=1, log=True),
        ),
        sampler=Part("random"),
        budget=BudgetSettings(candidates=BUDGET),
    )


@pytest.fixture(params=["listed", "adaptive"])
def follower(
    request: pytest.FixtureRequest, tmp_path: Path, instance: dg.DagsterInstance
) -> Follower:
    spec = adaptive(tmp_path) if request.param == "adaptive" else None
    return Follower(SpecProject.create(tmp_path, instance, spec), "parameter_files_sensor")


@contextmanager
def ending_at(asset: str) -> Iterator[None]:
    """Let runs end where they begin with an asset, for what the machine lacks."""

    def end(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*BEGINNINGS[asset], end)
        yield


def finish(follower: Follower) -> list[list[str]]:
    """Evaluate ticks until one requests nothing; the assets of each request."""
    requested: list[list[str]] = []
    while requests := follower.tick():
        requested += map(assets_of, requests)
    return requested


def check_is_done(project: SpecProject, candidates: int) -> None:
    """All is made from the present data and description: a command has nothing to do."""
    study = project.study()
    own = Settings(project.spec.split, {"kernel": "rbf"})
    assert len(project.registered()) == candidates
    assert project.plan(own).is_empty
    assert (behind_keys(study), sources_left(study)) == (set(), {})


def finish_first(follower: Follower) -> int:
    """Do the whole search; give the number of its candidates."""
    finish(follower)
    succeed(follower.project.run("selection"))
    assert not finish(follower)
    return len(follower.project.registered())


@pytest.mark.parametrize("asset", SOURCES)
def test_a_first_run_that_left_an_asset(follower: Follower, asset: str) -> None:
    project = follower.project
    with ending_at(asset):
        assert follower.tick()
    assert project.study().recorded(asset) is None

    first, *_ = finish(follower)
    assert {asset, *CANDIDATES} <= {*first}
    check_is_done(project, BUDGET if project.study().sampling.is_adaptive else len(KEYS))


@pytest.mark.parametrize("more", [0, 2], ids=["", "more-candidates"])
@pytest.mark.parametrize("asset", SOURCES)
def test_a_run_after_an_edit_that_left_an_asset(follower: Follower, asset: str, more: int) -> None:
    """Nothing is drawn on the old split, where the budget has grown, too."""
    candidates = finish_first(follower)
    spec = follower.project.spec
    edited = loaded_again(
        follower,
        replace(
            spec,
            split=replace(spec.split, seed=7),
            budget=replace(spec.budget, candidates=BUDGET + more),
        ),
    )
    with ending_at(asset):
        (request,) = edited.tick()
        assert asset in assets_of(request)

    assert asset in finish(edited)[0]
    is_adaptive = edited.project.study().sampling.is_adaptive
    check_is_done(edited.project, candidates + more * is_adaptive)


def test_a_run_over_other_data_that_left_it(follower: Follower) -> None:
    candidates = finish_first(follower)
    data = Follower(follower.project, "raw_data_sensor")
    data.tick()
    follower.project.change_data()
    with ending_at("raw_data"):
        (request,) = data.tick()
        assert "raw_data" in assets_of(request)

    assert "raw_data" in finish(follower)[0]
    assert not data.tick()
    check_is_done(follower.project, candidates)


def test_a_value_that_goes_with_a_run_that_died(project: SpecProject) -> None:
    """Its run makes `parameters` alone."""
    follower = Follower(project, "parameter_files_sensor")
    finish_first(follower)
    project.write_axis("c", 0.5, 8)
    with ending_at("parameters"):
        assert assets_of(follower.tick()[0]) == ["parameters"]

    assert assets_of(follower.tick()[0]) == ["parameters"]
    assert not follower.tick()
    check_is_done(project, 4)


def test_an_asset_that_stays_left_is_requested_three_times(follower: Follower) -> None:
    with ending_at("split"):
        requests = [bool(follower.tick()) for _ in range(MOST_TIMES + 3)]
        message = follower.look().skip_message
    assert requests == [True] * (MOST_TIMES + 1) + [False] * 2
    if follower.project.study().sampling.is_adaptive:
        assert message == (
            "0 candidates, nothing new; split left by its last run: run the search again "
            "(iris-hpo run)"
        )
    else:
        assert re.fullmatch(
            "6 candidates, nothing new; split, 6 candidates left by 3 runs: see why the last one "
            r"ended \([0-9a-f-]{36}\), then run the search again \(iris-hpo run\)",
            message,
        )


def test_what_a_user_has_cancelled_is_not_requested(follower: Follower) -> None:
    with ending_at("split"):
        assert follower.tick()
    (run,) = follower.project.instance.get_runs(limit=1)
    follower.project.instance.report_run_canceled(run)

    assert not follower.tick()
    is_adaptive = follower.project.study().sampling.is_adaptive
    assert follower.look().skip_message == (
        f"{0 if is_adaptive else 6} candidates, nothing new; split left by its last run"
        f"{'' if is_adaptive else ', 6 candidates without a score'}: run the search again "
        "(iris-hpo run)"
    )


def test_values_that_come_back_while_runs_are_queued_are_requested_again(
    project: SpecProject,
) -> None:
    """The queued run is not over all of them; Dagster passes over a run key that it has seen."""
    follower = Follower(project, "parameter_files_sensor")
    finish_first(follower)
    for values in ((0.5, 8, 128, 2048), (0.5, 128, 2048)) * 3:
        project.write_axis("c", *values)
        tick = follower.look()
        follower.register(tick.dynamic_partitions_requests)
        keys = [str(request.run_key) for request in tick.run_requests]
        assert keys
        assert set(keys).isdisjoint(follower.launched)
        follower.launched += keys


def test_data_that_come_back_after_a_cancelled_run_are_requested_again(
    searched: SpecProject,
) -> None:
    data = Follower(searched, "raw_data_sensor")
    assert not data.tick()
    before = searched.change_data()
    after = searched.data_file.read_bytes()
    first = [str(request.run_key) for request in data.look().run_requests]
    searched.data_file.write_bytes(before)
    assert not data.look().run_requests
    searched.data_file.write_bytes(after)

    second = [str(request.run_key) for request in data.look().run_requests]

    assert (len(first), len(second)) == (1, 1)
    assert first != second


def test_results_of_another_split_are_counted(project: SpecProject) -> None:
    """Such as after a split that a user has made alone in the UI."""
    follower = Follower(project, "parameter_files_sensor")
    finish_first(follower)
    succeed(project.run("split", split={"seed": 7}))

    assert not follower.tick()
    assert follower.look().skip_message == (
        "6 candidates, nothing new; 6 candidates out of date: run the search again (iris-hpo run)"
    )
