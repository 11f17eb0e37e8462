"""The environment of a measured process: the present one without settings of Dagster."""

import os
import sys
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[1]
PROGRAMS: Final = Path(sys.executable).parent
"""Folder of this Python's programs: ``iris-hpo``, ``dagster``."""

CORES: Final = os.cpu_count() or 1


def clean_environment(**added: str | Path) -> dict[str, str]:
    """Return the environment for a contestant.

    The Makefile sets variables for this project's own Dagster; stock Dagster must not have them.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DAGSTER_", "IRIS_HPO_"))
    }
    return kept | {name: str(value) for name, value in added.items()}
