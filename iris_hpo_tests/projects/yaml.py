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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from iris_hpo.orchestration.known_searches import no_searches
from iris_hpo.projects import root_cause
from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.projects.command import Answer, Process, call_command, environment_of, finish
from iris_hpo_tests.projects.files import (
    SETTINGS_OF_THE_MACHINE,
    Row,
    files_below,
    read_leaderboard,
    write_parameters,
)

EXAMPLES = REPOSITORY / "examples"
DAGSTERS_WARNINGS = [
    # It copies an assets definition when it notes which YAML file it came from.
    pytest.mark.filterwarnings("ignore:Parameter `execution_type`"),
    # dagster_shared 1.13 asks a config class without fields for pydantic's `__fields__`.
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated"),
]


@dataclass(frozen=True)
class YamlProject:
    """A folder in which ``dg``, ``dagster`` and ``iris-hpo`` work."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> "YamlProject":
        """Copy what a user copies: everything of the examples but their searches and data."""
        made = cls(root)
        for name in ("data", "defs", ".dagster"):
            (root / name).mkdir(parents=True)
        for name in ("pyproject.toml", "definitions.py", ".dagster/dagster.yaml"):
            shutil.copy(EXAMPLES / name, root / name)
        return made

    @classmethod
    def of_examples(cls, root: Path) -> "YamlProject":
        """Copy the examples into a fresh folder, and make their data."""
        made = cls.create(root)
        made.copy_examples(*(path.name for path in (EXAMPLES / "defs").iterdir()))
        runpy.run_path(str(root / "make_data.py"), run_name="__main__")
        return made

    def copy(self, root: Path) -> "YamlProject":
        """Copy all, with the results: far quicker than a search."""
        return YamlProject(shutil.copytree(self.root, root))

    def copy_examples(self, *searches: str) -> None:
        """Copy searches of the examples, with what they call and the script that makes data."""
        for search in searches:
            shutil.copytree(EXAMPLES / "data" / "parameters" / search, self.parameters(search))
            self.write_yaml(search, (EXAMPLES / "defs" / search / "defs.yaml").read_text())
        for name in ("functions.py", "make_data.py"):
            shutil.copy(EXAMPLES / name, self.root)
        shutil.copytree(EXAMPLES / "programs", self.root / "programs")

    # Files

    def write_data(self, name: str, rows: Sequence[Sequence[object]]) -> None:
        """Write a CSV file; the first row may be a header."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        (self.root / "data" / name).write_text(text.getvalue())

    def write_values(self, search: str, **axes: Sequence[object]) -> None:
        """Write a parameter file per axis."""
        for axis, values in axes.items():
            write_parameters(self.parameters(search), axis, values)

    def write_search(self, name: str, **attributes: object) -> Path:
        """Write the search's YAML, one field a line.

        Folds are drawn once, and no report is made, unless a test says otherwise: both are faster.
        """
        once = {} if "splitter" in attributes else {"repeats": 1}
        document = {
            "type": "iris_hpo.HyperparameterSearch",
            "attributes": {"name": name, **attributes, **({"reports": []} | once | attributes)},
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
        """Read every artifact of a search with its time of writing."""
        return files_below(self.artifacts(search))

    def leaderboard(self, search: str) -> list[Row]:
        """Read the stored rows, best first."""
        return read_leaderboard(self.artifacts(search))

    # Work

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Work as a process does that was started in the folder: the next one is another."""
        settings = {**dict.fromkeys(SETTINGS_OF_THE_MACHINE), "COLUMNS": "120"}
        with environment_of(settings) as patch, no_searches():
            patch.chdir(self.root)
            patch.setattr(sys, "path", [*sys.path])
            patch.setattr("iris_hpo.command.project._LOADED_BESIDE", {})
            before = set(sys.modules)
            try:
                yield
            finally:
                for name in set(sys.modules) - before:
                    if name.partition(".")[0] in {path.stem for path in self.root.iterdir()}:
                        del sys.modules[name]

    def call(self, *arguments: str) -> Answer:
        """Run ``iris-hpo`` in this process, which saves the seconds of its imports."""
        return call_command(self.entered(), arguments)

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

    @contextmanager
    def code_location(self) -> Iterator[dg.DagsterInstance]:
        """Work as a code location of the project does; give its instance."""
        with self.entered(), self.instance() as instance:
            sys.path.insert(0, str(self.root))
            yield instance

    def partitions(self, search: str) -> list[str]:
        """The registered candidates."""
        with self.instance() as instance:
            return list(instance.get_dynamic_partitions(f"{search}_candidates"))


def run_jobs(
    defs: dg.Definitions, instance: dg.DagsterInstance, search: str, engine: str | None = None
) -> None:
    """Run both jobs of a search, successfully.

    Parameters
    ----------
    engine
        None for that of the search. One process is faster than workers, which import all again.
    """
    for name, op in (("search", "candidates"), ("select", "selection")):
        config = {"ops": {f"{search}__{op}": {"config": {"engine": engine}}}} if engine else {}
        job = defs.resolve_job_def(f"{search}_{name}")
        assert job.execute_in_process(instance=instance, run_config=config).success


def cause_of(error: BaseException) -> str:
    """What is at the root of an error of Dagster's."""
    return str(root_cause(error))
