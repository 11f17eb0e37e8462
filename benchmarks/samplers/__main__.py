"""``python -m benchmarks.samplers``: look for the best of each problem, then write the table."""

import argparse
import json
import math
import os
import re
import statistics
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from itertools import product

from benchmarks.environment import CORES, REPOSITORY
from benchmarks.machine import describe_machine
from benchmarks.report import RESULTS
from benchmarks.samplers.contestants import CONTESTANTS
from benchmarks.samplers.problems import make_problems
from benchmarks.truth.__main__ import THREADS

PAGE = REPOSITORY / "docs" / "adaptive.md"
_MARKS = ("<!-- samplers -->", "<!-- end of samplers -->")

Bests = Mapping[str, Mapping[str, Sequence[float]]]
"""The best score of each seed, by problem and contestant."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Look; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.samplers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small size, to test the benchmark")
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds")
    parser.add_argument("--candidates", type=int, default=100, help="number of candidates")
    parser.add_argument("--minutes", type=float, help="stop after so many, with fewer seeds")
    options = parser.parse_args(arguments)
    seeds, candidates = (2, 15) if options.quick else (options.seeds, options.candidates)
    started = time.monotonic()
    bests = look(
        seeds, candidates, 1 if options.quick else CORES, 60 * (options.minutes or math.inf)
    )
    table = make_table(bests, candidates)
    target = REPOSITORY / "build" / "benchmarks" if options.quick else RESULTS
    target.mkdir(parents=True, exist_ok=True)
    content = {"machine": describe_machine(), "candidates": candidates, "best": bests}
    (target / "samplers.json").write_text(f"{json.dumps(content, indent=1)}\n")
    if not options.quick:
        write_page(table)
    print(table)
    print(f"{time.monotonic() - started:.0f} s; written to {target.relative_to(REPOSITORY)}")
    return 0


def look(seeds: int, candidates: int, processes: int, seconds: float = math.inf) -> Bests:
    """Let every contestant look at every problem with every seed, or as many as there is time."""
    os.environ.update(dict.fromkeys(THREADS, "1"))  # before the processes import NumPy
    names = [problem.name for problem in make_problems()]
    bests: dict[str, dict[str, list[float]]] = {
        name: {contestant: [] for contestant in CONTESTANTS} for name in names
    }
    tasks = [
        (problem, contestant, candidates, seed)
        for seed, problem, contestant in product(range(seeds), names, CONTESTANTS)
    ]
    started = time.monotonic()
    with closing(_work_off(tasks, processes)) as scores:
        for at, (task, best) in enumerate(zip(tasks, scores, strict=False), 1):
            bests[task[0]][task[1]].append(best)
            if at % (len(names) * len(CONTESTANTS)) == 0:
                print(f"{task[3] + 1} of {seeds} seeds", flush=True)
                if time.monotonic() - started > seconds:
                    break
    return bests


def _work_off(
    tasks: Sequence[tuple[str, str, int, int]], processes: int
) -> Generator[float, None, None]:
    if processes == 1:
        yield from map(_best, tasks)
        return
    executor = ProcessPoolExecutor(processes)
    try:
        yield from executor.map(_best, tasks)
    finally:
        executor.shutdown(cancel_futures=True)


def _best(task: tuple[str, str, int, int]) -> float:
    name, contestant, candidates, seed = task
    (problem,) = (problem for problem in make_problems() if problem.name == name)
    return CONTESTANTS[contestant](problem, candidates, seed)


def make_table(bests: Bests, candidates: int) -> str:
    """Write medians with quartiles, and how far ours and Optuna's are distinguishable."""
    optima = {problem.name: problem.best for problem in make_problems()}
    seeds = len(next(iter(next(iter(bests.values())).values())))
    about = (
        f"How far the best score is from the best that there is, after {candidates} candidates: "
        f"the median of {seeds} seeds, and the quartiles. Less is better."
    )
    lines = [
        about,
        "",
        f"| problem | {' | '.join(CONTESTANTS)} | p |",
        f"|---|{'---|' * (len(CONTESTANTS) + 1)}",
    ]
    for name, of_contestants in bests.items():
        cells: list[str] = []
        for scores in of_contestants.values():
            gaps = [max(0.0, optima[name] - score) for score in scores]
            low, middle, high = statistics.quantiles(gaps, n=4, method="inclusive")
            cells.append(f"{middle:.3g} ({low:.3g} to {high:.3g})")
        p = _p_value(of_contestants["tpe"], of_contestants["Optuna's TPE"])
        lines.append(f"| {name} | {' | '.join(cells)} | {p:.2f} |")
    return "\n".join(lines)


def _p_value(first: Sequence[float], second: Sequence[float]) -> float:
    """Return how likely a difference as great is if both are alike (Mann and Whitney)."""
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(first, second).pvalue)


def write_page(table: str) -> None:
    """Put the table into its place in the documentation."""
    begin, end = _MARKS
    text = PAGE.read_text()
    pattern = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    PAGE.write_text(pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text))


if __name__ == "__main__":
    sys.exit(main())
