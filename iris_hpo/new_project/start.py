"""`Start`: what a search begins with, decided from a table."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Dataset, Task, read_dataset
from iris_hpo.errors import InputError
from iris_hpo.new_project.curated import CURATED, Curated, choose_estimator
from iris_hpo.search_names import TAKEN
from iris_hpo.text import counted, shorten

_FEW_CLASSES: Final = 20
_ROWS_PER_CLASS: Final = 5
_SUFFIXES: Final = (".gz", ".csv", ".tsv", ".txt", ".data", ".parquet", ".feather", ".arrow")


@dataclass(frozen=True)
class Start:
    """What a project begins with.

    Attributes
    ----------
    name
        Name of the search.
    data_file
        The table, within the project's data folder.
    target
        The column to predict.
    task, why_task
        The task, and how it was found out.
    estimator, why_estimator
        Name in `CURATED`, and why it was chosen.
    """

    name: str
    data_file: str
    target: str
    task: Task
    why_task: str
    estimator: str
    why_estimator: str

    @property
    def curated(self) -> Curated:
        """The estimator and its values."""
        return CURATED[self.estimator]


def plan(table: Path, target: str, estimator: str | None, task: Task | None) -> Start:
    """Decide on the task and on the estimator.

    Raises
    ------
    InputError
        If the table cannot be used, or the estimator does not suit.
    """
    dataset = _read(table, target)
    known_task, why = _task_of(dataset) if task is None else (task, "--task")
    if task == "regression":
        read_dataset(table, Layout(target_of(target)), task, mixed=True)  # refused with its line
    rows = len(dataset.target)
    name = estimator or choose_estimator(rows)
    reason = find_curated(name, known_task).reason
    why_estimator = reason if estimator else f"{reason}; this one has {counted(rows, 'row')}"
    return Start(name_of(table), table.name, target, known_task, why, name, why_estimator)


def without_table(data_file: str, target: str, estimator: str) -> Start:
    """Decide for a table that is not there yet: a classification, if the estimator does it."""
    name = estimator or choose_estimator(0)
    task: Task = next(iter(find_curated(name, None).estimators))
    return Start(Path(data_file).stem, data_file, target, task, "", name, "")


def find_curated(name: str, task: Task | None) -> Curated:
    """Find an estimator that does a task.

    Raises
    ------
    InputError
        If it is unknown, or does not do the task.
    """
    if name not in CURATED:
        raise InputError(
            f"estimator {shorten(name)} is unknown; choose one of {', '.join(CURATED)}"
        )
    curated = CURATED[name]
    if task is not None and task not in curated.estimators:
        others = ", ".join(other for other in CURATED if task in CURATED[other].estimators)
        raise InputError(f"{name} does no {task}; choose one of {others}")
    return curated


def _read(table: Path, target: str) -> Dataset:
    if not table.is_file():
        raise InputError(f"{table} is no file")
    return read_dataset(table, Layout(target_of(target)), "classification", mixed=True)


def target_of(text: str) -> str | int:
    """Read the name of the target, or its position."""
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def _task_of(dataset: Dataset) -> tuple[Task, str]:
    """Find out the task from the values of the target."""
    labels = set(dataset.target.tolist())
    name = shorten(dataset.target_name)
    try:
        numbers = [float(label) for label in labels]
    except ValueError:
        return "classification", f"{name} has texts, {len(labels)} different ones"
    are_whole = all(number.is_integer() for number in numbers)
    most = min(_FEW_CLASSES, len(dataset.target) // _ROWS_PER_CLASS)
    if are_whole and len(labels) <= most:
        return "classification", f"{name} has {len(labels)} whole numbers; --task says otherwise"
    return "regression", f"{name} has {len(labels)} different numbers; --task says otherwise"


def name_of(table: Path) -> str:
    """Make the name of a search from that of its table."""
    stem = table.name
    while Path(stem).suffix.lower() in _SUFFIXES:
        stem = Path(stem).stem
    word = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")[:40]
    is_name = bool(re.match("[a-z]", word)) and word not in TAKEN
    return word if is_name else f"table_{word}".rstrip("_")
