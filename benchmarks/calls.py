"""The work of functions and programs: what a call costs beside the candidate of an estimator."""

import operator
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.compare import Goal, Ran
from benchmarks.contestants.problem import Problem, Score
from benchmarks.others import program
from benchmarks.ours import Project
from benchmarks.work import COMMAND_EACH, EACH, OURS, WALL, WORK, WORK_EACH, Row, Work

FUNCTION: Final = "iris_hpo, a function"
PROGRAM: Final = "iris_hpo, a program, 1 worker"
BARE_STARTS: Final = "bare starts"


class _Called(Project):
    """A search that calls something; its scores are no other contestant's."""

    def _scores(self) -> list[Score]:
        return []


def calls(problem: Problem, repetitions: int) -> Work:
    """Compare calls that take no time with candidates of an estimator, and with bare processes.

    Parameters
    ----------
    problem
        The candidates, without folds.
    """
    number = len(problem.candidates)

    def called(folder: Path, search: str, *options: str) -> Ran:
        ran = _Called(folder / search, problem, search).make().run(*options)
        return Ran(ran.figures | {WORK_EACH: ran.figures[WORK] * 1000 / number})

    def bare(folder: Path) -> Ran:
        ran = program(folder / "bare", problem, "bare_starts")
        return replace(ran, figures=ran.figures | {WORK_EACH: ran.figures[WALL] * 1000 / number})

    return Work(
        f"{number:,} calls that take no time",
        repetitions,
        {
            OURS: lambda folder: Project(folder / "ours", problem).make().run(),
            FUNCTION: lambda folder: called(folder, "function"),
            PROGRAM: lambda folder: called(folder, "program", "--jobs=1"),
            BARE_STARTS: bare,
        },
        (
            Row("time per call of a function", (FUNCTION, EACH), (OURS, EACH), Goal(1.2)),
            Row("the same, within the command", (FUNCTION, COMMAND_EACH), (OURS, COMMAND_EACH)),
            Row(
                "time of a program's call, above its bare start",
                (PROGRAM, WORK_EACH),
                (BARE_STARTS, WORK_EACH),
                Goal(5),
                operator.sub,
            ),
            Row(
                "time per candidate of a program, above its bare start",
                (PROGRAM, COMMAND_EACH),
                (BARE_STARTS, WORK_EACH),
                how=operator.sub,
            ),
        ),
    )
