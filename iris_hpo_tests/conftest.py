"""Fixtures of the domain that several test modules share."""

import gc
import signal
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # xdist's controller reads this file, but runs no test
    from iris_hpo.data.dataset import Dataset
    from iris_hpo.data.split import Examples
    from iris_hpo_tests.scale.s3 import S3

# A shell's background job ignores interrupts, and one under nohup the end of its terminal; so would
# every server that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Each process imports all tests. Even where Python may not write bytecode, that of tests is kept:
# pytest takes long to rewrite their assertions. And imports make no garbage to be collected.
_may_write_bytecode = not sys.dont_write_bytecode
sys.dont_write_bytecode = False
gc.disable()

PROJECT = Path(__file__).resolve().parents[1]

LONGEST_FIRST = (
    "end_to_end/test_dagster_dev.py",
    "faults/test_crash.py",
    "scale/test_everything_at_once.py",
    "generality/test_examples.py",
    "faults/test_dead_runs.py",
    "end_to_end/test_documentation.py",
    "scale/test_dask_search.py",
    "comparison/test_drawn_settings.py",
    "faults/test_output.py",
    "faults/test_concurrency.py",
    "end_to_end/test_dagster_cli.py",
    "scale/test_dask_engine.py",
)
"""Files of long tests: one that begins last leaves the other workers idle at the end."""


def pytest_configure(config: pytest.Config) -> None:
    """Make what all tests share, in each process that runs tests."""
    is_controller = config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")
    if is_controller:
        return
    from hypothesis import settings

    from iris_hpo_tests.made_once import make_once

    # Repeatable, and without a limit of time per example: the machine may be busy.
    # `pytest --hypothesis-profile=explore` looks for new examples.
    settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
    settings.register_profile("explore", deadline=None, database=None, max_examples=2_000)
    settings.load_profile("repeatable")
    make_once()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import only files with long tests where only those run."""
    if config.getoption("markexpr") == "slow" and collection_path.match("test_*.py"):
        return None if _may_be_slow(collection_path) else True
    return None


@cache
def _may_be_slow(file: Path) -> bool:
    return "slow" in file.read_text()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, as far as the workers follow this order."""
    tests = Path(__file__).parent
    places = {tests / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    if unseen := [path.name for path in slow if not _may_be_slow(path)]:
        raise pytest.UsageError(f"`-m slow` would leave out {unseen}: name the mark in these files")


def pytest_collection_finish() -> None:
    """Begin with the tests, as Python is set up."""
    from hypothesis import find
    from hypothesis.strategies import none

    sys.dont_write_bytecode = not _may_write_bytecode
    # Hypothesis looks at the referrers of what it registers, which it sees before they are frozen.
    find(none(), lambda _: True)
    gc.freeze()  # what is imported stays; looking through it again and again takes long
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _results_once() -> Iterator[None]:
    from iris_hpo_tests.results_once import draw_once, fit_curves_once

    with pytest.MonkeyPatch.context() as patch:
        draw_once(patch)
        fit_curves_once(patch)
        yield


@pytest.fixture(autouse=True)
def no_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget an interrupt of the test before, which would stop the next work of this process."""
    monkeypatch.setattr("iris_hpo.interrupts._state", {})


@pytest.fixture(scope="session")
def noisy_iris() -> "Dataset":
    """The committed data set: 150 rows, 4 features, 3 classes."""
    from iris_hpo.data.columns import Layout
    from iris_hpo.data.dataset import read_dataset

    return read_dataset(PROJECT / "data" / "noisy_iris.csv", Layout(), "classification")


@pytest.fixture(scope="session")
def iris_examples(noisy_iris: "Dataset") -> "Examples":
    """Its split with the default settings: 120 training rows in 5 folds, 30 test rows."""
    from iris_hpo.data.shuffled import make_folds, split_rows
    from iris_hpo.data.split import Examples
    from iris_hpo.data.splitters import SplitSettings

    settings_ = SplitSettings()
    train, test = split_rows(noisy_iris.target, settings_, "classification")
    features, target = noisy_iris.rows(train)
    return Examples(
        features,
        target,
        *noisy_iris.rows(test),
        folds=make_folds(target, settings_, "classification"),
    )


@pytest.fixture(scope="session")
def s3_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator["S3"]:
    """An S3 endpoint on loopback, for all tests."""
    from iris_hpo_tests.scale.s3 import s3_server

    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3(s3_process: "S3") -> Iterator["S3"]:
    """An S3 endpoint with an empty bucket ``bucket``, which this process uses."""
    from iris_hpo_tests.scale.s3 import using

    s3_process.clear()
    with using(s3_process):
        yield s3_process
