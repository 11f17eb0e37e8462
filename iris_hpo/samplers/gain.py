"""The expected gain of another candidate, and whether it is worth it.

A search stops honestly when what it can still gain is less than what it can measure.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from iris_hpo.samplers import Observation
from iris_hpo.samplers.drawing import candidate_at
from iris_hpo.space.absent import Absent
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.space.domains import Levels

FEWEST: Final = 20
"""Number of results from which on the gain is computed, or 5 for each axis if these are more."""

EVERY: Final = 5
"""The gain is computed from a multiple of this number of results, the first ones in order.

So a search that has ended stays so when workers bring the results that were on their way.
"""

MOST: Final = 300
"""Largest number of results that are looked at: the best half of it, and the latest."""

_POINTS: Final = 10  # logarithm to the base 2 of the number of points of the Sobol sequence
_NEIGHBOURS: Final = 64
_NEAR: Final = 0.05

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gain:
    """What another candidate may gain.

    Attributes
    ----------
    expected
        The greatest expected improvement of the best score.
    error
        The standard error of the best score.
    """

    expected: float
    error: float


def no_more_gain(
    space: ParameterSpace, observations: Sequence[Observation], folds: int
) -> str | None:
    """Return in words that another candidate is not worth it; None if it is, or is not known.

    Parameters
    ----------
    observations
        The candidates with a score.
    folds
        Number of folds of one repeat.
    """
    count = len(observations) - len(observations) % EVERY
    if count < max(FEWEST, 5 * len(space.axes)):
        return None
    return _verdict(space, _Results.of(observations[:count]), folds)


@dataclass(frozen=True)
class _Results:
    """Observations that are compared in little time."""

    observations: Sequence[Observation] = field(compare=False)
    scores: tuple[tuple[int, float | None], ...]

    @classmethod
    def of(cls, observations: Sequence[Observation]) -> Self:
        return cls(observations, tuple((seen.number, seen.score) for seen in observations))


@lru_cache(maxsize=1)  # asked for each candidate
def _verdict(space: ParameterSpace, results: _Results, folds: int) -> str | None:
    gain = expected_gain(space, results.observations, folds)
    if gain is None or gain.expected >= gain.error:
        return None
    return (
        f"the expected gain of another candidate, {gain.expected:.2g}, is less than the standard "
        f"error of the best score, {gain.error:.2g}"
    )


def expected_gain(
    space: ParameterSpace, observations: Sequence[Observation], folds: int
) -> Gain | None:
    """Compute what another candidate may gain, beside the error of the best.

    A Gaussian process (Matern 5/2) is fitted to the scores over the unit cube of the axes. The gain
    is its greatest expected improvement over a Sobol sequence and neighbours of the best. The error
    is that of a mean over folds, which share training rows (Nadeau and Bengio, 2003, *Inference for
    the generalization error*).

    The comparison is that of Makarova and others (2022), *Automatic termination for hyperparameter
    optimization*, who compare a bound of the regret with the same error. The expected improvement
    is less than their bound, so this stops earlier.

    A best candidate with the same score in each fold, as where all is predicted right, has no error
    of its own. It has the least one of another candidate.

    Returns
    -------
    None without an error: there are no scores of folds, or they are the same in each.
    """
    best = max(observations, key=lambda seen: (seen.score or 0.0, -seen.number))
    error = standard_error(best.fold_scores, folds)
    if not error:
        errors = (standard_error(seen.fold_scores, folds) for seen in observations)
        error = min(filter(None, errors), default=0.0)
    if not error:
        return None
    seen = _most_telling(observations)
    places = np.array([_place(space, each.candidate) for each in seen])
    scores = np.array([each.score for each in seen], dtype=np.float64)
    if not np.ptp(scores):
        return Gain(0.0, error)
    spread = float(scores.std())
    model = _fitted(places, (scores - scores.mean()) / spread)
    candidates = _candidates(space, best.candidate)
    known = {each.candidate.key for each in observations}
    new = [each for each in candidates if each.key not in known]
    if not new:
        return Gain(0.0, error)
    mean, deviation = model.predict(
        np.array([_place(space, each) for each in new]), return_std=True
    )
    target = float(model.predict(places).max())  # of the model: the best score itself had luck
    return Gain(spread * float(_improvement(mean - target, deviation).max()), error)


def standard_error(fold_scores: Sequence[float], folds: int) -> float:
    """Standard error of the mean of fold scores: ``sqrt((1/J + 1/(k - 1)) s^2)``.

    J scores of k folds; the test rows of a fold are 1/(k - 1) of its training rows.
    """
    if len(fold_scores) < 2 or folds < 2:
        return 0.0
    variance = float(np.var(fold_scores, ddof=1))
    return math.sqrt((1 / len(fold_scores) + 1 / (folds - 1)) * variance)


def _most_telling(observations: Sequence[Observation]) -> Sequence[Observation]:
    if len(observations) <= MOST:
        return observations
    by_score = sorted(observations, key=lambda seen: -(seen.score or 0.0))
    kept = {seen.number for seen in (*by_score[: MOST // 2], *observations[-MOST // 2 :])}
    return [seen for seen in observations if seen.number in kept]


def _place(space: ParameterSpace, candidate: Candidate) -> list[float]:
    """A candidate as numbers from 0 to 1: one for an axis, or one for each choice."""
    place: list[float] = []
    for axis, value in zip(space.axes, candidate.values, strict=True):
        domain = axis.domain
        if isinstance(domain, Levels) and not domain.is_ordered:
            own = None if isinstance(value, Absent) else axis.encode(value)
            place.extend(float(key == own) for key in domain.keys)
        else:
            place.append(0.5 if isinstance(value, Absent) else axis.unit(value))
    return place


def _fitted(places: Floats, scores: Floats) -> Any:
    """Fit a model that predicts the mean and the deviation of the score itself."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    lengths: Any = np.full(places.shape[1], 0.5)
    kernel: Any = ConstantKernel(1.0, (0.05, 20.0)) * Matern(lengths, (0.05, 20.0), nu=2.5)
    kernel = kernel + WhiteKernel(0.1, (1e-6, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its bound is no matter
        model: Any = GaussianProcessRegressor(kernel, random_state=0)
        model.fit(places, scores)
        # The noise of a measurement is no part of what can be gained.
        noise = float(model.kernel_.k2.noise_level)
        unchanged: Any = None
        latent = GaussianProcessRegressor(
            model.kernel_.k1, alpha=max(noise, 1e-8), optimizer=unchanged, random_state=0
        )
        return latent.fit(places, scores)


def _candidates(space: ParameterSpace, best: Candidate) -> list[Candidate]:
    """Candidates all over the space, and near the best; always the same."""
    from scipy.stats.qmc import Sobol

    width = len(space.axes)
    everywhere = Sobol(width, scramble=True, rng=np.random.default_rng(0)).random_base2(_POINTS)
    own = [
        0.5 if isinstance(value, Absent) else axis.unit(value)
        for axis, value in zip(space.axes, best.values, strict=True)
    ]
    shifts = np.random.default_rng(1).normal(0, _NEAR, (_NEIGHBOURS, width))
    near = np.clip(np.array(own) + shifts, 0, 1)
    return [candidate_at(space, place.tolist()) for place in (*everywhere, *near)]


def _improvement(mean: Floats, deviation: Floats) -> Floats:
    from scipy.stats import norm

    deviation = np.maximum(deviation, 1e-12)
    score = mean / deviation
    return mean * norm.cdf(score) + deviation * norm.pdf(score)
