"""``python -m benchmarks``: run all works, then write the results."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.compare import Results, ScoresDifferError
from benchmarks.environment import REPOSITORY
from benchmarks.measure import CommandFailedError
from benchmarks.report import PAGE, RESULTS, update_page, write_results
from benchmarks.work import WALL, Work
from benchmarks.works import FULL, QUICK, make_works


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; return the exit code: 1 if a contestant failed or scores differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small size, to test the benchmarks")
    options = parser.parse_args(arguments)
    target = REPOSITORY / "build" / "benchmarks" if options.quick else RESULTS
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
            digits = write_digits(Path(folder))
            works = make_works(QUICK if options.quick else FULL, str(digits))
            results = [
                run_work(work, Path(folder) / str(index)) for index, work in enumerate(works)
            ]
    except (CommandFailedError, ScoresDifferError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    table = write_results(target, works, results, quick=options.quick)
    if not options.quick:
        update_page(PAGE, table)
    print(table)
    print(f"{time.monotonic() - started:.0f} s; written to {target.relative_to(REPOSITORY)}")
    return 0


def write_digits(folder: Path) -> Path:
    """Write scikit-learn's digits as CSV with the label last, as `Problem` expects."""
    import numpy as np
    from sklearn.datasets import load_digits

    features, target = load_digits(return_X_y=True)
    path = folder / "digits.csv"
    np.savetxt(path, np.column_stack([features, target]), fmt="%d", delimiter=",")
    return path


def run_work(work: Work, folder: Path) -> Results:
    """Run every contestant of a work once per repetition, the slow ones in the first alone."""
    results = Results()
    for repetition in range(work.repetitions):
        place = folder / str(repetition)
        place.mkdir(parents=True)
        for name, step in work.steps.items():
            if repetition and name in work.once:
                continue
            ran = step(place)
            results.add(name, ran)
            print(
                f"{work.name} [{repetition + 1}/{work.repetitions}] {name}: "
                f"{ran.figures[WALL]:.2f} s",
                flush=True,
            )
    return results


if __name__ == "__main__":
    sys.exit(main())
