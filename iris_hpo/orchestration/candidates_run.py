"""One run over a range of candidates, or over all that are registered."""

import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property

import dagster as dg

from iris_hpo.engines import Done, Engine, Failed, Limits, make_engine
from iris_hpo.errors import InputError
from iris_hpo.orchestration.failed_candidates import (
    FAILED,
    FAILED_BEFORE_END,
    record_failure,
)
from iris_hpo.orchestration.names import failure, log_line
from iris_hpo.orchestration.overlaps import wait_for_turn
from iris_hpo.orchestration.own_run import check_turn
from iris_hpo.orchestration.partitions import registered_keys
from iris_hpo.orchestration.proposals import outgrown
from iris_hpo.orchestration.ranges import has_its_partitions, range_tags
from iris_hpo.orchestration.record import (
    as_json,
    data_versions,
    last_attempts,
    planned_partitions,
)
from iris_hpo.orchestration.recorder import Recorder, slow_log_note
from iris_hpo.orchestration.resources import Counts, Progress
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.upstream import Upstream
from iris_hpo.run_settings import WorkSettings
from iris_hpo.store.folder import ArtifactStore
from iris_hpo.text import counted, legible
from iris_hpo.training.artifacts import remove_left_folders
from iris_hpo.training.trial import Trial, TrialResult, TrialWork

Outcomes = Generator[Sequence[Done[Trial, TrialResult] | Failed[Trial]], None, None]


def is_partitioned(context: dg.AssetExecutionContext) -> bool:
    """Whether a run was launched for partitions."""
    return context.has_partition_key or context.has_partition_key_range


