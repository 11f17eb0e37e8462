"""The engine without workers: one item after the other, in this process."""

from collections.abc import Callable, Generator, Sequence

from threadpoolctl import ThreadpoolController

from iris_hpo.search.engines.interface import Done, Failed, Item, Limits, Result, attempt
from iris_hpo.search.errors import InputError


class SerialEngine:
    """One item after the other, in this process."""

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], limits: Limits
    ) -> Generator[Done[Item, Result] | Failed[Item], None, None]:
        """Yield one outcome per item, in their order."""
        if limits.timeout is not None:
            raise InputError(
                "candidate_timeout needs worker processes: the engine 'serial' cannot stop a fit"
            )
        threads = ThreadpoolController()
        for item in items:
            with threads.limit(limits=1):  # so that every engine computes the same
                outcome = attempt(work, item, limits.retries)
            yield outcome
