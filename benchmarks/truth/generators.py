"""Where data sets come from: distributions that can be drawn from without end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Features, Target
from iris_hpo.training.estimators import Step

NOISE_CM: Final = 0.2
"""Standard deviation of the noise on every iris measurement, as in ``data/make_noisy_iris.py``."""

C: Final = (0.031, 0.125, 0.5, 2.0, 8.0, 32.0, 128.0, 512.0, 2048.0, 8192.0, 32768.0)
SMALLER_C: Final = (0.002, 0.008, *C[:-2])
"""As many as `C`; with larger ones the fits take most of the time, and none is best."""
GAMMA: Final = (0.001, 0.004, 0.016, 0.063, 0.25, 1.0, 4.0)


@dataclass(frozen=True)
class Sample:
    """A data set, and fresh rows of the same distribution, which show the truth of a model.

    Attributes
    ----------
    features, target
        Rows that a search may use: shapes (rows, features) and (rows,).
    fresh_features, fresh_target
        Rows that no search sees.
    """

    features: Features
    target: Target
    fresh_features: Features
    fresh_target: Target


@dataclass(frozen=True)
class Generator:
    """A distribution, and the search on its data sets.

    Attributes
    ----------
    name
        For tables.
    rows
        Number of rows of a data set.
    steps
        The estimator, or the steps of a pipeline.
    c
        Values of C; those of gamma are `GAMMA`.
    draw
        Draws features and target from a seed and a number of rows.
    """

    name: str
    rows: int
    steps: tuple[Step, ...]
    draw: Callable[[int, int], tuple[Features, Target]]
    c: tuple[float, ...] = C

    def sample(self, seed: int, fresh: int) -> Sample:
        """Draw a data set, and a number of fresh rows."""
        features, target = self.draw(seed, self.rows + fresh)
        rows = self.rows
        return Sample(features[:rows], target[:rows], features[rows:], target[rows:])


def draw_iris(seed: int, rows: int) -> tuple[Features, Target]:
    """Draw irises of a normal distribution per species, as measured, and blur them."""
    from sklearn.datasets import load_iris

    random = np.random.default_rng(seed)
    features, species = load_iris(return_X_y=True)
    target: NDArray[np.int64] = np.arange(rows, dtype=np.int64) % 3
    drawn = np.empty((rows, features.shape[1]))
    for label in range(3):
        measured = features[species == label]
        drawn[target == label] = random.multivariate_normal(
            measured.mean(axis=0), np.cov(measured.T), np.count_nonzero(target == label)
        )
    return drawn + random.normal(0, NOISE_CM, drawn.shape), target


def draw_mixture(seed: int, rows: int) -> tuple[Features, Target]:
    """Draw 3 classes of 2 normal components each, in 4 dimensions."""
    random = np.random.default_rng(seed)
    centres = random.normal(0, 1.6, (6, 4))
    components = random.integers(0, len(centres), rows)
    return centres[components] + random.normal(0, 1, (rows, 4)), components % 3


def draw_classification(seed: int, rows: int) -> tuple[Features, Target]:
    """Draw 2 classes with 5 informative features of 10, and 5 % of wrong labels."""
    from sklearn.datasets import make_classification

    drawn = make_classification(
        n_samples=rows,
        n_features=10,
        n_informative=5,
        n_redundant=2,
        flip_y=0.05,
        random_state=seed,
    )
    return cast("tuple[Features, Target]", drawn)


def draw_friedman(seed: int, rows: int) -> tuple[Features, Target]:
    """Draw Friedman's first regression problem: 5 informative features of 10, and noise."""
    from sklearn.datasets import make_friedman1

    drawn = make_friedman1(n_samples=rows, n_features=10, noise=1.0, random_state=seed)
    return cast("tuple[Features, Target]", drawn)


GENERATORS: Final = (
    Generator("noisy iris", 150, (Step("sklearn.svm.SVC"),), draw_iris),
    Generator("Gaussian mixture", 200, (Step("sklearn.svm.SVC"),), draw_mixture, SMALLER_C),
    Generator(
        "make_classification", 300, (Step("sklearn.svm.SVC"),), draw_classification, SMALLER_C
    ),
    Generator("Friedman", 200, (Step("sklearn.svm.SVR"),), draw_friedman, SMALLER_C),
)
