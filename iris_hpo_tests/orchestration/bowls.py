"""Functions of adaptive searches, which return at once, and a sampler that notes what it sees."""

from collections.abc import Sequence

from iris_hpo.samplers import Observation
from iris_hpo.space.candidates import Candidate, ParameterSpace


def bowl(x: float, y: float) -> float:
    return (x - 1) ** 2 + (y + 0.5) ** 2


def anywhere(**place: float) -> float:
    """A bowl over whatever axes there are."""
    return sum(number**2 for number in place.values())


def holed(x: float, y: float) -> float:
    """Fail for some candidates, and be no number for others."""
    if x == 0.1:
        raise RuntimeError("no ground")
    return float("nan") if x == 0.2 else bowl(x, y)


class Steps:
    """Proposes x = 0.0, 0.1, 0.2 and so on, up to a number of candidates."""

    shown: list[tuple[tuple[Observation, ...], tuple[Candidate, ...]]] = []  # noqa: RUF012

    def __init__(self, most: int = 1000) -> None:
        self._most = most

    def propose(
        self,
        space: ParameterSpace,
        observations: Sequence[Observation],
        running: Sequence[Candidate],
    ) -> Sequence[Candidate]:
        Steps.shown.append((tuple(observations), tuple(running)))
        known = {seen.candidate.key for seen in observations} | {one.key for one in running}
        steps = (space.candidate((step / 10, 0.0)) for step in range(self._most))
        return [candidate for candidate in steps if candidate.key not in known][:1]
