"""The engine without workers: one item after the other, in this process."""

import time
from collections.abc import Callable, Generator, Sequence
from typing import Final

from threadpoolctl import ThreadpoolController

from iris_hpo import interrupts
from iris_hpo.engines.interface import Done, Failed, Item, Limits, Result, attempt
from iris_hpo.errors import InputError

_TOGETHER_SECONDS: Final = 0.1
"""Outcomes within this time are given together: they are recorded more quickly."""


class SerialEngine:
    """One item after the other, in this process."""

    def check_timeout(self, timeout: float | None) -> None:
        """Refuse a limit of time.

        Raises
        ------
        InputError
            If there is one.
        """
        if timeout is not None:
            raise InputError(
                "candidate_timeout needs worker processes: the engine 'serial' cannot stop a fit"
            )

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], limits: Limits
    ) -> Generator[Sequence[Done[Item, Result] | Failed[Item]], None, None]:
        """Yield one outcome per item, in their order."""
        self.check_timeout(limits.timeout)
        threads = ThreadpoolController()
        together: list[Done[Item, Result] | Failed[Item]] = []
        item_seconds = 1.0  # nobody knows yet: the first outcomes are given alone
        since = time.perf_counter()
        for item in items:
            started = time.perf_counter()
            if together and started - since + item_seconds > _TOGETHER_SECONDS:
                yield together
                together = []
                since = started = time.perf_counter()
            with threads.limit(limits=1):  # so that every engine computes the same
                outcome = attempt(work, item, limits.retries)
            interrupts.check()  # some estimators swallow one, and end their fit early
            together.append(outcome)
            item_seconds = max(time.perf_counter() - started, item_seconds / 2)
        if together:
            yield together
