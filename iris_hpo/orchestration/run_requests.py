"""The runs that sensors request: the work of a plan, and what a run that died has left.

When a sensor requests runs is in `ticks`; requests of a selection alone are in `reselection`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import dagster as dg

from iris_hpo.orchestration.config import sampling_settings
from iris_hpo.orchestration.cut_short import (
    cut_short_partitions,
    cut_short_run,
    is_to_be_retried,
    retry_no_more,
    run_without,
)
from iris_hpo.orchestration.failures import INTERRUPTED
from iris_hpo.orchestration.partitions import registered_keys
from iris_hpo.orchestration.plan import SOURCES, Plan, behind_keys, examined, untried_keys
from iris_hpo.orchestration.ranges import cut, range_tags, ranges_of_runs
from iris_hpo.orchestration.record import data_versions
from iris_hpo.orchestration.source_status import is_table_current
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.working_runs import last_run, makes, runs_at_work
from iris_hpo.store.cards import fingerprint
from iris_hpo.store.digests import ArtifactError
from iris_hpo.text import counted

MOST_TIMES: Final = 3
"""Number of requests without progress."""

_CANCELED: Final = dg.DagsterRunStatus.CANCELED


def plan_requests(study: Study, plan: Plan, digests: str) -> list[dg.RunRequest]:
    """Request the work of a plan, or a selection from the remaining candidates."""
    if "raw_data" in plan.sources and not study.spec.data_asset:
        study.dataset  # noqa: B018 - request no first search on data that cannot be read
    # The same files may come back, so the last materialisation is part of the key; without one, as
    # in a new event log, the last run is.
    before, run = study.recorded("parameters"), last_run(study)
    run_key = f"{digests}-{before.pointer if before else run.run_id if run else 0}"
    if not plan.candidates and before is not None and plan.change:
        return [
            search_request(study, f"{run_key}-parameters", plan.sources, ()),
            *select_requests(study, f"{run_key}-select", plan.keys),
        ]
    assets = [*plan.sources, "models", "scores"]
    if study.sampling.is_adaptive:  # one run without a partition, which asks for more
        if not plan.change and not plan.candidates and is_declared(study):
            return []  # whether there is more to try, the next tick finds out
        return [search_request(study, run_key, assets, ())]
    ranges = cut(ranges_of_runs(plan.candidates, plan.keys))
    return [
        search_request(study, f"{run_key}-{index}", assets, keys)
        for index, keys in enumerate(ranges)
    ]


def is_declared(study: Study) -> bool:
    """Whether the search has begun, with the parameters and the budget that it has now."""
    if any(study.recorded(name) is None for name in ("split", "parameters")):
        return False
    try:
        recorded = study.upstream().parameters_card
    except ArtifactError:  # a run makes what is missing or damaged
        return False
    return (
        recorded.version == study.parameters_card(recorded.choices).version
        and study.sampling.settings == study.sampling.recorded()
        and is_table_current(study)
    )


def requests_again(study: Study, before: str) -> tuple[list[dg.RunRequest], str]:
    """Request again what is left by runs whose process ended, once no run is at work.

    Parameters
    ----------
    before
        Part of the cursor: the number of requests without progress, and of assets and candidates
        left.

    Returns
    -------
    tuple
        The requests, and the new part of the cursor; empty if nothing is left.
    """
    listed, sources = set(study.listed_keys), sources_left(study)
    scores = study.names.asset("scores")
    cut_short, runs = cut_short_partitions(study.instance, scores, INTERRUPTED)
    left = {key: attempt for key, attempt in cut_short.items() if key in listed}
    number = len(left) + len(sources)
    if not number and not before:
        return [], ""
    events = dict(left.values())
    ended = {run_id: runs[run_id] for run_id in events.keys() & runs.keys()}
    ended |= {run.run_id: run for run in sources.values()}
    if not take_over(study, ended.values()):
        return [], before
    if not number:
        return [], ""
    times, of = _counts(before) or (0, number + 1)
    times = 1 if number < of else times + 1
    if times > MOST_TIMES:
        return [], before
    order = registered_keys(study)
    keys = [key for key in order if key in left]
    run_key = fingerprint(again=sorted(events.keys() | ended.keys()))
    due = sources.keys() | _sources_of(study, runs, events)
    assets = [name for name in SOURCES if name in due]
    return [
        search_request(
            study, f"{run_key}-{index}", [*assets, "models", "scores"] if part else assets, part
        )
        for index, part in enumerate(cut(ranges_of_runs(keys, order)) or [()])
    ], f"{times} {number}"


def sources_left(study: Study) -> Mapping[str, dg.DagsterRun]:
    """The unpartitioned assets that a run has left, as for `cut_short_run`, each with the run."""
    assets = {name: study.names.asset(name) for name in SOURCES}
    runs = {name: cut_short_run(study.instance, key, INTERRUPTED) for name, key in assets.items()}
    return {name: run for name, run in runs.items() if run is not None}


def take_over(study: Study, ended: Collection[dg.DagsterRun]) -> bool:
    """Take what runs have left over from Dagster, which may retry them.

    Returns
    -------
    bool
        False while a run is at work, or about to be.
    """
    if any(is_to_be_retried(study.instance, run) for run in ended) or runs_at_work(study):
        return False
    for run in ended:
        retry_no_more(study.instance, run)
    return True


def _sources_of(
    study: Study, runs: Mapping[str, dg.DagsterRun], events: Mapping[str, int]
) -> set[str]:
    """The unpartitioned assets that runs were to make, and that were not made since.

    Parameters
    ----------
    events
        An event of each run; those that are not among the runs were lost, and may have made all.
    """
    return {
        name
        for name in SOURCES
        if any(
            (run_id not in runs or makes(study, runs[run_id], name))
            and ((made := study.recorded(name)) is None or made.pointer < event)
            for run_id, event in events.items()
        )
    }


def what_is_given_up(study: Study, again: str) -> str:
    """Say what is requested no more, and what to do; empty if there is nothing.

    Parameters
    ----------
    again
        Part of the cursor, as `requests_again` gave it; that of an adaptive search says nothing.
    """
    times, number = _counts(again) or (0, 0)
    if times < MOST_TIMES or runs_at_work(study):
        return ""
    run, sources = last_run(study), [*sources_left(study)]
    candidates = number - len(sources)
    left = [*sources, counted(candidates, "candidate")] if candidates > 0 else sources
    return (
        f"{', '.join(left)} left by {MOST_TIMES} runs: see why the last one ended"
        f"{f' ({run.run_id})' if run else ''}, then run the search again (iris-hpo run)"
    )


def what_is_missing(study: Study) -> str:
    """Say what no run is to make: sources, scores, or those of the present data and settings."""
    if runs_at_work(study):
        return ""
    untried, behind = untried_keys(study), behind_keys(study)
    left = {*sources_left(study), *_sources_cancelled(study)}
    missing = [
        *(f"{name} left by its last run" for name in SOURCES if name in left),
        *([f"{counted(len(untried), 'candidate')} without a score"] if untried else []),
        *([f"{counted(len(behind), 'candidate')} out of date"] if behind else []),
    ]
    return f"{', '.join(missing)}: run the search again (iris-hpo run)" if missing else ""


def _sources_cancelled(study: Study) -> list[str]:
    """The unpartitioned assets whose last run a user has cancelled before they were made."""
    runs = {name: run_without(study.instance, study.names.asset(name)) for name in SOURCES}
    return [name for name, run in runs.items() if run and run.status is _CANCELED]


def _counts(again: str) -> tuple[int, int] | None:
    """The number of requests without progress, and of what is left; None of another sampler."""
    counts = [int(part) for part in again.split() if part.isdecimal()]
    return (counts[0], counts[1]) if len(counts) == 2 else None


def search_request(
    study: Study, run_key: str, assets: Sequence[str], keys: Sequence[str]
) -> dg.RunRequest:
    """Make the request of a run of the job ``search`` for some assets, and a range of keys.

    Assets whose checks block are made too, so that nothing is trained past a check.
    """
    names, results = study.names, [name for name in assets if name in ("models", "scores")]
    if results:
        assets = [*examined(study, {*assets} - {*results}), *results]
    return dg.RunRequest(
        run_key=run_key,
        job_name=names.plain("search"),
        asset_selection=[names.asset(name) for name in assets],
        tags=range_tags(keys) if any(keys) else {},
        run_config=_kept_sampling(study) if "parameters" in assets else None,
    )


def select_requests(
    study: Study, run_key: str | None, keys: Collection[str]
) -> list[dg.RunRequest]:
    """Request a run of the job ``select``, unless none of some candidates has a score."""
    scored = data_versions(study.instance, study.names.asset("scores"))
    if scored.keys().isdisjoint(keys):
        return []
    return [dg.RunRequest(run_key=run_key, job_name=study.names.plain("select"))]


def _kept_sampling(study: Study) -> dict[str, Any] | None:
    """Make the configuration by which `parameters` records again what a run has changed."""
    own, in_force = vars(study.spec.sampling), vars(study.sampling.settings)
    kept = {
        setting.name: in_force[setting.name]
        for setting in sampling_settings(study.spec)
        if in_force[setting.name] != own[setting.name]
    }
    return {"ops": {study.names.op("parameters"): {"config": kept}}} if kept else None
