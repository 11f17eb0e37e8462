"""A search in Python beside a project's own definitions: the code of docs/tuning.md."""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from dagster._core.workspace.autodiscovery import loadable_targets_from_loaded_module

from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS


def test_the_documented_module_is_a_search(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "tuning.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    project = YamlProject.create(tmp_path / "project")
    project.write_data("points.csv", [["x", "y"], *([n, 3 * n + n % 2] for n in range(40))])
    project.write_values("ridge", alpha=[0.1, 1])
    path = project.root / "definitions.py"
    path.write_text(code)
    with project.entered():  # Dagster takes one object of definitions in a module, and no more
        module = SimpleNamespace(**{**runpy.run_path(str(path)), "__name__": "definitions"})
        assert len(loadable_targets_from_loaded_module(cast("Any", module))) == 1
    assert project.run("ridge")["trained"] == 2
