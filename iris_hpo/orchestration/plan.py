"""Plan what is left to do, for the command, for `status` and for the sensors.

`full_plan` compares the files with the record and the store, and reads every result. `quick_plan`
reads only the files and the record, because a tick of a sensor has to be short.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import dagster as dg

from iris_hpo.data.checks import DATA_CHECKS, SPLIT_CHECKS
from iris_hpo.errors import InputError
from iris_hpo.orchestration.drawing import make_drawing
from iris_hpo.orchestration.failed_candidates import tried_and_failed
from iris_hpo.orchestration.last_run import last_choices, last_split
from iris_hpo.orchestration.partitions import PartitionChange, pending_change, registered_keys
from iris_hpo.orchestration.proposals import outgrown, usable_keys
from iris_hpo.orchestration.record import (
    data_versions,
    input_version_tag,
    last_attempts,
    latest_storage_ids,
    latest_tags,
    version_since,
)
from iris_hpo.orchestration.source_status import Settings, are_sources_current, read_sources
from iris_hpo.orchestration.status import (
    STATES,
    State,
    Status,
    has_results_out_of_date,
    read_status,
    without_failed,
)
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.turns import EXPECTED
from iris_hpo.store.digests import StoreReadError

SOURCES: Final = ("raw_data", "split", "parameters")
"""The assets that all candidates depend on, in the order in which they are made."""


@dataclass(frozen=True)
class Plan:
    """The work that a search needs.

    Attributes
    ----------
    sources
        The unpartitioned assets to materialise, in order.
    change
        Candidates to register and delete.
    keys
        All candidates after the change, in the order of registration; in a `FullPlan` without those
        that were proposed for other axes.
    candidates
        Candidates to train or score, in the same order.
    """

    sources: tuple[str, ...]
    change: PartitionChange
    keys: tuple[str, ...]
    candidates: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether all assets that candidates depend on, and all candidates, are up to date."""
        return not (self.sources or self.candidates)


