"""Measure adaptive searches: ``python -m benchmarks.adaptive``.

TPE on a function that returns at once, so that the cost of a candidate is measured: ours from a
cold process to the leaderboard, with everything recorded, beside Optuna's own loop.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

from benchmarks.environment import CORES

_OPTUNA: Final = """
import sys, time, optuna
optuna.logging.set_verbosity(optuna.logging.WARNING)
def bowl(trial):
    return trial.suggest_float("x", -2, 2) ** 2 + trial.suggest_float("y", -2, 2) ** 2
study = optuna.create_study(storage=sys.argv[1] or None, sampler=optuna.samplers.TPESampler(seed=0))
study.optimize(bowl, n_trials=int(sys.argv[2]), n_jobs=int(sys.argv[3]))
for trial in study.trials:
    print(trial.datetime_complete.timestamp())
"""
_FUNCTION: Final = """
def bowl(x, y):
    return x**2 + y**2
"""
_SEARCH: Final = """
type: iris_hpo.HyperparameterSearch
attributes:
  name: bowl
  objective: {{function: "functions:bowl", direction: minimize}}
  sampler: tpe
  budget: {{candidates: {candidates}}}
  reports: []
  axes:
    - {{name: x, symbol: X, low: -2, high: 2}}
    - {{name: y, symbol: Y, low: -2, high: 2}}
"""
_TIMES: Final = """
import dagster as dg
with dg.DagsterInstance.get() as instance:
    key, cursor = dg.AssetKey(["bowl", "scores"]), None
    while True:
        page = instance.fetch_materializations(key, limit=1000, cursor=cursor)
        for record in page.records:
            print(record.timestamp)
        if not page.has_more:
            break
        cursor = page.cursor
"""


def main() -> None:
    """Print seconds for a number of candidates, and how the time of one grows, in turns."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adaptive", description=__doc__)
    parser.add_argument("--candidates", type=int, default=200, help="number for the wall time")
    parser.add_argument("--growth", type=int, default=1000, help="number for the growth")
    parser.add_argument("--repetitions", type=int, default=3, help="of the growth, which varies")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="adaptive-") as name:
        folder = Path(name)
        ours, _ = _ours(folder / "ours", given.candidates, CORES)
        url = f"sqlite:///{folder / 'study.db'}"
        optuna, _ = _timed(folder, "-c", _OPTUNA, url, str(given.candidates), str(CORES))
        print(
            f"{given.candidates} candidates of TPE, {CORES} workers: {ours:.2f} s; Optuna on "
            f"SQLite {optuna:.2f} s; ratio {ours / optuna:.2f} (goal: at most 1.0)"
        )
        ours_grow: list[float] = []
        others_grow: list[float] = []
        for repetition in range(given.repetitions):
            _, times = _ours(folder / f"growth{repetition}", given.growth, 1)
            ours_grow.append(_growth(times))
            _, times = _timed(folder, "-c", _OPTUNA, "", str(given.growth), "1")
            others_grow.append(_growth(times))
        print(
            f"growth of the time of a candidate, in milliseconds per 1,000 before it, over "
            f"{given.growth}: {_spread(ours_grow)}; Optuna in memory {_spread(others_grow)}"
        )


def _ours(folder: Path, candidates: int, jobs: int) -> tuple[float, list[float]]:
    """Run a search in a new project; return its seconds, and when each candidate was scored."""
    home = folder / ".dagster"
    for path in (folder / "defs" / "bowl", folder / "data", home):
        path.mkdir(parents=True)
    example = Path(__file__).parents[1] / "examples"
    for name in ("pyproject.toml", "definitions.py", ".dagster/dagster.yaml"):
        (folder / name).write_bytes((example / name).read_bytes())
    (folder / "functions.py").write_text(_FUNCTION)
    (folder / "defs" / "bowl" / "defs.yaml").write_text(_SEARCH.format(candidates=candidates))
    seconds, _ = _timed(folder, "-m", "iris_hpo", "run", "--quiet", "--jobs", str(jobs))
    _, times = _timed(folder, "-c", _TIMES)
    return seconds, times


def _timed(folder: Path, *arguments: str) -> tuple[float, list[float]]:
    """Run Python in a folder; return its seconds and the numbers that it printed, in order."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "DAGSTER_HOME": str(folder / ".dagster")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return time.perf_counter() - started, sorted(map(float, done.stdout.split()))


def _growth(times: list[float]) -> float:
    """Milliseconds by which a candidate takes longer, per 1,000 before it, by least squares."""
    seconds = [later - earlier for earlier, later in pairwise(times)]
    return 1e6 * statistics.linear_regression(range(len(seconds)), seconds).slope


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


if __name__ == "__main__":
    main()
