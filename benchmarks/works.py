"""The works, their contestants, and the goals.

A work is a list of steps that alternate: each repetition takes all of them in turn, in a new
folder. To add a contestant, add a step to its work and, where it has a goal, a row.
"""

import operator
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.calls import calls
from benchmarks.compare import Goal, Ran
from benchmarks.contestants.problem import Problem
from benchmarks.environment import CORES, REPOSITORY
from benchmarks.others import optuna_on_sqlite, program, python, stock_dagster
from benchmarks.ours import Project
from benchmarks.work import (
    COMMAND,
    COMMAND_EACH,
    CPU,
    DRIVER,
    EACH,
    MEMORY,
    OURS,
    TRAINED,
    WALL,
    WHOLE,
    WORK,
    Row,
    Work,
)
from iris_hpo_tests.scale.cluster import cluster

IRIS: Final = str(REPOSITORY / "data" / "noisy_iris.csv")
C: Final = (0.031, 0.125, 0.5, 2.0, 8.0, 32.0, 128.0, 512.0, 2048.0, 8192.0, 32768.0)
GAMMA: Final = (0.001, 0.004, 0.016, 0.063, 0.25, 1.0, 4.0)
ONE_MORE_GAMMA: Final = 0.03
DIGITS_GAMMA: Final = (1e-5, 4e-5, 1.6e-4, 6.3e-4, 2.5e-3, 0.01, 0.04)

AGAIN: Final = "iris_hpo, nothing to do"
ONE_MORE: Final = "iris_hpo, one more gamma"
ON_DASK: Final = "iris_hpo, 2 Dask workers"
LARGER: Final = "iris_hpo, 8 times the candidates"
WITHOUT: Final = "iris_hpo without the estimate"
STATUS: Final = "iris-hpo status"
HELP: Final = "iris-hpo leaderboard --help"
IMPORT: Final = "import dagster"
OPTUNA: Final = "Optuna on SQLite"
OPTUNA_IN_MEMORY: Final = "Optuna in memory"
GRID_SEARCH: Final = "GridSearchCV"
GRID_SEARCH_JOBS: Final = f"GridSearchCV, n_jobs={CORES}"
BARE_LOOP: Final = "bare loop"
STOCK: Final = "stock Dagster"


@dataclass(frozen=True)
class Size:
    """The size of the comparisons.

    Attributes
    ----------
    small, digits
        Numbers of values of C and of gamma.
    many
        The same; the larger grid has 4 times the values of C and 2 times those of gamma, and holds
        all of these, so that scores can be compared.
    estimated
        Those of the comparisons with and without the estimate.
    stock
        Candidates that stock Dagster works on.
    repetitions
        Repetitions of the small work, and of the others.
    left_out
        Contestants that work on the small grid alone.
    """

    small: tuple[int, int]
    digits: tuple[int, int]
    many: tuple[int, int]
    estimated: tuple[tuple[int, int], ...]
    stock: int
    repetitions: tuple[int, int]
    left_out: tuple[str, ...] = ()


FULL: Final = Size(
    (11, 7), (11, 7), (32, 32), estimated=((11, 7), (32, 32)), stock=8, repetitions=(5, 3)
)
QUICK: Final = Size(
    (4, 3),
    (3, 2),
    (4, 4),
    estimated=((2, 2),),
    stock=1,
    repetitions=(1, 1),
    left_out=(AGAIN, OPTUNA, OPTUNA_IN_MEMORY, GRID_SEARCH, GRID_SEARCH_JOBS, BARE_LOOP),
)


def make_works(size: Size, digits: str) -> list[Work]:
    """Make all works of a size; ``digits`` is the file with the rows of the digits."""
    return [
        _small(size),
        _many(size).without(*size.left_out),
        _digits(size, digits),
        *map(_estimated, size.estimated, size.repetitions),
        calls(_many_candidates(size), size.repetitions[1]),
    ]


