"""A sampler in a process of its own answers as in this one, whatever becomes of the process."""

import os
import signal
from concurrent.futures import BrokenExecutor, Future
from dataclasses import replace

import pytest

from iris_hpo.engines import start_process
from iris_hpo.errors import InputError
from iris_hpo.parts import Part
from iris_hpo.samplers import Observation, beside
from iris_hpo.samplers.beside import SamplerBeside
from iris_hpo.samplers.by_optuna import TpeSampler
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.testing import SamplerContract
from iris_hpo_tests.space.spaces import CONDITIONAL

SPACE = ParameterSpace([Axis("x", "X", low=0, high=1), Axis("y", "Y", low=0, high=1)])
SETTINGS = {"seed": 1, "n_startup_trials": 3}
TPE = Part("tpe", SETTINGS)


class InThisProcess:
    """Calls at once, in this process, and dies at a call."""

    def __init__(self, dies_at=1000, dies_in="future"):
        self.calls = []
        self.is_ended = False
        self._held = type("Held", (), {})
        self._dies_at = dies_at
        self._dies_in = dies_in

    def begin(self, function, *arguments):
        future = Future()
        if len(self.calls) >= self._dies_at:
            if self._dies_in == "begin":
                raise BrokenExecutor
            future.set_exception(BrokenExecutor())
            return future
        self.calls.append(arguments)
        beside._Sampler = self._held
        try:
            future.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is read
            future.set_exception(error)
        return future

    def kill(self):
        self.is_ended = True


@pytest.fixture(autouse=True)
def from_the_first_result(monkeypatch):
    monkeypatch.setattr(beside, "FROM_RESULTS", 0)
    monkeypatch.setattr(beside, "_Sampler", beside._Sampler)


def beside_of(process, part=TPE):
    return SamplerBeside(TpeSampler(**SETTINGS), part, lambda: process)


def answers(sampler, count=12, workers=3):
    """Ask as a run with some workers does, of which the later ones are the quicker ones."""
    running, observations, shown = [], (), 0
    prepare = getattr(sampler, "prepare", lambda *_: None)
    while shown < count:
        prepare(SPACE, observations, running)
        while len(running) < workers:
            (candidate,) = sampler.propose(SPACE, observations, [one for _, one in running])
            running.append((shown, candidate))
            shown += 1
        number, candidate = running.pop(shown % len(running))
        seen = Observation(candidate, -sum(candidate.values), (), number)
        observations = tuple(sorted([*observations, seen], key=lambda one: one.number))
        prepare(SPACE, observations, [one for _, one in running])
    return [one.candidate.key for one in observations] + [one.key for _, one in running]


class TestTpeBeside(SamplerContract):
    space = CONDITIONAL

    def make_sampler(self):
        made = beside_of(InThisProcess())
        made.prepare(CONDITIONAL, (), ())
        assert made._is_ready
        return made


def test_it_decides_before_it_is_asked_and_each_result_is_sent_once():
    process = InThisProcess()
    sampler = beside_of(process)

    assert answers(sampler, workers=1) == answers(TpeSampler(**SETTINGS), workers=1)
    first, *questions = process.calls
    assert first == (TPE,)
    assert [len(new) for _, new, *_ in questions] == [0] + [1] * 12
    before = len(process.calls)
    sampler.propose(SPACE, (), ())
    assert len(process.calls) == before + 1


@pytest.mark.parametrize("dies_in", ["begin", "future"])
@pytest.mark.parametrize("dies_at", [0, 1, 2, 9])
def test_a_process_that_dies_changes_no_answer(dies_at, dies_in):
    sampler = beside_of(InThisProcess(dies_at, dies_in))

    assert answers(sampler) == answers(TpeSampler(**SETTINGS))


def test_without_a_process_the_answers_are_the_same():
    attempts = []

    def fail():
        attempts.append(1)
        raise OSError("no more processes")

    sampler = SamplerBeside(TpeSampler(**SETTINGS), TPE, fail)

    assert answers(sampler) == answers(TpeSampler(**SETTINGS))
    assert len(attempts) == 1
    sampler.end()


def test_results_that_change_or_vanish_are_seen():
    sampler = beside_of(InThisProcess())
    seen = [Observation(SPACE.candidate([n / 10, n / 20]), n / 7, (), n) for n in range(9)]
    sampler.prepare(SPACE, seen, ())
    for shown in (
        seen,
        [*seen[:-1], replace(seen[-1], score=-9.0)],
        seen[:5],
        [*seen[:4], seen[7]],
    ):
        answer = sampler.propose(SPACE, shown, ())
        assert answer == TpeSampler(**SETTINGS).propose(SPACE, shown, ())


def test_an_error_of_the_sampler_is_raised_where_the_answer_is_read():
    sampler = beside_of(InThisProcess())
    sampler.prepare(SPACE, (), ())
    nowhere = ParameterSpace([Axis("x", "X")])
    sampler.prepare(nowhere, (), ())

    with pytest.raises(InputError, match="does not say where to look"):
        sampler.propose(nowhere, (), ())


@pytest.mark.parametrize(("results", "calls"), [(5, 0), (6, 2)])
def test_a_process_is_started_when_there_are_enough_results(results, calls, monkeypatch):
    monkeypatch.setattr(beside, "FROM_RESULTS", 6)
    process = InThisProcess()
    sampler = beside_of(process)

    answers(sampler, results, workers=1)
    sampler.end()

    assert len(process.calls) == calls
    assert process.is_ended == (calls > 0)


@pytest.mark.slow
def test_a_killed_process_of_its_own_changes_no_answer():
    processes = []

    def start():
        processes.append(start_process())
        return processes[-1]

    sampler = SamplerBeside(TpeSampler(**SETTINGS), TPE, start)
    sampler.prepare(SPACE, (), ())
    sampler._made.result()
    first = answers(sampler)
    os.kill(processes[0].begin(os.getpid).result(), signal.SIGKILL)
    second = answers(sampler)
    sampler.end()

    assert first == second == answers(TpeSampler(**SETTINGS))
    assert len(processes) == 1
