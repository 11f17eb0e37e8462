"""The sampler `random`: independent draws, uniform over each axis."""

from collections.abc import Sequence
from dataclasses import dataclass

from iris_hpo.samplers import Observation
from iris_hpo.samplers.drawing import draw_unknown, generator, shown_keys
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

    def propose(
        self,
        space: ParameterSpace,
        observations: Sequence[Observation],
        running: Sequence[Candidate],
    ) -> Sequence[Candidate]:
        """Draw a candidate; ``()`` if none is left."""
        known = shown_keys(observations, running)
        places = generator(self.seed, len(known))
        candidate = draw_unknown(
            space, known, lambda _: places.random(len(space.axes)).tolist(), self.seed
        )
        return () if candidate is None else (candidate,)
