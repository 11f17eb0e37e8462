"""Engines: every item has one outcome, and what one item does costs no other."""

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from joblib.externals.loky import process_executor
from joblib.externals.loky.backend import queues

from iris_hpo import engines
from iris_hpo.data.shuffled import split_rows
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.engines import (
    Done,
    Failed,
    Limits,
    LokyEngine,
    SerialEngine,
    apart,
    end_spare,
    keep_one,
    loky,
    loky_process,
    make_engine,
    start_ahead,
)
from iris_hpo.engines.workers_engine import WorkersEngine
from iris_hpo.errors import InputError
from iris_hpo.processes import is_alive
from iris_hpo.testing import EngineContract, WorkersContract, engine_work
from iris_hpo.testing.engines import ONCE, all_of, attempts_at, reasons_of, results_of
from iris_hpo_tests.engines import own_work
from iris_hpo_tests.processes import wait_for

LOKY = LokyEngine(2)


class TestSerial(EngineContract):
    workers = 1

    def make_engine(self):
        return SerialEngine()


class TestLoky(WorkersContract):
    def make_engine(self):
        return LOKY

    def test_the_kernel_ends_a_worker_before_this_process_where_memory_lacks(self):
        (outcome,) = all_of(self.make_engine().map(own_work.memory_victim, [0], ONCE))

        assert isinstance(outcome, Done)
        assert outcome.result >= 500 > own_work.memory_victim(0)

    @pytest.mark.parametrize(("code", "cause"), [(3, "exit code 3"), (-signal.SIGALRM, "SIGALRM")])
    def test_how_a_worker_ended_is_named(self, code, cause):
        outcomes = all_of(self.make_engine().map(own_work.end_process, [code], ONCE))

        assert outcomes == [Failed(code, f"its worker process died 1 time ({cause})")]

    @pytest.mark.usefixtures("spares")
    def test_neighbours_go_to_one_worker(self, tmp_path):
        super().test_neighbours_go_to_one_worker(tmp_path)


def test_the_serial_engine_keeps_the_order():
    outcomes = SerialEngine().map(engine_work.square, [3, 1, 2], Limits())

    assert all_of(outcomes) == [Done(3, 9), Done(1, 1), Done(2, 4)]


class NoWorkers(WorkersEngine):
    def open(self, work, limits):  # noqa: ARG002
        raise AssertionError


def test_no_items_start_nothing():
    assert all_of(NoWorkers().map(engine_work.square, [], Limits())) == []


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_retries_are_counted(tmp_path, retries):
    log, wrong = tmp_path / "log", tmp_path / "wrong"

    all_of(SerialEngine().map(engine_work.fail_first, [(log, 99)], Limits(retries)))
    all_of(SerialEngine().map(engine_work.be_wrong, [wrong], Limits(retries)))

    assert attempts_at(log) == retries + 1
    assert attempts_at(wrong) == 1


def test_a_death_costs_no_work_of_other_workers(tmp_path):
    patient, deadly = tmp_path / "patient", tmp_path / "deadly"

    outcomes = all_of(LOKY.map(own_work.DyingOnce(deadly), [patient, deadly], Limits(retries=1)))

    assert reasons_of(outcomes) == {}
    assert results_of(outcomes) == {patient: "patient", deadly: "deadly"}
    assert (attempts_at(patient), attempts_at(deadly)) == (1, 2)


def test_an_item_may_start_processes_in_every_way():
    ways = [None, "fork", "spawn", "forkserver"]

    outcomes = all_of(LOKY.map(own_work.end_of_a_process, ways, Limits(retries=0)))

    assert results_of(outcomes) == dict.fromkeys(ways, 0)


@pytest.mark.slow
def test_what_an_overdue_item_has_started_ends_with_its_worker(tmp_path):
    note = tmp_path / "child"

    (outcome,) = all_of(LOKY.map(own_work.wait_for_a_child, [note], Limits(timeout=3)))

    assert outcome == Failed(note, "did not finish within 3 s (candidate_timeout)")
    child = int(note.read_text())
    wait_for("end of the child", lambda: not is_alive(child))


