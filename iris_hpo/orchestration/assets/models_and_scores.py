"""The assets `models` and `scores`: a batch of independent candidates.

Dagster itself offers one run per partition, with seconds of overhead each, or one batched run that
succeeds or fails as a whole. Here one run works on a range of candidates and logs one
materialisation per candidate as soon as it is done. A crash loses only the candidates in flight. A
failing candidate harms no other; at the end the run fails, and exactly the partitions without a
materialisation show as failed.
"""

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import dagster as dg

from iris_hpo.engines import Done, Failed, Limits, make_engine
from iris_hpo.errors import InputError
from iris_hpo.orchestration.claims import check_claim
from iris_hpo.orchestration.config import CandidatesConfig, candidates_config
from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.names import asset_spec, failure, log_line, names_of
from iris_hpo.orchestration.overlaps import wait_for_turn
from iris_hpo.orchestration.partitions import registered_keys
from iris_hpo.orchestration.ranges import backfill_policy, range_tags
from iris_hpo.orchestration.record import (
    FAILED,
    FAILED_BEFORE_END,
    as_json,
    data_versions,
    plan_partitions,
)
from iris_hpo.orchestration.recorder import SLOW_LOG, Recorder, records_slowly
from iris_hpo.orchestration.resources import Counts, Progress, Storage
from iris_hpo.orchestration.study import OpenStudy, Study
from iris_hpo.orchestration.turns import check_turn
from iris_hpo.orchestration.upstream import Upstream
from iris_hpo.run_settings import WorkSettings
from iris_hpo.spec import SearchSpec
from iris_hpo.store.folder import ArtifactStore
from iris_hpo.text import counted, legible
from iris_hpo.training.trial import Trial, TrialResult, TrialWork


def build_candidates(spec: SearchSpec, open_study: OpenStudy) -> dg.AssetsDefinition:
    """Define `models` and `scores` of a search."""
    names = names_of(spec)

    def candidates(
        context: dg.AssetExecutionContext,
        config: CandidatesConfig,
        iris_hpo_storage: Storage,
        iris_hpo_progress: dg.ResourceParam[Progress],
    ) -> Iterator[dg.Output[None]]:
        with user_errors():
            study = open_study(context.instance, iris_hpo_storage)
            check_claim(study)
            _CandidatesRun(context, config.settings(), study, iris_hpo_progress).run()
        yield from ()

    candidates.__annotations__["config"] = candidates_config(spec)
    return dg.multi_asset(
        name=names.op("models"),
        specs=[
            asset_spec(spec, "models", ["split", "parameters"], names.partitions, skippable=True),
            asset_spec(spec, "scores", ["models", "split"], names.partitions, skippable=True),
        ],
        can_subset=True,
        backfill_policy=backfill_policy(),
        pool=names.pool,
    )(candidates)


