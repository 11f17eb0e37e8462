"""Run a test module within a test.

As pytest's own ``pytester`` does, but what it imports of packages stays imported: compiled modules
cannot be loaded twice.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class Outcomes:
    """Names of tests, without their parameters."""

    passed: set[str] = field(default_factory=set[str])
    failed: set[str] = field(default_factory=set[str])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.partition("[")[0].rpartition("::")[2]
        if report.failed:
            self.failed.add(name)
        elif report.when == "call":
            self.passed.add(name)


def run_module(path: Path, *tests: str) -> Outcomes:
    """Run a test module, or some tests of it, such as ``TestIt::test_it``."""
    outcomes = Outcomes()
    pytest.main(
        [
            *([f"{path}::{test}" for test in tests] or [str(path)]),
            "--rootdir",
            str(path.parent),
            "-c",
            "/dev/null",
            "--import-mode=importlib",
            *("-p", "no:cacheprovider"),
            *("-p", "no:xdist"),
        ],
        plugins=[outcomes],
    )
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(f"{path.parent}/"):
            del sys.modules[name]
    return outcomes
