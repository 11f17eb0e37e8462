"""The Dask engine on a real cluster: every item has one outcome if workers come, go or die."""

import gc
import logging
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from iris_hpo.engines import Done, Failed, Limits, dask_worker, make_engine
from iris_hpo.engines.dask import DaskEngine
from iris_hpo.errors import InputError
from iris_hpo.processes import is_alive
from iris_hpo.testing import WorkersContract, engine_work
from iris_hpo.testing.engines import ONCE, all_of, reasons_of, results_of
from iris_hpo_tests.engines import own_work
from iris_hpo_tests.processes import free_port, wait_for
from iris_hpo_tests.scale.cluster import cluster


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="module")
def no_workers(tmp_path_factory):
    """A cluster to which each test adds a worker of its own, for as long as it lasts."""
    with cluster(tmp_path_factory.mktemp("cluster"), workers=0) as made:
        yield made


@pytest.fixture
def engine(two_workers):
    two_workers.wait_for_workers(2)  # a test before may have cost one
    return DaskEngine(two_workers.address)


class TestDask(WorkersContract):
    time_limit = 2

    @pytest.fixture(autouse=True)
    def _on_the_cluster(self, engine):
        self.engine = engine

    def make_engine(self):
        return self.engine

    @pytest.mark.slow
    def test_an_endless_item_is_ended_and_no_other_is_blamed(self, tmp_path):
        super().test_an_endless_item_is_ended_and_no_other_is_blamed(tmp_path)


def without(folder: Path, module: str) -> dict[str, str]:
    """An environment in which a module cannot be imported."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import sys; sys.modules[{module!r}] = None\n")
    return {"PYTHONPATH": str(folder)}


def with_version(folder: Path, package: str, version: str) -> dict[str, str]:
    """An environment in which a package says that it has another version."""
    metadata = folder / f"{package.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Name: {package}\nVersion: {version}\n")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.slow
def test_an_item_computes_on_one_thread_without_a_nanny(no_workers):
    """Which by itself limits the threads of the workers that it starts."""
    with no_workers.with_worker("--no-nanny", environment={"OMP_NUM_THREADS": "2"}):
        engine = DaskEngine(no_workers.address)

        outcomes = all_of(engine.map(engine_work.count_threads, [0, 1], ONCE))

    assert results_of(outcomes) == {0: 1, 1: 1}


@pytest.mark.slow
def test_a_worker_without_free_memory_works_on(no_workers):
    """By Dask's own settings it starts nothing until memory is free, which may be never."""
    from distributed import Client

    environment = {"DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE": "0.0001"}
    with (
        no_workers.with_worker("--memory-limit", "100GB", environment=environment),
        Client(no_workers.address, set_as_default=False) as client,
    ):
        wait_for("pause", lambda: set(client.run(_status).values()) == {"paused"})
        client.run(dask_worker.describe, "", "")

        assert client.submit(int).result(timeout=60) == 0

        outcomes = all_of(DaskEngine(no_workers.address).map(engine_work.square, [3], ONCE))
        assert results_of(outcomes) == {3: 9}
        wait_for("pause", lambda: set(client.run(_status).values()) == {"paused"})


def test_the_work_goes_to_each_worker_once(engine, two_workers, tmp_path):
    work = own_work.CountArrivals(tmp_path)

    outcomes = all_of(engine.map(work, [0.2] * 8, Limits()))

    assert len(outcomes) == 8
    assert {one.result for one in outcomes} == set(two_workers.processes().values())
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(("machine", "memory"), [("", "bytearray"), (None, "mmap")])
def test_workers_on_this_machine_share_the_rows(engine, monkeypatch, machine, memory):
    if machine is not None:
        monkeypatch.setattr("iris_hpo.engines.dask.machine_id", lambda: machine)
    work = own_work.MemoryOfRows(np.zeros(1_000))

    outcomes = all_of(engine.map(work, [0, 1, 2, 3], Limits()))

    assert results_of(outcomes) == dict.fromkeys(range(4), memory)
    assert not work.rows.any()


def test_an_item_may_start_processes_in_every_way(engine):
    ways = [None, "fork", "spawn", "forkserver"]

    outcomes = all_of(engine.map(own_work.end_of_a_process, ways, ONCE))

    assert results_of(outcomes) == dict.fromkeys(ways, 0)


