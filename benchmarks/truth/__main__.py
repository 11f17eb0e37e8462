"""``python -m benchmarks.truth``: simulate, then write what is true."""

import argparse
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
from benchmarks.truth.simulation import FULL, QUICK, NoEstimateError, Size, simulate
from iris_hpo.run_settings import default_rule

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What keeps a process to one core."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate; return the exit code: 1 if a champion has no estimate."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small size, to test the simulation")
    parser.add_argument("--sets", type=int, help=f"data sets per generator; {FULL.sets} by default")
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else FULL
    if options.sets:
        size = replace(size, sets=options.sets)
    started = time.monotonic()
    try:
        outcomes, nested = collect(size, processes=CORES)
    except NoEstimateError as error:
        print(f"truth: {error}", file=sys.stderr)
        return 1
    averages = average(outcomes, nested)
    machine = describe_machine()
    tables = make_tables(
        averages,
        default_rule(2),
        machine,
        describe_size(size, nested),
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


def collect(size: Size, processes: int) -> tuple[list[Outcome], list[Nested]]:
    """Simulate all data sets in processes of one thread each."""
    os.environ.update(dict.fromkeys(THREADS, "1"))  # before the processes import NumPy
    outcomes: list[Outcome] = []
    nested: list[Nested] = []
    for number, finding in enumerate(simulate(size, processes), 1):
        outcomes += finding.outcomes
        nested += finding.nested
        if number % size.sets == 0:
            print(f"{number} data sets", flush=True)
    return outcomes, nested


def describe_size(size: Size, nested: Sequence[Nested]) -> str:
    """Describe what was simulated, and how nested cross-validation did."""
    corrected = sum(one.holds(one.corrected) for one in nested)
    plain = sum(one.holds(one.plain) for one in nested)
    return (
        f"{size.sets} data sets of each kind; the truth is a score on {size.fresh:,} fresh rows. "
        f"Nested cross-validation ran on {len(nested)} data sets in all: its corrected interval "
        f"holds the truth on {corrected}, the uncorrected one on {plain}."
    )


if __name__ == "__main__":
    sys.exit(main())
