"""A search in Python beside a project's own definitions: the code of docs/tuning.md."""

import re
from pathlib import Path

from iris_hpo_tests.generality.project import DAGSTERS_WARNINGS, Project
from iris_hpo_tests.processes import REPOSITORY

pytestmark = DAGSTERS_WARNINGS


def test_the_documented_module_is_a_search(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "tuning.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    project = Project.create(tmp_path / "project")
    project.write_data("points.csv", [["x", "y"], *([n, 3 * n + n % 2] for n in range(40))])
    project.write_values("ridge", alpha=[0.1, 1])
    (project.root / "definitions.py").write_text(code)
    assert project.run("ridge")["trained"] == 2
