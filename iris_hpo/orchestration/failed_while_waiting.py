"""Candidates that failed while a command waited for its turn: it tries none of them again.

Two commands that are started at once are asked for the same work. The second one finds it done, and
takes over the failures of the first as its own.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import dagster as dg

from iris_hpo.orchestration.failed_candidates import reasons_of
from iris_hpo.orchestration.plan import FullPlan
from iris_hpo.orchestration.record import latest_storage_ids
from iris_hpo.orchestration.study import Study
from iris_hpo.run_settings import WorkSettings
from iris_hpo.text import counted


def failed_while_waiting(
    study: Study, plan: FullPlan, work: WorkSettings, since: int | None
) -> Mapping[str, str]:
    """Return the candidates that are left, with reasons, if all have just failed in the same way.

    Where anything else is left to do, or one of them failed earlier or under other settings of the
    work, or the search has no result at all, none is returned, and all are tried.

    Parameters
    ----------
    since
        Last event before the wait; None if the command did not wait.
    """
    if since is None or work.force:
        return {}
    runs = plan.status.failed_runs
    is_more_left = plan.left or plan.change or set(plan.source_states.values()) != {"up to date"}
    if is_more_left or not runs.keys() >= set(plan.candidates):
        return {}
    if len(plan.candidates) == len(plan.keys):  # no result shows that the code is still the same
        return {}
    failed = {key: runs[key] for key in plan.candidates}
    last = dict.fromkeys(failed, 0)
    for name in ("models", "scores"):
        kind = dg.DagsterEventType.ASSET_OBSERVATION
        for key, event in latest_storage_ids(study.instance, study.names.asset(name), kind).items():
            last[key] = max(event, last.get(key, 0))
    if not all(last[key] > since for key in failed):
        return {}
    if not all(_works_by(study, run_id, work) for run_id in {*failed.values()}):
        return {}
    if failed:
        number = counted(len(failed), "candidate")
        study.announce(f"not tried again: {number} that failed while this command waited")
    return reasons_of(study, failed)


def _works_by(study: Study, run_id: str, work: WorkSettings) -> bool:
    """Whether a run of a command had these settings."""
    run = study.instance.get_run_by_id(run_id)
    ops: Any = run.run_config.get("ops", {}) if run else {}
    return ops.get(study.names.op("models"), {}).get("config") == asdict(work)
