"""The sampler `random`: independent draws, uniform over each axis."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from iris_hpo.samplers import Observation
from iris_hpo.samplers.drawing import ShownKeys, check_whole, draw_unknown, generator
from iris_hpo.space.candidates import Candidate, ParameterSpace


@dataclass(frozen=True)
class RandomSampler:
    """Draws each candidate at random, whatever the scores are.

    Parameters
    ----------
    seed
        Decides the draws; by default the search's seed.
    """

    seed: int = 0
    _shown: ShownKeys = field(default_factory=ShownKeys, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_whole(seed=self.seed)

    def propose(
        self,
        space: ParameterSpace,
        observations: Sequence[Observation],
        running: Sequence[Candidate],
    ) -> Sequence[Candidate]:
        """Draw a candidate; ``()`` if none is left."""
        self._shown.update(observations, running)
        known = self._shown.by_key
        places = generator(self.seed, len(known))
        candidate = draw_unknown(
            space, known, lambda _: places.random(len(space.axes)).tolist(), self.seed
        )
        return () if candidate is None else (candidate,)
