"""Items on their way to workers: how many are sent together, and which one is to blame for a death.

Only bookkeeping; sending and waiting are in `dispatch`.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Final

from iris_hpo.engines.interface import Failed, Report

_CHUNK_SECONDS: Final = 0.2
_LARGEST_CHUNK: Final = 64


@dataclass(frozen=True)
class Try:
    """An item to be done, with the number of workers that died while they did this item alone."""

    item: object
    number: int
    deaths: int = 0


@dataclass(eq=False)
class Sent:
    """A chunk that was sent.

    Attributes
    ----------
    started
        Time by the monotonic clock at which its start was first seen; None before.
    """

    number: int
    tries: Sequence[Try]
    started: float | None = None


@dataclass(eq=False)
class Lane:
    """The chunks that a worker has.

    Attributes
    ----------
    is_alone
        Whether the only item in flight is a suspect.
    """

    in_flight: dict[Future[list[Report]], Sent] = field(
        default_factory=dict[Future[list[Report]], Sent]
    )
    is_alone: bool = False

    @property
    def tries(self) -> list[Try]:
        """The items in flight."""
        return [attempt for sent in self.in_flight.values() for attempt in sent.tries]


class Shares:
    """The items that wait, in one share per worker.

    A share holds neighbours, because neighbours may have common work. A worker without a share
    takes a free one, or the second half of the longest.

    Parameters
    ----------
    tries
        Items in their order; neighbours follow each other.
    """

    def __init__(self, tries: Iterable[Try]) -> None:
        self._owned: dict[Hashable, deque[Try]] = {}
        self._free = [deque(tries)]
        self._left = len(self._free[0])

    def __len__(self) -> int:
        return self._left

    def take(self, worker: Hashable, most: int) -> list[Try]:
        """Take the next items for a worker: at least one, unless no item waits."""
        if not self._owned.get(worker):
            self._owned[worker] = self._free.pop() if self._free else self._half()
        share = self._owned[worker]
        taken = [share.popleft() for _ in range(min(most, len(share)))]
        self._left -= len(taken)
        return taken

    def add(self, attempt: Try) -> None:
        """Add an item, to be taken after those that wait."""
        self._free.insert(0, deque([attempt]))
        self._left += 1

    def put_back(self, worker: Hashable, tries: Sequence[Try]) -> None:
        """Put items that were not done at the front of a worker's share."""
        self._owned.setdefault(worker, deque()).extendleft(reversed(tries))
        self._left += len(tries)

    def free(self, worker: Hashable) -> None:
        """Free the rest of a worker's share for other workers."""
        share = self._owned.pop(worker, None)
        if share:
            self._free.append(share)

    def _half(self) -> deque[Try]:
        longest = max(self._owned.values(), key=len, default=deque[Try]())
        half = [longest.pop() for _ in range((len(longest) + 1) // 2)]
        return deque(reversed(half))


class Pace:
    """The time that items take, and the chunk size that follows from it.

    Attributes
    ----------
    item_seconds
        Seconds per item, a running mean; None until it is known.
    seconds
        Seconds that all items have taken together.
    """

    def __init__(self) -> None:
        self.item_seconds: float | None = None
        self.seconds = 0.0
        self._has_begun = False

    def note(self, seconds: float) -> None:
        """Note the time of an item; the very first one is ignored, since it includes imports."""
        self.seconds += seconds if self._has_begun else 0.0
        if self.item_seconds is not None:
            self.item_seconds = 0.8 * self.item_seconds + 0.2 * seconds
        elif self._has_begun:
            self.item_seconds = max(seconds, 1e-6)
        self._has_begun = True

    def chunk_size(self, waiting: int, workers: int) -> int:
        """Number of waiting items to send together."""
        if self.item_seconds is None:
            return 1
        fair = waiting // (3 * workers)
        return max(1, min(int(_CHUNK_SECONDS / self.item_seconds), _LARGEST_CHUNK, fair))


def judge(lost: Sequence[Try], retries: int, cause: str) -> tuple[list[Failed[object]], list[Try]]:
    """Decide about the items in flight when a worker died; the cause is that of its death.

    Returns
    -------
    failed, suspects
        An item is to blame for a death only if nothing else was in flight. All other items are
        suspects, to be tried alone.
    """
    failed: list[Failed[object]] = []
    suspects: list[Try] = []
    for attempt in sorted(lost, key=lambda attempt: attempt.number):
        suspect = replace(attempt, deaths=attempt.deaths + 1) if len(lost) == 1 else attempt
        if suspect.deaths > retries:
            times = f"{suspect.deaths} time{'s' if suspect.deaths > 1 else ''}"
            reason = f"its worker process died {times} ({cause})"
            failed.append(Failed(attempt.item, reason))
        else:
            suspects.append(suspect)
    return failed, suspects


def overdue(attempt: Try, timeout: float) -> Failed[object]:
    """The failure of an item that takes too long."""
    return Failed(attempt.item, f"did not finish within {timeout:g} s (candidate_timeout)")
