"""``python -m benchmarks.truth``: simulate, then write what is true."""

import argparse
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.environment import CORES, REPOSITORY
from benchmarks.machine import describe_machine
from benchmarks.report import RESULTS
from benchmarks.truth.outcomes import Nested, Outcome, average
from benchmarks.truth.page import PAGE, as_json, make_tables, write_page
from benchmarks.truth.search import NoEstimateError
from benchmarks.truth.simulation import FULL, QUICK, Size, simulate
from iris_hpo.known_rules import default_rule

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What keeps a process to one core."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate; return the exit code: 1 if a champion has no estimate."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small size, to test the simulation")
    parser.add_argument("--sets", type=int, help=f"data sets per generator; {FULL.sets} by default")
    parser.add_argument("--minutes", type=float, help="stop after so many, with fewer data sets")
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else FULL
    if options.sets:
        size = replace(size, sets=options.sets)
    started = time.monotonic()
    try:
        outcomes, nested = collect(size, CORES, 60 * (options.minutes or math.inf))
    except NoEstimateError as error:
        print(f"truth: {error}", file=sys.stderr)
        return 1
    averages = average(outcomes, nested)
    machine = describe_machine()
    tables = make_tables(
        averages,
        default_rule(2),
        machine,
        describe_size(size.fresh, averages[0].sets, nested),
        judged=not options.quick,
    )
    target = REPOSITORY / "build" / "benchmarks" if options.quick else RESULTS
    target.mkdir(parents=True, exist_ok=True)
    (target / "truth.md").write_text(f"{tables}\n")
    (target / "truth.json").write_text(f"{as_json(averages, machine)}\n")
    if not options.quick:
        write_page(PAGE, tables)
    print(tables)
    print(f"{time.monotonic() - started:.0f} s; written to {target.relative_to(REPOSITORY)}")
    return 0


def collect(size: Size, processes: int, seconds: float) -> tuple[list[Outcome], list[Nested]]:
    """Simulate all data sets in processes of one thread each."""
    os.environ.update(dict.fromkeys(THREADS, "1"))  # before the processes import NumPy
    outcomes: list[Outcome] = []
    nested: list[Nested] = []
    for number, findings in enumerate(simulate(size, processes, seconds), 1):
        for finding in findings:
            outcomes += finding.outcomes
            nested += finding.nested
        print(f"{number} of {size.sets} data sets of each kind", flush=True)
    return outcomes, nested


def describe_size(fresh: int, sets: int, nested: Sequence[Nested]) -> str:
    """Describe what was simulated, and how nested cross-validation did."""
    corrected = sum(one.holds(one.corrected) for one in nested)
    plain = sum(one.holds(one.plain) for one in nested)
    return (
        f"{sets} data sets of each kind; the truth is a score on {fresh:,} fresh rows. "
        f"Nested cross-validation ran on {len(nested)} data sets in all: its corrected interval "
        f"holds the truth on {corrected}, the uncorrected one on {plain}."
    )


if __name__ == "__main__":
    sys.exit(main())