@pytest.mark.slow
def test_an_item_that_lost_its_worker_has_all_its_time_again(tmp_path):
    """Its new worker takes longer to start than it had left when its first one died."""
    deadly = tmp_path / "deadly"
    work = own_work.DyingOnce(deadly, start_seconds=2, death_seconds=2)

    outcomes = all_of(LOKY.map(work, [deadly], Limits(timeout=3)))

    assert outcomes == [Done(deadly, "deadly")]
    assert attempts_at(deadly) == 2


def test_the_serial_engine_refuses_a_limit_of_time():
    with pytest.raises(InputError) as refusal:
        all_of(SerialEngine().map(engine_work.square, [1], Limits(timeout=1)))

    assert str(refusal.value) == (
        "candidate_timeout needs worker processes: the engine 'serial' cannot stop a fit"
    )


@pytest.mark.slow
def test_closing_early_ends_the_workers(tmp_path):
    quick, endless = (tmp_path, 0.0), (tmp_path, 600.0)
    later = (tmp_path, 3.0)  # by then another worker was worth it
    items = [quick, endless, endless, later]
    outcomes = LOKY.map(engine_work.note_process_and_sleep, items, Limits())
    assert [one.item for one in next(outcomes)] == [quick]
    assert [one.item for one in next(outcomes)] == [later]
    workers = [int(path.name) for path in tmp_path.iterdir()]
    assert len(workers) == 2
    assert all(map(is_alive, workers))

    outcomes.close()

    assert not any(map(is_alive, workers))


def test_workers_end_when_all_is_done(tmp_path):
    items = [(tmp_path, seconds) for seconds in (0.0, 0.001, 0.002)]

    outcomes = all_of(LOKY.map(engine_work.note_process_and_sleep, items, Limits()))

    workers = {one.result for one in outcomes}

    assert workers
    assert os.getpid() not in workers
    assert not any(map(is_alive, workers))


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them(tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from iris_hpo.engines import Limits, LokyEngine\n"
        "from iris_hpo.testing.engine_work import note_process_and_sleep\n"
        "items = [(Path(sys.argv[1]), 600.0)] * 2\n"
        "list(LokyEngine(2).map(note_process_and_sleep, items, Limits()))\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path], cwd=Path(__file__).parents[2]
    )
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = [int(path.name) for path in tmp_path.iterdir()]
    assert len(workers) == 2

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    while any(map(is_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_alive, workers))


@pytest.mark.parametrize(
    ("name", "jobs", "message"),
    [
        ("ray", 0, "engine 'ray' is unknown; choose one of loky, serial, dask"),
        ("", 0, "engine '' is unknown; choose one of loky, serial, dask"),
        ("loky", -1, "jobs -1 must be 0 (one per core) or a number of processes"),
        ("serial", -1, "jobs -1 must be 0 (one per core) or a number of processes"),
    ],
)
def test_an_engine_that_cannot_be_made_is_refused(name, jobs, message):
    with pytest.raises(InputError) as refusal:
        make_engine(name, jobs)

    assert str(refusal.value) == message


def test_engines_are_made_by_name():
    assert isinstance(make_engine("serial"), SerialEngine)
    assert isinstance(make_engine("loky"), LokyEngine)


@pytest.fixture
def spare():
    """A worker that was started ahead."""
    start_ahead()
    yield apart(os.getpid)
    end_spare()


def test_the_next_engine_takes_the_worker_that_was_started_ahead(spare, tmp_path):
    assert is_alive(spare)

    outcomes = all_of(LOKY.map(engine_work.note_process_and_sleep, [(tmp_path, 0.0)], ONCE))

    assert [one.result for one in outcomes] == [spare]
    assert not is_alive(spare)
    assert apart(os.getpid) == os.getpid(), "there is none any more"


def test_an_engine_leaves_a_worker_to_the_next_one(spare, tmp_path):
    keep_one()
    for _ in range(2):
        outcomes = all_of(LOKY.map(engine_work.note_process_and_sleep, [(tmp_path, 0.0)], ONCE))
        assert [one.result for one in outcomes] == [spare]

    end_spare()

    assert not is_alive(spare)
    assert not loky._keeps.is_set()


