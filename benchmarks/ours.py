"""``iris_hpo`` as a contestant: the real command on a project folder of its own."""

import csv
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.compare import Ran
from benchmarks.contestants.problem import Problem, Score
from benchmarks.environment import PROGRAMS, REPOSITORY, clean_environment
from benchmarks.measure import measure
from benchmarks.work import COMMAND, COMMAND_EACH, EACH, TRAINED, WALL, WORK


class Project:
    """A project folder, and the command in it.

    Parameters
    ----------
    folder
        Folder of the project.
    problem
        The candidates and the data.
    search
        The name of its search; "" for the iris search that is shipped.
    program
        What is called; ``iris-hpo`` by default.
    """

    def __init__(
        self,
        folder: Path,
        problem: Problem,
        search: str = "",
        program: Sequence[str] = (str(PROGRAMS / "iris-hpo"),),
    ) -> None:
        self._folder = folder
        self._problem = problem
        self._search = search
        self._program = program

    @property
    def _parameters(self) -> Path:
        return self._folder / "data" / "parameters" / self._search

    def make(self) -> "Project":
        """Write the folder: the data, the parameter files, the instance's settings."""
        (self._folder / "home").mkdir(parents=True)
        shutil.copy(REPOSITORY / ".dagster" / "dagster.yaml", self._folder / "home")
        self._parameters.mkdir(parents=True)
        name = f"{self._search}.csv" if self._search else "noisy_iris.csv"
        shutil.copy(self._problem.data, self._folder / "data" / name)
        self._write_values("c_parameters.txt", self._problem.c)
        self._write_values("gamma_parameters.txt", self._problem.gamma)
        if self._search:
            for file in ("definitions.py", "pyproject.toml"):
                shutil.copy(REPOSITORY / "examples" / file, self._folder)
            description = self._folder / "defs" / self._search
            description.mkdir(parents=True)
            source = Path(__file__).parent / "searches" / f"{self._search}.yaml"
            shutil.copy(source, description / "defs.yaml")
        else:
            shutil.copy(REPOSITORY / "pyproject.toml", self._folder)
        return self

    def run(self, *options: str) -> Ran:
        """Call ``iris-hpo run``, from a cold process to the leaderboard."""
        ran = self.command(
            "run",
            *(["--search", self._search] if self._search else []),
            f"--folds={self._problem.folds}",
            "--json",
            *options,
        )
        summary = json.loads((self._folder / "output").read_text())
        milliseconds = 1000 / summary["candidates"]
        own = {
            TRAINED: summary["trained"],
            WORK: self._work_seconds(summary["runs"]),
            COMMAND: summary["seconds"],
            COMMAND_EACH: summary["seconds"] * milliseconds,
            EACH: ran.figures[WALL] * milliseconds,
        }
        return Ran(ran.figures | own, self._scores())

    def _work_seconds(self, runs: Sequence[str]) -> float:
        results = self._folder / "artifacts" / self._search
        files = [*(results / "models").glob("*.json"), *(results / "scores").glob("*.json")]
        cards = [json.loads(file.read_text()) for file in files]
        return sum(card["seconds"] for card in cards if card["run_id"] in runs)

    def add_gamma(self, value: float) -> None:
        """Add a value to the grid, in a file of its own."""
        self._write_values("gamma_parameters_fine.txt", [value])

    def command(self, *arguments: str) -> Ran:
        """Call the program with any arguments."""
        environment = clean_environment(
            DAGSTER_HOME=self._folder / "home",
            IRIS_HPO_DATA=self._folder / "data",
            IRIS_HPO_ARTIFACTS=self._folder / "artifacts",
            PYTHONPATH=REPOSITORY,
        )
        measured = measure(
            [*self._program, *arguments],
            folder=self._folder,
            environment=environment,
            output=self._folder / "output",
        )
        return Ran(asdict(measured))

    def _scores(self) -> list[Score]:
        file = self._folder / "artifacts" / self._search / "selection" / "leaderboard.csv"
        with file.open(newline="") as rows:
            return [
                Score(
                    float(row["param_C"]),
                    float(row["param_gamma"]),
                    int(row["correct"]),
                    float(row["cv_mean"]) if row["cv_mean"] else None,
                )
                for row in csv.DictReader(rows)
            ]

    def _write_values(self, name: str, values: Sequence[float]) -> None:
        text = "".join(f"{value!r}\n" for value in values)
        (self._parameters / name).write_text(text)