@dataclass
class CandidatesRun:
    """One run over a range of candidates.

    Attributes
    ----------
    failures
        Why candidates failed, by their keys.
    are_planned
        Whether the run plans each candidate before it is tried; Dagster shows planned ones as
        failed.
    """

    context: dg.AssetExecutionContext
    settings: WorkSettings
    study: Study
    progress: Progress
    failures: dict[str, str] = field(default_factory=dict[str, str])
    are_planned: bool = field(init=False)

    def __post_init__(self) -> None:
        self.are_planned = is_partitioned(self.context)

    def run(self) -> None:
        """Train and score the requested candidates; fail at the end if a candidate failed."""
        keys = self._keys()
        if not keys:
            log_line(self.context.log, "all candidates of this run were removed before it began")
            return
        engine = self.engine()
        wait_for_turn(self.context, self.study, keys)
        self.study.store.sweep()
        upstream = self.study.upstream()
        work = self.work(upstream)
        order = work.conditions.objective.order
        trials = sorted(self.trials(keys), key=lambda trial: order(trial.parameters))
        counts = Counts(len(trials) + len(self.failures))
        self.begin(counts)
        outcomes = engine.map(work, trials, self.limits)
        self.record(outcomes, Recorder(self.context, self.study, upstream), work, counts)
        self.end(counts)

    @property
    def limits(self) -> Limits:
        """The limits of each candidate."""
        return Limits(self.settings.retries, self.settings.candidate_timeout)

    def engine(self) -> Engine:
        """Make the engine of the run."""
        return make_engine(
            self.settings.engine,
            self.settings.jobs,
            self.settings.dask_address,
            self.limits.timeout,
            self.study.spec.engine,
        )

    def begin(self, counts: Counts) -> None:
        """Report how much there is to do, and what failed already."""
        if note := slow_log_note(self.context.instance):
            log_line(self.context.log, note, logging.WARNING)
        self.progress(self.context, counts)
        for key, reason in self.failures.items():  # keys that are no candidates
            self._record_failure(key, reason)
        if self.failures:
            counts.failed = len(self.failures)
            self.progress(self.context, counts)

    def record(
        self, outcomes: Outcomes, recorder: Recorder, work: TrialWork, counts: Counts
    ) -> None:
        """Record the outcomes as they come."""
        with _swept(self.study.store), closing(outcomes):
            for together in outcomes:
                check_turn(self.context.run.run_id)
                self.note(together)
                done = [outcome for outcome in together if isinstance(outcome, Done)]
                recorder.record([outcome.result for outcome in done])
                for outcome in together:
                    if isinstance(outcome, Failed) and outcome.ends_run:  # not by its candidate
                        raise failure(outcome.reason, {FAILED_BEFORE_END: as_json(self.failures)})
                    counts.add_warnings(outcome.warned)
                    self._count(work, outcome, counts)
                self.progress(self.context, counts)

    def note(self, outcomes: Sequence[Done[Trial, TrialResult] | Failed[Trial]]) -> None:
        """Note outcomes that are about to be recorded."""

    def end(self, counts: Counts) -> None:
        """Log the counts; fail if a candidate failed."""
        log_line(self.context.log, f"{counted(counts.total, 'candidate')}: {counts}")
        for text in counts.warnings():
            log_line(self.context.log, text, logging.WARNING)
        if self.failures:
            raise _failure(self.failures, counts.total)

    def _keys(self) -> Sequence[str]:
        """The run's candidates: all, if it was launched without a partition."""
        keys = registered_keys(self.study)
        if is_partitioned(self.context):
            return self._keys_of_range(keys)
        if not any(keys):
            raise failure(
                f"no candidate is registered; materialise "
                f"{self.study.names.asset('parameters').to_user_string()} first"
            )
        # Tags show other runs, and users, which candidates this run works on.
        self.context.instance.add_run_tags(self.context.run.run_id, range_tags(keys))
        return keys

    def _keys_of_range(self, registered: Sequence[str]) -> Sequence[str]:
        """The candidates that the run was launched for, as far as they are still there.

        Dagster finds a range by its two ends. While the run was queued, an end may have been
        removed, or a candidate of the range registered again, as the last of all.
        """
        context, run_id = self.context, self.context.run.run_id
        has_ends = has_its_partitions(context.run.tags, registered)
        keys = context.partition_keys if has_ends else ()
        attempts, _ = last_attempts(self.study.instance, min(context.selected_asset_keys))
        if keys and {*keys} == {key for key, (run, _) in attempts.items() if run == run_id}:
            return keys
        # Other runs have recorded some since then, or the range is another one now. A daemon that
        # is killed while it makes a run has stored a part of what the run is launched for.
        planned = planned_partitions(context.instance, run_id)
        if has_ends and not (keys or planned):
            raise failure(
                "the range of partitions is empty: its end was registered before its start; "
                "swap them"
            )
        due = planned.union(keys)
        return [key for key in registered if key in due]

    def _record_failure(self, key: str, reason: str, *, has_model: bool = False) -> None:
        names = ("scores",) if has_model else ("models", "scores")
        assets = [self.study.names.asset(name) for name in names]
        made = [asset for asset in assets if asset in self.context.selected_asset_keys]
        with self.study.events_together():
            record_failure(self.context, made, key, reason, is_planned=self.are_planned)

    def work(self, upstream: Upstream) -> TrialWork:
        """Make the work of the run."""
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

    def trials(self, keys: Sequence[str]) -> list[Trial]:
        """Make the trials of candidates; keys that are none fail.

        Where a run has more than one, those that a sampler proposed for other axes are passed over.
        """
        space, (models, scores) = self.study.spec.space, self._versions
        passed_over = outgrown(self.study, keys) if len(keys) > 1 else ()
        trials: list[Trial] = []
        for key in keys:
            if key in passed_over:
                continue
            try:
                candidate = space.parse_key(key)
            except ValueError as rule:
                self.failures[key] = f"{rule}; delete its partition"
                continue
            parameters = space.parameters(candidate)
            trials.append(Trial(key, parameters, models.get(key), scores.get(key)))
        return trials

    @cached_property
    def _versions(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Recorded versions of models and of scores, read when it is the run's turn."""
        instance, names = self.study.instance, self.study.names
        models, scores = (
            data_versions(instance, names.asset(name)) for name in ("models", "scores")
        )
        return models, scores

    def _count(
        self, work: TrialWork, outcome: Done[Trial, TrialResult] | Failed[Trial], counts: Counts
    ) -> None:
        if isinstance(outcome, Failed):
            self._fail(outcome.item.key, outcome.reason, counts, has_model=False)
            return
        result = outcome.result
        if result.score_failure is not None:
            self._fail(outcome.item.key, result.score_failure, counts, has_model=True)
        elif result.model_reused and (result.score_reused or not work.scores):
            counts.reused += 1
        elif result.model_reused:
            counts.scored += 1
        else:
            counts.trained += 1

    def _fail(self, key: str, reason: str, counts: Counts, *, has_model: bool) -> None:
        self._record_failure(key, reason, has_model=has_model)
        self.failures[key] = reason
        counts.failed += 1


@contextmanager
def _swept(store: ArtifactStore) -> Generator[None]:
    """Remove what workers that were ended have left, whichever way the block ends."""
    try:
        yield
    except BaseException:
        with suppress(InputError, OSError):  # what ended the block is reported
            store.sweep()
        raise
    else:
        store.sweep()
    finally:
        remove_left_folders()


def _failure(failures: dict[str, str], total: int) -> dg.Failure:
    shown = [f"{legible(key)}: {reason}" for key, reason in list(failures.items())[:20]]
    more = f"\nand {len(failures) - len(shown)} more" if len(failures) > len(shown) else ""
    rest = "; the others are done" if total > len(failures) else ""
    summary = f"{len(failures)} of {counted(total, 'candidate')} failed{rest}."
    return failure(
        f"{summary}\n" + "\n".join(shown) + more,
        {FAILED: as_json(failures)},
    )