@dataclass(frozen=True)
class FullPlan(Plan):
    """The work that brings a search up to date, and the status that it follows from.

    Attributes
    ----------
    source_states
        State of each unpartitioned asset.
    status
        Status of all candidates.
    left
        Number of candidates that the budget of an adaptive search leaves; 0 if it is not asked for
        more.
    ended
        Why a sampler is asked for no more; empty while it is, and if the search is not adaptive.
    left_out
        Registered candidates that the sampler is not shown.
    """

    source_states: Mapping[str, State]
    status: Status
    left: int = 0
    ended: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done, and no candidate is to be drawn."""
        return super().is_empty and not self.left

    def counts(self) -> dict[str, dict[str, int]]:
        """Number of results in each state, per asset."""
        counted = {name: _count([state]) for name, state in self.source_states.items()}
        counted["models"] = _count(list(self.status.models.values()))
        counted["scores"] = _count(list(self.status.scores.values()))
        return counted


def full_plan(study: Study, settings: Settings) -> FullPlan:
    """Plan from the files, the record and the store.

    Raises
    ------
    InputError
        If data or parameter files cannot be used.
    """
    sources = read_sources(study, settings)
    change, registered = planned_keys(study)
    useless = outgrown(study, registered)
    keys = tuple(key for key in registered if key not in useless)
    states = dict(sources.states)
    if change and states["parameters"] == "up to date":
        states["parameters"] = "out of date"
    conditions = study.conditions(sources.split_card, sources.parameters_card)
    status = read_status(study, keys, conditions, verify_models=True)
    out_of_date = [name for name, state in states.items() if state != "up to date"]
    candidates = candidates_due(study, keys, status)
    left, ended, left_out = 0, "", ()
    if study.sampling.is_adaptive:
        drawing = make_drawing(study, registered, status, sources.split_card.folds)
        left, ended = drawing.what_is_left(has_work=bool(out_of_date or candidates))
        left_out = tuple(drawing.observations.left_out)
    if out_of_date or candidates or left:
        out_of_date = examined(study, out_of_date)
    return FullPlan(
        tuple(out_of_date), change, keys, candidates, states, status, left, ended, left_out
    )


def candidates_due(study: Study, keys: Sequence[str], status: Status) -> tuple[str, ...]:
    """Candidates to train or score: those that are not up to date, or that Dagster shows so."""
    stale = unrefreshed(study, keys)
    return tuple(key for key in keys if key in stale or not status.is_current(key))


def quick_plan(study: Study, *, all_candidates: bool, all_sources: bool = False) -> Plan:
    """Plan from the parameter files and the record.

    Candidates that were scored once, or failed, are not planned: changes that make them out of date
    have another sensor, or are handled by a run of the command. Nor are those of a run at work.

    Parameters
    ----------
    all_candidates
        Whether to train and score all candidates again, such as after a change of code.
    all_sources
        Whether to read the data and divide the rows again, too.

    Raises
    ------
    InputError
        If a parameter file cannot be used.
    """
    change, keys = planned_keys(study)
    started = study.recorded("split") is not None
    begins = all_sources or not started
    sources = SOURCES if begins else ("parameters",)
    sources = tuple(examined(study, sources))
    if all_candidates:
        return Plan(sources, change, keys, keys)
    planned = {*change.added, *untried_keys(study)}
    return Plan(sources, change, keys, tuple(key for key in keys if key in planned))


def untried_keys(study: Study) -> set[str]:
    """Listed candidates that have no score, did not fail, and that no run is to try."""
    scores = study.names.asset("scores")
    untried = {*study.listed_keys} - data_versions(study.instance, scores).keys()
    return untried - _tried_or_at_work(study, scores) if untried else untried


def behind_keys(study: Study) -> set[str]:
    """Candidates that are `unrefreshed`, did not fail, and that no run is to try."""
    behind, scores = unrefreshed(study, usable_keys(study)), study.names.asset("scores")
    if behind:
        behind &= data_versions(study.instance, scores).keys()
        behind -= _tried_or_at_work(study, scores)
    return behind


def _tried_or_at_work(study: Study, scores: dg.AssetKey) -> set[str]:
    """Candidates that failed, and those that a run is to try, also if they failed before."""
    attempts, runs = last_attempts(study.instance, scores)
    at_work = {run.run_id for run in runs if run.status in EXPECTED}
    waiting = {key for key, (run_id, _) in attempts.items() if run_id in at_work}
    return waiting | tried_and_failed(study.instance, scores, attempts).keys()


def examined(study: Study, sources: Collection[str]) -> list[str]:
    """Add the assets whose checks block, so that nothing is trained on what a check refused."""
    blocking = set(study.spec.blocking_checks)
    examined = {
        "raw_data": not blocking.isdisjoint(DATA_CHECKS),
        "split": not blocking.isdisjoint(SPLIT_CHECKS),
    }
    return [name for name in SOURCES if name in sources or examined.get(name)]


def planned_keys(study: Study) -> tuple[PartitionChange, tuple[str, ...]]:
    """The change of candidates, and all candidates after it."""
    change = pending_change(study)
    removed = set(change.removed)
    kept = (key for key in registered_keys(study) if key not in removed)
    return change, (*kept, *change.added)


def unrefreshed(study: Study, keys: Collection[str]) -> set[str]:
    """Candidates whose model was recorded before its inputs got their present versions.

    Dagster compares the versions of inputs, and shows such a model as stale until it is recorded
    again, even if it is up to date.
    """
    names, instance = study.names, study.instance
    since = max(version_since(instance, names.asset(name)) for name in ("split", "parameters"))
    ids = latest_storage_ids(instance, names.asset("models"))
    return {key for key in keys if ids.get(key, 0) < since}


def is_behind_data(study: Study) -> bool:
    """Whether the split, or the model of a candidate, was made before the recorded `raw_data`."""
    raw_data = study.recorded("raw_data")
    seen = latest_tags(study.instance, study.names.asset("split")).get(
        input_version_tag(study.names.asset("raw_data"))
    )
    is_split = raw_data is not None and seen == raw_data.version
    return not is_split or bool(unrefreshed(study, registered_keys(study)))


def is_of_description(study: Study) -> bool:
    """Whether no result is out of date by the search's description, code and packages.

    Settings that the last run has changed stand.

    Raises
    ------
    StoreReadError
        If what is stored cannot be read now.
    """
    spec = study.spec
    own = {choice.name: choice.default_text for choice in spec.choices}
    settings = Settings(replace(spec.split, **last_split(study)), own | last_choices(study))
    try:
        is_current = are_sources_current(study, settings)
    except StoreReadError:
        raise
    except InputError:  # such as data that cannot be used, or be divided so any more
        return False
    if not is_current:
        return False
    keys, upstream = without_failed(study, registered_keys(study)), study.upstream()
    conditions = study.conditions(upstream.split_card, upstream.parameters_card)
    return not (unrefreshed(study, keys) or has_results_out_of_date(study, keys, conditions))


def _count(states: Sequence[State]) -> dict[str, int]:
    return {state: states.count(state) for state in STATES}
