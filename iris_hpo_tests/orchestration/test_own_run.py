"""A run that was given up while its process slept, and wakes up again."""

from pkgutil import resolve_name
from typing import Any

import pytest

from iris_hpo.orchestration import own_run
from iris_hpo.orchestration.record import latest_storage_ids
from iris_hpo.orchestration.study import Study
from iris_hpo_tests.projects import SpecProject, failure_text

STEPS = {
    "raw_data": "iris_hpo.orchestration.assets.raw_data:_read",
    "split": "iris_hpo.orchestration.study:Study.divide",
    "parameters": "iris_hpo.orchestration.study:Study.parameters_card",
    "models": "iris_hpo.orchestration.candidates_run:CandidatesRun.work",
    "selection": "iris_hpo.orchestration.assets.selection:_make",
}
"""What each asset calls in the middle of its work, before it writes."""


@pytest.mark.parametrize("asset", STEPS)
def test_it_replaces_and_records_nothing(
    disk_project: SpecProject, monkeypatch: pytest.MonkeyPatch, asset: str
) -> None:
    project = disk_project.search()
    before, files = recorded(project), contents(project)
    sleep_in(project, monkeypatch, STEPS[asset])
    if asset == "models":
        result = project.materialize_candidates(candidates={"force": True})
    else:
        result = project.run(asset)
    assert "this run was ended from outside" in failure_text(result)
    assert recorded(project) == before
    if asset != "models":  # its workers write until then
        assert contents(project) == files


def test_a_selection_that_has_begun_to_write_replaces_no_further_file(
    disk_project: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a run that has taken over wrote in that time is left as it is."""
    project = disk_project.search()
    sleep_in(project, monkeypatch, "iris_hpo.store.folder:_put")
    files = contents(project)
    for name in files:
        if name.startswith("selection/"):
            (project.artifacts / name).write_bytes(b"another selection")
    result = project.run("selection")
    assert "this run was ended from outside" in failure_text(result)
    replaced = [
        name
        for name, content in contents(project).items()
        if name.startswith("selection/") and content != b"another selection"
    ]
    assert len(replaced) == 1, "the one that was being written"


def sleep_in(project: SpecProject, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Let the process sleep after a step until another one has given its run up."""
    called = resolve_name(step)

    def work_and_sleep(*arguments: Any, **others: Any) -> Any:
        made = called(*arguments, **others)
        (run,) = project.instance.get_runs(limit=1)
        if not run.is_finished:
            project.instance.report_run_failed(run)
        monkeypatch.setattr(own_run, "_UNSEEN_SECONDS", -1)
        return made

    monkeypatch.setattr(step.replace(":", "."), work_and_sleep)


def recorded(project: SpecProject) -> dict[str, Any]:
    """The events of all assets."""
    study = Study(project.spec, project.instance, project.storage)
    events: dict[str, Any] = {
        name: study.recorded(name) for name in ("raw_data", "split", "parameters", "selection")
    }
    ids = {
        name: latest_storage_ids(project.instance, project.names.asset(name))
        for name in ("models", "scores")
    }
    return events | ids


def contents(project: SpecProject) -> dict[str, bytes]:
    """The files of the search."""
    return {
        str(file.relative_to(project.artifacts)): file.read_bytes()
        for file in sorted(project.artifacts.rglob("*"))
        if file.is_file()
    }
