"""Two projects with the same candidates and other settings on one instance are kept apart."""

import json
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iris_hpo.errors import InputError
from iris_hpo.orchestration.claims import check_claim, claim_keys, claim_search
from iris_hpo.parts import Part
from iris_hpo.spec import SearchSpec
from iris_hpo.training.estimators import Step
from iris_hpo_tests.projects import SpecProject, succeed

BOWL = "def bowl(C, gamma):\n    return {}\n"

CHANGES: Mapping[str, Mapping[str, Any]] = {
    "settings": {"steps": (Step("sklearn.svm.SVC", {"shrinking": False, "tol": 0.01}),)},
    "split": {"split": {"folds": 3}},
    "settings and split": {"prepare": "auto", "layout": {"missing": ["?"]}},
    "selection rule or reports": {"rule": "cv"},
}


@pytest.fixture
def first(project: SpecProject) -> SpecProject:
    claim_search(project.study())
    return project


@pytest.fixture
def second(first: SpecProject, tmp_path: Path) -> SpecProject:
    """Another folder with the same files."""
    return SpecProject.create(tmp_path / "second", first.instance)


def change(project: SpecProject, **fields: Any) -> None:
    project.spec = replace(project.spec, **fields)


def refusal(project: SpecProject) -> str:
    """The message of the refusal; empty if there is none."""
    try:
        claim_search(project.study())
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("difference", CHANGES)
def test_other_settings_are_refused(
    first: SpecProject, second: SpecProject, difference: str
) -> None:
    change(second, **CHANGES[difference])
    message = refusal(second)
    assert f"the search of {first.root}, with other {difference}; with those of " in message
    assert f"{second.root}, each project would replace the results of the other" in message
    assert "code locations of one workspace need two names" in message
    assert not refusal(first)


def test_a_project_that_is_edited_in_its_folder_goes_on(
    first: SpecProject, second: SpecProject
) -> None:
    for changes in CHANGES.values():
        change(first, **changes)
        assert not refusal(first)
        assert refusal(second)
        change(second, **changes)  # as a second checkout that is updated too
        assert not refusal(second)


def test_containers_of_one_project_are_updated_one_by_one(
    first: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim_search(first.study(), follows=True)
    newer = SpecProject(first.root, first.instance, first.spec)
    change(newer, **CHANGES["settings"])
    for host, each in (("a", newer), ("b", first), ("a", newer)):
        monkeypatch.setattr(socket, "gethostname", lambda host=host: host)
        claim_search(each.study(), follows=True)


def test_what_decides_no_result_is_shared(second: SpecProject) -> None:
    change(second, max_candidates=50, description="of another team", engine=Part("serial"))
    assert not refusal(second)


def test_options_of_a_run_are_no_difference(first: SpecProject, second: SpecProject) -> None:
    first.materialize_sources(split={"folds": 3, "seed": 7}, parameters={"kernel": "linear"})
    assert not refusal(second)
    succeed(second.run("split", split={"folds": 0}))
    assert not refusal(first)


def test_another_body_of_a_function(
    first: SpecProject, second: SpecProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Source code counts as it is on disk; a process may have loaded what was there before."""
    monkeypatch.syspath_prepend(tmp_path)
    source = tmp_path / "fns_of_claims.py"
    source.write_text(BOWL.format("C + gamma"))
    for project in (first, second):
        project.spec = SearchSpec(
            project.spec.name,
            project.spec.home,
            axes=project.spec.axes,
            objective={"function": "fns_of_claims:bowl"},  # pyright: ignore[reportArgumentType]
            parameters_folder="parameters",
            partitions=project.spec.partitions,
        )
    assert not refusal(first)
    assert not refusal(second)

    source.write_text(BOWL.format("C * gamma"))
    assert f"the search of {first.root}, with other source code; with those of" in refusal(second)
    assert not refusal(first)
    assert not refusal(second)


def test_a_claim_of_an_earlier_version_says_nothing_of_settings(
    first: SpecProject, second: SpecProject
) -> None:
    storage, keys = first.instance.daemon_cursor_storage, claim_keys(first.names)
    claim = json.loads(storage.get_cursor_values({keys[0]})[keys[0]])
    del claim["deciding"]
    storage.set_cursor_values(dict.fromkeys(keys, json.dumps(claim)))
    change(second, **CHANGES["settings"])
    check_claim(second.study())
