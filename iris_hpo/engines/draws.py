"""Items that come one after the other, because outcomes decide what comes next."""

from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import count

from iris_hpo.engines.dispatch import Dispatch
from iris_hpo.engines.interface import (
    Done,
    Engine,
    Failed,
    Item,
    Limits,
    Result,
    Supply,
    WorkerId,
    Workers,
)
from iris_hpo.engines.tries import Shares, Try


class Draws(Dispatch[WorkerId]):
    """Items that are taken from a supply as workers become free: one per worker, none ahead.

    Parameters
    ----------
    supply
        Where the items come from.
    """

    def __init__(self, workers: Workers[WorkerId], supply: Supply[object], limits: Limits) -> None:
        super().__init__(workers, Shares(()), limits)
        self._supply = supply
        self._numbers = count()

    def outcomes(self) -> Iterator[Sequence[Done[object, object] | Failed[object]]]:
        """Yield one outcome per item as they finish; the next items are taken afterwards."""
        while True:
            self._look_at_workers()
            room = self._room()
            items = self._supply.take(room) if room else ()
            for item in items:
                self._waiting.add(Try(item, next(self._numbers)))
            self._hand_out()
            if room and not (self._has_work() or self._ended):
                return
            self._wait()
            if outcomes := self._new_outcomes():
                yield outcomes

    def _room(self) -> int:
        """Number of items that workers are free for, among them one that is to be started."""
        busy = sum(len(lane.tries) for lane in self._lanes.values())
        workers = len(self._lanes) + self._is_another_worth_it()
        return max(workers - busy - len(self._waiting) - len(self._suspects), 0)

    def _seconds_left(self) -> float:
        # What comes is not known. A start costs at most as much as it could save if another worker
        # is started once the items have taken as long as a start takes.
        return self._pace.seconds


def draw(
    engine: Engine,
    work: Callable[[Item], Result],
    supply: Supply[Item],
    limits: Limits,
    batch: int = 1,
) -> Generator[Sequence[Done[Item, Result] | Failed[Item]], None, None]:
    """Yield one outcome per item of a supply, by the engine's own ``draw`` if it has one.

    Parameters
    ----------
    batch
        Number of items that an engine without this method is given together.
    """
    own = getattr(engine, "draw", None)
    if own is not None:
        yield from own(work, supply, limits)
        return
    while items := supply.take(batch):
        yield from engine.map(work, items, limits)
