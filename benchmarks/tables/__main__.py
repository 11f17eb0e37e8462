"""``python -m benchmarks.tables``: try each table of a list with no more than its target.

The tables are those that packages ship; what is not installed is left out. Each line of the list
names a package, a file, the target (``(last ...`` for the last column) and the task.
``iris-hpo init`` makes a project from a table and its target, and ``iris-hpo run`` searches, with a
small forest. A search that learns from a column that counts the rows counts as failed, and so does
one of another task.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

LIST: Final = Path(__file__).with_name("tables.tsv")
ESTIMATORS: Final = {
    "classification": "sklearn.ensemble.RandomForestClassifier",
    "regression": "sklearn.ensemble.RandomForestRegressor",
}
_SEARCH: Final = """\
type: iris_hpo.HyperparameterSearch
attributes:
  name: tried
  data_file: {file}
  target: {target}
  estimator: {estimator}
  settings: {{n_estimators: 10}}
  axes: [{{name: max_depth, symbol: D, type: int}}]
  folds: 2
"""


@dataclass(frozen=True)
class Outcome:
    """What became of a table.

    Attributes
    ----------
    problem
        Why there is no leaderboard, or which row number was learnt from; empty if all is well.
    seconds
        Duration of the command.
    estimate
        The champion's estimate with its interval, or why there is none.
    """

    problem: str
    seconds: float
    estimate: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row of a Markdown table per table; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    parser.add_argument("--list", type=Path, default=LIST, help="the list of tables")
    parser.add_argument("--jobs", type=int, default=1, help="number of worker processes")
    parser.add_argument("folder", type=Path, nargs="+", help="where packages are installed")
    options = parser.parse_args(arguments)
    with options.list.open(newline="") as file:
        tables = list(csv.DictReader(file, delimiter="\t"))
    works = 0
    print("| package | table | target | outcome | seconds |\n|---|---|---|---|---|")
    for table in tables:
        places = [folder / table["file"] for folder in options.folder]
        path = next((place for place in places if place.is_file()), None)
        outcome = (
            Outcome("not installed", 0) if path is None else try_table(path, table, options.jobs)
        )
        works += not outcome.problem
        cells = [
            table["package"],
            Path(table["file"]).name,
            table["target"],
            outcome.problem or outcome.estimate,
            f"{outcome.seconds:.1f}",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\n{works} of {len(tables)} end in a leaderboard")
    return 0


def try_table(path: Path, table: Mapping[str, str], jobs: int = 1) -> Outcome:
    """Run a search over a table, with the command, in a project of its own."""
    with tempfile.TemporaryDirectory(prefix="tables-") as name:
        folder = Path(name)
        target = "-1" if table["target"].startswith("(last") else table["target"]
        started = time.monotonic()
        made = _command(folder, "init", str(path), ".", "--target", target)
        if made.returncode:
            return Outcome(_problem(made, folder), time.monotonic() - started)
        task = json.loads(made.stdout)["task"]
        _write_search(folder, path.name, target, task)
        ended = _command(folder, "run", "--search", "tried", "--jobs", str(jobs))
        seconds = time.monotonic() - started
        if ended.returncode:
            return Outcome(_problem(ended, folder), seconds)
        problem = row_number(folder / "artifacts" / "tried" / "split" / "train.csv")
        if task != table["task"]:
            problem = f"takes it for a {task}"
        return Outcome(problem, seconds, _estimate(json.loads(ended.stdout)))


def _command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "iris_hpo", *arguments, "--json"],
        cwd=folder,
        env={**os.environ, "DAGSTER_HOME": str(folder / ".dagster")},
        capture_output=True,
        text=True,
        check=False,
    )


def _problem(ended: subprocess.CompletedProcess[str], folder: Path) -> str:
    return ended.stderr.strip()[:500].replace(f"{folder}/", "")


def _write_search(folder: Path, file: str, target: str, task: str) -> None:
    """Write a quick search in place of the one that the project begins with."""
    [described] = (folder / "defs").glob("*/defs.yaml")
    values = folder / "data" / "parameters" / "tried"
    values.mkdir(parents=True)
    (values / "max_depth_parameters.txt").write_text("3\n6\n")
    target = target if target == "-1" else repr(target)
    text = _SEARCH.format(file=file, target=target, estimator=ESTIMATORS[task])
    described.write_text(text)


def _estimate(summary: Mapping[str, Any]) -> str:
    estimate = summary["estimate"]
    if estimate is None:
        return f"{summary['score']:.2f}; {summary['estimate_reason']}"
    return f"{estimate['value']:.2f} ({estimate['low']:.2f} to {estimate['high']:.2f})"


def row_number(path: Path) -> str:
    """Name a feature of a stored part that counts the rows; empty if none does.

    Rows without a target may be missing, so that it has gaps.
    """
    with path.open(newline="") as file:
        names, *records = csv.reader(file)
    rows, *features, _ = zip(*records, strict=True)
    for name, cells in zip(names[1:-1], features, strict=True):
        try:
            values = [float(cell) for _, cell in sorted(zip(map(int, rows), cells, strict=True))]
        except ValueError:
            continue
        is_whole = all(value.is_integer() for value in values)
        is_ordered = all(before < after for before, after in pairwise(values))
        if is_whole and is_ordered and values[0] >= 0 and values[-1] < 2 * len(values):
            return f"learns from {name}, which counts the rows"
    return ""


if __name__ == "__main__":
    sys.exit(main())
