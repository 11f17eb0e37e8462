"""Requests of the next run of an adaptive search, while its budget leaves candidates."""

from collections.abc import Collection
from dataclasses import asdict

import dagster as dg

from iris_hpo.orchestration.drawing import make_drawing
from iris_hpo.orchestration.failures import INTERRUPTED
from iris_hpo.orchestration.partitions import registered_keys
from iris_hpo.orchestration.record import latest_storage_ids
from iris_hpo.orchestration.run_requests import (
    MOST_TIMES,
    search_request,
    sources_left,
    take_over,
)
from iris_hpo.orchestration.status import read_status
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.working_runs import last_run
from iris_hpo.store.cards import fingerprint


def draw_again(study: Study, before: str) -> tuple[list[dg.RunRequest], str]:
    """Request the next run, if the search has begun and no run is at work.

    What runs have left of the assets that candidates depend on is requested, too, also if the
    search has not begun.

    Parameters
    ----------
    before
        Part of the cursor: what was in force and known at the last request, the number of requests
        since then without anything new, and the run that a user has cancelled.

    Returns
    -------
    tuple
        The requests, and the new part of the cursor.
    """
    begun = all(study.recorded(name) is not None for name in ("split", "parameters"))
    left = sources_left(study)
    if not (begun or left) or not take_over(study, left.values()):
        return [], before
    known = _known(study, left)
    last, times, stopped = [*before.split(), "", "0", ""][:3] if before else ["", "0", ""]
    now_stopped = _cancelled_run(study)
    if now_stopped and now_stopped != stopped:  # a user wants no more, until something changes
        return [], f"{known} {MOST_TIMES} {now_stopped}"
    number = int(times) + 1 if last == known else 1
    if number > MOST_TIMES:
        return [], before
    if not left and not _has_work(study):
        return [], f"{known} {MOST_TIMES} {stopped}".rstrip()
    runs = "-".join(sorted({run.run_id for run in left.values()}))
    run_key = f"draw-{known}-{number}-{runs}".rstrip("-")
    request = search_request(study, run_key, [*left, "models", "scores"], ())
    return [request], f"{known} {number} {stopped}".rstrip()


def _known(study: Study, left: Collection[str]) -> str:
    """What decides whether there is more to try, in short: it is read in every tick."""
    scores = latest_storage_ids(study.instance, study.names.asset("scores"))
    inputs = [study.recorded(name) for name in ("split", "parameters")]
    return fingerprint(
        sampling=asdict(study.sampling.settings),
        candidates=study.candidates.digest,
        registered=len(registered_keys(study)),
        inputs=[recorded.pointer if recorded else 0 for recorded in inputs],
        scores=max(scores.values(), default=0),
        **({"left": [*left]} if left else {}),
    )


def _has_work(study: Study) -> bool:
    """Whether a candidate waits for its first result, or the sampler has more."""
    upstream = study.upstream()
    keys = registered_keys(study)
    conditions = study.conditions(upstream.split_card, upstream.parameters_card)
    status = read_status(study, keys, conditions, verify_models=False)
    drawing = make_drawing(study, keys, status, upstream.split_card.folds)
    waiting = bool(drawing.observations.running)
    left, _ = drawing.what_is_left(has_work=waiting)
    if left:
        study.sampling.source.check()  # rather here than in each run that is requested
    return waiting or left > 0


def _cancelled_run(study: Study) -> str:
    """Id of the last run over candidates, if a user has cancelled it; else empty."""
    run = last_run(study)
    is_cancelled = run is not None and run.status is dg.DagsterRunStatus.CANCELED
    return run.run_id if run and is_cancelled and INTERRUPTED not in run.tags else ""
