"""Imports point one way: command, orchestration, store, search; and search knows no Dagster."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "iris_hpo"
ABOVE_ORCHESTRATION = ("iris_hpo.command", "iris_hpo.component", "iris_hpo.definitions")
STORE = ("iris_hpo.store", "iris_hpo.trial")
TEXT = ("iris_hpo.text",)


def module_name(path):
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_by(path):
    """Every module that a file names in an import, at the top, in functions, or for types only."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name, packages):
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def files_of(*packages):
    found = [
        path for path in sorted(PACKAGE.rglob("*.py")) if is_within(module_name(path), packages)
    ]
    assert found
    return found


def breaches(files, forbidden, allowed=()):
    return [
        f"{module_name(path)} imports {name}"
        for path in files
        for name in imported_by(path)
        if is_within(name, forbidden) and not is_within(name, allowed)
    ]


@pytest.mark.parametrize(
    ("importers", "forbidden", "allowed"),
    [
        (["iris_hpo.search"], ["dagster", "dagster_webserver", "dagster_graphql"], []),
        (["iris_hpo.search"], ["iris_hpo"], ["iris_hpo.search", *TEXT]),
        (STORE, ["dagster"], []),
        (STORE, ["iris_hpo"], ["iris_hpo.search", *STORE, *TEXT]),
        (["iris_hpo.store"], ["iris_hpo.trial"], []),
        (["iris_hpo.orchestration"], ABOVE_ORCHESTRATION, []),
    ],
    ids=[
        "search-dagster",
        "search-rest",
        "store-dagster",
        "store-rest",
        "store-trial",
        "orchestration-command",
    ],
)
def test_imports_point_one_way(importers, forbidden, allowed):
    assert breaches(files_of(*importers), forbidden, allowed) == []


def test_the_breach_of_a_rule_would_be_seen():
    assert breaches(files_of("iris_hpo.orchestration"), ["iris_hpo"], ["iris_hpo.search"]) != []
    assert breaches(files_of("iris_hpo.orchestration"), ["dagster"]) != []


def test_the_domain_runs_without_dagster():
    """Not even indirectly; and what only some functions need is not imported either."""
    modules = [module_name(path) for path in files_of("iris_hpo.search", *STORE)]
    program = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "unwanted = {'dagster', 'distributed', 'matplotlib'}\n"
        "print(sorted(unwanted & set(sys.modules)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


def test_the_engine_starts_workers_without_scikit_learn():
    """A worker imports what its work needs, and half of its start would be this."""
    program = "import iris_hpo.search.engines, sys; print('sklearn' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"
