"""A process that searches and dies after two candidates, as by `kill -9`.

Usage: killed_search.py FOLDER DAGSTER_HOME
"""

import os
import sys
from pathlib import Path

import dagster as dg

from iris_hpo.orchestration.resources import Counts
from iris_hpo_tests.projects import ONE_SLOT, SpecProject


class MortalProject(SpecProject):
    """Dies when two candidates are done."""

    def note_progress(self, context: dg.AssetExecutionContext, counts: Counts) -> None:  # noqa: ARG002
        if counts.done == 2:
            os._exit(9)


def main(folder: str, home: str) -> None:
    with dg.DagsterInstance.local_temp(home, ONE_SLOT) as instance:
        MortalProject.create(Path(folder), instance).launch()


if __name__ == "__main__":
    main(*sys.argv[1:])