@pytest.mark.slow
def test_what_an_overdue_item_has_started_ends_with_its_worker(engine, tmp_path):
    note = tmp_path / "child"

    (outcome,) = all_of(engine.map(own_work.wait_for_a_child, [note], Limits(timeout=3)))

    assert outcome == Failed(note, "did not finish within 3 s (candidate_timeout)")
    child = int(note.read_text())
    wait_for("end of the child", lambda: not is_alive(child))


@pytest.mark.slow
def test_time_behind_the_tasks_of_others_is_not_an_items_own(engine, two_workers, tmp_path):
    from distributed import Client

    with Client(two_workers.address, set_as_default=False) as other:
        busy = other.map(time.sleep, [5, 5.001], pure=False)
        wait_for("others' work", lambda: sum(map(len, other.processing().values())) == 2)

        outcomes = all_of(
            engine.map(engine_work.note_process_and_sleep, [(tmp_path, 0.0)] * 2, Limits(timeout=1))
        )

        assert reasons_of(outcomes) == {}
        del busy


def test_closing_early_leaves_nothing_on_the_cluster(engine, two_workers, tmp_path):
    sign = tmp_path / "sign"
    outcomes = engine.map(engine_work.wait_for, [None, *[sign] * 8], Limits())
    assert next(outcomes) == [Done(None, "seen")]

    outcomes.close()
    sign.touch()  # what is running cannot be stopped

    from distributed import Client

    with Client(two_workers.address, set_as_default=False) as client:
        wait_for("end of the tasks", lambda: not any(client.processing().values()))
        assert not any(client.who_has().values())
        assert set(client.run(_works_held).values()) == {0}


def test_a_worker_that_joins_late_takes_work(two_workers, tmp_path):
    two_workers.wait_for_workers(2)
    signs = [tmp_path / f"sign {number}" for number in range(3)]
    outcomes = DaskEngine(two_workers.address).map(
        own_work.note_process_and_wait, [(tmp_path, sign) for sign in signs], Limits()
    )
    started = threading.Thread(target=two_workers.start_worker, args=("late",))
    started.start()
    # The first two occupy the workers that there are, and end when a third one has begun.
    release = threading.Thread(
        target=lambda: (
            wait_for("third worker at work", lambda: len(list(tmp_path.glob("pid-*"))) == 3),
            [sign.touch() for sign in signs],
        )
    )
    release.start()

    found = results_of(all_of(outcomes))

    release.join()
    started.join()
    assert len(set(found.values())) == 3
    two_workers.stop_worker("late")


@pytest.mark.slow
def test_a_late_worker_of_another_version_gets_no_work(two_workers, tmp_path, caplog):
    two_workers.wait_for_workers(2)
    caplog.set_level(logging.WARNING, logger="iris_hpo")
    environment = with_version(tmp_path / "other", "scikit-learn", "0.1")
    sign = tmp_path / "sign"
    outcomes = DaskEngine(two_workers.address).map(engine_work.wait_for, [None, sign], Limits())
    assert next(outcomes) == [Done(None, "seen")]

    two_workers.start_worker("other", environment=environment)
    threading.Thread(
        target=lambda: (wait_for("refusal", lambda: caplog.messages), sign.touch())
    ).start()

    assert list(outcomes) == [[Done(sign, "seen")]]
    (message,) = caplog.messages
    assert message.startswith("the Dask worker tcp://127.0.0.1:")
    assert "has scikit-learn 0.1, not " in message
    assert message.endswith("; install the same versions everywhere; it gets no work")
    two_workers.stop_worker("other")


@pytest.mark.parametrize(
    ("options", "environment", "limits", "message"),
    [
        (
            (),
            lambda folder: with_version(folder, "numpy", "1.0"),
            ONCE,
            r"has numpy 1\.0, not .*; install the same versions everywhere",
        ),
        (
            (),
            lambda folder: without(folder, "iris_hpo"),
            ONCE,
            r"cannot say what it is \(.*iris_hpo.*\); install the same packages everywhere",
        ),
        (
            ("--nthreads", "2"),
            lambda _: {},
            ONCE,
            r"has 2 threads; start it with --nthreads 1, and more of them",
        ),
        (
            ("--no-nanny",),
            lambda _: {},
            Limits(timeout=1),
            r"has no nanny, so candidate_timeout could not end a fit; start it with --nanny",
        ),
    ],
    ids=["version", "package", "threads", "nanny"],
)
@pytest.mark.slow
def test_a_worker_that_is_not_right_is_named(
    no_workers, tmp_path, options, environment, limits, message
):
    with (
        no_workers.with_worker(*options, environment=environment(tmp_path / "wrong")),
        pytest.raises(InputError, match=rf"^the Dask worker tcp://127.0.0.1:\d+ {message}$"),
    ):
        all_of(DaskEngine(no_workers.address).map(engine_work.square, [1], limits))


