"""What every sampler promises."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Final

from iris_hpo.samplers import Observation, Sampler
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.testing.randomness import disturb

_ROUNDS: Final = 8


class SamplerContract(ABC):
    """What every sampler promises.

    Attributes
    ----------
    space
        The axes that the sampler is asked for; give those that it can use.
    """

    space: ClassVar[ParameterSpace] = ParameterSpace(
        [Axis("C", symbol="C", positive=True), Axis("depth", symbol="D", type="int", nullable=True)]
    )

    @abstractmethod
    def make_sampler(self) -> Sampler:
        """Make the sampler to test; called twice, it makes one like the first."""

    def propose(self) -> Sequence[Candidate]:
        """Ask a new sampler, as a search does at first."""
        return self.make_sampler().propose(self.space, (), ())

    def test_it_proposes_candidates(self) -> None:
        """At least one, each a `Candidate`."""
        proposed = self.propose()

        assert len(proposed) > 0
        assert all(isinstance(candidate, Candidate) for candidate in proposed)

    def test_its_candidates_are_of_the_space(self) -> None:
        """Their values are such as the axes take, and their keys are those of the values."""
        for candidate in self.propose():
            assert self.space.candidate(candidate.values).key == candidate.key

    def test_it_proposes_the_same_whenever_it_is_asked(self) -> None:
        """In any process, whatever other code does with random numbers."""
        disturb(1)
        first = self.propose()
        disturb(2)
        second = self.propose()

        assert {candidate.key for candidate in first} == {candidate.key for candidate in second}

    def test_it_can_be_asked_as_results_come_in(self) -> None:
        """With failed and running candidates; a sampler that proposes nothing new has ended."""
        sampler = self.make_sampler()
        for observations, running in self._rounds():
            for candidate in sampler.propose(self.space, observations, running):
                assert self.space.candidate(candidate.values).key == candidate.key

    def test_one_that_was_asked_before_answers_as_a_new_one(self) -> None:
        """What a sampler keeps between answers only saves time: a crash changes nothing."""
        sampler = self.make_sampler()
        for observations, running in self._rounds():
            disturb(len(observations))
            before = sampler.propose(self.space, observations, running)
            now = self.make_sampler().propose(self.space, observations, running)

            assert [candidate.key for candidate in before] == [candidate.key for candidate in now]

    def test_it_may_be_shown_other_results_later(self) -> None:
        """Scores change, and candidates are taken out, between two questions."""
        sampler = self.make_sampler()
        *_, (observations, _) = self._rounds()
        sampler.propose(self.space, observations, ())
        fewer = [
            Observation(seen.candidate, 0.5, (), number)
            for number, seen in enumerate(observations[::2])
        ]

        before = sampler.propose(self.space, fewer, ())
        now = self.make_sampler().propose(self.space, fewer, ())
        assert [candidate.key for candidate in before] == [candidate.key for candidate in now]

    def _rounds(self) -> Sequence[tuple[Sequence[Observation], Sequence[Candidate]]]:
        """Return what the sampler is shown, in turn, as the candidates that it proposes are tried.

        Each is scored while the next one runs; every fifth fails.
        """
        shown: dict[str, Candidate] = {}
        rounds: list[tuple[Sequence[Observation], Sequence[Candidate]]] = []
        observations: list[Observation] = []
        for _ in range(_ROUNDS):
            proposed = self.make_sampler().propose(
                self.space, observations, list(shown.values())[len(observations) :]
            )
            shown.update({candidate.key: candidate for candidate in proposed})
            candidates = list(shown.values())
            observations = [
                Observation(candidate, *_score(number), number=number)
                for number, candidate in enumerate(candidates[:-1])
            ]
            rounds.append((observations, candidates[-1:]))
        return rounds


def _score(number: int) -> tuple[float | None, tuple[float, ...]]:
    if number % 5 == 4:
        return None, ()
    score = (number * 37 % 11) / 11
    return score, (score - 0.01, score, score + 0.01)