def _small(size: Size) -> Work:
    problem = Problem(IRIS, C[: size.small[0]], GAMMA[: size.small[1]], folds=5)
    share = 1 / len(problem.gamma)

    def project(folder: Path) -> Project:
        return Project(folder / "ours", problem)

    def one_more(folder: Path) -> Ran:
        project(folder).add_gamma(ONE_MORE_GAMMA)
        return project(folder).run()

    return Work(
        f"{len(problem.candidates)} candidates, 5 folds",
        size.repetitions[0],
        {
            OURS: lambda folder: project(folder).make().run(),
            AGAIN: lambda folder: project(folder).run(),
            STATUS: lambda folder: project(folder).command("status"),
            HELP: lambda folder: project(folder).command("leaderboard", "--help"),
            IMPORT: lambda folder: python(folder / "import", "import dagster"),
            ONE_MORE: one_more,
            OPTUNA: lambda folder: optuna_on_sqlite(folder / "sqlite", problem),
            OPTUNA_IN_MEMORY: lambda folder: program(folder / "memory", problem, "optuna_grid"),
            GRID_SEARCH: lambda folder: program(folder / "grid", problem, "grid_search"),
            BARE_LOOP: lambda folder: program(folder / "bare", problem, "bare_loop"),
            STOCK: lambda folder: stock_dagster(folder / "stock", problem, size.stock),
        },
        (
            Row("cold process to leaderboard", (OURS, WALL), (OPTUNA, WALL), Goal(0.8)),
            Row(
                f"the same; of stock Dagster {size.stock} candidates, extrapolated",
                (OURS, WALL),
                (STOCK, WHOLE),
                Goal(0.03),
            ),
            Row("the same", (OURS, WALL), (OPTUNA_IN_MEMORY, WALL)),
            Row("the same", (OURS, WALL), (GRID_SEARCH, WALL)),
            Row("the same", (OURS, WALL), (BARE_LOOP, WALL)),
            Row(
                "candidates trained for one new gamma",
                (ONE_MORE, TRAINED),
                goal=Goal(len(problem.c), exact=True),
            ),
            Row(
                f"time of their fits and scores ({share:.2f} of all candidates)",
                (ONE_MORE, WORK),
                (OURS, WORK),
                Goal(1.25 * share),
            ),
            Row("the same, whole processes", (ONE_MORE, WALL), (OURS, WALL)),
            Row("start-up of `status`: near", (STATUS, WALL), (IMPORT, WALL), Goal(1.5)),
            Row(
                "start-up of `leaderboard --help`: far under",
                (HELP, WALL),
                (IMPORT, WALL),
                Goal(0.25),
            ),
        ),
    )


def _many_candidates(size: Size) -> Problem:
    c = _ladder(C[0], C[-1], 4 * size.many[0])
    gamma = _ladder(GAMMA[0], GAMMA[-1], 2 * size.many[1])
    return Problem(IRIS, c[::4], gamma[::2], folds=0)