def test_work_that_a_worker_cannot_do_gives_one_message(engine):
    with pytest.raises(InputError, match=r"^the Dask worker tcp://\S+ cannot do the work: no disk"):
        all_of(engine.map(own_work.Unprepared("no disk"), [1], ONCE))


@pytest.mark.slow
def test_a_scheduler_that_goes_away_gives_one_message(tmp_path):
    with cluster(tmp_path, workers=1) as made:
        sign = tmp_path / "sign"
        outcomes = DaskEngine(made.address).map(engine_work.wait_for, [None, sign, sign], Limits())
        assert next(outcomes) == [Done(None, "seen")]
        made.kill_scheduler()

        with pytest.raises(InputError) as refusal:
            next(outcomes)

    assert str(refusal.value).startswith(f"the Dask scheduler at {made.address} has gone away")
    assert str(refusal.value).endswith("; what is finished is kept: start it again, and run again")


@pytest.mark.slow
def test_a_silent_scheduler_gives_one_message(tmp_path, monkeypatch):
    monkeypatch.setattr("iris_hpo.engines.dask_client.ANSWER_SECONDS", 2.0)
    with cluster(tmp_path, workers=1) as made:
        sign = tmp_path / "sign"
        outcomes = DaskEngine(made.address).map(engine_work.wait_for, [None, sign], Limits())
        assert next(outcomes) == [Done(None, "seen")]
        os.kill(made.scheduler.pid, signal.SIGSTOP)
        try:
            with pytest.raises(InputError, match="has gone away"):
                next(outcomes)
        finally:
            os.kill(made.scheduler.pid, signal.SIGCONT)


def test_a_missing_scheduler_gives_one_message(monkeypatch):
    monkeypatch.setattr("iris_hpo.engines.dask_client.ANSWER_SECONDS", 1.0)
    address = f"tcp://127.0.0.1:{free_port()}"

    with pytest.raises(InputError, match=f"^no Dask scheduler answers at {address} "):
        all_of(DaskEngine(address).map(engine_work.square, [1], ONCE))


@pytest.mark.slow
def test_a_scheduler_without_workers_gives_one_message(no_workers, monkeypatch):
    monkeypatch.setattr("iris_hpo.engines.dask._WORKERLESS_SECONDS", 1.0)
    address = no_workers.address
    with pytest.raises(InputError) as refusal:
        all_of(DaskEngine(address).map(engine_work.square, [1], ONCE))

    assert str(refusal.value) == (
        f"the Dask scheduler at {address} has no worker for this; start some: dask worker "
        f"{address} --nthreads 1"
    )


@pytest.mark.parametrize("address", ["nonsense://x", "tcp://not a host:8786", "x"])
def test_an_invalid_address_gives_one_message(address, monkeypatch):
    from distributed import Client

    monkeypatch.setattr("iris_hpo.engines.dask_client.ANSWER_SECONDS", 1.0)

    with pytest.raises(InputError, match=f"^no Dask scheduler answers at {address}"):
        all_of(DaskEngine(address).map(engine_work.square, [1], ONCE))

    left = {one.status for one in gc.get_objects() if isinstance(one, Client)}
    assert left <= {"closed"}, "when it is collected, it can block the next one without end"


def test_the_engine_is_made_by_its_address(monkeypatch):
    monkeypatch.delenv("IRIS_HPO_DASK_ADDRESS", raising=False)
    with pytest.raises(InputError, match="set IRIS_HPO_DASK_ADDRESS"):
        make_engine("dask")
    assert isinstance(make_engine("dask", 0, "tcp://x:1"), DaskEngine)
    monkeypatch.setenv("IRIS_HPO_DASK_ADDRESS", "tcp://y:1")
    assert isinstance(make_engine("dask"), DaskEngine)
    with pytest.raises(InputError, match="jobs 2: the engine 'dask' uses the workers"):
        make_engine("dask", 2)


def test_no_items_have_no_outcomes_and_need_no_cluster():
    assert all_of(DaskEngine("tcp://nobody:1").map(engine_work.square, [], Limits())) == []


def _status(dask_worker) -> str:
    return dask_worker.status.name


def _works_held() -> int:
    return len(dask_worker._held)
