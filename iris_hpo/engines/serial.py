"""The engine ``serial``: one item after the other in this process, without workers."""

import time
from collections.abc import Callable, Generator, Sequence
from typing import Final

from threadpoolctl import ThreadpoolController

from iris_hpo import interrupts, process_end
from iris_hpo.engines.interface import (
    Done,
    Failed,
    Item,
    Limits,
    Result,
    Supply,
    attempt,
)
from iris_hpo.errors import InputError

_TOGETHER_SECONDS: Final = 0.1
"""Outcomes within this time are yielded together, because recording them is then faster."""


class SerialEngine:
    """Does one item after the other in this process."""

    def check_timeout(self, timeout: float | None) -> None:
        """Refuse a time limit.

        Raises
        ------
        InputError
            If ``timeout`` is not None.
        """
        if timeout is not None:
            raise InputError(
                "candidate_timeout needs worker processes: the engine 'serial' cannot stop a fit"
            )

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], limits: Limits
    ) -> Generator[Sequence[Done[Item, Result] | Failed[Item]], None, None]:
        """Yield one outcome per item, in the order of the items."""
        self.check_timeout(limits.timeout)
        process_end.refuse_exit()
        threads = ThreadpoolController()
        together: list[Done[Item, Result] | Failed[Item]] = []
        item_seconds = 1.0  # not known yet: the first outcomes are yielded alone
        since = time.perf_counter()
        for item in items:
            started = time.perf_counter()
            if together and started - since + item_seconds > _TOGETHER_SECONDS:
                yield together
                together = []
                since = started = time.perf_counter()
            outcome = self._outcome(work, item, limits, threads)
            together.append(outcome)
            item_seconds = max(time.perf_counter() - started, item_seconds / 2)
        if together:
            yield together

    def draw(
        self, work: Callable[[Item], Result], supply: Supply[Item], limits: Limits
    ) -> Generator[Sequence[Done[Item, Result] | Failed[Item]], None, None]:
        """Yield one outcome per item of a supply, before the next item is taken."""
        self.check_timeout(limits.timeout)
        process_end.refuse_exit()
        threads = ThreadpoolController()
        while items := supply.take(1):
            for item in items:
                yield [self._outcome(work, item, limits, threads)]

    def _outcome(
        self,
        work: Callable[[Item], Result],
        item: Item,
        limits: Limits,
        threads: ThreadpoolController,
    ) -> Done[Item, Result] | Failed[Item]:
        with threads.limit(limits=1):  # so that every engine computes the same
            outcome = attempt(work, item, limits.retries)
        interrupts.check()  # some estimators catch an interrupt, and end their fit early
        return outcome
