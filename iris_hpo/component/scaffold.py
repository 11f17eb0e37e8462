"""Write a search to begin with: ``dg scaffold defs iris_hpo.HyperparameterSearch <name>``."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
import dagster as dg
from pydantic import BaseModel, ConfigDict, Field

from iris_hpo.errors import InputError
from iris_hpo.new_project.description import describe, parameter_files
from iris_hpo.new_project.start import Start, plan, without_table
from iris_hpo.search_names import TAKEN
from iris_hpo.writing import write_together, write_whole

_TYPE: Final = "type: iris_hpo.HyperparameterSearch\n"


class SearchParams(BaseModel):
    """What may be given to ``dg scaffold``: as the arguments of ``iris-hpo init``."""

    model_config = ConfigDict(extra="forbid")

    table: str = Field(
        default="", description="A file in the data folder; `<name>.csv` by default."
    )
    target: str = Field(default="-1", description="The column to predict: its name or position.")
    estimator: str = Field(default="", description="As of `iris-hpo init --estimator`.")


class SearchScaffolder(dg.Scaffolder[SearchParams]):
    """Writes a search that loads, and values for its axes if there are none."""

    @classmethod
    def get_scaffold_params(cls) -> type[SearchParams]:
        """Return the class of the parameters."""
        return SearchParams

    def scaffold(self, request: dg.ScaffoldRequest[SearchParams]) -> None:
        """Write ``defs.yaml``, or ``component.py`` if Python is asked for."""
        if request.scaffold_format != "yaml":
            dg.scaffold_component(request)
            return
        file = request.target_path if request.append else request.target_path / "defs.yaml"
        before = file.read_text("utf-8") if request.append else ""
        root = request.project_root
        try:
            start = _start(_search_name(file.parent.name, before), root, request.params)
            if root is not None:
                _write_values(root / "data" / "parameters" / start.name, start)
            text = describe(start).replace(_TYPE, f"type: {request.type_name}\n", 1)
            text = f"{before.rstrip()}\n---\n{text}" if before.strip() else text
            write_whole(file, text.encode())
        except OSError as error:
            raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error
        except InputError as error:
            raise click.ClickException(str(error)) from error
        finally:
            if not any(file.parent.iterdir()):
                file.parent.rmdir()  # dg made it, and refuses a folder that exists


def _start(name: str, root: Path | None, params: SearchParams) -> Start:
    """Decide what the search begins with: from its table, if that is there."""
    data_file = params.table or f"{name}.csv"
    table = (root or Path()) / "data" / data_file
    if params.table or table.is_file():
        start = plan(table, params.target, params.estimator or None, None)
    else:
        start = without_table(data_file, params.target, params.estimator)
    return replace(start, name=name, data_file=data_file)


def _search_name(folder: str, before: str) -> str:
    """A valid name for a search that the file does not contain yet."""
    word = re.sub(r"[^a-z0-9]+", "_", folder.lower()).strip("_")[:40]
    name = word if re.match("[a-z]", word) else f"search_{word}".rstrip("_")
    taken = set(re.findall(r"^\s+name:\s*(\w+)\s*$", before, re.MULTILINE))
    taken |= {*TAKEN}
    number = 1
    free_name = name
    while free_name in taken:
        number += 1
        free_name = f"{name}_{number}"
    return free_name


def _write_values(folder: Path, start: Start) -> None:
    """Write values for the axes, unless the folder has files that a user sees."""
    if not folder.exists() or all(path.name.startswith(".") for path in folder.iterdir()):
        files = {name: text.encode() for name, text in parameter_files(start).items()}
        write_together(folder, files)
