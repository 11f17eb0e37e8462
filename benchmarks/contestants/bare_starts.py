"""The lower bound of programs: start each one, wait for it, and keep only what it prints.

Nothing else is imported: that would take as long as many starts.
"""

import json
import subprocess
import sys
from itertools import product
from pathlib import Path


def main() -> None:
    """Run the program of each candidate, one after the other."""
    problem, scores = map(Path, sys.argv[1:3])
    given = json.loads(problem.read_text())
    for c, _ in product(given["c"], given["gamma"]):
        command = ["sh", "-c", f"echo {c}"]
        float(subprocess.run(command, capture_output=True, check=True).stdout)
    scores.write_text("[]")


if __name__ == "__main__":
    main()