def _many(size: Size) -> Work:
    c = _ladder(C[0], C[-1], 4 * size.many[0])
    gamma = _ladder(GAMMA[0], GAMMA[-1], 2 * size.many[1])
    large = Problem(IRIS, c, gamma, folds=0)
    problem = _many_candidates(size)
    parallel = replace(problem, jobs=CORES)
    candidates = len(problem.candidates)
    sizes = f"{len(large.candidates):,} vs {candidates:,} candidates"

    def project(folder: Path) -> Project:
        return Project(folder / "ours", problem)

    def growth(text: str, figure: str, goal: Goal | None = None) -> Row:
        return Row(text, (LARGER, figure), (OURS, figure), goal, operator.sub)

    return Work(
        f"{candidates:,} candidates, no cross-validation",
        size.repetitions[1],
        {
            OURS: lambda folder: project(folder).make().run(),
            AGAIN: lambda folder: project(folder).run(),
            OPTUNA: lambda folder: optuna_on_sqlite(folder / "sqlite", problem),
            OPTUNA_IN_MEMORY: lambda folder: program(folder / "memory", problem, "optuna_grid"),
            GRID_SEARCH: lambda folder: program(folder / "grid", problem, "grid_search"),
            GRID_SEARCH_JOBS: lambda folder: program(folder / "jobs", parallel, "grid_search"),
            BARE_LOOP: lambda folder: program(folder / "bare", problem, "bare_loop"),
            LARGER: lambda folder: Project(folder / "large", large).make().run(),
        },
        (
            Row("cold process to leaderboard", (OURS, WALL), (OPTUNA, WALL), Goal(0.2)),
            Row("the same", (OURS, WALL), (GRID_SEARCH, WALL), Goal(5)),
            Row("the same", (OURS, WALL), (GRID_SEARCH_JOBS, WALL)),
            Row("the same", (OURS, WALL), (OPTUNA_IN_MEMORY, WALL)),
            Row("the same", (OURS, WALL), (BARE_LOOP, WALL)),
            Row(f"time per candidate, {sizes}", (LARGER, EACH), (OURS, EACH), Goal(1.1)),
            Row("the same, within the command", (LARGER, COMMAND_EACH), (OURS, COMMAND_EACH)),
            growth(f"peak memory of all processes, {sizes}", MEMORY, Goal(100)),
            growth("the same, of the driver alone", DRIVER),
            Row("run again with nothing to do", (AGAIN, WALL), (OURS, WALL), Goal(0.1)),
            Row("the same, within the command", (AGAIN, COMMAND), (OURS, COMMAND)),
        ),
        once=(OPTUNA, OPTUNA_IN_MEMORY),
    )


def _digits(size: Size, data: str) -> Work:
    c, gamma = C[: size.digits[0]], DIGITS_GAMMA[: size.digits[1]]
    problem = Problem(data, c, gamma, folds=5, jobs=2)
    jobs = f"--jobs={problem.jobs}"

    def ours(folder: Path) -> Ran:
        return Project(folder / "ours", problem, "digits").make().run(jobs)

    def on_dask(folder: Path) -> Ran:
        """Run on a cluster that was started before, as a user's would be."""
        project = Project(folder / "dask", problem, "digits").make()
        with cluster(folder / "dask", workers=problem.jobs, settings={}) as dask:
            return project.run("--engine=dask", f"--dask-address={dask.address}")

    return Work(
        f"digits (1,797 x 64), {len(problem.candidates)} candidates, 5 folds, 2 workers",
        size.repetitions[1],
        {
            OURS: ours,
            GRID_SEARCH: lambda folder: program(folder / "grid", problem, "grid_search"),
            ON_DASK: on_dask,
        },
        (
            Row("cold process to leaderboard", (OURS, WALL), (GRID_SEARCH, WALL), Goal(0.6)),
            Row("the same on 2 Dask workers", (ON_DASK, WALL), (OURS, WALL), Goal(1.25)),
        ),
    )


def _estimated(shape: tuple[int, int], repetitions: int) -> Work:
    """Compare a run with one that makes no estimate."""
    c, gamma = (
        _ladder(values[0], values[-1], number)
        for values, number in zip((C, GAMMA), shape, strict=True)
    )
    problem = Problem(IRIS, c, gamma, folds=5)
    without = (sys.executable, "-m", "benchmarks.contestants.without_estimate")
    what = "with the estimate, its references and the learning curve"
    return Work(
        f"{len(problem.candidates):,} candidates, 5 folds, with and without the estimate",
        repetitions,
        {
            OURS: lambda folder: Project(folder / "ours", problem).make().run(),
            WITHOUT: lambda folder: (
                Project(folder / "without", problem, program=without).make().run()
            ),
        },
        (
            Row(f"cold process to leaderboard, {what}", (OURS, WALL), (WITHOUT, WALL), Goal(1.05)),
            Row("the same, within the command", (OURS, COMMAND), (WITHOUT, COMMAND)),
            Row("the same, CPU time", (OURS, CPU), (WITHOUT, CPU)),
            Row("the same, peak memory", (OURS, MEMORY), (WITHOUT, MEMORY)),
        ),
    )


def _ladder(low: float, high: float, steps: int) -> tuple[float, ...]:
    return tuple(float(f"{value:.6g}") for value in np.geomspace(low, high, steps))
