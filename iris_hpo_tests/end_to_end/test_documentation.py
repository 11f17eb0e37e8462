"""Every command of the documentation works, page by page, in a fresh copy of the project."""

import compileall
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from iris_hpo_tests.processes import REPOSITORY, copy_repository

README = REPOSITORY / "README.md"
PAGES = [
    README,
    REPOSITORY / "CONTRIBUTING.md",
    REPOSITORY / "CHANGELOG.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
]

# CI runs these by themselves: `make dev` does not end, the others are CI's own steps.
_BY_CI = {"make run", "make test", "make dev"}

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def commands(page: Path) -> list[str]:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", page.read_text(), re.M | re.S)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def targets_of_ci() -> list[list[str]]:
    """The targets of each call of make, in the order of the calls."""
    calls: list[str] = re.findall(r"^make --no-print-directory (.*?)(?: &)?$", ci(), re.M)
    return [[word for word in call.split() if not word.startswith("--")] for call in calls]


def ci() -> str:
    return (REPOSITORY / ".ci" / "run").read_text()


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub gives to the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh copy of the project; each page continues where the one before ended."""
    target = copy_repository(tmp_path_factory.mktemp("project"))
    (target / ".venv").symlink_to(sys.prefix)
    # Once, and not by each command and worker where Python may not write bytecode.
    compileall.compile_dir(target / "iris_hpo", quiet=1)
    return target


def test_the_readme_is_short_and_begins_with_the_two_commands() -> None:
    assert len(README.read_text().splitlines()) < 200
    assert commands(README)[:2] == ["make run", "make test"]


def test_ci_runs_the_make_targets_in_this_order() -> None:
    assert targets_of_ci() == [
        ["lowest-packages"],
        ["run"],
        [".venv/test"],
        ["slow", "test", "lowest", "bench-quick", "lint"],
    ]


@by_page
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`make ([\w-]+)", page.read_text())) <= targets


@by_page
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://)([^)\s]+)\)", page.read_text())
    for target in targets:
        name, _, fragment = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), target
        assert not fragment or fragment in anchors(linked), target


def test_every_page_is_linked_from_the_readme() -> None:
    text = README.read_text()
    assert [
        page.name for page in PAGES[1:] if f"({page.relative_to(REPOSITORY)})" not in text
    ] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if commands(page)], ids=lambda page: page.name
)
def test_commands_work(page: Path, project: Path) -> None:
    script = [line for line in commands(page) if line not in _BY_CI]
    assert all(f"make {target}" not in script for call in targets_of_ci() for target in call)
    result = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", "\n".join(script)],
        cwd=project,
        # The copy's package, not the one that is being tested.
        env={**os.environ, "PYTHONPATH": str(project), "DAGSTER_HOME": str(project / ".dagster")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    if page == README:
        assert (project / "labels.txt").read_text().count("\n") == 150
        assert (project / "artifacts" / "selection" / "champion.pkl").is_file()
        wine = project / "examples" / "artifacts" / "wine"
        assert (wine / "selection" / "champion.pkl").is_file()
