"""Functions and tables whose best is looked for; larger is better.

The functions are those of the literature on optimisation, turned round. A table holds the means
over the folds of a finished search: looking one up costs nothing.
"""

import csv
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.space.values import Value

TABLES = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class Problem:
    """What is looked for.

    Attributes
    ----------
    name
        Name in the table.
    space
        Where to look.
    score
        Gives the score of a candidate's values, which are by name of the axis.
    best
        The best score.
    """

    name: str
    space: ParameterSpace
    score: Callable[[Mapping[str, Value]], float]
    best: float


def branin(x: float, y: float) -> float:
    """Branin's function, which has three equal minima."""
    bend = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return -(bend**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


_HEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
_WIDTHS = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_PLACES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann(*place: float) -> float:
    """Hartmann's function of six numbers."""
    exponents = (_WIDTHS * (np.array(place) - _PLACES) ** 2).sum(axis=1)
    return float((_HEIGHTS * np.exp(-exponents)).sum())


def rosenbrock(*place: float) -> float:
    """Rosenbrock's valley."""
    pairs = itertools.pairwise(place)
    return -sum(100 * (after - before**2) ** 2 + (1 - before) ** 2 for before, after in pairs)


def function(
    name: str, of: Callable[..., float], ends: Sequence[tuple[float, float]], best: float
) -> Problem:
    """Make the problem of a function of numbers."""
    axes = [
        Axis(f"x{at}", "ABCDEF"[at - 1], low=low, high=high)
        for at, (low, high) in enumerate(ends, 1)
    ]
    return Problem(name, ParameterSpace(axes), lambda values: of(*values.values()), best)


def table(name: str, file: str, types: Mapping[str, str]) -> Problem:
    """Make the problem of a table; its last column is the mean over the folds."""
    with (TABLES / file).open(newline="") as opened:
        header, *rows = csv.reader(opened)
    names = header[:-1]
    columns = list(zip(*rows, strict=True))
    axes = [
        Axis(axis, symbol, type="str" if types.get(axis) == "str" else "float", values=column)
        for axis, symbol, column in zip(names, "ABC", columns[:-1], strict=False)
    ]
    space = ParameterSpace(axes)
    means = {
        space.candidate([axis.read(cell, ()) for axis, cell in zip(axes, row, strict=False)]).key: (
            float(row[-1])
        )
        for row in rows
    }

    def score(values: Mapping[str, Value]) -> float:
        return means[space.candidate([values[axis.name] for axis in space.axes]).key]

    return Problem(name, space, score, max(means.values()))


def make_problems() -> list[Problem]:
    """Make all problems."""
    return [
        function("Branin", branin, [(-5.0, 10.0), (0.0, 15.0)], -0.397887),
        function("Hartmann 6", hartmann, [(0.0, 1.0)] * 6, 3.32237),
        function("Rosenbrock 5", rosenbrock, [(-2.0, 2.0)] * 5, 0.0),
        table("SVM on noisy iris", "iris.csv", {}),
        table("SVM on wine", "wine.csv", {"kernel": "str"}),
    ]
