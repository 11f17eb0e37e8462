"""Every command of the README works, in the README's order, in a fresh copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from iris_hpo_tests.processes import REPOSITORY

# CI runs these by themselves: `make dev` does not end, the others are CI's own steps.
_BY_CI = {"make run", "make test", "make dev"}


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", (REPOSITORY / "README.md").read_text(), re.M | re.S)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def fresh_copy(target: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (REPOSITORY / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, target / name)
    (target / ".venv").symlink_to(sys.prefix)


def test_ci_runs_the_make_targets() -> None:
    ci = (REPOSITORY / ".ci" / "run").read_text()
    assert set(commands()) >= _BY_CI
    assert {f"make {target}" for target in re.findall(r"make --no-print-directory (\w+)", ci)} >= {
        "make run",
        "make test",
    }


@pytest.mark.slow
def test_commands_of_the_readme(tmp_path: Path) -> None:
    fresh_copy(tmp_path)
    script = [line for line in commands() if line not in _BY_CI]
    assert len(script) > 8
    result = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", "\n".join(script)],
        cwd=tmp_path,
        # The copy's package, not the one that is being tested.
        env={**os.environ, "PYTHONPATH": str(tmp_path), "DAGSTER_HOME": str(tmp_path / ".dagster")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / "labels.txt").read_text().count("\n") == 150
    assert (tmp_path / "artifacts" / "selection" / "champion.pkl").is_file()
    assert (tmp_path / "examples" / "artifacts" / "wine" / "selection" / "champion.pkl").is_file()
