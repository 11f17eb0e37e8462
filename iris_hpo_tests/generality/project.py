"""A project of a user: a folder with data, parameter files and searches in YAML, and no Python."""

import csv
import io
import json
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from iris_hpo.command.main import main

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DAGSTERS_WARNINGS = [
    # It copies an assets definition when it notes which YAML file it came from.
    pytest.mark.filterwarnings("ignore:Parameter `execution_type`"),
    # dagster_shared 1.13 asks a config class without fields for pydantic's `__fields__`.
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated"),
]
SETTINGS_OF_THE_MACHINE = ("DAGSTER_HOME", "IRIS_HPO_DATA", "IRIS_HPO_ARTIFACTS")

Row = dict[str, str]
Process = subprocess.Popen[str]


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Project:
    """A folder in which ``dg``, ``dagster`` and ``iris-hpo`` work."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> "Project":
        """Copy what a user copies: everything of the examples but their searches and data."""
        made = cls(root)
        for name in ("data", "defs", ".dagster"):
            (root / name).mkdir(parents=True)
        for name in ("pyproject.toml", "definitions.py", ".dagster/dagster.yaml"):
            shutil.copy(EXAMPLES / name, root / name)
        return made

    @classmethod
    def of_examples(cls, root: Path) -> "Project":
        """Copy the examples into a fresh folder, and make their data."""
        made = cls.create(root)
        shutil.copytree(EXAMPLES / "data" / "parameters", root / "data" / "parameters")
        for path in (EXAMPLES / "defs").glob("*/defs.yaml"):
            made.write_yaml(path.parent.name, path.read_text())
        shutil.copy(EXAMPLES / "make_data.py", root)
        runpy.run_path(str(root / "make_data.py"), run_name="__main__")
        return made

    # Files

    def write_data(self, name: str, rows: Sequence[Sequence[object]]) -> None:
        """Write a CSV file; the first row may be a header."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        (self.root / "data" / name).write_text(text.getvalue())

    def write_values(self, search: str, **axes: Sequence[object]) -> None:
        """Write a parameter file per axis."""
        folder = self.parameters(search)
        folder.mkdir(parents=True, exist_ok=True)
        for axis, values in axes.items():
            lines = "".join(f"{value}\n" for value in values)
            (folder / f"{axis.lower()}_parameters.txt").write_text(lines)

    def write_search(self, name: str, **attributes: object) -> Path:
        """Write the search's YAML, one field a line."""
        document = {
            "type": "iris_hpo.HyperparameterSearch",
            "attributes": {"name": name, **attributes},
        }
        return self.write_yaml(name, yaml.safe_dump(document, sort_keys=False))

    def write_yaml(self, name: str, text: str) -> Path:
        path = self.root / "defs" / name / "defs.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def parameters(self, search: str) -> Path:
        return self.root / "data" / "parameters" / search

    def artifacts(self, search: str) -> Path:
        return self.root / "artifacts" / search

    def selection(self, search: str) -> Path:
        return self.artifacts(search) / "selection"

    def files(self, search: str) -> dict[str, tuple[int, bytes]]:
        """Every artifact of a search with its time of writing and its bytes."""
        folder = self.artifacts(search)
        return {
            str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    def leaderboard(self, search: str) -> list[Row]:
        """The stored rows, best first."""
        text = (self.selection(search) / "leaderboard.csv").read_text()
        return list(csv.DictReader(io.StringIO(text)))

    # Work

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Work as a process does that was started in the folder: the next one is another."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.root)
            for name in SETTINGS_OF_THE_MACHINE:
                patch.setenv(name, "")  # so that what the command sets is taken back
                patch.delenv(name)
            patch.setenv("COLUMNS", "120")
            patch.setattr(sys, "path", [*sys.path])
            # It would import what this process has imported long ago.
            patch.setattr("iris_hpo.engines.start_ahead", lambda **_: None)
            patch.setattr("iris_hpo.orchestration.build._BUILT", {})
            patch.setattr("iris_hpo.orchestration.broken._BROKEN", {})
            before = set(sys.modules)
            try:
                yield
            finally:
                for name in set(sys.modules) - before:
                    if name.partition(".")[0] in {path.stem for path in self.root.iterdir()}:
                        del sys.modules[name]

    def call(self, *arguments: str) -> Answer:
        """Run ``iris-hpo`` in this process, which saves the seconds of its imports."""
        out, err = io.StringIO(), io.StringIO()
        with (
            self.entered(),
            redirect_stdout(out),
            redirect_stderr(err),
            pytest.raises(SystemExit) as leaving,
        ):
            main(arguments)
        return Answer(int(leaving.value.code or 0), out.getvalue(), err.getvalue())

    def run(self, search: str, *arguments: str) -> dict[str, Any]:
        """Bring a search up to date; give what ``iris-hpo run --json`` says."""
        answer = self.call("run", "--search", search, "--engine", "serial", "--json", *arguments)
        assert answer.code == 0, answer.err
        found: dict[str, Any] = json.loads(answer.out)
        return found

    def start(self, *arguments: str) -> Process:
        """Start a tool of the environment as a process of its own: ``dg``, ``dagster``."""
        tool, *rest = arguments
        environment = {
            name: value for name, value in os.environ.items() if name not in SETTINGS_OF_THE_MACHINE
        }
        return subprocess.Popen(
            [str(Path(sys.executable).parent / tool), *rest],
            cwd=self.root,
            env={
                **environment,
                "DAGSTER_HOME": str(self.root / ".dagster"),
                "COLUMNS": "200",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def tool(self, *arguments: str) -> Answer:
        return finish(self.start(*arguments))

    def load(self) -> dg.Definitions:
        """Load the project's definitions in this process."""
        with self.entered():
            made: dg.Definitions = runpy.run_path(str(self.root / "definitions.py"))["defs"]()
            made.resolve_asset_graph()
        return made

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DAGSTER_HOME", str(self.root / ".dagster"))
            with dg.DagsterInstance.get() as found:
                yield found

    def partitions(self, search: str) -> list[str]:
        """The registered candidates."""
        with self.instance() as instance:
            return list(instance.get_dynamic_partitions(f"{search}_candidates"))


def finish(process: Process) -> Answer:
    """Wait for a process."""
    out, _ = process.communicate(timeout=240)
    return Answer(process.returncode, out, out)


def cause_of(error: BaseException) -> str:
    """What is at the root of an error of Dagster's."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)
