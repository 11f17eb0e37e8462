"""What every sampler promises."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from iris_hpo.samplers import Sampler
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.testing.randomness import disturb


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
        """Ask a new sampler, as a search does."""
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
