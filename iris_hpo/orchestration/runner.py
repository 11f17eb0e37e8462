"""Run the jobs of a search in this process, on the instance that the UI shows.

The command calls `Launcher.bring_up_to_date`. The runs use the jobs of the search, so the UI shows
them like any others. What is left to do is decided in `plan`.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any, Final

import dagster as dg

from iris_hpo.data.named_splitters import names_of_settings
from iris_hpo.engines import Limits, make_engine
from iris_hpo.engines.leftovers import sweep
from iris_hpo.errors import InputError
from iris_hpo.orchestration.claims import claim_search
from iris_hpo.orchestration.config import FITTING, sampling_settings
from iris_hpo.orchestration.failed_candidates import failure_reasons
from iris_hpo.orchestration.failed_while_waiting import failed_while_waiting
from iris_hpo.orchestration.failures import cancelled_if_interrupted
from iris_hpo.orchestration.outcome import (
    Outcome,
    RunFailedError,
    Tally,
    checks_that_blocked,
    is_only_blocked,
    message_of,
)
from iris_hpo.orchestration.partitions import apply_change, is_range, registered_keys
from iris_hpo.orchestration.plan import FullPlan, full_plan
from iris_hpo.orchestration.proposals import usable_keys
from iris_hpo.orchestration.ranges import range_tags, ranges_of_runs
from iris_hpo.orchestration.resources import Counts, Progress
from iris_hpo.orchestration.sampling_notes import sampling_notes
from iris_hpo.orchestration.selection_status import selection_state
from iris_hpo.orchestration.source_status import Settings
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.turns import OrderlyWait, release_dead_runs
from iris_hpo.run_settings import LOKY, SelectionSettings, WorkSettings
from iris_hpo.start_up import end_spare_workers, import_for_reports, start_workers
from iris_hpo.training.artifacts import remove_left_folders

_PLANS: Final = 3
"""Number of times that a command plans, if candidates change while it works on them."""


class _CandidatesChangedError(Exception):
    """The planned candidates are no longer a range of the registered ones."""


class Launcher:
    """Runs a search's jobs in this process.

    Parameters
    ----------
    study
        The search on its instance. The assets of the runs share the study, so that each input is
        read once.
    progress
        Called with the counts as runs go on.
    say
        Called with each line for a user who waits: the run that is waited for and since when, and
        each dead run that was released.
    waited_since
        Last event before the caller waited for another one; None if it did not wait.
    """

    def __init__(
        self,
        study: Study,
        progress: Progress,
        say: Callable[[str], None] = lambda _: None,
        waited_since: int | None = None,
    ) -> None:
        self._study = study
        self._waited_since = waited_since
        study.announce = say
        self._tally = Tally(progress)

    @cached_property
    def _definitions(self) -> dg.Definitions:
        """Definitions of the search; made only if there is a run, because of their imports."""
        from iris_hpo.orchestration.build import build_search

        def open_study(*_: object) -> Study:
            return self._study

        return build_search(
            self._study.spec, progress=self._tally, open_study=open_study, loads_data=True
        )

    def bring_up_to_date(
        self, settings: Settings, selection: SelectionSettings, work: WorkSettings
    ) -> Outcome:
        """Do what is missing or out of date, then select.

        Raises
        ------
        InputError
            If an input cannot be used.
        RunFailedError
            If a run fails by more than single candidates.
        """
        # Refuse impossible options before any run.
        Limits(work.retries, work.candidate_timeout)
        make_engine(
            work.engine,
            work.jobs,
            work.dask_address,
            work.candidate_timeout,
            self._study.spec.engine,
        )
        for released in release_dead_runs(self._study.instance, self._study.names.pool):
            self._study.announce(f"taking over from {released.text}")
        sweep()
        remove_left_folders()
        self._study.store.sweep()
        claim_search(self._study)
        try:
            plan, outcome = self._search_as_planned(settings, work)
            status = plan.status if plan.is_empty and not outcome.run_ids else None
            if selection_state(self._study, selection, status) != "up to date":
                fitting = {name: getattr(work, name) for name in FITTING}
                config = {"selection": {**asdict(selection), **fitting}}
                self._run("select", ["selection"], config, {}, outcome)
        finally:
            end_spare_workers()
        return outcome

    def _search_as_planned(
        self, settings: Settings, work: WorkSettings
    ) -> tuple[FullPlan, Outcome]:
        """Plan and work; plan again if parameter files or registered candidates have changed."""
        run_ids: list[str] = []
        before = Counts(0)
        for attempt in range(_PLANS):
            if attempt:
                self._study = self._study.again()
            plan = full_plan(self._study, settings)
            for line in sampling_notes(self._study.sampling, plan.left_out):
                self._study.announce(line)
            planned = plan.keys if work.force else plan.candidates
            reused = len(plan.keys) - len(planned)
            trained = min(before.trained, reused)  # some may have been removed since
            scored = min(before.scored, reused - trained)
            total = len(plan.keys) + plan.left
            counts = Counts(total, trained, scored, reused - trained - scored, ended=plan.ended)
            outcome = Outcome(counts, run_ids=run_ids)
            self._tally.begin(counts)
            outcome.failures |= failed_while_waiting(self._study, plan, work, self._waited_since)
            if outcome.failures:
                counts.failed = len(outcome.failures)
                return plan, outcome
            if plan.left:
                self._study.sampling.source.check()
            try:
                self._search(plan, planned, settings, work, outcome)
            except _CandidatesChangedError:
                before = counts
            else:
                return plan, outcome
        raise InputError(
            f"{self._study.sampling.place}: the candidates changed {_PLANS} times while the "
            "search began to work on them; run it again when they stay the same: finished "
            "candidates are kept"
        )

    def _search(
        self,
        plan: FullPlan,
        planned: Sequence[str],
        settings: Settings,
        work: WorkSettings,
        outcome: Outcome,
    ) -> None:
        config: dict[str, Mapping[str, Any]] = {
            "split": {
                name: getattr(settings.split, name)
                for name in names_of_settings(self._study.spec.splitter)
            },
            "parameters": {**self._sampling_config(), **settings.choices},
            "models": asdict(work),
        }
        sources = plan.sources
        if plan.change:
            apply_change(self._study, plan.change)
        if (planned or plan.left) and work.engine == LOKY:
            fits = (len(planned) + plan.left) * (
                self._study.spec.division(settings.split).n_folds + 1
            )
            file = self._study.data_file
            size = file.stat().st_size if self._study.spec.has_table else 0
            start_workers(fits * size, work.jobs)
            import_for_reports(self._study.spec.reports)
        if self._study.sampling.is_adaptive:
            if planned or plan.left or sources:
                self._run("search", [*sources, "models", "scores"], config, {}, outcome)
            return
        if not planned:
            if sources:
                self._run("search", sources, config, {}, outcome)
                if set(usable_keys(self._study)) != set(plan.keys):
                    raise _CandidatesChangedError
            return
        self._search_candidates(planned, sources, config, outcome)

    def _sampling_config(self) -> dict[str, Any]:
        settings = self._study.sampling.settings
        names = [setting.name for setting in sampling_settings(self._study.spec)]
        return {name: getattr(settings, name) for name in names}

    def _search_candidates(
        self,
        planned: Sequence[str],
        sources: Sequence[str],
        config: Mapping[str, Mapping[str, Any]],
        outcome: Outcome,
    ) -> None:
        order = registered_keys(self._study)
        if not set(order).issuperset(planned):
            raise _CandidatesChangedError
        ranges = ranges_of_runs(list(filter(None, planned)), order)
        if "" in planned and not any("" in keys for keys in ranges):
            outcome.failures[""] = "'' is no candidate, and Dagster has no run for it; delete it"
            outcome.counts.failed += 1
        # Candidates between two ranges are part of the run, and were already counted as reused.
        others = set(usable_keys(self._study)).difference(planned)
        outcome.counts.reused -= sum(len(others.intersection(keys)) for keys in ranges)
        for keys in ranges:
            assets = [*sources, "models", "scores"]
            try:
                self._run("search", assets, config, range_tags(keys), outcome)
            except (RunFailedError, dg.DagsterError) as error:
                self._check_range(keys, error)
                raise
            self._check_range(keys)
            sources = ()

    def _check_range(self, keys: Sequence[str], error: Exception | None = None) -> None:
        """Plan again if a run's candidates were removed: it has done only those that were left."""
        if not is_range(keys, registered_keys(self._study)):
            raise _CandidatesChangedError from error

    def _run(
        self,
        job: str,
        assets: Sequence[str],
        config: Mapping[str, Mapping[str, Any]],
        tags: Mapping[str, str],
        outcome: Outcome,
    ) -> None:
        from iris_hpo.orchestration.champion_io import STORAGE

        study, storage = self._study, self._study.storage
        ops = {
            study.names.op(name): {"config": dict(config[name])}
            for name in assets
            if name in config
        }
        run_id = str(uuid.uuid4())
        study.instance.add_event_listener(
            run_id, OrderlyWait(study.instance, study.names.pool, self._study.announce)
        )
        with cancelled_if_interrupted(study.instance, run_id):
            job_def = self._definitions.resolve_job_def(study.names.plain(job))
            result = job_def.execute_in_process(
                run_config={
                    "ops": ops,
                    "resources": {
                        STORAGE: {"config": {"data": storage.data, "artifacts": storage.artifacts}}
                    },
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
                instance=study.instance,
                run_id=run_id,
                asset_selection=[study.names.asset(name) for name in assets],
                tags=tags,
                raise_on_error=False,
            )
        outcome.run_ids.append(result.run_id)
        if result.success or (job == "select" and is_only_blocked(result)):
            return
        failures = failure_reasons(study.instance, result.run_id)
        if not failures:
            message = checks_that_blocked(result, study.spec.blocking_checks) or message_of(result)
            raise RunFailedError(message, outcome.failures)
        outcome.failures.update(failures)
