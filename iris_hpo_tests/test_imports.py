"""Imports point one way: along the data's trip, then Dagster, then what users see."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from iris_hpo_tests.syntax import tree_of

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "iris_hpo"
NAME = re.compile(r"(iris_hpo|dagster)(\.\w+)+")

GROUND = (
    "text database_messages errors files interrupts left_behind machine parts process_end "
    "processes setting known_rules run_settings search_names waiting writing"
)
ALLOWED = {
    "text": "",
    "database_messages": "",
    "errors": "text",
    "files": "",
    "interrupts": "",
    "left_behind": "text",
    "machine": "text",
    "parts": "text errors",
    "process_end": "",
    "processes": "",
    "project_files": "errors files",
    "setting": "",
    "known_rules": "text errors",
    "run_settings": "text errors setting known_rules",
    "search_names": "text errors",
    "waiting": "text",
    "writing": "errors text files interrupts processes",
    "store": GROUND,
    "engines": GROUND,
    "event_log": GROUND,
    "space": GROUND,
    "samplers": f"{GROUND} store space",
    "data": f"{GROUND} store",
    "training": f"{GROUND} store space data",
    "selection": f"{GROUND} store space data training",
    "reports": f"{GROUND} space selection",
    "exports": f"{GROUND} store space samplers data training selection",
    "spec": (
        f"{GROUND} engines space samplers data training selection reports spec_checks spec_forms"
    ),
    "spec_checks": (
        f"{GROUND} engines space samplers data training selection reports spec spec_choosing"
    ),
    "spec_choosing": f"{GROUND} selection spec",
    "spec_forms": f"{GROUND} space data training",
    "start_up": f"{GROUND} engines training reports project_files",
    "orchestration": (
        f"{GROUND} store engines space samplers data training selection reports spec "
        "spec_choosing start_up"
    ),
}
"""What each part may import beside itself. Those that are not here are the faces: they may import
all, and nothing imports them."""

OF_DAGSTER = ("orchestration", "event_log")
DOORS = ("iris_hpo.event_log", "iris_hpo.orchestration.record")
"""Where Dagster's private modules may be imported."""


def module_name(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imported_by(path: Path) -> tuple[str, ...]:
    """Every module that a file imports at the top, in functions, for types, or by a text."""
    return tuple(_imported_by(path))


def _imported_by(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and NAME.fullmatch(str(node.value)):
            yield str(node.value)


def is_within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def breaches(path: Path) -> list[str]:
    importer = module_name(path)
    part = importer.split(".")[1] if "." in importer else ""
    found: list[str] = []
    for name in imported_by(path):
        if is_within(name, "dagster._core", "dagster._utils", "dagster._serdes"):
            wrong = not is_within(importer, *DOORS)
        elif is_within(name, "iris_hpo.testing"):
            wrong = part != "testing"
        elif is_within(name, "dagster", "dagster_postgres", "dagster_webserver"):
            wrong = part in ALLOWED and part not in OF_DAGSTER
        else:
            below = [f"iris_hpo.{other}" for other in (part, *ALLOWED.get(part, "").split())]
            wrong = part in ALLOWED and is_within(name, "iris_hpo") and not is_within(name, *below)
        if wrong:
            found.append(f"{importer} imports {name}")
    return found


@pytest.mark.parametrize("part", ["", *ALLOWED, "command", "testing"])
def test_imports_point_one_way(part: str) -> None:
    files = [*(PACKAGE / part).rglob("*.py")] if (PACKAGE / part).is_dir() else []
    files = files or [PACKAGE / f"{part}.py"]

    assert [line for path in files for line in breaches(path)] == []


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ("store", "from iris_hpo.space import axes"),
        ("store", "import iris_hpo.training.cards"),
        ("data", "def f():\n    from iris_hpo.space.values import Value"),
        ("selection", "from iris_hpo import spec"),
        ("engines", "NAMES = ('iris_hpo.training.trial',)"),
        ("training", "from dagster import AssetKey"),
        ("orchestration", "from iris_hpo.command import main"),
        ("orchestration", "from dagster._core.events import DagsterEvent"),
        ("command", "import dagster._core.events"),
        ("command", "from iris_hpo.testing import EngineContract"),
    ],
)
def test_a_breach_would_be_seen(
    part: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "PROJECT", tmp_path)
    path = tmp_path / "iris_hpo" / part / "module.py"
    path.parent.mkdir(parents=True)
    path.write_text(line)

    assert len(breaches(path)) == 1


def run(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout


def test_the_domain_runs_without_dagster() -> None:
    """Not even indirectly; and what only some functions need is not imported either."""
    domain = [part for part in ALLOWED if part not in OF_DAGSTER]
    modules = [
        module_name(path)
        for part in domain
        for path in [*(PACKAGE / part).rglob("*.py"), PACKAGE / f"{part}.py"]
        if path.is_file() and path.stem != "optuna_classes"  # it is imported with Optuna
    ]
    program = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "unwanted = {'bokeh', 'dagster', 'distributed', 'matplotlib', 'mlflow', 'optuna'}\n"
        "print(sorted(unwanted & set(sys.modules)))\n"
    )

    assert run(program) == "[]\n"


def test_the_engine_starts_workers_without_scikit_learn() -> None:
    """A worker imports what its work needs, and half of its start would be this."""
    assert run("import iris_hpo.engines, sys; print('sklearn' in sys.modules)") == "False\n"
