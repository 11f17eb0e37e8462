"""Write a search to begin with: ``dg scaffold defs iris_hpo.HyperparameterSearch <name>``."""

import re
from pathlib import Path
from typing import Final

import dagster as dg

from iris_hpo.search_names import TAKEN

_VALUES: Final = {"max_depth": ("2", "4", "8", "none"), "min_samples_leaf": ("1", "4")}

_YAML: Final = """\
# A search for hyperparameters. `dg check defs` points at the line of a mistake, and
# `dg utils inspect-component iris_hpo.HyperparameterSearch` documents every field.
type: {type}

attributes:
  name: {name}

  # The data: CSV, Parquet or Arrow, in the folder data/ of the project.
  data_file: {name}.csv
  # The column to predict: its name, or its position. -1 is the last.
  target: -1

  # Any scikit-learn classifier or regressor. For a pipeline write `steps` instead.
  estimator: sklearn.ensemble.RandomForestClassifier
  # Parameters that all candidates share.
  settings:
    n_estimators: 100

  # The parameters to search. Write their values into data/parameters/{name}/<axis>_parameters.txt,
  # one per line. The types are float, int, str, bool and tuple, or a list of them. `symbol` appears
  # in the candidates' keys: D4_L1.
  axes:
    - name: max_depth
      symbol: D
      type: int
      positive: true
      nullable: true
    - name: min_samples_leaf
      symbol: L
      type: int
      positive: true

  # How to score: a scoring of scikit-learn. The candidate with the best mean over the folds wins.
  # scoring: balanced_accuracy
  folds: 5
  test_size: 0.2
"""


class SearchScaffolder(dg.Scaffolder):
    """Writes a search that loads, and values for its axes if there are none."""

    def scaffold(self, request: dg.ScaffoldRequest) -> None:
        """Write ``defs.yaml``, or ``component.py`` if Python is asked for."""
        if request.scaffold_format != "yaml":
            dg.scaffold_component(request)
            return
        file = request.target_path if request.append else request.target_path / "defs.yaml"
        before = file.read_text("utf-8") if request.append else ""
        name = _search_name(file.parent.name, before)
        text = _YAML.format(type=request.type_name, name=name)
        file.write_text(f"{before.rstrip()}\n---\n{text}" if before.strip() else text, "utf-8")
        if request.project_root is not None:
            _write_values(request.project_root / "data" / "parameters" / name)


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


def _write_values(folder: Path) -> None:
    if folder.exists():
        return
    folder.mkdir(parents=True)
    for axis, values in _VALUES.items():
        lines = "".join(f"{value}\n" for value in values)
        (folder / f"{axis}_parameters.txt").write_text(lines, "utf-8")
