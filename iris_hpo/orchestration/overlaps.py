"""Make runs over the same candidates take turns."""

import time
from collections.abc import Sequence
from typing import Final

import dagster as dg

from iris_hpo.orchestration.names import log_line
from iris_hpo.orchestration.partitions import registered_keys
from iris_hpo.orchestration.ranges import PARTITION, RANGE_END, RANGE_START
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.turns import describe_runs, release_dead_runs
from iris_hpo.orchestration.working_runs import runs_at_candidates

_LOOK_SECONDS: Final = 1.0


def wait_for_turn(
    context: dg.AssetExecutionContext, study: Study, keys: Sequence[str] | None
) -> None:
    """Wait until runs that began before this one have done the candidates they share with it.

    Parameters
    ----------
    keys
        The candidates of this run; None for all, and those that are not registered yet.

    Notes
    -----
    If the clocks of two machines differ, or two runs begin in the same moment, both may work at
    once: then both compute the same results, and each file is stored whole.
    """
    announced: set[str] = set()
    own = None if keys is None else set(keys)
    while earlier := _earlier_runs(context.run.run_id, study, own):
        runs = describe_runs(study.instance, earlier).values()
        if not announced.issuperset(runs):
            announced.update(runs)
            line = f"waiting for {' and '.join(runs)} over the same candidates"
            log_line(context.log, line)
            study.announce(f"{line}; Ctrl-C ends the wait")
        for released in release_dead_runs(study.instance, study.names.pool, waited_for=earlier):
            line = f"taking over from {released.text}"
            log_line(context.log, line)
            study.announce(line)
        time.sleep(_LOOK_SECONDS)


def _earlier_runs(run_id: str, study: Study, keys: set[str] | None) -> list[str]:
    runs = dict(runs_at_candidates(study))
    own = runs.pop(run_id, None)
    if own is None or not runs:
        return []
    storage = study.instance.event_log_storage
    if storage.supports_global_concurrency_limits:  # a step that is retried may wait for a slot
        for pending in storage.get_concurrency_info(study.names.pool).pending_run_ids:
            runs.pop(pending, None)
    order = registered_keys(study)
    return [
        other
        for other, (run, began) in runs.items()
        if (began, other) < (own[1], run_id) and _share(keys, _keys_of(run, order))
    ]


def _share(keys: set[str] | None, others: Sequence[str] | None) -> bool:
    """Whether two runs share candidates; None for all, and those that are not registered yet."""
    if keys is None or others is None:
        return others != ()
    return not keys.isdisjoint(others)


def _keys_of(run: dg.DagsterRun, order: Sequence[str]) -> Sequence[str] | None:
    """The candidates that a run works on; None for all: it was launched without a partition."""
    if PARTITION in run.tags:
        return (run.tags[PARTITION],)
    if RANGE_START not in run.tags:
        return None
    try:
        start, end = (order.index(run.tags[tag]) for tag in (RANGE_START, RANGE_END))
    except (KeyError, ValueError):  # a candidate at an end is gone
        return None
    return order[start : end + 1]
