"""What every engine promises of items that come one after the other."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from iris_hpo.engines import Done, Engine, Failed, Limits, draw
from iris_hpo.testing import engine_work

Outcome = Done[Any, Any] | Failed[Any]


class ListedSupply:
    """A supply that counts the items in flight.

    Parameters
    ----------
    items
        What is taken, in this order.
    wait_after
        Number of items after which nothing comes until all of them have outcomes.

    Attributes
    ----------
    most_in_flight
        Largest number of items that were taken and had no outcome yet.
    """

    def __init__(self, items: Iterable[Any], wait_after: int = 0) -> None:
        self._items = list(items)
        self._wait_after = wait_after
        self._taken = 0
        self._ended = 0
        self.most_in_flight = 0

    def take(self, most: int) -> Sequence[Any]:
        """Return the next items, at most so many."""
        if self._taken == self._wait_after and self._ended < self._taken:
            return ()
        if self._taken < self._wait_after:
            most = min(most, self._wait_after - self._taken)
        items = self._items[self._taken : self._taken + most]
        self._taken += len(items)
        self.most_in_flight = max(self.most_in_flight, self._taken - self._ended)
        return items

    def outcomes(self, engine: Engine, work: Any, limits: Limits) -> list[Outcome]:
        """Collect the outcomes of all items."""
        outcomes: list[Outcome] = []
        for together in draw(engine, work, self, limits):
            outcomes += together
            self._ended = len(outcomes)
        return outcomes


class DrawContract(ABC):
    """What every engine promises of items of a supply.

    Attributes
    ----------
    workers
        Largest number of items that the engine works on at a time; None if it is not known.
    """

    workers: int | None = None

    @abstractmethod
    def make_engine(self) -> Engine:
        """Make the engine to test."""

    def test_an_empty_supply_has_no_outcomes(self) -> None:
        """Nothing is yielded if nothing comes."""
        assert ListedSupply([]).outcomes(self.make_engine(), engine_work.square, Limits()) == []

    def test_items_are_taken_when_earlier_ones_have_outcomes(self) -> None:
        """Each item has one outcome, and no more are in flight than there are workers."""
        supply = ListedSupply(range(20))

        outcomes = supply.outcomes(self.make_engine(), engine_work.square, Limits())

        assert sorted((outcome.item, outcome.result) for outcome in _done(outcomes)) == [
            (number, number * number) for number in range(20)
        ]
        assert len(outcomes) == 20
        assert self.workers is None or supply.most_in_flight <= self.workers

    def test_a_supply_that_waits_for_outcomes_is_asked_again(self) -> None:
        """An empty answer ends nothing while an item is in flight."""
        supply = ListedSupply(range(8), wait_after=3)

        outcomes = supply.outcomes(self.make_engine(), engine_work.square, Limits())

        assert sorted(outcome.item for outcome in outcomes) == list(range(8))

    def test_an_item_of_a_supply_that_fails_costs_no_other(self, tmp_path: Path) -> None:
        """Errors of the machine are tried again, and those of the item are not."""
        once, wrong = (tmp_path / "once", 1), (tmp_path / "always", 99)

        outcomes = ListedSupply([wrong, once, (tmp_path / "never", 0)]).outcomes(
            self.make_engine(), engine_work.fail_first, Limits(retries=1)
        )

        assert {outcome.item: outcome.result for outcome in _done(outcomes)} == {
            once: 2,
            (tmp_path / "never", 0): 1,
        }
        assert [outcome for outcome in outcomes if isinstance(outcome, Failed)] == [
            Failed(wrong, "OSError: attempt 2 failed")
        ]


class WorkersDrawContract(DrawContract):
    """What an engine with two worker processes promises of items of a supply."""

    workers = 2

    def test_an_item_of_a_supply_that_kills_its_worker_is_found(self, tmp_path: Path) -> None:
        """What is in flight beside it is not blamed, and what comes later goes on."""
        killer = (tmp_path / "killer", 99)
        others = [(tmp_path / f"other {number}", 0) for number in range(6)]

        outcomes = ListedSupply([*others[:3], killer, *others[3:]]).outcomes(
            self.make_engine(), engine_work.die_first, Limits(retries=0)
        )

        assert len(outcomes) == 7
        assert [outcome for outcome in outcomes if isinstance(outcome, Failed)] == [
            Failed(killer, "its worker process died 1 time (killed, or out of memory)")
        ]


def _done(outcomes: Iterable[Outcome]) -> list[Done[Any, Any]]:
    return [outcome for outcome in outcomes if isinstance(outcome, Done)]