def test_an_engine_that_is_stopped_leaves_none(spare, tmp_path):
    keep_one()
    outcomes = LOKY.map(engine_work.note_process_and_sleep, [(tmp_path, 0.0)] * 9, ONCE)
    next(outcomes)

    outcomes.close()

    assert not is_alive(spare)
    assert apart(os.getpid) == os.getpid()


def test_a_spare_worker_is_started_once_and_ended_if_no_engine_takes_it(spare):
    start_ahead()
    assert apart(os.getpid) == spare != os.getpid()

    end_spare()

    assert not is_alive(spare)
    end_spare()


def test_a_call_that_kills_a_spare_worker_is_done_in_this_process(spare):
    os.kill(spare, signal.SIGKILL)

    assert apart(os.getpid) == os.getpid()


def test_an_error_in_a_spare_worker_is_raised_to_the_caller(spare):  # noqa: ARG001
    settings = SplitSettings(folds=0)

    with pytest.raises(InputError, match="at least two classes are needed"):
        apart(split_rows, np.array(["a"] * 9), settings, "classification")


@pytest.fixture
def spares():
    """Two workers that were started ahead."""
    start_ahead(2, jobs=2)
    yield
    end_spare()


@pytest.mark.usefixtures("spares")
def test_all_that_were_started_ahead_work_at_once(tmp_path):
    """Each item waits for the other to begin."""
    one, other = tmp_path / "one", tmp_path / "other"

    outcomes = all_of(LOKY.map(own_work.meet, [(one, other), (other, one)], ONCE))

    assert len({done.result for done in outcomes}) == 2


def test_no_more_are_started_ahead_than_may_work(spare):
    for workers, jobs, processes in ((9, 1, 1), (2, 9, 2), (9, 2, 2)):
        start_ahead(workers, jobs)
        assert apart(os.getpid) == spare
        assert len(multiprocessing.active_children()) == processes


def test_a_worker_that_died_before_its_work_came_is_not_taken(spare, tmp_path):
    os.kill(spare, signal.SIGKILL)
    pool = loky._spare[0]._executor
    wait_for("pool that has noticed", lambda: pool._flags.broken)

    outcomes = all_of(LOKY.map(engine_work.note_process_and_sleep, [(tmp_path, 0.0)], ONCE))

    assert [one.result for one in outcomes] not in ([spare], [os.getpid()])


@pytest.mark.usefixtures("spare")
def test_a_worker_that_was_started_ahead_uses_the_later_import_path(tmp_path, monkeypatch):
    (tmp_path / "found_later.py").write_text("def answer(item):\n    return 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    found_later = importlib.import_module("found_later")

    assert all_of(LOKY.map(found_later.answer, [0], ONCE)) == [Done(0, 42)]


def test_workers_that_never_start_are_given_up():
    with pytest.raises(InputError, match="worker processes end before they have done anything"):
        all_of(LOKY.map(own_work.DiesOnArrival(), range(5), Limits(retries=9)))


def test_quick_work_starts_one_worker(tmp_path):
    items = [(tmp_path, number / 1e9) for number in range(8)]
    assert len(all_of(LOKY.map(engine_work.note_process_and_sleep, items, ONCE))) == 8
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
def test_long_work_starts_all(tmp_path):
    items = [(tmp_path, number) for number in range(8)]
    outcomes = all_of(LOKY.map(own_work.work_in_company, items, ONCE))
    assert [type(outcome) for outcome in outcomes] == [Done] * 8
    assert len(list(tmp_path.iterdir())) == 2


@pytest.fixture
def no_semaphores(monkeypatch):
    def refuse(_method):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(multiprocessing, "get_context", refuse)
    monkeypatch.setenv("JOBLIB_MULTIPROCESSING", "1")
    loky.obstacle.cache_clear()
    engines._say_once.cache_clear()
    yield
    loky.obstacle.cache_clear()


@pytest.mark.usefixtures("no_semaphores")
class TestWithoutSemaphores:
    def test_loky_is_serial_and_says_so_once(self, caplog):
        assert isinstance(make_engine("loky"), SerialEngine)
        make_engine("loky", 2)
        start_ahead()
        [record] = caplog.records
        assert record.getMessage() == (
            "iris-hpo: no worker processes can be started (semaphores cannot be made: Read-only "
            "file system): candidates are trained one after the other, as by the engine serial"
        )

    def test_a_limit_of_time_is_refused(self):
        with pytest.raises(InputError, match="candidate_timeout needs worker processes"):
            make_engine("loky", timeout=1.0)


def test_a_worker_that_cannot_be_started_gives_one_message(monkeypatch):
    def start():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loky, "_take_worker", start)
    with pytest.raises(InputError, match=r"cannot be started: No space left on device; make room"):
        all_of(LOKY.map(engine_work.square, [1], Limits()))


