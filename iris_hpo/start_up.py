"""What is done ahead of need, so that a command starts and ends sooner.

Nothing here decides what a search does: without it, commands are slower and otherwise the same.
"""

import gc
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from iris_hpo.run_settings import LOKY

if TYPE_CHECKING:
    from iris_hpo.parts import Part

_BYTES_PER_WORKER: Final = 20_000_000
"""Data that fits read in about the time in which a worker starts, or longer."""


def collect_rarely() -> None:
    """Let the garbage collector look rarely while a command starts.

    Imports make a million objects and no garbage: this makes the start a fifth shorter.
    """
    gc.set_threshold(100_000, 20, 20)


def skip_last_collection() -> None:
    """Let the process end without looking through all its objects once more."""
    gc.freeze()


def start_worker_of_first_run(
    engine: str | None, search: str | None, artifacts: str | None
) -> None:
    """Start a worker if there surely is work for one, as nothing was ever selected.

    It imports scikit-learn while this process imports Dagster.
    """
    from iris_hpo.engines import default_engine, start_ahead
    from iris_hpo.training import WORKER_MODULES

    if (engine or default_engine()) == LOKY and _is_first_run(search, artifacts):
        start_ahead(modules=WORKER_MODULES)


def _is_first_run(search: str | None, artifacts: str | None) -> bool:
    from iris_hpo.project_files import is_project

    folder = artifacts or os.environ.get("IRIS_HPO_ARTIFACTS") or "artifacts"
    if "://" in folder or not is_project(Path()):
        return False
    ours = Path(folder, search or "")
    places = [ours / "selection", *([] if search else ours.glob("*/selection"))]
    return not any(map(os.path.lexists, places))


def start_workers(bytes_read: int, jobs: int) -> None:
    """Start as many workers as the work is surely worth; more start once it shows that it is.

    One of them is kept for the fits of the selection.

    Parameters
    ----------
    bytes_read
        Size of the data, times the number of fits.
    jobs
        Largest number of workers; 0 for one per core.
    """
    from iris_hpo.engines import keep_one, start_ahead
    from iris_hpo.training import WORKER_MODULES

    start_ahead(1 + bytes_read // _BYTES_PER_WORKER, jobs, modules=WORKER_MODULES)
    keep_one()


def import_for_reports(parts: "Sequence[Part]") -> None:
    """Import what reports draw with, while workers work instead of when all wait for the figure."""
    if any(part.use == "heatmap" for part in parts):
        from threading import Thread

        Thread(target=import_matplotlib_ahead, daemon=True).start()


def import_matplotlib_ahead() -> None:
    """Import what reports draw with, if that works."""
    with suppress(Exception):  # what draws imports it again, and says what is wrong
        from iris_hpo.reports.figure import import_matplotlib

        import_matplotlib()


def end_spare_workers() -> None:
    """End the workers that no engine has taken."""
    from iris_hpo.engines import end_spare

    end_spare()
