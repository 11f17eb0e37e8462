"""When the automation asks for a new selection."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.orchestration.assets.selection import SELECT_WHEN
from iris_hpo.training.estimators import Step
from iris_hpo_tests.projects import KEYS, SpecProject, small_spec, succeed


class Automation:
    """The daemon's evaluations of `selection`, one after the other."""

    def __init__(self, project: SpecProject) -> None:
        self._project = project
        self._last: dg.EvaluateAutomationConditionsResult | None = None

    def asks(self) -> bool:
        """Evaluate once more; tell whether a selection is asked for."""
        self._last = dg.evaluate_automation_conditions(
            self._project.defs,
            self._project.instance,
            asset_selection=dg.AssetSelection.assets("selection"),
            cursor=self._last.cursor if self._last else None,
        )
        return self._last.get_num_requested(dg.AssetKey("selection")) == 1


@pytest.fixture
def automation(prepared: SpecProject) -> Automation:
    """Watching since before the first candidate was made."""
    found = Automation(prepared)
    assert not found.asks()
    return found


def test_the_first_scores_ask_for_a_selection_once(
    prepared: SpecProject, automation: Automation
) -> None:
    succeed(prepared.materialize_candidates())
    assert automation.asks()
    assert not automation.asks()
    succeed(prepared.run("selection"))
    assert not automation.asks()


def test_models_alone_do_not(prepared: SpecProject, automation: Automation) -> None:
    succeed(prepared.run("models", keys=KEYS))
    assert not automation.asks()


def test_each_further_score_does(prepared: SpecProject, automation: Automation) -> None:
    for key in KEYS[:2]:
        succeed(prepared.run("models", "scores", partition=key))
        assert automation.asks()
        succeed(prepared.run("selection"))
        assert not automation.asks()


def test_failed_and_missing_candidates_do_not_hold_it_up(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    spec = replace(
        small_spec(tmp_path), steps=(Step("iris_hpo_tests.orchestration.estimators.Picky"),)
    )
    project = SpecProject.create(tmp_path / "picky", instance, spec)
    automation = Automation(project)
    assert not automation.asks()
    project.materialize_sources()
    assert not automation.asks(), "there is nothing to select from"
    assert not project.run("models", "scores", keys=KEYS[:4]).success
    assert automation.asks()


def test_it_waits_while_candidates_are_in_progress(
    prepared: SpecProject, automation: Automation
) -> None:
    run = _start(prepared, "models", "scores")
    succeed(prepared.run("models", "scores", keys=KEYS[:4]))
    for _ in range(3):
        assert not automation.asks()
    prepared.instance.report_run_canceled(run)
    assert automation.asks()


def test_failures_alone_do_not(prepared: SpecProject, automation: Automation) -> None:
    prepared.instance.report_run_failed(_start(prepared, "models", "scores"))
    assert not automation.asks(), "there is nothing to select from"
    succeed(prepared.run("models", "scores", keys=KEYS[:2]))
    assert automation.asks()


@pytest.mark.parametrize("end", ["report_run_failed", "report_run_canceled"])
def test_a_selection_that_failed_or_was_ended_is_asked_for_again_after_a_change(
    prepared: SpecProject, automation: Automation, end: str
) -> None:
    succeed(prepared.materialize_candidates())
    assert automation.asks()
    getattr(prepared.instance, end)(_start(prepared, "selection"))
    for _ in range(3):
        assert not automation.asks()
    run = _start(prepared, "models", "scores")
    succeed(prepared.run("models", "scores", keys=KEYS[:4]))
    for _ in range(3):
        assert not automation.asks(), "candidates are in progress"
    prepared.instance.report_run_canceled(run)
    assert automation.asks()


def _start(project: SpecProject, *assets: str) -> dg.DagsterRun:
    """A run of these assets that is at work; candidates are the last two."""
    keys = frozenset(map(dg.AssetKey, assets))
    job = "search" if "models" in assets else "select"
    return project.instance.create_run_for_job(
        project.defs.resolve_job_def(job).get_subset(asset_selection=keys),
        asset_selection=keys,
        status=dg.DagsterRunStatus.STARTED,
        tags={
            "dagster/asset_partition_range_start": KEYS[4],
            "dagster/asset_partition_range_end": KEYS[5],
        }
        if "models" in assets
        else {},
    )


def test_each_part_of_the_condition_has_a_memory_of_its_own() -> None:
    parts: dict[str, dg.AutomationCondition[dg.AssetKey]] = {}
    for name, part in _parts(SELECT_WHEN):
        assert parts.setdefault(name, part) == part


def _parts(
    condition: dg.AutomationCondition[dg.AssetKey], above: str | None = None, index: int = 0
) -> Iterator[tuple[str, dg.AutomationCondition[dg.AssetKey]]]:
    """The parts of a condition with the names under which Dagster keeps what they remember."""
    name = condition.get_node_unique_id(
        parent_unique_id=above, index=index, target_key=dg.AssetKey("selection")
    )
    yield name, condition
    for at, child in enumerate(condition.children):
        yield from _parts(child, name, at)
