"""A worker of loky that ends is replaced, whatever a call has left in it, or beside it."""

import os
import signal
from contextlib import contextmanager

import pytest

from iris_hpo.engines import (
    Done,
    Failed,
    Limits,
    LokyEngine,
    apart,
    end_spare,
    loky,
    loky_process,
    start_ahead,
)
from iris_hpo.processes import is_alive
from iris_hpo.testing.engines import ONCE, all_of, results_of
from iris_hpo_tests.engines import own_work

LOKY = LokyEngine(1)


@pytest.fixture(autouse=True)
def _short_looks(monkeypatch):
    monkeypatch.setattr(loky._LokyWorkers, "look_seconds", 0.1)
    monkeypatch.setattr(loky_process, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(loky_process, "_NOTICE_SECONDS", 0.1)


@contextmanager
def child_noted(note):
    """The child that is noted in the block is alive at its end."""
    try:
        yield
        assert is_alive(int(note.read_text()))
    finally:
        os.kill(int(note.read_text()), signal.SIGKILL)


def test_a_death_is_noticed_though_a_child_holds_the_pipes(tmp_path):
    note = tmp_path / "child"

    with child_noted(note):
        outcomes = all_of(LOKY.map(own_work.die_beside_a_child, [note], ONCE))

    assert outcomes == [Failed(note, "its worker process died 1 time (SIGALRM)")]


def test_a_death_within_an_answer_is_noticed():
    outcomes = all_of(LOKY.map(own_work.end_within_the_answer, [signal.SIGALRM], ONCE))

    assert outcomes == [Failed(signal.SIGALRM, "its worker process died 1 time (SIGALRM)")]


def test_a_worker_that_stops_within_its_answer_is_ended_in_time():
    work = LOKY.map(own_work.end_within_the_answer, [signal.SIGSTOP], Limits(timeout=0.5))

    reason = "did not finish within 0.5 s (candidate_timeout)"
    assert all_of(work) == [Failed(signal.SIGSTOP, reason)]


def test_a_worker_that_takes_no_more_work_waits_for_nothing(tmp_path):
    note = tmp_path / "child"

    with child_noted(note):
        outcomes = all_of(LOKY.map(own_work.leave_company, [note, None], ONCE))

    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert len(set(results_of(outcomes).values())) == 2


def test_a_call_is_done_here_if_a_spare_worker_dies_beside_a_child(tmp_path):
    note = tmp_path / "child"
    start_ahead()
    try:
        with child_noted(note):
            assert apart(own_work.die_beside_a_child_elsewhere, os.getpid(), note) == os.getpid()
    finally:
        end_spare()


def test_a_worker_that_can_open_no_more_files_is_replaced():
    outcomes = all_of(LOKY.map(own_work.leave_files_open, [1.0, 0.5], Limits(retries=1)))

    assert [*results_of(outcomes)] == [1.0, 0.5]
    assert len(set(results_of(outcomes).values())) == 2
