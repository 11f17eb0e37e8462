"""Doing what is left to do, in this process, on the instance that the UI shows.

`bring_up_to_date` is what the command runs. It uses the jobs of the search, so that each run is
seen in the UI as any other.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Thread
from typing import Any, Final

import dagster as dg

from iris_hpo.engines import Limits, make_engine, start_ahead
from iris_hpo.errors import InputError
from iris_hpo.orchestration.claims import claim_search
from iris_hpo.orchestration.failures import cancelled_if_interrupted
from iris_hpo.orchestration.names import Names, names_of
from iris_hpo.orchestration.partitions import apply_change, is_range, registered_keys
from iris_hpo.orchestration.plan import Plan, Settings, make_plan
from iris_hpo.orchestration.ranges import contiguous_ranges, range_tags
from iris_hpo.orchestration.record import failure_reasons
from iris_hpo.orchestration.resources import Counts, Progress, Storage
from iris_hpo.orchestration.standing import selection_state
from iris_hpo.orchestration.turns import OrderlyWait, release_dead_runs
from iris_hpo.selection.rules import Rule
from iris_hpo.spec import SearchSpec
from iris_hpo.training import WORKER_MODULES

_RANGES: Final = 8
_BRIDGED: Final = 20
"""Runs that scattered candidates may take, and candidates between two of them that one run reuses
instead: a run costs about a second, a reused candidate less than a hundredth of that."""

_PLANS: Final = 3
"""How often a command plans, if candidates come and go while it works on them."""

_BYTES_PER_WORKER: Final = 20_000_000
"""Of data that fits read: they take about as long as a worker takes to start, or longer."""


@dataclass
class Outcome:
    """What a call has done.

    Attributes
    ----------
    counts
        Over all candidates; what was up to date already counts as reused.
    failures
        Candidates that failed, with the reason.
    run_ids
        Of the Dagster runs, in order.
    """

    counts: Counts
    failures: dict[str, str] = field(default_factory=dict[str, str])
    run_ids: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class WorkOptions:
    """How to work: the run configuration of `candidates`."""

    engine: str = "loky"
    jobs: int = 0
    force: bool = False
    candidate_timeout: float | None = None
    retries: int = 1
    dask_address: str | None = None


class _Tally:
    """Adds the counts of runs up, and passes the sum on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._sum = Counts(0)
        self._before = Counts(0)

    def begin(self, counts: Counts) -> None:
        self._sum = counts

    def __call__(self, context: dg.AssetExecutionContext, counts: Counts) -> None:
        if not counts.done:
            self._before = replace(self._sum)
        self._sum.trained = self._before.trained + counts.trained
        self._sum.reused = self._before.reused + counts.reused
        self._sum.failed = self._before.failed + counts.failed
        self._sum.warned = self._before.warned + counts.warned
        self._progress(context, self._sum)


class RunFailedError(Exception):
    """A run failed as a whole; the message is the failure's own.

    Attributes
    ----------
    failures
        Candidates that had failed before, with the reason: if all have, nothing can be selected.
    """

    def __init__(self, message: str, failures: Mapping[str, str]) -> None:
        super().__init__(message)
        self.failures = failures


class _CandidatesChangedError(Exception):
    """Candidates that were planned are no range of registered ones any more."""


