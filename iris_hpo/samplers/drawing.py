"""Draw candidates from a space: where each axis looks, and what is left of a small space.

How the places are chosen is decided by each sampler.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import islice
from typing import Final

import numpy as np

from iris_hpo.errors import InputError
from iris_hpo.samplers import Observation
from iris_hpo.space.absent import Absent
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.space.domains import Domain, Levels
from iris_hpo.space.values import Value

MAX_DRAWS: Final = 100
"""Number of draws after which a small space is listed instead, and a large one is given up."""

MAX_COMPARED: Final = 5_000
"""Largest number of candidates of a space whose candidates are compared."""

MAX_LISTED: Final = 100_000
"""Largest number of candidates of a space that is listed."""


def check_whole(**settings: object) -> None:
    """Refuse settings of a sampler that are no whole numbers from 0 on.

    Raises
    ------
    ValueError
        With the name and the value of the first one.
    """
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"{name} {value!r} must be a whole number of at least 0")


def generator(seed: int, *numbers: int) -> np.random.Generator:
    """Make the generator of a draw: the same for the same numbers, in any process."""
    return np.random.default_rng(np.random.SeedSequence([seed, *numbers]))


def shown_keys(
    observations: Sequence[Observation], running: Sequence[Candidate]
) -> dict[str, Observation | None]:
    """Return what is shown to a sampler by key, in the order of proposal; None for running ones."""
    others = iter(running)
    shown: dict[str, Observation | None] = {}
    for seen in observations:  # the numbers that are missing are those of the running ones
        for candidate in islice(others, max(seen.number - len(shown), 0)):
            shown[candidate.key] = None
        shown[seen.candidate.key] = seen
    shown.update((candidate.key, None) for candidate in others)
    return shown


class ShownKeys:
    """What is shown to a sampler by key, as `shown_keys` returns it, continued where it can be.

    Only the last ones of many candidates are new, so a question takes no longer for the others.
    """

    def __init__(self) -> None:
        self.by_key: dict[str, Observation | None] = {}
        self._observations: tuple[Observation, ...] = ()

    def update(self, observations: Sequence[Observation], running: Sequence[Candidate]) -> bool:
        """Take in what is shown now; return whether it continues what was shown before."""
        before, self._observations = self._observations, tuple(observations)
        is_continued = self._observations[: len(before)] == before and self._continue(
            self._observations[len(before) :], running
        )
        if not is_continued:
            self.by_key = shown_keys(observations, running)
        return is_continued

    def _continue(self, new: Sequence[Observation], running: Sequence[Candidate]) -> bool:
        for seen in new:
            if seen.candidate.key not in self.by_key and seen.number != len(self.by_key):
                return False
            self.by_key[seen.candidate.key] = seen
        for candidate in running:
            self.by_key.setdefault(candidate.key, None)
        return len(self.by_key) == len(self._observations) + len(running)


def domains_of(space: ParameterSpace) -> list[Domain]:
    """Return where to look, by axis.

    Raises
    ------
    InputError
        If an axis does not say it.
    """
    domains: list[Domain] = []
    for index, axis in enumerate(space.axes):
        if axis.domain is None:
            raise InputError(
                f"the axis {axis.name!r} does not say where to look; write low and high, or values "
                f"to it, or its values into {axis.name.lower()}_parameters.txt",
                field=("axes", index),
            )
        domains.append(axis.domain)
    return domains


def candidate_at(space: ParameterSpace, place: Sequence[float]) -> Candidate:
    """Make the candidate at a place of the unit cube, which has one number per axis."""
    domains = domains_of(space)
    return space.candidate(
        [domain.at(float(unit)) for domain, unit in zip(domains, place, strict=True)]
    )


def nearest_unknown(
    space: ParameterSpace, known: Collection[str], candidate: Candidate
) -> Candidate | None:
    """Return the candidate of a small space that is most like another one, and not known.

    Returns
    -------
    The candidate, of several that are equally like it the first; None if none is left, or the space
    is not small.
    """
    left = _left(space, known, MAX_COMPARED)
    place = _place(space, candidate)
    return min(left, key=lambda each: _distance(place, _place(space, each)), default=None)


def _place(space: ParameterSpace, candidate: Candidate) -> list[float | str]:
    """The place of numbers in their range, from 0 to 1; choices as they are spelled."""
    return [
        ""
        if isinstance(value, Absent)
        else axis.unit(value)
        if domain.is_ordered
        else axis.encode(value)
        for axis, domain, value in zip(space.axes, domains_of(space), candidate.values, strict=True)
    ]


def _distance(first: Sequence[float | str], second: Sequence[float | str]) -> float:
    return sum(
        (one - other) ** 2
        if isinstance(one, float) and isinstance(other, float)
        else float(one != other)
        for one, other in zip(first, second, strict=True)
    )


def draw_unknown(
    space: ParameterSpace,
    known: Collection[str],
    draws: Callable[[int], Sequence[float]],
    seed: int,
) -> Candidate | None:
    """Draw places until one gives a candidate that is not known.

    Parameters
    ----------
    known
        Keys.
    draws
        Gives the place of a draw by its number.
    seed
        Decides among the candidates that are left, after too many draws.

    Returns
    -------
    The candidate; None if none is left, or none was found in a space too large to be listed.
    """
    for number in range(MAX_DRAWS):
        candidate = candidate_at(space, draws(number))
        if candidate.key not in known:
            return candidate
    left = _left(space, known, MAX_LISTED)
    return left[int(generator(seed, len(known)).integers(len(left)))] if left else None


def _left(space: ParameterSpace, known: Collection[str], limit: int) -> list[Candidate]:
    """List the candidates that are not known; none of a space that has more than a limit."""
    values: list[Sequence[Value]] = []
    for domain in domains_of(space):
        if isinstance(domain, Levels):
            values.append(domain.values)
        elif domain.size is not None and domain.size <= limit:
            values.append(range(int(domain.low), int(domain.high) + 1))
        else:
            return []
    if space.count(values, limit) > limit:
        return []
    return [candidate for candidate in space.grid(values) if candidate.key not in known]