@dataclass
class _CandidatesRun:
    """One run over a range of candidates."""

    context: dg.AssetExecutionContext
    settings: WorkSettings
    study: Study
    progress: Progress
    failures: dict[str, str] = field(default_factory=dict[str, str])

    def run(self) -> None:
        """Train and score the requested candidates; fail at the end if a candidate failed."""
        keys = self._keys()
        if not keys:
            raise failure(
                "the range of partitions is empty: its end was registered before its start; "
                "swap them"
            )
        limits = Limits(self.settings.retries, self.settings.candidate_timeout)
        engine = make_engine(
            self.settings.engine,
            self.settings.jobs,
            self.settings.dask_address,
            limits.timeout,
            self.study.spec.engine,
        )
        wait_for_turn(self.context, self.study, keys)
        self.study.store.sweep()
        upstream = self.study.upstream()
        work = self._work(upstream)
        order = work.conditions.objective.order
        trials = sorted(self._trials(keys), key=lambda trial: order(trial.parameters))
        recorder = Recorder(self.context, self.study, upstream)
        counts = Counts(len(keys))
        if records_slowly(self.context.instance):
            log_line(self.context.log, SLOW_LOG, logging.WARNING)
        self.progress(self.context, counts)
        if self.failures:
            counts.failed = len(self.failures)
            self.progress(self.context, counts)
        with _swept(self.study.store), closing(engine.map(work, trials, limits)) as outcomes:
            for together in outcomes:
                check_turn(self.context.run.run_id)
                done = [outcome for outcome in together if isinstance(outcome, Done)]
                recorder.record([outcome.result for outcome in done])
                for outcome in together:
                    if isinstance(outcome, Failed) and outcome.ends_run:
                        tried = {**self.failures, outcome.item.key: outcome.reason}
                        raise failure(outcome.reason, {FAILED_BEFORE_END: as_json(tried)})
                    counts.add_warnings(outcome.warned)
                    self._count(work, outcome, counts)
                self.progress(self.context, counts)
        log_line(self.context.log, f"{counted(counts.total, 'candidate')}: {counts}")
        for text in counts.warnings():
            log_line(self.context.log, text, logging.WARNING)
        if self.failures:
            if not self._is_partitioned:
                self._plan_failed()
            raise _failure(self.failures, len(keys))

    @property
    def _is_partitioned(self) -> bool:
        return self.context.has_partition_key or self.context.has_partition_key_range

    def _keys(self) -> Sequence[str]:
        """The run's candidates: all, if it was launched without a partition."""
        if self._is_partitioned:
            return self.context.partition_keys
        keys = registered_keys(self.study)
        if not any(keys):
            raise failure(
                f"no candidate is registered; materialise "
                f"{self.study.names.asset('parameters').to_user_string()} first"
            )
        # Tags show other runs, and users, which candidates this run works on.
        self.context.instance.add_run_tags(self.context.run.run_id, range_tags(keys))
        return keys

    def _plan_failed(self) -> None:
        """Make Dagster show failed candidates as failed, which it does for planned ones only."""
        for name in ("models", "scores"):
            asset = self.study.names.asset(name)
            if asset in self.context.selected_asset_keys:
                plan_partitions(self.context, asset, list(self.failures))

    def _work(self, upstream: Upstream) -> TrialWork:
        study, selected = self.study, self.context.selected_asset_keys
        examples = study.examples(upstream.split_card)
        scores = study.names.asset("scores") in selected
        conditions = study.conditions(upstream.split_card, upstream.parameters_card)
        if scores:
            conditions.objective.check_rows(examples)
        return TrialWork(
            store_url=str(study.store.root),
            conditions=conditions,
            examples=examples,
            run_id=self.context.run.run_id,
            trains=study.names.asset("models") in selected,
            scores=scores,
            force=self.settings.force,
        )

    def _trials(self, keys: Sequence[str]) -> list[Trial]:
        names, space = self.study.names, self.study.spec.space
        models = data_versions(self.study.instance, names.asset("models"))
        scores = data_versions(self.study.instance, names.asset("scores"))
        trials: list[Trial] = []
        for key in keys:
            try:
                candidate = space.parse_key(key)
            except ValueError as rule:
                self.failures[key] = str(rule)
                continue
            parameters = space.parameters(candidate)
            trials.append(Trial(key, parameters, models.get(key), scores.get(key)))
        return trials

    def _count(
        self, work: TrialWork, outcome: Done[Trial, TrialResult] | Failed[Trial], counts: Counts
    ) -> None:
        if isinstance(outcome, Failed):
            self.failures[outcome.item.key] = outcome.reason
            counts.failed += 1
            return
        result = outcome.result
        if result.score_failure is not None:
            self.failures[outcome.item.key] = result.score_failure
            counts.failed += 1
        elif result.model_reused and (result.score_reused or not work.scores):
            counts.reused += 1
        else:
            counts.trained += 1


@contextmanager
def _swept(store: ArtifactStore) -> Generator[None]:
    """Remove temporary files of workers that were ended, whichever way the block ends."""
    try:
        yield
    except BaseException:
        with suppress(InputError, OSError):  # what ended the block is reported
            store.sweep()
        raise
    store.sweep()


def _failure(failures: dict[str, str], total: int) -> dg.Failure:
    shown = [f"{legible(key)}: {reason}" for key, reason in list(failures.items())[:20]]
    more = f"\nand {len(failures) - len(shown)} more" if len(failures) > len(shown) else ""
    rest = "; the others are done" if total > len(failures) else ""
    summary = f"{len(failures)} of {counted(total, 'candidate')} failed{rest}."
    return failure(
        f"{summary}\n" + "\n".join(shown) + more,
        {FAILED: as_json(failures)},
    )
