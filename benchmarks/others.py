"""The contestants other than ``iris_hpo``, each started in a folder of its own."""

import pickle
import sys
from dataclasses import asdict
from pathlib import Path

import dagster as dg

from benchmarks.compare import Ran
from benchmarks.contestants.problem import Problem, Score
from benchmarks.environment import CORES, PROGRAMS, REPOSITORY, clean_environment
from benchmarks.measure import measure
from benchmarks.work import WALL, WHOLE

_STOCK = "benchmarks.contestants.stock_dagster"


def program(folder: Path, problem: Problem, module: str, *arguments: str) -> Ran:
    """Run a program of `benchmarks.contestants` that writes its scores."""
    folder.mkdir()
    problem.write(folder / "problem.json")
    measured = measure(
        [
            sys.executable,
            "-m",
            f"benchmarks.contestants.{module}",
            str(folder / "problem.json"),
            str(folder / "scores.json"),
            *arguments,
        ],
        folder=REPOSITORY,
        environment=clean_environment(),
        output=folder / "output",
    )
    return Ran(asdict(measured), Score.read_all(folder / "scores.json"))


def optuna_on_sqlite(folder: Path, problem: Problem) -> Ran:
    """Run Optuna with its study in a file."""
    return program(folder, problem, "optuna_grid", str(folder / "study.db"))


def stock_dagster(folder: Path, problem: Problem, sample: int) -> Ran:
    """Run stock Dagster on the first candidates, and extrapolate the time of all.

    The partitions exist already: registering them is not measured.
    """
    folder.mkdir()
    problem.write(folder / "problem.json")
    (folder / "dagster.yaml").touch()  # all of Dagster's defaults
    keys = [f"{c!r}_{gamma!r}" for c, gamma in problem.candidates]
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        instance.add_dynamic_partitions("candidates", keys)
    (folder / "keys").write_text("\n".join(keys[:sample]) + "\n")
    xargs = ["xargs", f"--arg-file={folder / 'keys'}", f"--max-procs={CORES}", "-I{}"]
    materialize = [str(PROGRAMS / "dagster"), "asset", "materialize", "-m", _STOCK]
    measured = measure(
        [*xargs, *materialize, "--select", "model,score", "--partition", "{}"],
        folder=REPOSITORY,
        environment=clean_environment(
            DAGSTER_HOME=folder, BENCHMARK_PROBLEM=folder / "problem.json"
        ),
        output=folder / "output",
    )
    stored = [folder / "storage" / "score" / key for key in keys[:sample]]
    scores: list[Score] = [pickle.loads(path.read_bytes()) for path in stored]
    figures = asdict(measured)
    return Ran(figures | {WHOLE: figures[WALL] * len(keys) / sample}, scores)


def python(folder: Path, code: str) -> Ran:
    """Run a line of Python."""
    measured = measure(
        [sys.executable, "-c", code],
        folder=folder.parent,
        environment=clean_environment(),
        output=folder,
    )
    return Ran(asdict(measured))
