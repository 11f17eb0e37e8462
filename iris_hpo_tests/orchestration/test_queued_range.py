"""A run over a range does what it was requested for, also if its ends change while it is queued."""

from collections.abc import Callable, Sequence

import dagster as dg
import pytest

from iris_hpo.orchestration import candidates_run
from iris_hpo.orchestration.assets import models_and_scores
from iris_hpo.orchestration.study import Study
from iris_hpo_tests.projects import KEYS, SpecProject, succeed


def run_after(
    project: SpecProject, monkeypatch: pytest.MonkeyPatch, edit: Callable[[], object]
) -> dg.ExecuteInProcessResult:
    """Make a run over all candidates, and edit before it begins with them; give the run."""
    claim, edits = models_and_scores.claim_search, [edit]

    def claim_search(study: Study) -> None:
        claim(study)
        if edits:
            edits.pop()()

    monkeypatch.setattr(models_and_scores, "claim_search", claim_search)
    return project.run("models", "scores", keys=KEYS)


def remove(project: SpecProject, *keys: str) -> None:
    for key in keys:
        project.instance.delete_dynamic_partition("c_gamma", key)


def made_by(project: SpecProject, run_id: str) -> set[str]:
    records = project.instance.get_records_for_run(run_id).records
    return {
        str(record.partition_key)
        for record in records
        if record.asset_materialization and record.asset_key == project.names.asset("scores")
    }


@pytest.mark.parametrize(
    "removed",
    [KEYS[:1], KEYS[-1:], (KEYS[0], KEYS[-1]), KEYS[2:3]],
    ids=["first", "last", "both ends", "between"],
)
@pytest.mark.parametrize("added", [False, True], ids=["gone", "registered again"])
def test_all_that_are_left_are_done(
    prepared: SpecProject, monkeypatch: pytest.MonkeyPatch, removed: Sequence[str], *, added: bool
) -> None:
    """Another run has done some of them since the request: the data may be other data now."""

    def edit() -> None:
        with monkeypatch.context() as patch:  # this run waits for no other one
            patch.setattr(candidates_run, "wait_for_turn", lambda *_: None)
            succeed(prepared.run("models", "scores", keys=KEYS[1:4]))
        remove(prepared, *removed)
        if added:
            prepared.instance.add_dynamic_partitions("c_gamma", list(removed))

    result = run_after(prepared, monkeypatch, edit)

    succeed(result)
    left = set(KEYS) if added else set(KEYS) - set(removed)
    assert made_by(prepared, result.run_id) == left


def test_a_run_whose_plan_was_stored_in_part_does_its_whole_range(
    prepared: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the daemon was killed while it made the run."""
    monkeypatch.setattr(candidates_run, "last_attempts", lambda *_: ({}, ()))
    monkeypatch.setattr(candidates_run, "planned_partitions", lambda *_: {KEYS[2]})

    result = prepared.run("models", "scores", keys=KEYS[1:5])

    succeed(result)
    assert made_by(prepared, result.run_id) == {*KEYS[1:5]}


def test_a_run_whose_candidates_are_all_gone_does_nothing(
    prepared: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run_after(prepared, monkeypatch, lambda: remove(prepared, *KEYS))

    succeed(result)
    assert made_by(prepared, result.run_id) == set()
    assert not prepared.files("models")
