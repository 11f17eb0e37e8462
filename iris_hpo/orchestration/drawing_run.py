"""The run of an adaptive search: it tries what waits for a result, then asks for more."""

import os
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Final

import dagster as dg

from iris_hpo.engines import Done, Failed, LokyEngine, draw, start_process
from iris_hpo.orchestration.candidates_run import CandidatesRun, is_partitioned
from iris_hpo.orchestration.drawing import Supply, make_drawing
from iris_hpo.orchestration.names import log_line
from iris_hpo.orchestration.overlaps import wait_for_turn
from iris_hpo.orchestration.partitions import registered_keys
from iris_hpo.orchestration.plan import candidates_due
from iris_hpo.orchestration.proposal_notes import Proposal
from iris_hpo.orchestration.proposals import plan_results, register_proposal, usable_keys
from iris_hpo.orchestration.recorder import Recorder
from iris_hpo.orchestration.resources import Counts
from iris_hpo.orchestration.sampling_notes import sampling_notes
from iris_hpo.orchestration.status import read_status
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.upstream import Upstream
from iris_hpo.training.cards import ScoreCard
from iris_hpo.training.trial import Trial, TrialResult, TrialWork

_SENSOR: Final = "dagster/sensor_name"


def draws(context: dg.AssetExecutionContext, study: Study) -> bool:
    """Whether a run asks the sampler for candidates: it was launched for all of them."""
    assets = {study.names.asset("models"), study.names.asset("scores")}
    is_whole = not is_partitioned(context) and assets <= context.selected_asset_keys
    return is_whole and study.sampling.is_adaptive


@dataclass
class DrawingRun(CandidatesRun):
    """One run of an adaptive search.

    Runs of a search take turns, and each reads the record when it is its turn. So a sensor and a
    command that work at once try no candidate twice, and keep to one budget.
    """

    supply: Supply | None = field(default=None, init=False)

    def run(self) -> None:
        """Try candidates until the budget is spent; fail at the end if a candidate failed."""
        engine, sampling = self.engine(), self.study.sampling
        wait_for_turn(self.context, self.study, None)
        sampling.follow(sampling.recorded())  # the run that was waited for may have changed them
        if not sampling.is_adaptive:
            super().run()
            return
        self.are_planned = True
        self.study.store.sweep()
        upstream = self.study.upstream()
        work = self.work(upstream)
        recorder = Recorder(self.context, self.study, upstream)
        supply = self.supply = self._make_supply(upstream, work, recorder)
        left = 0 if supply.drawing.end_of_budget() else supply.drawing.left
        if left:
            sampling.source.check()
        counts = Counts(len(supply.waiting) + len(self.failures) + left)
        self.begin(counts)
        batch = self.settings.jobs or os.cpu_count() or 1
        outcomes = draw(engine, work, supply, self.limits, batch)
        has_process = left and isinstance(engine, LokyEngine)
        with supply.drawing.beside(start_process) if has_process else nullcontext():
            self.record(outcomes, recorder, work, counts)
        counts.total, counts.ended = counts.done, supply.ended
        self.progress(self.context, counts)
        log_line(self.context.log, f"no more candidates: {supply.ended}")
        self.end(counts)

    def note(self, outcomes: Sequence[Done[Trial, TrialResult] | Failed[Trial]]) -> None:
        """Show outcomes to the sampler."""
        if self.supply is not None:
            self.supply.note(map(_result_of, outcomes))

    def _make_supply(self, upstream: Upstream, work: TrialWork, recorder: Recorder) -> Supply:
        study = self.study
        keys = registered_keys(study)
        status = read_status(study, keys, work.conditions, verify_models=True)
        usable = usable_keys(study)
        due = usable if self.settings.force else candidates_due(study, usable, status)
        if _SENSOR in self.context.run.tags:  # nobody asks to try again what failed
            due = [key for key in due if key not in status.failed_runs]
        drawing = make_drawing(study, keys, status, upstream.split_card.folds)
        for line in sampling_notes(study.sampling, drawing.observations.left_out):
            log_line(self.context.log, line)

        def register(proposal: Proposal) -> Trial:
            register_proposal(self.context, study, proposal)
            recorder.proposals[proposal.key] = proposal
            return self.trials([proposal.key])[0]

        waiting = deque(self.trials(due))
        for key in self.failures:  # keys that are no candidates
            plan_results(self.context, study, key)
        return Supply(
            drawing,
            waiting,
            lambda trial: plan_results(self.context, study, trial.key),
            register,
            study.sampling.part.use,
        )


def _result_of(
    outcome: Done[Trial, TrialResult] | Failed[Trial],
) -> tuple[str, ScoreCard | None, float]:
    """Return the key, the score and the seconds of an outcome."""
    if isinstance(outcome, Failed):
        return outcome.item.key, None, 0.0
    model, score = outcome.result.model, outcome.result.score
    seconds = sum(card.seconds for card in (model, score) if card is not None)
    return outcome.item.key, score, seconds
