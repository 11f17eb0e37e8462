"""`WorkersEngine`: the base class of engines that spread items over workers."""

import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

from iris_hpo.engines.dispatch import Dispatch
from iris_hpo.engines.draws import Draws
from iris_hpo.engines.interface import Done, Failed, Item, Limits, Result, Supply, Workers
from iris_hpo.engines.tries import Shares, Try


class WorkersEngine(ABC):
    """An engine that spreads items over workers.

    If a worker dies, or is ended because its item takes too long, the others go on. Only an item in
    flight on a dead worker can be to blame: these items are then done one at a time, so that the
    item that kills workers is found.
    """

    @abstractmethod
    def open(self, work: bytes, limits: Limits) -> AbstractContextManager[Workers[Any]]:
        """Open the workers of a run; closing the context cancels what was sent.

        Parameters
        ----------
        work
            What `dump` returned.
        """

    def dump(self, work: object) -> bytes:
        """Pickle the work, a function of an item, for `load_work` in a worker."""
        return pickle.dumps(work)

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], limits: Limits
    ) -> Generator[Sequence[Done[Item, Result] | Failed[Item]], None, None]:
        """Yield one outcome per item as they finish; outcomes that come together in one sequence.

        Raises
        ------
        InputError
            If there are no workers.
        """
        if not items:
            return
        with self.open(self.dump(work), limits) as workers:
            waiting = Shares(Try(item, number) for number, item in enumerate(items))
            outcomes = Dispatch(workers, waiting, limits).outcomes()
            yield from cast("Iterator[Sequence[Done[Item, Result] | Failed[Item]]]", outcomes)

    def draw(
        self, work: Callable[[Item], Result], supply: Supply[Item], limits: Limits
    ) -> Generator[Sequence[Done[Item, Result] | Failed[Item]], None, None]:
        """Yield one outcome per item of a supply; each worker has one item, and none ahead.

        Raises
        ------
        InputError
            If there are no workers.
        """
        with self.open(self.dump(work), limits) as workers:
            outcomes = Draws(workers, supply, limits).outcomes()
            yield from cast("Iterator[Sequence[Done[Item, Result] | Failed[Item]]]", outcomes)
