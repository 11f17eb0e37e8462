"""The sampler `qmc`: a Sobol sequence, which fills the space more evenly than random draws."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from iris_hpo.samplers import Observation
from iris_hpo.samplers.drawing import ShownKeys, check_whole, draw_unknown, generator
from iris_hpo.space.candidates import Candidate, ParameterSpace


@dataclass(frozen=True)
class SobolSampler:
    """Takes the points of a scrambled Sobol sequence in turn, whatever the scores are.

    Points of candidates that are known already are passed over.

    Parameters
    ----------
    seed
        Decides how the sequence is scrambled; by default the search's seed.
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
        """Take the next point; ``()`` if no candidate is left."""
        self._shown.update(observations, running)
        known = self._shown.by_key
        from scipy.stats.qmc import Sobol

        points = Sobol(len(space.axes), scramble=True, rng=generator(self.seed))
        if known:
            points.fast_forward(len(known))
        candidate = draw_unknown(space, known, lambda _: points.random(1)[0].tolist(), self.seed)
        return () if candidate is None else (candidate,)
