"""The runs that work on a search now or soon: its own, of backfills, and of a user's own jobs.

This is the one place that knows them. A run of a whole job names no assets, so its plan decides,
which Dagster stores with each run when it is created. The steps that have begun and ended decide,
too: a job may go on for hours with other assets.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

import dagster as dg

from iris_hpo.orchestration.names import CODE_VERSIONS, Names
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.turns import EXPECTED

_BEGIN: Final = dg.DagsterEventType.STEP_START
_ENDS: Final = {
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SKIPPED,
}
_WORKING: Final = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)
_MOST_PLANS: Final = 10_000


@dataclass(frozen=True)
class _Part:
    """The part of a run's plan that makes assets of a search.

    Attributes
    ----------
    assets
        The assets of the search.
    steps
        The steps that make them.
    result_steps
        The steps that make models or scores.
    is_all
        Whether the run makes nothing else.
    """

    assets: Set[dg.AssetKey]
    steps: Set[str]
    result_steps: Set[str]
    is_all: bool


_parts: dict[tuple[str, Names], _Part] = {}
"""Parts of plans that were read: every tick needs them, and a stored plan does not change."""


def runs_at_work(study: Study) -> list[str]:
    """Ids of the runs that are to train or score candidates, until all they do for the search ends.

    A run that was created but never queued is left out: the process that created it has died.
    """
    return [
        run.run_id
        for run, part in _runs_over_results(study, EXPECTED)
        if part.is_all or not part.steps <= _steps(study.instance, run)[1]
    ]


def runs_at_candidates(study: Study) -> Mapping[str, tuple[dg.DagsterRun, float]]:
    """The runs that train or score candidates at this moment, by id, with the time they began."""
    times = {
        run.run_id: (run, _began(study.instance, run, part))
        for run, part in _runs_over_results(study, _WORKING)
    }
    return {run_id: (run, began) for run_id, (run, began) in times.items() if began is not None}


def runs_with_signs(study: Study) -> list[str]:
    """Ids of the runs that must show signs of life now; a user's own asset may show none."""
    return [
        run.run_id
        for run, part in _runs_over_results(study, _WORKING)
        if part.is_all or _began(study.instance, run, part) is not None
    ]


def run_that_makes(study: Study, name: str) -> str | None:
    """Id of the latest run that is to make an unpartitioned asset; None if it has ended."""
    run = last_run_of(study, name)
    return run.run_id if run and run.status in EXPECTED else None


def run_that_failed(study: Study, name: str) -> str | None:
    """Id of the latest run that was to make an unpartitioned asset; None if it did not fail."""
    run = last_run_of(study, name)
    return run.run_id if run and run.status is dg.DagsterRunStatus.FAILURE else None


def last_run_of(study: Study, name: str) -> dg.DagsterRun | None:
    """The latest run that was to make an unpartitioned asset."""
    for record in study.instance.get_asset_records([study.names.asset(name)]):
        run_id = record.asset_entry.last_run_id
        return study.instance.get_run_by_id(run_id) if run_id else None
    return None


def makes(study: Study, run: dg.DagsterRun, name: str) -> bool:
    """Whether a run is, or was, to make an asset of the search."""
    return study.names.asset(name) in _part_of(study, run).assets


def last_run(study: Study) -> dg.DagsterRun | None:
    """The run over candidates that was created last."""
    instance, names = study.instance, study.names
    job = dg.RunsFilter(job_name=names.plain("search"))
    ids = {run.run_id for run in instance.get_runs(job, limit=1)}
    for record in instance.get_asset_records(_results(names)):
        ids |= {record.asset_entry.last_run_id or ""} - {""}
    runs = instance.get_runs(dg.RunsFilter(run_ids=sorted(ids)), limit=1) if ids else ()
    return next(iter(runs), None)


def _runs_over_results(
    study: Study, statuses: Sequence[dg.DagsterRunStatus]
) -> list[tuple[dg.DagsterRun, _Part]]:
    runs = study.instance.get_runs(dg.RunsFilter(statuses=list(statuses)))
    parts = [(run, _part_of(study, run)) for run in runs]
    search = study.names.plain("search")  # its runs may have to make the sources first, alone
    return [(run, part) for run, part in parts if part.result_steps or run.job_name == search]


def _part_of(study: Study, run: dg.DagsterRun) -> _Part:
    """Read the part of a run's plan that makes assets of the search; most runs need no reading."""
    names = study.names
    own = {names.asset(name) for name in CODE_VERSIONS}
    if run.asset_selection and run.asset_selection.isdisjoint(own):
        return _Part(frozenset(), frozenset(), frozenset(), is_all=False)
    plan_id = run.execution_plan_snapshot_id or ""
    if (plan_id, names) in _parts:
        return _parts[plan_id, names]
    plan = study.instance.get_execution_plan_snapshot(plan_id) if plan_id else None
    if plan is None:  # its job could not be loaded when it was created
        return _part(dict.fromkeys(run.asset_selection or (), ""), names)
    steps = {
        output.properties.asset_key: step.key
        for step in plan.steps
        if step.key in plan.step_keys_to_execute
        for output in step.outputs
        if output.properties and output.properties.asset_key
    }
    if len(_parts) >= _MOST_PLANS:
        _parts.clear()
    return _parts.setdefault((plan_id, names), _part(steps, names))


def _part(steps: Mapping[dg.AssetKey, str], names: Names) -> _Part:
    """Make the part of a plan; ``steps`` are those of each asset."""
    assets = steps.keys() & {names.asset(name) for name in CODE_VERSIONS}
    return _Part(
        assets=frozenset(assets),
        steps=frozenset(steps[asset] for asset in assets),
        result_steps=frozenset(steps[asset] for asset in assets.intersection(_results(names))),
        is_all=len(assets) == len(steps),
    )


def _began(instance: dg.DagsterInstance, run: dg.DagsterRun, part: _Part) -> float | None:
    """Time at which a run began with candidates; None if it has not, or has ended with them."""
    began, ended = _steps(instance, run)
    times = [began[step] for step in part.result_steps & began.keys() if step not in ended]
    return min(times, default=None)


def _results(names: Names) -> list[dg.AssetKey]:
    return [names.asset("models"), names.asset("scores")]


def _steps(
    instance: dg.DagsterInstance, run: dg.DagsterRun
) -> tuple[Mapping[str, float], Set[str]]:
    """When each step of a run began, and the steps that have ended."""
    began: dict[str, float] = {}
    ended: set[str] = set()
    if run.status in _WORKING:
        for log in instance.all_logs(run.run_id, of_type={_BEGIN, *_ENDS}):
            step = log.step_key or ""
            if log.dagster_event_type is _BEGIN:
                began.setdefault(step, log.timestamp)
            else:
                ended.add(step)
    return began, ended