class Launcher:
    """Runs a search's jobs on an instance.

    Parameters
    ----------
    progress
        Is told how runs go.
    say
        Called with each line for the user who waits: which run is waited for and since when, and
        which dead run was released.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        spec: SearchSpec,
        storage: Storage,
        progress: Progress,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._instance = instance
        self._say = say
        self._spec = spec
        self._names: Names = names_of(spec)
        self._storage = storage
        self._tally = _Tally(progress)

    @cached_property
    def _definitions(self) -> dg.Definitions:
        """Made when something is to be run: until then much need not be imported."""
        from iris_hpo.orchestration.build import build_search

        return build_search(self._spec, progress=self._tally)

    def bring_up_to_date(self, settings: Settings, rule: Rule, options: WorkOptions) -> Outcome:
        """Do what is missing or out of date, then select.

        Raises
        ------
        InputError
            If an input cannot be used.
        RunFailedError
            If a run fails by more than single candidates.
        """
        # Refuses what cannot work, before any run.
        Limits(options.retries, options.candidate_timeout)
        make_engine(
            options.engine,
            options.jobs,
            options.dask_address,
            options.candidate_timeout,
            self._spec.engine,
        )
        for released in release_dead_runs(self._instance, self._names.pool):
            self._say(f"taking over from {released.text}")
        self._storage.store(self._spec).sweep()
        claim_search(self._instance, self._spec, self._storage)
        plan, outcome = self._search_as_planned(settings, options)
        seen = plan.states if plan.is_empty and not outcome.run_ids else None
        if selection_state(self._instance, self._spec, self._storage, rule, seen) != "up to date":
            self._run("select", ["selection"], {"selection": {"rule": rule}}, {}, outcome)
        return outcome

    def _search_as_planned(self, settings: Settings, options: WorkOptions) -> tuple[Plan, Outcome]:
        """Plan and work; plan again if parameter files were edited, or a sensor acts upon that."""
        run_ids: list[str] = []
        trained = 0
        for _ in range(_PLANS):
            plan = make_plan(self._instance, self._spec, self._storage, settings)
            wanted = plan.keys if options.force else plan.candidates
            reused = len(plan.keys) - len(wanted)
            trained = min(trained, reused)  # in earlier rounds; some may have been removed since
            counts = Counts(len(plan.keys), trained=trained, reused=reused - trained)
            outcome = Outcome(counts, run_ids=run_ids)
            self._tally.begin(counts)
            try:
                self._search(plan, wanted, settings, options, outcome)
            except _CandidatesChangedError:
                trained = counts.trained
            else:
                return plan, outcome
        raise InputError(
            f"{self._storage.parameters_folder(self._spec)}: the candidates changed {_PLANS} times "
            "while the search began to work on them; run it again when the parameter files stay as "
            "they are: finished candidates are kept"
        )

    def _search(
        self,
        plan: Plan,
        wanted: Sequence[str],
        settings: Settings,
        options: WorkOptions,
        outcome: Outcome,
    ) -> None:
        config: dict[str, Mapping[str, Any]] = {
            "split": {
                "test_size": settings.split.test_size,
                "seed": settings.split.seed,
                "folds": settings.split.folds,
                "stratify": settings.split.stratify,
            },
            "parameters": dict(settings.choices),
            "models": {
                "engine": options.engine,
                "jobs": options.jobs,
                "force": options.force,
                "candidate_timeout": options.candidate_timeout,
                "retries": options.retries,
                "dask_address": options.dask_address,
            },
        }
        sources = plan.sources
        if plan.change:
            apply_change(self._instance, self._names, plan.change)
        if wanted and options.engine == "loky":
            start_ahead(self._workers(len(wanted), settings), options.jobs, modules=WORKER_MODULES)
            from iris_hpo.reports.figure import import_matplotlib

            # Imported while workers work, instead of when all wait for the figure.
            Thread(target=import_matplotlib, daemon=True).start()
        if not wanted:
            if sources:
                self._run("search", sources, config, {}, outcome)
                if set(registered_keys(self._instance, self._names)) != set(plan.keys):
                    raise _CandidatesChangedError
            return
        self._search_candidates(wanted, sources, config, outcome)

    def _search_candidates(
        self,
        wanted: Sequence[str],
        sources: Sequence[str],
        config: Mapping[str, Mapping[str, Any]],
        outcome: Outcome,
    ) -> None:
        order = registered_keys(self._instance, self._names)
        if not set(order).issuperset(wanted):
            raise _CandidatesChangedError
        ranges = contiguous_ranges(list(filter(None, wanted)), order, _RANGES, bridged=_BRIDGED)
        if "" in wanted and not any("" in keys for keys in ranges):
            outcome.failures[""] = "'' is no candidate, and Dagster has no run for it; delete it"
            outcome.counts.failed += 1
        # What a range bridges is looked at too, and was counted as reused.
        outcome.counts.reused -= sum(len(set(keys) - set(wanted)) for keys in ranges)
        for keys in ranges:
            assets = [*sources, "models", "scores"]
            try:
                self._run("search", assets, config, range_tags(keys), outcome)
            except (RunFailedError, dg.DagsterError) as error:
                if is_range(keys, registered_keys(self._instance, self._names)):
                    raise
                raise _CandidatesChangedError from error
            sources = ()

    def _workers(self, candidates: int, settings: Settings) -> int:
        """How many workers the work is surely worth; more are started once it shows that it is."""
        bytes_read = (
            candidates
            * (settings.split.folds + 1)
            * self._storage.data_file(self._spec).stat().st_size
        )
        return 1 + bytes_read // _BYTES_PER_WORKER

    def _run(
        self,
        job: str,
        assets: Sequence[str],
        config: Mapping[str, Mapping[str, Any]],
        tags: Mapping[str, str],
        outcome: Outcome,
    ) -> None:
        from iris_hpo.orchestration.build import STORAGE

        ops = {
            self._names.op(name): {"config": dict(config[name])}
            for name in assets
            if name in config
        }
        run_id = str(uuid.uuid4())
        self._instance.add_event_listener(
            run_id, OrderlyWait(self._instance, self._names.pool, self._say)
        )
        with cancelled_if_interrupted(self._instance, run_id):
            result = self._definitions.resolve_job_def(self._names.plain(job)).execute_in_process(
                run_config={
                    "ops": ops,
                    "resources": {
                        STORAGE: {
                            "config": {
                                "data": self._storage.data,
                                "artifacts": self._storage.artifacts,
                            }
                        }
                    },
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
                instance=self._instance,
                run_id=run_id,
                asset_selection=[self._names.asset(name) for name in assets],
                tags=tags,
                raise_on_error=False,
            )
        outcome.run_ids.append(result.run_id)
        if result.success:
            return
        failures = failure_reasons(self._instance, result.run_id)
        if not failures:
            raise RunFailedError(_message(result), outcome.failures)
        outcome.failures.update(failures)


def _message(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data is not None:
                return data.user_failure_data.description or "a step failed"
            if data.error is not None:
                cause = data.error.cause or data.error
                return cause.message.partition("\n[SQL:")[0].strip()
    return "the run failed; look at it in the Dagster UI"
