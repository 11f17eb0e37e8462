"""The fault table of the documentation says what these tests do, as often as they do it."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from iris_hpo_tests.faults.conftest import CASES
from iris_hpo_tests.faults.test_crash import KILLS
from iris_hpo_tests.processes import REPOSITORY

FOLDER = Path(__file__).parent


def collected(config: pytest.Config) -> Counter[str]:
    """Cases per file of this folder, fast and slow."""
    counted = config.stash[CASES]
    if counted.keys() == {path.name for path in FOLDER.glob("test_*.py")}:
        return counted
    # Only a part of the tests is run.
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "slow or not slow"]
    listed = subprocess.run(
        [*command, str(FOLDER)], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    return Counter(re.findall(r"^iris_hpo_tests/faults/(test_\w+\.py)::", listed, re.M))


def test_the_table_of_the_documentation_lists_these_tests(pytestconfig: pytest.Config) -> None:
    page = (REPOSITORY / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| (.*) \| `(test_\w+\.py)` \| (\d+) \|", page, re.M)
    cases = collected(pytestconfig).copy()
    del cases["test_table.py"]
    assert {file: int(number) for _, file, number in rows} == cases
    assert next(done for done, file, _ in rows if file == "test_crash.py").startswith(
        f"`kill -9` of the run at {KILLS} random moments"
    )


def test_tests_in_other_folders_exist() -> None:
    page = (REPOSITORY / "docs" / "security.md").read_text()
    named = re.findall(r"`((?:\w+/)+test_\w+\.py)`", page)
    assert len(named) > 3
    assert [name for name in named if not (REPOSITORY / "iris_hpo_tests" / name).is_file()] == []
