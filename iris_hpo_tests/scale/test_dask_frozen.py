"""Workers of a Dask cluster that are there and do not answer hold up nothing but their own item."""

import logging
import os
import signal
import threading
from contextlib import suppress

import psutil
import pytest

from iris_hpo.engines import Done, Failed
from iris_hpo.engines.dask import DaskEngine
from iris_hpo.errors import InputError
from iris_hpo.testing import engine_work
from iris_hpo.testing.engines import ONCE, all_of, results_of
from iris_hpo_tests.engines import own_work
from iris_hpo_tests.processes import wait_for
from iris_hpo_tests.scale.cluster import SELDOM, cluster, frozen

GIVEN_UP = {**SELDOM, "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "30s"}
"""A scheduler that ends a frozen worker, so that no fault makes a test wait without end."""


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("cluster"), settings=GIVEN_UP) as made:
        yield made


@pytest.fixture
def workers(two_workers):
    two_workers.wait_for_workers(2)
    return list(two_workers.processes().values())


@pytest.fixture
def engine(two_workers):
    return DaskEngine(two_workers.address)


def is_frozen(process: int) -> bool:
    return psutil.Process(process).status() == psutil.STATUS_STOPPED


def test_others_begin_without_a_frozen_worker(engine, workers, tmp_path):
    still, healthy = workers
    items = [(tmp_path, number / 1e9) for number in range(3)]
    with frozen(still):
        outcomes = all_of(engine.map(engine_work.note_process_and_sleep, items, ONCE))

        assert is_frozen(still)
    assert results_of(outcomes) == dict.fromkeys(items, healthy)


def test_a_worker_that_answers_at_last_takes_work(engine, workers, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    with frozen(workers[0]):
        goes_on = threading.Thread(
            target=lambda: (
                wait_for("first item", lambda: first.exists() or second.exists()),
                os.kill(workers[0], signal.SIGCONT),
            )
        )
        goes_on.start()

        outcomes = all_of(engine.map(own_work.meet, [(first, second), (second, first)], ONCE))

        goes_on.join()
    assert set(results_of(outcomes).values()) == set(workers)


def test_workers_of_which_none_answers_give_one_message(engine, workers, monkeypatch):
    monkeypatch.setattr("iris_hpo.engines.dask._WORKERLESS_SECONDS", 1.0)
    with frozen(*workers):
        with pytest.raises(InputError) as refusal:
            all_of(engine.map(engine_work.square, [1], ONCE))

        assert all(map(is_frozen, workers))
    message = str(refusal.value)
    assert "has no worker for this; of its workers 2 did not answer, such as tcp://" in message
    assert "out of the scheduler's reach; start others: dask worker " in message


def test_closing_does_not_wait_for_a_frozen_worker(engine, workers, tmp_path, monkeypatch):
    monkeypatch.setattr("iris_hpo.engines.dask._GRACE_SECONDS", 0.2)
    sign = tmp_path / "sign"
    outcomes = engine.map(engine_work.wait_for, [None, sign, sign, sign], ONCE)
    assert next(outcomes) == [Done(None, "seen")]

    with frozen(*workers):
        outcomes.close()

        assert all(map(is_frozen, workers))
    sign.touch()


@pytest.mark.slow
@pytest.mark.usefixtures("workers")
def test_one_line_says_that_a_worker_is_frozen(engine, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("iris_hpo.engines.dask_cluster._WATCH_SECONDS", 0.1)
    monkeypatch.setattr("iris_hpo.engines.dask_cluster._SILENCE_SECONDS", 3.0)
    note = tmp_path / "note"
    goes_on = threading.Thread(
        target=lambda: (
            wait_for("line", lambda: caplog.messages),
            os.kill(int(note.read_text()), signal.SIGCONT),
        )
    )
    goes_on.start()

    outcomes = all_of(engine.map(own_work.stop_itself, [note], ONCE))

    goes_on.join()
    assert outcomes == [Done(note, "went on")]
    (message,) = caplog.messages
    assert message.startswith("the Dask worker tcp://127.0.0.1:")
    assert " has not answered since " in message


@pytest.mark.slow
def test_an_item_of_a_worker_that_the_scheduler_ends_names_the_silence(
    tmp_path, monkeypatch, caplog
):
    caplog.set_level(logging.ERROR)
    monkeypatch.setattr("iris_hpo.engines.dask_cluster._WATCH_SECONDS", 0.1)
    monkeypatch.setattr("iris_hpo.engines.dask_cluster._SILENCE_SECONDS", 2.0)
    settings = {**SELDOM, "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "5s"}
    note = tmp_path / "note"
    try:
        with cluster(tmp_path, 1, settings=settings) as made:
            (outcome,) = all_of(DaskEngine(made.address).map(own_work.stop_itself, [note], ONCE))
    finally:
        with suppress(ProcessLookupError):
            os.kill(int(note.read_text()), signal.SIGKILL)

    assert outcome == Failed(
        note,
        "its worker process died 1 time (ended after a long silence: see worker-ttl in the "
        "documentation of Dask)",
    )
