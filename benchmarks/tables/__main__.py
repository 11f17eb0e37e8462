"""``python -m benchmarks.tables``: try each table of a list with no more than its target.

The tables are those that packages ship; what is not installed is left out. Each line of the list
names a package, a file, the target (``(last ...`` for the last column) and the task. A search that
learns from a column that counts the rows counts as failed.
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
_DEFINITIONS: Final = """\
from pathlib import Path
import iris_hpo
defs = iris_hpo.load_searches(Path(__file__).parent)
"""
_PROJECT: Final = """\
[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "defs"
defs_module = "defs"
code_location_target_module = "definitions"
"""
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
        _write_project(folder, path, table)
        command = [sys.executable, "-m", "iris_hpo", "run", "--search", "tried", "--json"]
        command += ["--jobs", str(jobs)]
        environment = {**os.environ, "DAGSTER_HOME": str(folder / "home")}
        started = time.monotonic()
        ended = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        seconds = time.monotonic() - started
        if ended.returncode:
            return Outcome(ended.stderr.strip()[:500].replace(f"{folder}/", ""), seconds)
        problem = row_number(folder / "artifacts" / "tried" / "split" / "train.csv")
        return Outcome(problem, seconds, _estimate(json.loads(ended.stdout)))


def _write_project(folder: Path, path: Path, table: Mapping[str, str]) -> None:
    values = folder / "data" / "parameters" / "tried"
    values.mkdir(parents=True)
    (values / "max_depth_parameters.txt").write_text("3\n6\n")
    (folder / "data" / path.name).write_bytes(path.read_bytes())
    (folder / "defs" / "tried").mkdir(parents=True)
    target = "-1" if table["target"].startswith("(last") else repr(table["target"])
    estimator = ESTIMATORS[table["task"]]
    text = _SEARCH.format(file=path.name, target=target, estimator=estimator)
    (folder / "defs" / "tried" / "defs.yaml").write_text(text)
    (folder / "definitions.py").write_text(_DEFINITIONS)
    (folder / "pyproject.toml").write_text(_PROJECT)
    (folder / "home").mkdir()


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
