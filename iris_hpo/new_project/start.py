"""`Start`: what a search begins with, decided from a table."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from iris_hpo.data.cells import is_finite, is_missing, is_truth
from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Dataset, Task, class_counts, read_dataset
from iris_hpo.data.decoding import EncodingError
from iris_hpo.data.marks import as_missing
from iris_hpo.data.sources import DatasetError
from iris_hpo.errors import InputError
from iris_hpo.new_project.curated import CURATED, Curated, choose_estimator
from iris_hpo.new_project.written import how_to_write, read_written
from iris_hpo.search_names import TAKEN
from iris_hpo.text import counted, listed, shorten

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
    written
        Other fields of the description.
    notes
        What was found out about the table and may be wrong.
    """

    name: str
    data_file: str
    target: str
    task: Task
    why_task: str
    estimator: str
    why_estimator: str
    written: Mapping[str, object] = field(default_factory=dict[str, object])
    notes: Sequence[str] = ()

    @property
    def curated(self) -> Curated:
        """The estimator and its values."""
        return CURATED[self.estimator]


def plan(
    table: Path,
    target: str,
    estimator: str | None,
    task: Task | None,
    written: Sequence[str] = (),
) -> Start:
    """Decide on the task and on the estimator.

    Parameters
    ----------
    written
        Fields of the description that say how the table is read, in YAML.

    Raises
    ------
    InputError
        If the table cannot be used, or the estimator does not suit.
    """
    fields: dict[str, Any] = read_written(written)
    known: dict[str, Any] = {**fields, "missing": as_missing(fields.get("missing", ()))}
    layout = Layout(target_of(target), **known)
    notes = list[str]()
    try:
        dataset = _read(table, layout, "classification")
    except InputError as error:
        encoding = error.__cause__
        if not isinstance(encoding, EncodingError):
            raise
        fields["encoding"] = encoding.likely
        notes.append(_encoding_note(encoding))
        layout = replace(layout, encoding=encoding.likely)
        dataset = _read(table, layout, "classification")
    known_task, why = _task_of(dataset) if task is None else (task, "--task")
    if known_task == "regression" and not all(map(is_finite, dataset.target.tolist())):
        dataset = _read(table, layout, known_task)  # a text is refused with its line
    _check_classes(table, dataset, known_task)
    notes += _notes_on_classes(dataset, known_task)
    rows = len(dataset.target)
    name = estimator or choose_estimator(rows)
    reason = find_curated(name, known_task).reason
    why_estimator = reason if estimator else f"{reason}; this one has {counted(rows, 'row')}"
    return Start(
        name_of(table), table.name, target, known_task, why, name, why_estimator, fields, notes
    )


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


def _read(table: Path, layout: Layout, task: Task) -> Dataset:
    if not table.is_file():
        raise InputError(f"{table} is no file")
    try:
        return read_dataset(table, layout, task, mixed=True)
    except DatasetError as error:
        raise InputError(f"{error}{how_to_write(str(error))}") from error


def _notes_on_classes(dataset: Dataset, task: Task) -> list[str]:
    """Say which classes are too small for a split, of which `run` refuses the first."""
    counts = class_counts(dataset.target) if task == "classification" else {}
    small = [label for label, rows in counts.items() if rows == 1]
    note = (
        f"{listed(small)}: a class of 1 row cannot be in both parts of the split; before the run, "
        "join small classes under one label, remove their rows, or write stratify: false"
    )
    return [note] if small else []


def _encoding_note(error: EncodingError) -> str:
    shown = f", as line {error.line} then reads {shorten(error.word)}" if error.word else ""
    return f"{error.likely}: the table is no UTF-8, so encoding: {error.likely} is written{shown}"


def target_of(text: str) -> str | int:
    """Read the name of the target, or its position."""
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def _task_of(dataset: Dataset) -> tuple[Task, str]:
    """Find out the task from the values of the target."""
    labels = set(dataset.target.tolist())
    name = shorten(dataset.target_name)
    if all(map(is_truth, labels)):
        return "classification", f"{name} has truth values"
    cells = [label for label in labels if not is_missing(label)]
    if not (cells and all(map(is_finite, cells))):
        return "classification", f"{name} has texts, {len(labels)} different ones"
    are_whole = all(float(cell).is_integer() for cell in cells)
    most = min(_FEW_CLASSES, len(dataset.target) // _ROWS_PER_CLASS)
    if are_whole and len(cells) <= most:
        others = sorted(labels.difference(cells))
        also = f" and {listed(others)}, which is a class too" if others else ""
        whole = counted(len(cells), "whole number")
        return "classification", f"{name} has {whole}{also}; --task says otherwise"
    return "regression", f"{name} has {len(cells)} different numbers; --task says otherwise"


def _check_classes(table: Path, dataset: Dataset, task: Task) -> None:
    """Refuse a target that is no class."""
    labels = set(dataset.target.tolist())
    if task == "regression" or 1 < len(labels) <= len(dataset.target) // 2:
        return
    first, name = shorten(str(dataset.target[0])), dataset.target_name
    problem = f"has {len(labels)} different texts in {counted(len(dataset.target), 'row')}"
    advice = "give more rows of each, or name another column"
    if any(map(str.isdigit, first)):
        advice = f"write plain numbers, such as 1033.9, in place of {first}, or name another column"
    if len(labels) == 1:
        problem, advice = f"is {first} in every row", "name another column"
    raise DatasetError(str(table), f"the target {problem}; {advice}", column=name)


def name_of(table: Path) -> str:
    """Make the name of a search from that of its table."""
    stem = table.name
    while Path(stem).suffix.lower() in _SUFFIXES:
        stem = Path(stem).stem
    word = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")[:40]
    is_name = bool(re.match("[a-z]", word)) and word not in TAKEN
    return word if is_name else f"table_{word}".rstrip("_")
