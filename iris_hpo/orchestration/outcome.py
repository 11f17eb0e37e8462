"""The outcome of a call of the runner, counted over all its runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import dagster as dg

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
