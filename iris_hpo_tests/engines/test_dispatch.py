"""Time limits of items: what counts as the time of an item, by a clock of the test."""

from collections.abc import Collection, Iterator, Set
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from iris_hpo.engines import dispatch
from iris_hpo.engines.dispatch import Dispatch
from iris_hpo.engines.interface import Chunk, Done, Failed, Limits, Report, Workers
from iris_hpo.engines.tries import Shares, Try

LIMIT = 10.0


class Slow(Workers[int]):
    """A worker that ends its item at the last of some looks; each look is later by these seconds.

    Attributes
    ----------
    now
        The clock.
    """

    most = 1

    def __init__(self, steps: Collection[float]) -> None:
        self.now = 0.0
        self._steps: Iterator[float] = iter(steps)
        self._future: Future[list[Report]] = Future()
        self._present = {1}

    def clock(self) -> float:
        return self.now

    def wait(self, *_: object, **__: object) -> None:
        """Wait as the dispatcher does between two looks."""
        step = next(self._steps, None)
        if step is None:
            if not self._future.done():
                self._future.set_result([Report(Done("item", "result"), self.now)])
        else:
            self.now += step

    def present(self) -> Set[int]:
        return self._present

    def submit(self, worker: int, chunk: Chunk) -> Future[list[Report]]:  # noqa: ARG002
        future: Future[list[Report]] = Future()
        if not chunk.items:  # the work alone
            future.set_result([])
            return future
        return self._future

    def kill(self, workers: Collection[int]) -> None:
        self._present = self._present - set(workers)


def outcome_of(monkeypatch: pytest.MonkeyPatch, steps: Collection[float]) -> object:
    worker = Slow(steps)
    clock = SimpleNamespace(monotonic=worker.clock, sleep=worker.wait)
    monkeypatch.setattr(dispatch, "time", clock)
    monkeypatch.setattr(dispatch, "wait", worker.wait)
    waiting = Shares([Try("item", 0)])
    ((outcome,),) = filter(None, Dispatch(worker, waiting, Limits(timeout=LIMIT)).outcomes())
    return outcome


def test_an_item_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(outcome_of(monkeypatch, [1.0] * 20), Failed)


def test_a_pause_of_all_processes_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by Ctrl-Z and `fg`, or of a container."""
    steps = [1.0] * 5 + [240.0] + [1.0] * 4
    assert outcome_of(monkeypatch, steps) == Done("item", "result")


def test_the_time_before_and_after_a_pause_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(outcome_of(monkeypatch, [1.0] * 8 + [240.0] + [1.0] * 8), Failed)
