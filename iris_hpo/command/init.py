"""``iris-hpo init``: make a project from a table."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from iris_hpo.command.curated import CURATED, Curated, choose_estimator
from iris_hpo.command.example import find_sources, refuse_existing, show_project, write_files
from iris_hpo.command.output import show
from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Dataset, Task, read_dataset
from iris_hpo.errors import InputError
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
    table
        The table of the data.
    target
        The column to predict.
    task, why_task
        The task, and how it was found out.
    estimator, why_estimator
        Name in `CURATED`, and why it was chosen.
    """

    name: str
    table: Path
    target: str
    task: Task
    why_task: str
    estimator: str
    why_estimator: str

    @property
    def curated(self) -> Curated:
        """The estimator and its values."""
        return CURATED[self.estimator]


def write_project(
    table: Path,
    target: str,
    folder: Path | None,
    estimator: str | None,
    task: Task | None,
    *,
    as_json: bool = False,
) -> int:
    """Write a project for a table, and print what was chosen and what to do next.

    Raises
    ------
    InputError
        If the table cannot be used, the estimator does not suit, or something would be overwritten.
    """
    start = plan(table, target, estimator, task)
    folder = folder or Path(start.name)
    files = project_files(start)
    refuse_existing(folder, [*files, f"data/{table.name}"])
    write_files(folder, files)
    try:
        shutil.copyfile(table, folder / "data" / table.name)
    except OSError as error:
        raise InputError(f"{table} cannot be copied into {folder}: {error.strerror}") from error
    chosen: dict[str, object] = {
        name: getattr(start, name)
        for name in ("target", "task", "why_task", "estimator", "why_estimator")
    }
    if not as_json:
        show(f"{start.task}: {start.why_task}")
        show(f"{start.estimator}: {start.why_estimator}")
    written = [*files, f"data/{table.name}"]
    show_project(folder, start.name, written, chosen if as_json else None)
    return 0


def plan(table: Path, target: str, estimator: str | None, task: Task | None) -> Start:
    """Decide on the task and on the estimator."""
    dataset = _read(table, target)
    known_task, why = _task_of(dataset) if task is None else (task, "--task")
    if task == "regression":
        read_dataset(table, Layout(_target(target)), task, mixed=True)  # refused with its line
    rows = len(dataset.target)
    name = estimator or choose_estimator(rows)
    if name not in CURATED:
        raise InputError(
            f"estimator {shorten(name)} is unknown; choose one of {', '.join(CURATED)}"
        )
    if known_task not in CURATED[name].estimators:
        others = ", ".join(other for other in CURATED if known_task in CURATED[other].estimators)
        raise InputError(f"{name} does no {known_task}; choose one of {others}")
    reason = CURATED[name].reason
    why_estimator = reason if estimator else f"{reason}; this one has {counted(rows, 'row')}"
    return Start(_name_of(table), table, target, known_task, why, name, why_estimator)


def _read(table: Path, target: str) -> Dataset:
    if not table.is_file():
        raise InputError(f"{table} is no file")
    return read_dataset(table, Layout(_target(target)), "classification", mixed=True)


def _target(text: str) -> str | int:
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


def _name_of(table: Path) -> str:
    stem = table.name
    while Path(stem).suffix.lower() in _SUFFIXES:
        stem = Path(stem).stem
    word = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")[:40]
    is_name = bool(re.match("[a-z]", word)) and word not in TAKEN
    return word if is_name else f"table_{word}".rstrip("_")


def project_files(start: Start) -> Mapping[str, bytes]:
    """Return the content of the project's files by their path."""
    examples = find_sources() / "examples"
    project = (examples / "pyproject.toml").read_text("utf-8")
    texts = {
        "definitions.py": (examples / "definitions.py").read_text("utf-8"),
        "pyproject.toml": project.replace('"examples"', f'"{start.name}"'),
        ".dagster/dagster.yaml": (examples / ".dagster/dagster.yaml").read_text("utf-8"),
        f"defs/{start.name}/defs.yaml": describe(start),
        "README.md": _README.format(start=start, estimator=start.curated.estimators[start.task]),
        **{
            f"data/parameters/{start.name}/{axis.name}_parameters.txt": "\n".join(axis.values)
            + "\n"
            for axis in start.curated.axes
        },
    }
    return {name: text.encode() for name, text in texts.items()}


_README: Final = """\
# {start.name}

Predicts `{start.target}` of `data/{start.table.name}` with {estimator}.
`iris-hpo run` trains what is missing and selects the best; `iris-hpo report` shows it.
Edit `defs/{start.name}/defs.yaml` and the values in `data/parameters/{start.name}`.
"""


def describe(start: Start) -> str:
    """Write the description of the search, with every field that there is and what it means."""
    from iris_hpo.component import HyperparameterSearch

    given = _given(start)
    parts = [
        "# Every field of a search: those that this one leaves at their default begin with #.",
        "type: iris_hpo.HyperparameterSearch",
        "",
        "attributes:",
    ]
    for name, field in HyperparameterSearch.model_fields.items():
        parts.append(_comment(field.description or ""))
        if name in given:
            parts.append(_yaml({name: given[name]}))
        else:
            default = field.get_default(call_default_factory=True)
            parts.append(_yaml({name: default}).replace("  ", "  # ", 1).replace("\n  ", "\n  # "))
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def _given(start: Start) -> Mapping[str, Any]:
    curated = start.curated
    estimator = curated.estimators[start.task]
    prefix = f"{estimator.rpartition('.')[2].lower()}__" if curated.is_scaled else ""
    axes = [
        {
            "name": axis.name,
            "symbol": axis.symbol,
            **({"parameter": f"{prefix}{axis.name}"} if prefix else {}),
            "type": axis.type,
            **({"positive": True} if axis.type != "str" else {}),
            **({"nullable": True} if axis.nullable else {}),
        }
        for axis in curated.axes
    ]
    settings = {"settings": dict(curated.settings)} if curated.settings else {}
    model = (
        {
            "steps": [
                {"estimator": "sklearn.preprocessing.StandardScaler"},
                {"estimator": estimator, **settings},
            ]
        }
        if curated.is_scaled
        else {"estimator": estimator, **settings}
    )
    return {
        "name": start.name,
        "data_file": start.table.name,
        "target": _target(start.target),
        **model,
        "axes": axes,
        "description": f"{start.task.capitalize()}: {start.why_task}.",
    }


def _yaml(value: object) -> str:
    import yaml

    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=90)
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines())


def _comment(text: str) -> str:
    import textwrap

    return "\n".join(f"  # {line}" for line in textwrap.wrap(" ".join(text.split()), 92))
