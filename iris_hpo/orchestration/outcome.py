"""The outcome of a call of the runner, counted over all its runs, and why a run failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import dagster as dg

from iris_hpo.orchestration.failures import explain_recorded
from iris_hpo.orchestration.resources import Counts, Progress


@dataclass
class Outcome:
    """The outcome of a call.

    Attributes
    ----------
    counts
        Counts over all candidates; those that were up to date before count as reused.
    failures
        Candidates that failed, with the reason.
    run_ids
        Ids of the Dagster runs, in order.
    """

    counts: Counts
    failures: dict[str, str] = field(default_factory=dict[str, str])
    run_ids: list[str] = field(default_factory=list[str])


class Tally:
    """Adds up the counts of all runs, and passes the sum on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._sum = Counts(0)
        self._before = Counts(0)

    def begin(self, counts: Counts) -> None:
        """Add to these counts from now on."""
        self._sum = counts

    def __call__(self, context: dg.AssetExecutionContext, counts: Counts) -> None:
        """Add the counts of the present run."""
        if not counts.done:
            self._before = replace(self._sum)
        self._sum.trained = self._before.trained + counts.trained
        self._sum.scored = self._before.scored + counts.scored
        self._sum.reused = self._before.reused + counts.reused
        self._sum.failed = self._before.failed + counts.failed
        self._sum.warned = self._before.warned + counts.warned
        if counts.ended:
            self._sum.ended = counts.ended
            self._sum.total = self._sum.done
        self._progress(context, self._sum)


class RunFailedError(Exception):
    """A run failed as a whole; the message is that of the failure.

    Attributes
    ----------
    failures
        Candidates that had failed before, with the reason; if all have, nothing can be selected.
    """

    def __init__(self, message: str, failures: Mapping[str, str]) -> None:
        super().__init__(message)
        self.failures = failures


def is_only_blocked(result: dg.ExecuteInProcessResult) -> bool:
    """Whether nothing failed but checks that block: the selection stands."""
    errors = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    names = {error.cls_name if error else "" for error in errors}
    return names == {"DagsterAssetCheckFailedError"}


def checks_that_blocked(result: dg.ExecuteInProcessResult, blocking: Sequence[str]) -> str:
    """Say which checks of the data or the split blocked the run; empty if none did."""
    failed = [
        f"the check {check.check_name} blocks what depends on {check.asset_key.path[-1]}: "
        f"{check.description}"
        for check in result.get_asset_check_evaluations()
        if check.check_name in blocking and not check.passed
    ]
    return "\n".join(failed)


def message_of(result: dg.ExecuteInProcessResult) -> str:
    """Say why a run failed."""
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data is not None:
                return data.user_failure_data.description or "a step failed"
            if data.error is not None:
                return explain_recorded(data.error)
        if event.is_job_failure and (error := event.job_failure_data.error):  # no step began
            return explain_recorded(error)
    return "the run failed; look at it in the Dagster UI"
