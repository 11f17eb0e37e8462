"""A search's description is edited, and the code location loads it again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import dagster as dg
import pytest

from iris_hpo.data.columns import Layout
from iris_hpo.orchestration.source_status import Settings
from iris_hpo.spec import SearchSpec
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo_tests.orchestration.following import Follower, assets_of, ends_of
from iris_hpo_tests.projects import KEYS, SpecProject

SENSOR: Final = "parameter_files_sensor"
EVERYTHING: Final = ["raw_data", "split", "parameters", "models", "scores"]

EDITS: Final[dict[str, Callable[[SearchSpec], SearchSpec]]] = {
    "settings": lambda spec: replace(spec, steps=(Step("sklearn.svm.SVC", {"tol": 0.01}),)),
    "choice": lambda spec: replace(
        spec, choices=(replace(spec.choices[0], default="linear"), *spec.choices[1:])
    ),
    "scoring": lambda spec: replace(spec, scoring="f1_macro"),
    "axis": lambda spec: replace(
        spec, axes=(replace(spec.axes[0], parameter="tol"), *spec.axes[1:])
    ),
    "folds": lambda spec: replace(spec, split=replace(spec.split, folds=3)),
    "seed": lambda spec: replace(spec, split=replace(spec.split, seed=7)),
    "header": lambda spec: replace(spec, layout=Layout(target=-1, header="yes")),
}


@pytest.fixture
def followed(project: SpecProject) -> Follower:
    """The sensor of a search that is up to date."""
    follower = Follower(project.search(), SENSOR)
    assert follower.tick() == []
    return follower


def loaded_again(followed: Follower, spec: SearchSpec) -> Follower:
    """The sensor, with its cursor, of a code location that has loaded another description."""
    project = followed.project
    return Follower(SpecProject(project.root, project.instance, spec), SENSOR, followed.cursor)


@pytest.mark.parametrize("edit", EDITS)
def test_all_candidates_are_brought_up_to_date(followed: Follower, edit: str) -> None:
    edited = loaded_again(followed, EDITS[edit](followed.project.spec))

    (request,) = edited.tick()

    assert assets_of(request) == EVERYTHING
    assert ends_of(request) == (KEYS[0], KEYS[-1])
    spec = edited.project.spec
    own = Settings(spec.split, {choice.name: choice.default_text for choice in spec.choices})
    status = edited.project.plan(own).status
    assert {*status.models.values(), *status.scores.values()} == {"up to date"}
    assert edited.tick() == []


def test_another_version_of_a_package_is_followed(
    followed: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recipe, "package_versions", lambda _: {"scikit-learn": "of tomorrow"})

    (request,) = followed.tick()

    assert ends_of(request) == (KEYS[0], KEYS[-1])
    assert followed.project.model_card(KEYS[0]).versions["scikit-learn"] == "of tomorrow"
    assert followed.tick() == []


def test_a_candidate_that_failed_is_not_tried_again(project: SpecProject) -> None:
    follower = Follower(project.search(), SENSOR)
    follower.tick()
    edited = loaded_again(follower, EDITS["settings"](project.spec))
    project.model_file(KEYS[0]).unlink()
    project.occupy(KEYS[0])
    assert edited.project.launch().failures.keys() == {KEYS[0]}

    assert edited.tick() == []


def test_what_a_command_has_done_since_is_not_done_again(followed: Follower) -> None:
    edited = loaded_again(followed, EDITS["settings"](followed.project.spec))
    edited.project.launch()

    assert edited.tick() == []


def test_what_a_run_has_changed_stands(followed: Follower) -> None:
    edited = loaded_again(followed, EDITS["settings"](followed.project.spec))
    edited.project.launch(edited.project.settings(kernel="linear", folds=4))

    assert edited.tick() == []


@pytest.mark.parametrize("cursor", [None, '{"digest": "of an earlier version"}'])
def test_without_such_a_cursor_the_record_decides(followed: Follower, cursor: str | None) -> None:
    edited = loaded_again(followed, EDITS["seed"](followed.project.spec))
    edited.cursor = cursor

    assert len(edited.tick()) == (cursor is None)


def test_another_rule_requests_a_selection_alone(followed: Follower) -> None:
    edited = loaded_again(followed, replace(followed.project.spec, rule="cv"))

    (request,) = edited.look().run_requests

    assert request.job_name == "select"


@pytest.mark.parametrize("at_work", [True, False])
def test_one_that_has_not_begun_is_requested_unless_a_run_is_at_work(
    project: SpecProject, *, at_work: bool
) -> None:
    follower = Follower(project, SENSOR)
    follower.register(follower.look().dynamic_partitions_requests)
    if at_work:
        project.instance.create_run_for_job(
            project.defs.resolve_job_def("search"), status=dg.DagsterRunStatus.STARTED
        )
    edited = loaded_again(follower, EDITS["seed"](project.spec))

    assert len(edited.look().run_requests or ()) == (not at_work)
