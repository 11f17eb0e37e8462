"""The input and output of every contestant: the problem, its rows, and the scores.

The rows are divided with scikit-learn's own functions, so that equal scores also show that
``iris_hpo`` divides them in the same way.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.svm import SVC

SEED = 0
TEST_SIZE = 0.2

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Problem:
    """Candidates to train and score on the rows of a data file.

    Attributes
    ----------
    data
        CSV without a header, the label last.
    c, gamma
        The grid.
    folds
        Number of cross-validation folds on the training rows; 0 for none.
    jobs
        Worker processes for contestants that have any.
    """

    data: str
    c: tuple[float, ...]
    gamma: tuple[float, ...]
    folds: int
    jobs: int = 1

    @property
    def candidates(self) -> list[tuple[float, float]]:
        """Every pair of C and gamma."""
        return list(product(self.c, self.gamma))

    @classmethod
    def read(cls, path: Path) -> "Problem":
        """Read a problem that `write` has written."""
        given = json.loads(path.read_text())
        return cls(**given | {"c": tuple(given["c"]), "gamma": tuple(given["gamma"])})

    def write(self, path: Path) -> None:
        """Write the problem as JSON."""
        path.write_text(json.dumps(asdict(self)))


@dataclass(frozen=True)
class Rows:
    """All rows, and their division into training and test rows.

    Attributes
    ----------
    features, target
        Shapes (rows, features) and (rows,); labels are numbered.
    train, test
        Row numbers, ascending.
    folds
        Pairs (fit, validate) of row numbers among the training rows.
    """

    features: NDArray[np.float64]
    target: Indices
    train: Indices
    test: Indices
    folds: Sequence[tuple[Indices, Indices]]


@dataclass(frozen=True)
class Score:
    """Scores of a candidate: test rows predicted right, and the mean accuracy over the folds."""

    c: float
    gamma: float
    correct: int
    cv_mean: float | None

    @classmethod
    def read_all(cls, path: Path) -> "list[Score]":
        """Read scores that `report` has written."""
        return [cls(**score) for score in json.loads(path.read_text())]


def read_rows(problem: Problem) -> Rows:
    """Read and divide the rows of a problem."""
    table = np.loadtxt(problem.data, delimiter=",", dtype=str)
    features = table[:, :-1].astype(np.float64)
    _, target = np.unique(table[:, -1], return_inverse=True)
    train, test = train_test_split(
        np.arange(len(target)), test_size=TEST_SIZE, random_state=SEED, stratify=target
    )
    train, test = np.sort(train), np.sort(test)
    folds: list[tuple[Indices, Indices]] = []
    if problem.folds:
        splitter = StratifiedKFold(problem.folds, shuffle=True, random_state=SEED)
        folds = [
            (train[fitted], train[validated])
            for fitted, validated in splitter.split(features[train], target[train])
        ]
    return Rows(features, target, train, test, folds)


def make_svm(c: float, gamma: float) -> SVC:
    """The estimator of every contestant."""
    return SVC(C=c, gamma=gamma)  # pyright: ignore[reportArgumentType] - a number is fine


def read_arguments() -> tuple[Problem, Path]:
    """Return the problem of this process, and the file for its scores."""
    problem, scores = sys.argv[1:3]
    return Problem.read(Path(problem)), Path(scores)


def report(scores: Sequence[Score], path: Path) -> None:
    """Print the ten best, and write all scores as JSON."""
    for score in sorted(scores, key=lambda score: (-score.correct, -(score.cv_mean or 0)))[:10]:
        print(score)
    path.write_text(json.dumps([asdict(score) for score in scores]))
