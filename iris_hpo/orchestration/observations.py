"""What is known of the registered candidates, as a sampler is shown it."""

import math
from bisect import insort
from collections.abc import Sequence

from iris_hpo.orchestration.status import Status
from iris_hpo.orchestration.study import Study
from iris_hpo.samplers import Observation
from iris_hpo.samplers.source import CandidateSource
from iris_hpo.space.candidates import Candidate
from iris_hpo.training.cards import ModelCard, ScoreCard, model_card_name
from iris_hpo.training.evaluation import cv_mean


class Observations:
    """The registered candidates and their results, in the order of registration.

    Candidates that are not where the sampler looks, or whose keys are none of this search, are
    registered, but not shown.

    Parameters
    ----------
    source
        The sampler with where it looks.
    scores_itself, minimizes
        Whether the objective gives its scores itself, and whether its least score is the best.

    Attributes
    ----------
    registered
        Keys of all registered candidates.
    left_out
        Keys of those that the sampler is not shown.
    running
        The shown candidates without a result, by their keys, in order.
    seconds
        Seconds that training and scoring took, of all candidates with a score.
    """

    def __init__(
        self, source: CandidateSource, *, scores_itself: bool = False, minimizes: bool = False
    ) -> None:
        self._source = source
        self._scores_itself = scores_itself
        self.minimizes = minimizes
        self.registered = set[str]()
        self.left_out: list[str] = []
        self.running: dict[str, Candidate] = {}
        self.seconds = 0.0
        self._numbers: dict[str, int] = {}
        self._shown: dict[str, Candidate] = {}
        self._observed: list[Observation] = []
        self._shared: tuple[Observation, ...] | None = ()

    @property
    def observed(self) -> Sequence[Observation]:
        """The candidates that were tried, in the order of registration."""
        if self._shared is None:  # copied once for each result, not for each question
            self._shared = tuple(self._observed)
        return self._shared

    def register(self, key: str) -> None:
        """Add a registered candidate, which has no result yet."""
        self.registered.add(key)
        try:
            candidate = self._source.space.parse_key(key)
        except ValueError:
            self.left_out.append(key)
            return
        if not self._source.covers(candidate):
            self.left_out.append(key)
            return
        self._numbers[key] = len(self._numbers)
        self._shown[key] = self.running[key] = candidate

    def observe(self, key: str, score: ScoreCard | None) -> None:
        """Add the result of a registered candidate: its score, or that it failed."""
        number = self._numbers.get(key)
        if number is None:
            return
        if self.running.pop(key, None) is None:  # it was tried before
            self._observed = [one for one in self._observed if one.number != number]
        insort(
            self._observed,
            Observation(self._shown[key], self._natural(score), _folds(score), number),
            key=_number,
        )
        self._shared = None

    def _natural(self, card: ScoreCard | None) -> float | None:
        """The score that samplers steer by, larger is better: never that of the test rows."""
        if card is None:
            return None
        score = card.score if self._scores_itself else cv_mean(card.fold_scores)
        if score is None or not math.isfinite(score):
            return None
        return -score if self.minimizes else score


def _number(observation: Observation) -> int:
    return observation.number


def _folds(card: ScoreCard | None) -> tuple[float, ...]:
    return tuple(card.fold_scores) if card else ()


def read_observations(
    study: Study, keys: Sequence[str], status: Status, source: CandidateSource
) -> Observations:
    """Read what is recorded of the registered candidates.

    Parameters
    ----------
    keys
        The registered candidates, in order.
    status
        Their status.
    source
        The sampler with where it looks.
    """
    called = study.spec.called
    observations = Observations(
        source,
        scores_itself=study.spec.scores_itself,
        minimizes=bool(called and called.minimizes),
    )
    failed = set(status.keys("failed"))
    for key in keys:
        observations.register(key)
        card = status.score_cards.get(key)
        if card is not None or key in failed:
            observations.observe(key, card)
        if card is not None:
            version = status.model_versions[key]
            model = study.card(model_card_name(key), ModelCard, version)
            observations.seconds += card.seconds + model.seconds
    return observations
