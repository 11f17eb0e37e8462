"""The ticks of the sensors.

Ticks compare content, never time stamps. Each tick gives one result. A file that cannot be read
makes the tick fail with the exact message and changes nothing until the file is right again: the UI
shows a failed tick in red, also on the page of all sensors, but a skipped one in grey.
"""

import json
import logging
from collections.abc import Sequence
from typing import Final

import dagster as dg

from iris_hpo.data.sources import file_digest
from iris_hpo.orchestration.claims import check_claim, claim_search
from iris_hpo.orchestration.failures import INTERRUPTED
from iris_hpo.orchestration.home import check_settings_are_read
from iris_hpo.orchestration.last_run import CHANGED
from iris_hpo.orchestration.names import CODE_VERSIONS, Names, log_line
from iris_hpo.orchestration.partitions import change_requests, pending_change, registered_keys
from iris_hpo.orchestration.plan import Plan, quick_plan
from iris_hpo.orchestration.ranges import contiguous_ranges, cut, range_tags
from iris_hpo.orchestration.record import cut_short_partitions
from iris_hpo.orchestration.recorder import SLOW_LOG, records_slowly
from iris_hpo.orchestration.selection_status import choosing_identity
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.turns import UNFINISHED, release_dead_runs
from iris_hpo.run_settings import ALL, SelectionSettings
from iris_hpo.spec import SearchSpec
from iris_hpo.store.cards import fingerprint
from iris_hpo.text import counted

_MOST_RUNS: Final = 8
_MOST_TIMES: Final = 3


def follow_parameter_files(context: dg.SensorEvaluationContext, study: Study) -> dg.SensorResult:
    """Evaluate a tick over the parameter files, and release dead runs.

    The cursor holds the digests of the candidates that were last acted upon, and of an estimator's
    code that belongs to no release: when the code changes, all candidates are requested. It holds
    how the search chooses, too: when that changes, a selection is requested.

    Raises
    ------
    InputError
        If a file cannot be used, or another project owns the search.
    """
    _release_dead_runs(context.log, study)  # first, because a file may be wrong for a long time
    check_settings_are_read(study.instance.root_directory)
    if context.cursor is None and records_slowly(study.instance):  # once, in the first tick
        log_line(context.log, SLOW_LOG, logging.WARNING)
    claim_search(study, follows=True)
    if study.spec.data_asset and study.data_asset.recorded() is None:
        return _wait_for_asset(context, study)
    change = pending_change(study)
    last = _cursor(context)
    cursor = {"digest": study.candidates.digest, **_code_digest(study.spec)}
    code_changed = "code" in last and last["code"] != cursor.get("code", "")
    if change or code_changed or last.get("digest") != cursor["digest"]:
        plan = quick_plan(study, all_candidates=code_changed)
        kept = {name: last[name] for name in ("choosing",) if name in last}
        return dg.SensorResult(
            run_requests=_requests(study, plan, "-".join(cursor.values())),
            dynamic_partitions_requests=change_requests(study.names, plan.change),
            cursor=json.dumps(cursor | kept),
        )
    requests, again = _requests_again(study, last.get("again", ""))
    cursor |= {"again": again} if again else {}
    if not requests:
        requests, chosen = _select_again(study, last.get("choosing"))
        cursor |= {"choosing": chosen} if chosen else {}
    elif "choosing" in last:
        cursor["choosing"] = last["choosing"]
    if requests:
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(cursor))
    return dg.SensorResult(
        skip_reason=f"{counted(len(study.listed_keys), 'candidate')}, nothing new",
        cursor=json.dumps(cursor),
    )


