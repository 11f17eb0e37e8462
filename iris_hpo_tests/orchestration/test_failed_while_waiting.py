"""A command that waited for another one tries nothing again that has just failed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from iris_hpo.orchestration.failed_candidates import failed_partitions
from iris_hpo.orchestration.outcome import RunFailedError
from iris_hpo.orchestration.record import last_event
from iris_hpo.training.estimators import Step
from iris_hpo_tests.projects import SpecProject, small_spec

BAD = "C8.0_G0.016"
REASON = "fitting failed: ValueError: C = 8 is not to my taste"


@pytest.fixture(scope="module")
def project_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpecProject]:
    """What `project` copies; read only."""
    folder = tmp_path_factory.mktemp("waiting") / "project"
    picky = Step("iris_hpo_tests.orchestration.estimators.Picky")
    with dg.DagsterInstance.ephemeral() as instance:
        made = SpecProject.create(folder, instance, replace(small_spec(folder), steps=(picky,)))
        made.write_axis("c", 0.5, 8, 128)
        made.write_axis("gamma", 0.016)
        assert made.launch().failures == {BAD: REASON}
        yield made


@pytest.fixture
def project(project_once: SpecProject, tmp_path: Path, instance: dg.DagsterInstance) -> SpecProject:
    """Three candidates, one of which cannot be fitted; two commands were started, one is done."""
    return project_once.copy(tmp_path / "project", instance)


def test_what_failed_is_named_again_and_not_tried(project: SpecProject) -> None:
    second = project.launch(waited_since=0)
    assert (second.failures, second.run_ids) == ({BAD: REASON}, [])
    assert str(second.counts) == "0 trained, 2 reused, 1 failed"


def test_it_is_tried_by_a_command_that_did_not_wait(project: SpecProject) -> None:
    assert len(project.launch().run_ids) == 1


def test_it_is_tried_if_it_failed_before_the_wait(project: SpecProject) -> None:
    since = last_event(project.instance)
    assert len(project.launch(waited_since=since).run_ids) == 1


@pytest.mark.parametrize("work", [{"retries": 2}, {"force": True}])
def test_it_is_tried_by_a_command_that_works_otherwise(
    project: SpecProject, work: dict[str, Any]
) -> None:
    assert len(project.launch(waited_since=0, **work).run_ids) >= 1


def test_it_is_tried_with_what_else_is_left(project: SpecProject) -> None:
    project.write_axis("c", 0.5, 8, 128, 256)
    second = project.launch(waited_since=0)
    assert str(second.counts) == "1 trained, 2 reused, 1 failed"
    assert second.run_ids


def test_all_are_tried_if_all_have_failed(project: SpecProject) -> None:
    """The user may have corrected the code before the wait."""
    scores, tries = dg.AssetKey("scores"), set[str]()
    project.write_axis("c", 8)
    for _ in range(2):
        with pytest.raises(RunFailedError):
            project.launch(waited_since=0)
        tries.add(failed_partitions(project.instance, scores)[BAD])
    assert len(tries) == 2
