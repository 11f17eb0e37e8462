"""Fixtures of the domain that several test modules share."""

import gc
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import Dataset, read_dataset
from iris_hpo.data.shuffled import make_folds, split_rows
from iris_hpo.data.split import Examples
from iris_hpo.data.splitters import SplitSettings
from iris_hpo_tests.made_once import draw_once, make_once
from iris_hpo_tests.scale.s3 import S3, s3_server, using

# Repeatable, and without a limit of time per example: the machine may be busy.
# `pytest --hypothesis-profile=explore` looks for new examples.
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.register_profile("explore", deadline=None, database=None, max_examples=2_000)
settings.load_profile("repeatable")

# A shell's background job ignores interrupts, and one under nohup the end of its terminal; so would
# every server that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


make_once()

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
)
"""Files of long tests: one that begins last leaves the other workers idle at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, as far as the workers follow this order."""
    tests = Path(__file__).parent
    places = {tests / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish() -> None:
    """Begin with the tests, as Python is set up."""
    sys.dont_write_bytecode = not _may_write_bytecode
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _figures_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        draw_once(patch)
        yield


@pytest.fixture(autouse=True)
def no_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget an interrupt of the test before, which would stop the next work of this process."""
    monkeypatch.setattr("iris_hpo.interrupts._state", {})


@pytest.fixture(scope="session")
def noisy_iris() -> Dataset:
    """The committed data set: 150 rows, 4 features, 3 classes."""
    return read_dataset(PROJECT / "data" / "noisy_iris.csv", Layout(), "classification")


@pytest.fixture(scope="session")
def iris_examples(noisy_iris: Dataset) -> Examples:
    """Its split with the default settings: 120 training rows in 5 folds, 30 test rows."""
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
def s3_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """An S3 endpoint on loopback, for all tests."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3(s3_process: S3) -> Iterator[S3]:
    """An S3 endpoint with an empty bucket ``bucket``, which this process uses."""
    s3_process.clear()
    with using(s3_process):
        yield s3_process