def _requests(study: Study, plan: Plan, digests: str) -> list[dg.RunRequest]:
    """Request the work of a plan, or a selection from the remaining candidates."""
    names = study.names
    if "raw_data" in plan.sources and not study.spec.data_asset:
        study.dataset  # noqa: B018 - request no first search on data that cannot be read
    # The same files may come back, so the last materialisation is part of the key.
    before = study.recorded("parameters")
    run_key = f"{digests}-{before.pointer if before else 0}"
    if not plan.candidates and before is not None and plan.change:
        return [
            _search_request(names, f"{run_key}-parameters", plan.sources, ()),
            dg.RunRequest(run_key=f"{run_key}-select", job_name=names.plain("select")),
        ]
    assets = [*plan.sources, "models", "scores"]
    ranges = cut(contiguous_ranges(plan.candidates, plan.keys, _MOST_RUNS))
    return [
        _search_request(names, f"{run_key}-{index}", assets, keys)
        for index, keys in enumerate(ranges)
    ]


def follow_raw_data(context: dg.SensorEvaluationContext, study: Study) -> dg.SensorResult:
    """Evaluate a tick over the data file, or over the asset with the data.

    The cursor holds the digest of the content that was last acted upon; of an asset, the event of
    its materialisation, since a tick is too short to load the value.

    Raises
    ------
    InputError
        If the file cannot be used, or another project owns the search.
    """
    if not study.spec.has_table:
        return dg.SensorResult(skip_reason="the search has no table")
    recorded = study.recorded("raw_data")
    digest, recorded_digest = _data_digests(study)
    if not digest:
        return _wait_for_asset(context, study)
    seen = _cursor(context).get("digest") or recorded_digest
    cursor = json.dumps({"digest": digest})
    if not seen:
        return dg.SensorResult(
            skip_reason="the first search reads the data; this sensor follows its changes",
            cursor=cursor,
        )
    if digest == seen or (study.spec.data_asset and digest == recorded_digest):
        return dg.SensorResult(skip_reason="the data has not changed", cursor=cursor)
    check_claim(study)
    if not study.spec.data_asset:
        study.dataset  # noqa: B018 - if it is half-written or wrong, wait until it is right
    keys = registered_keys(study)
    sources = ["raw_data", "split"]
    if study.recorded("parameters") is None:
        sources.append("parameters")
    run_key = f"{digest}-{recorded.pointer if recorded else 0}"
    if keys:
        requests = [
            _search_request(study.names, f"{run_key}-{index}", [*sources, "models", "scores"], part)
            for index, part in enumerate(cut([keys]))
        ]
    else:
        requests = [_search_request(study.names, run_key, sources, ())]
    return dg.SensorResult(run_requests=requests, cursor=cursor)


def _data_digests(study: Study) -> tuple[str, str]:
    """What identifies the present data, and that of `raw_data`; empty where there is none."""
    if study.spec.data_asset:
        present, seen = study.data_asset.recorded(), study.data_asset.seen
        return str(present.pointer) if present else "", str(seen) if seen else ""
    recorded = study.recorded("raw_data")
    return file_digest(study.data_file), recorded.version if recorded else ""


def _wait_for_asset(context: dg.SensorEvaluationContext, study: Study) -> dg.SensorResult:
    return dg.SensorResult(
        skip_reason=f"waits until {study.data_asset.source} is materialised",
        cursor=context.cursor,
    )


def _release_dead_runs(log: logging.Logger, study: Study) -> None:
    pool, working = study.names.pool, _at_work(study)
    for released in release_dead_runs(study.instance, pool, waited_for=working):
        log_line(log, f"Released {released.text}")


def _code_digest(spec: SearchSpec) -> dict[str, str]:
    """Digest of the code that belongs to no release, as it is on disk; empty without such code.

    The process of a sensor keeps modules as it has loaded them; a run loads them again.
    """
    code = spec.make_objective().code
    return {"code": fingerprint(code=dict(code))} if code else {}


