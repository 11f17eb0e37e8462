"""Files of a project: what is written before a search, and what a search leaves."""

import csv
from collections.abc import Iterable
from pathlib import Path

from iris_hpo_tests.processes import REPOSITORY

REPOSITORY_DATA = REPOSITORY / "data"
SETTINGS_OF_THE_MACHINE = ("DAGSTER_HOME", "IRIS_HPO_DATA", "IRIS_HPO_ARTIFACTS")
"""Environment variables that say where the files of a project are."""

Row = dict[str, str]


def write_parameters(
    folder: Path, axis: str, values: Iterable[object], *, suffix: str = ""
) -> Path:
    """Write the values of an axis, one a line."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{axis.lower()}_parameters{suffix}.txt"
    path.write_text("".join(f"{value}\n" for value in values))
    return path


def files_below(root: Path, folder: str = "") -> dict[str, tuple[int, bytes]]:
    """Read every file below a folder, with its time of writing, by its path from the root."""
    return {
        str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted((root / folder).rglob("*"))
        if path.is_file()
    }


def read_leaderboard(artifacts: Path) -> list[Row]:
    """Read the stored rows, best first."""
    text = (artifacts / "selection" / "leaderboard.csv").read_text()
    return list(csv.DictReader(text.splitlines()))
