"""A search in Python is edited while a code location has it loaded."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from iris_hpo.orchestration import claims
from iris_hpo.orchestration.deciding import deciding_digests
from iris_hpo.parts import Part
from iris_hpo.run_settings import BudgetSettings
from iris_hpo.spec import SearchSpec
from iris_hpo.training.estimators import Step
from iris_hpo_tests.orchestration.following import Follower
from iris_hpo_tests.projects import SpecProject

SENSORS: Final = ("parameter_files_sensor", "raw_data_sensor")


def listed(spec: SearchSpec, *values: float) -> SearchSpec:
    """The search with values of C in its description instead of in files."""
    c, gamma = spec.axes
    return replace(spec, axes=(replace(c, values=values), replace(gamma, values=[0.5])))


@pytest.fixture
def loaded(project: SpecProject) -> SpecProject:
    """A search that was done, as a code location has loaded it, and whose data changes then."""
    for path in project.parameters.iterdir():
        path.unlink()
    project.spec = listed(project.spec, 1, 2)
    project.search()
    project.change_data()
    return project


def edit(project: SpecProject, monkeypatch: pytest.MonkeyPatch, spec: SearchSpec) -> SpecProject:
    """The project as a process loads it a second later."""
    monkeypatch.setattr(claims, "_LOADED", claims._LOADED + 1)
    return SpecProject(project.root, project.instance, spec)


EDITS: Final[dict[str, Callable[[SearchSpec], SearchSpec]]] = {
    "values": lambda spec: listed(spec, 1, 3),
    "settings": lambda spec: replace(spec, steps=(Step("sklearn.svm.SVC", {"tol": 0.01}),)),
    "sampler": lambda spec: replace(spec, sampler=Part("random")),
    "budget": lambda spec: replace(spec, budget=BudgetSettings(candidates=3)),
    "split": lambda spec: replace(spec, split=replace(spec.split, seed=7)),
}


@pytest.mark.parametrize("change", EDITS)
def test_sensors_leave_it_alone_after_a_run_of_the_later_one(
    loaded: SpecProject, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    followers = [Follower(loaded, sensor) for sensor in SENSORS]
    with monkeypatch.context() as later:
        edit(loaded, later, EDITS[change](loaded.spec)).materialize_sources()
    registered = loaded.registered()

    for follower in followers:
        tick = follower.look()
        assert (tick.run_requests or [], tick.dynamic_partitions_requests or []) == ([], [])
        assert tick.skip_message == (
            f"a run has read another description of the search in {loaded.root} than this code "
            "location has loaded: reload the code location, in the UI or by a restart"
        )
    assert loaded.registered() == registered


def test_sensors_follow_edits_of_code_as_before(
    loaded: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run has read the first edit; sensors read code as it is on disk."""

    def with_code(text: str) -> Callable[[SearchSpec], dict[str, str]]:
        return lambda spec: {**deciding_digests(spec), "source code": text}

    with monkeypatch.context() as later:
        later.setattr(claims, "deciding_digests", with_code("edited"))
        edit(loaded, later, loaded.spec).materialize_sources()
    monkeypatch.setattr(claims, "deciding_digests", with_code("edited again"))

    assert claims.loaded_later(loaded.study()) == ""


def test_sensors_that_load_it_again_go_on(
    loaded: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = edit(loaded, monkeypatch, listed(loaded.spec, 1, 3))
    later.materialize_sources()
    later.change_data()

    tick = Follower(later, "raw_data_sensor").look()

    assert len(tick.run_requests) == 1


def test_an_edit_that_is_taken_back_needs_no_reload(
    loaded: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        edit(loaded, later, listed(loaded.spec, 1, 3)).materialize_sources()
        edit(loaded, later, loaded.spec).materialize_sources()

    tick = Follower(loaded, SENSORS[0]).look()

    assert "another description" not in (tick.skip_message or "")


def test_a_description_in_force_is_not_replaced_by_an_earlier_one(
    loaded: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        edit(loaded, later, listed(loaded.spec, 1, 3)).materialize_sources()
    for _ in range(2):
        for sensor in SENSORS:
            Follower(loaded, sensor).look()

    assert claims.loaded_later(loaded.study())