def _requests_again(study: Study, before: str) -> tuple[list[dg.RunRequest], str]:
    """Request again the candidates left by runs whose process ended, once no run is at work.

    Parameters
    ----------
    before
        Part of the cursor: the number of requests without progress, and of candidates left.

    Returns
    -------
    tuple
        The requests, and the new part of the cursor; empty if nothing is left.
    """
    names, listed = study.names, set(study.listed_keys)
    cut_short = cut_short_partitions(study.instance, names.asset("scores"), INTERRUPTED)
    left = {key: attempt for key, attempt in cut_short.items() if key in listed}
    if not left and not before:
        return [], ""
    if _at_work(study):
        return [], before
    if not left:
        return [], ""
    times, of = (int(part) for part in before.split()) if before else (0, len(left) + 1)
    times = 1 if len(left) < of else times + 1
    if times > _MOST_TIMES:
        return [], before
    order = registered_keys(study)
    keys = [key for key in order if key in left]
    runs = {run.run_id: (run, event) for run, event in left.values()}
    run_key = fingerprint(again=sorted(runs))
    sources = [
        name
        for name in ("raw_data", "split", "parameters")
        if any(
            names.asset(name) in (run.asset_selection or ())
            and ((made := study.recorded(name)) is None or made.pointer < event)
            for run, event in runs.values()
        )
    ]
    return [
        _search_request(names, f"{run_key}-{index}", [*sources, "models", "scores"], part)
        for index, part in enumerate(cut(contiguous_ranges(keys, order, _MOST_RUNS)))
    ], f"{times} {len(left)}"


def _select_again(study: Study, before: str | None) -> tuple[list[dg.RunRequest], str | None]:
    """Request a selection if the search now chooses otherwise, such as after an upgrade.

    A selection whose settings a run has changed stands.

    Parameters
    ----------
    before
        Part of the cursor: how the search chose before; None if an earlier version wrote it.

    Returns
    -------
    tuple
        The requests, and the new part of the cursor.
    """
    spec = study.spec
    own = spec.selection_settings(spec.division().n_folds)
    identity = choosing_identity(own, spec.space, spec.reports)
    now = fingerprint(**identity, code=CODE_VERSIONS["selection"])
    if before == now:
        return [], now
    recorded = study.recorded("selection")
    if recorded is None:
        return [], before
    if any(CHANGED in study.metadata(name) for name in ("split", "selection")):
        return [], now
    if before is None and _was_chosen_by(study, own):
        return [], now
    if _at_work(study):
        return [], before
    request = dg.RunRequest(
        run_key=f"{now}-{recorded.pointer}-select", job_name=study.names.plain("select")
    )
    return [request], now


def _was_chosen_by(study: Study, settings: SelectionSettings) -> bool:
    """Whether the last selection followed the rule and the refit of these settings."""
    metadata = study.metadata("selection")
    rule, refit = (metadata[name].value if name in metadata else None for name in ("rule", "refit"))
    return rule == settings.rule and (refit == ALL) == settings.refits


def _at_work(study: Study) -> list[str]:
    """Ids of the runs that work on the search, or will.

    A run that was created but never queued is left out: the process that created it has died.
    """
    statuses = [dg.DagsterRunStatus.QUEUED, *UNFINISHED]
    names = study.names
    results = {names.asset("models"), names.asset("scores")}
    return [
        run.run_id
        for run in study.instance.get_runs(dg.RunsFilter(statuses=statuses))
        if run.job_name == names.plain("search")
        or not results.isdisjoint(run.asset_selection or ())
    ]


def _search_request(
    names: Names, run_key: str, assets: Sequence[str], keys: Sequence[str]
) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=run_key,
        job_name=names.plain("search"),
        asset_selection=[names.asset(name) for name in assets],
        tags=range_tags(keys) if any(keys) else {},
    )


def _cursor(context: dg.SensorEvaluationContext) -> dict[str, str]:
    try:
        cursor = json.loads(context.cursor or "{}")
    except ValueError:
        return {}
    return cursor if isinstance(cursor, dict) else {}