def test_the_workers_that_could_be_started_do_the_work(monkeypatch, tmp_path):
    take = loky._take_worker

    def take_one():
        monkeypatch.setattr(loky, "_take_worker", fail)
        return take()

    def fail():
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(loky, "_take_worker", take_one)
    monkeypatch.setattr(loky, "_START_SECONDS", 0.0)
    items = [(tmp_path, number / 1e9) for number in range(8)]
    outcomes = all_of(LOKY.map(engine_work.note_process_and_sleep, items, ONCE))
    assert [type(outcome) for outcome in outcomes] == [Done] * 8
    assert len(list(tmp_path.iterdir())) == 1


def test_a_worker_that_cannot_be_started_ahead_is_left_out(monkeypatch):
    def fail():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loky, "_spare", [])
    monkeypatch.setattr(loky, "LokyProcess", fail)
    start_ahead()
    assert loky._spare == []


def test_room_for_few_semaphores_is_an_obstacle(monkeypatch):
    semaphores = iter([object()] * 6)

    def make():
        try:
            return next(semaphores)
        except StopIteration:
            raise OSError(28, "No space left on device") from None

    monkeypatch.setattr(multiprocessing, "get_context", lambda _: SimpleNamespace(Lock=make))
    monkeypatch.setenv("JOBLIB_MULTIPROCESSING", "1")
    loky.obstacle.cache_clear()
    assert loky.obstacle() == "semaphores cannot be made: No space left on device"
    loky.obstacle.cache_clear()


def test_a_step_of_the_clock_ends_nothing(monkeypatch, tmp_path):
    later = time.time() + 1e6
    monkeypatch.setattr(time, "time", lambda: later)
    work = LOKY.map(engine_work.note_process_and_sleep, [(tmp_path, 0.5)], Limits(timeout=60))
    assert all(isinstance(one, Done) for one in all_of(work))


def test_the_threads_of_an_ended_worker_print_nothing(capfd, monkeypatch):
    """As when one was sending: loky does not know the item any more."""
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    loky_process._expect_ends.cache_clear()
    worker = loky_process.LokyProcess()
    worker.begin(engine_work.square, 1).result()
    fail = worker._executor._call_queue._on_queue_feeder_error
    worker.kill()

    run_in_thread(fail, OSError("handle is closed"), process_executor._CallItem(9, len, (), {}))
    assert capfd.readouterr().err == ""
    run_in_thread(len)
    assert "TypeError" in capfd.readouterr().err
    loky_process._expect_ends.cache_clear()


def test_a_worker_that_cannot_be_given_work_is_one_message(capfd, monkeypatch):
    """As where the number of processes and threads is limited (ulimit -u)."""

    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(queues.Queue, "_start_thread", refuse)
    with pytest.raises(InputError, match="no thread can be started; raise the number of processes"):
        all_of(LOKY.map(engine_work.square, [1, 2], Limits()))

    assert capfd.readouterr().err == ""


def test_a_worker_whose_thread_cannot_be_started_is_ended(capfd, monkeypatch):
    started = []

    def refuse(thread):
        started.extend(thread.processes.values())
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(process_executor._ExecutorManagerThread, "start", refuse)
    with pytest.raises(InputError, match=r"cannot be started: .* raise the number of processes"):
        all_of(LOKY.map(engine_work.square, [1, 2], Limits()))

    assert started
    assert not any(process.is_alive() for process in started)
    assert capfd.readouterr().err == ""


def run_in_thread(target, *arguments):
    thread = threading.Thread(target=target, args=arguments)
    thread.start()
    thread.join()
