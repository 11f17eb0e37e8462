"""Budgets: when an adaptive search asks for no more candidates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from iris_hpo.errors import InputError
from iris_hpo.samplers import Observation
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.text import counted

DEFAULT_CANDIDATES = 100
"""Number of candidates where neither the search nor a run gives one."""


@dataclass(frozen=True)
class Budget:
    """How much an adaptive search may try, whatever runs it: in total, not additional.

    Parameters
    ----------
    candidates
        Number of candidates that are registered, those that files list among them.
    seconds
        Training and scoring of all candidates, in seconds, summed over workers and runs.
    until
        A score that is good enough, in the search's scoring: at least this one, or at most, if the
        least is the best.
    while_it_gains
        Whether to stop when the expected gain is less than the standard error of cross-validation,
        see `iris_hpo.samplers.gain`.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    candidates: int = DEFAULT_CANDIDATES
    seconds: float | None = None
    until: float | None = None
    while_it_gains: bool = False

    def __post_init__(self) -> None:
        if self.candidates < 1:
            raise InputError(
                f"candidates {self.candidates} must be at least 1", field=("candidates",)
            )
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise InputError(
                f"seconds {self.seconds} must be a number greater than 0", field=("seconds",)
            )
        if self.until is not None and not math.isfinite(self.until):
            raise InputError(f"until {self.until} must be a finite number", field=("until",))


@dataclass(frozen=True)
class Progress:
    """How far an adaptive search is.

    Attributes
    ----------
    registered
        Number of registered candidates: tried, running, and pending ones.
    seconds
        Training and scoring of all candidates so far, in seconds.
    observations
        The candidates that were tried, as a sampler is shown them.
    least_is_best
        Whether the natural score is the negative of that of observations.
    folds
        Number of folds of one repeat; 0 for none.
    """

    registered: int
    seconds: float
    observations: Sequence[Observation]
    least_is_best: bool = False
    folds: int = 0


def end(budget: Budget, progress: Progress, space: ParameterSpace) -> str | None:
    """Return why no more candidates are asked for, in words; None while there is budget.

    Parameters
    ----------
    space
        The space in which the sampler looks.
    """
    if progress.registered >= budget.candidates:
        more = (
            f": there are {progress.registered}" if progress.registered > budget.candidates else ""
        )
        return f"the budget of {counted(budget.candidates, 'candidate')} is used up{more}"
    if budget.seconds is not None and progress.seconds >= budget.seconds:
        return (
            f"the budget of {budget.seconds:,g} seconds is used up: training and scoring took "
            f"{progress.seconds:,.1f}"
        )
    if budget.until is None and not budget.while_it_gains:
        return None
    scored = [seen for seen in progress.observations if seen.score is not None]
    best = max((seen.score or 0.0 for seen in scored), default=-math.inf)
    sign = -1.0 if progress.least_is_best else 1.0
    if budget.until is not None and best >= sign * budget.until:
        word = "at most" if progress.least_is_best else "at least"
        return f"the score {sign * best:.6g} is reached, and {word} {budget.until:g} was to be"
    if budget.while_it_gains:
        from iris_hpo.samplers.gain import no_more_gain

        return no_more_gain(space, scored, progress.folds)
    return None
