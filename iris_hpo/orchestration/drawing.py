"""What an adaptive search tries next: the supply of its runs, and how much is left of its budget.

A search is adaptive if its sampler is asked again when results are known. The sampler sees what is
recorded and nothing else; so a search goes on alike after a crash, by the command and from the UI.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from iris_hpo.errors import NotInstalledError
from iris_hpo.orchestration.observations import Observations, read_observations
from iris_hpo.orchestration.proposal_notes import Proposal
from iris_hpo.orchestration.status import Status
from iris_hpo.orchestration.study import Study
from iris_hpo.run_settings import SamplingSettings
from iris_hpo.samplers.beside import SLOW, Process, SamplerBeside
from iris_hpo.samplers.budget import Budget, Progress, end
from iris_hpo.samplers.source import CandidateSource
from iris_hpo.space.candidates import Candidate
from iris_hpo.text import counted
from iris_hpo.training.cards import ScoreCard
from iris_hpo.training.trial import Trial

NOTHING_NEW: Final = "the sampler has no more candidates"


class Drawing:
    """The sampler and the budget of a search at work on what is known.

    Parameters
    ----------
    source
        The sampler.
    settings
        The budget.
    observations
        What is known.
    folds
        Number of folds of one repeat; 0 for none.
    """

    def __init__(
        self,
        source: CandidateSource,
        settings: SamplingSettings,
        observations: Observations,
        folds: int,
    ) -> None:
        self._source = source
        self._budget = Budget(
            settings.candidates, settings.seconds, settings.until, settings.while_it_gains
        )
        self.observations = observations
        self._folds = folds
        self._beside: SamplerBeside | None = None

    @property
    def left(self) -> int:
        """Number of candidates that the budget leaves."""
        most = min(self._budget.candidates, self._source.limit)
        return max(most - len(self.observations.registered), 0)

    def end_of_budget(self) -> str | None:
        """Why no more candidates are asked for; None while there is budget."""
        known = self.observations
        if len(known.registered) >= self._source.limit:
            limit = counted(self._source.limit, "candidate")
            return f"the limit of {limit} is reached (max_candidates)"
        progress = Progress(
            len(known.registered), known.seconds, known.observed, known.minimizes, self._folds
        )
        return end(self._budget, progress, self._source.looked_in)

    def propose(self) -> Sequence[Candidate]:
        """Ask the sampler; the answer has no candidate that is registered."""
        known = self.observations
        running = [*known.running.values()]
        return self._source.propose(known.observed, running, known.registered, self._beside)

    @contextmanager
    def beside(self, start: Callable[[], Process]) -> Generator[None]:
        """Ask a slow sampler in a process of its own.

        Parameters
        ----------
        start
            Starts the process.
        """
        if self._source.part.use not in SLOW:
            yield
            return
        source = self._source
        self._beside = SamplerBeside(source.sampler, source.made_part, start)
        try:
            yield
        finally:
            self._beside.end()
            self._beside = None

    def prepare(self) -> None:
        """Let a sampler in a process of its own decide on what is known now."""
        if self._beside is not None and self.end_of_budget() is None:
            known = self.observations
            running = [*known.running.values()]
            self._beside.prepare(self._source.looked_in, known.observed, running)

    def what_is_left(self, *, has_work: bool) -> tuple[int, str]:
        """Number of candidates that may be drawn, and why none are; empty if some are.

        Parameters
        ----------
        has_work
            Whether registered candidates wait for a result: what the sampler proposes after that is
            not known.
        """
        ended = self.end_of_budget() or ("" if has_work or self._may_propose() else NOTHING_NEW)
        return (0 if ended else self.left), ended

    def _may_propose(self) -> bool:
        """Whether the sampler has a candidate now; it may, where it is not installed."""
        try:
            return bool(self.propose())
        except NotInstalledError:
            return True


@dataclass
class Supply:
    """The candidates of an adaptive run: first those that wait for a result, then proposed ones.

    Attributes
    ----------
    drawing
        The sampler.
    waiting
        Registered candidates to try.
    begin
        Called with each of them before it is tried.
    register
        Called with each proposal; registers its candidate and returns what to try.
    sampler
        Name of the sampler, in proposals.
    ended
        Why no more candidates were asked for; empty while they are.
    """

    drawing: Drawing
    waiting: deque[Trial]
    begin: Callable[[Trial], None]
    register: Callable[[Proposal], Trial]
    sampler: str
    ended: str = ""

    def take(self, most: int) -> Sequence[Trial]:
        """Return the next candidates to try, at most so many; none if there are none now."""
        trials: list[Trial] = []
        while self.waiting and len(trials) < most:
            trials.append(self.waiting.popleft())
            self.begin(trials[-1])
        while len(trials) < most and (drawn := self._draw(most - len(trials))):
            trials += drawn
        return trials

    def _draw(self, most: int) -> Sequence[Trial]:
        known = self.drawing.observations
        self.ended = self.drawing.end_of_budget() or ""
        if self.ended:
            return ()
        proposed = self.drawing.propose()
        if not proposed and not known.running:
            self.ended = NOTHING_NEW
        trials: list[Trial] = []
        for candidate in proposed[: min(most, self.drawing.left)]:
            proposal = Proposal(
                candidate.key, self.sampler, len(known.registered), len(known.observed)
            )
            trials.append(self.register(proposal))
            known.register(candidate.key)
        return trials

    def note(self, outcomes: Iterable[tuple[str, ScoreCard | None, float]]) -> None:
        """Note outcomes of trials, each with its key and seconds, before more are asked for."""
        for key, score, seconds in outcomes:
            self.drawing.observations.observe(key, score)
            self.drawing.observations.seconds += seconds
        if not self.waiting:
            self.drawing.prepare()


def make_drawing(study: Study, keys: Sequence[str], status: Status, folds: int) -> Drawing:
    """Put the sampler and the budget in force to work on what is recorded.

    Parameters
    ----------
    keys
        The registered candidates, in order.
    status
        Their status.
    folds
        Number of folds of one repeat; 0 for none.
    """
    source = study.sampling.source
    observations = read_observations(study, keys, status, source)
    return Drawing(source, study.sampling.settings, observations, folds)
