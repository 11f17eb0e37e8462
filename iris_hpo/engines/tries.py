"""Items on their way to workers: how many travel together, and which is to blame for a death."""

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
    """An item on its way, with how often a worker died of it, possibly."""

    item: object
    number: int
    deaths: int = 0


@dataclass(eq=False)
class Sent:
    """A chunk on its way.

    Attributes
    ----------
    started
        When its start was first seen, by the monotonic clock.
    """

    number: int
    tries: Sequence[Try]
    started: float | None = None


@dataclass(eq=False)
class Lane:
    """What a worker has been given.

    Attributes
    ----------
    is_alone
        Whether what is in flight is a suspect, with nothing beside it.
    """

    in_flight: dict[Future[list[Report]], Sent] = field(
        default_factory=dict[Future[list[Report]], Sent]
    )
    is_alone: bool = False

    @property
    def tries(self) -> list[Try]:
        """The items in flight."""
        return [one for sent in self.in_flight.values() for one in sent.tries]


class Shares:
    """What waits, in shares of neighbours: those may share work, and go to one worker.

    A worker with nothing left takes over a share that nobody has, or the second half of the
    longest.

    Parameters
    ----------
    tries
        In the order in which neighbours follow each other.
    """

    def __init__(self, tries: Iterable[Try]) -> None:
        self._owned: dict[Hashable, deque[Try]] = {}
        self._free = [deque(tries)]
        self._left = len(self._free[0])

    def __len__(self) -> int:
        return self._left

    def take(self, worker: Hashable, most: int) -> list[Try]:
        """Take the next ones for a worker: at least one, unless nothing waits at all."""
        if not self._owned.get(worker):
            self._owned[worker] = self._free.pop() if self._free else self._half()
        share = self._owned[worker]
        taken = [share.popleft() for _ in range(min(most, len(share)))]
        self._left -= len(taken)
        return taken

    def put_back(self, worker: Hashable, tries: Sequence[Try]) -> None:
        """Let a worker's next ones be these, which were not done."""
        self._owned.setdefault(worker, deque()).extendleft(reversed(tries))
        self._left += len(tries)

    def free(self, worker: Hashable) -> None:
        """Let others have what a worker has left."""
        share = self._owned.pop(worker, None)
        if share:
            self._free.append(share)

    def _half(self) -> deque[Try]:
        longest = max(self._owned.values(), key=len, default=deque[Try]())
        half = [longest.pop() for _ in range((len(longest) + 1) // 2)]
        return deque(reversed(half))


class Pace:
    """How long an item takes, and so how many are worth one message.

    Attributes
    ----------
    item_seconds
        None as long as nobody knows.
    """

    def __init__(self) -> None:
        self.item_seconds: float | None = None
        self._has_begun = False

    def note(self, seconds: float) -> None:
        """Learn from one item; the very first one includes imports, and tells nothing."""
        if self.item_seconds is not None:
            self.item_seconds = 0.8 * self.item_seconds + 0.2 * seconds
        elif self._has_begun:
            self.item_seconds = max(seconds, 1e-6)
        self._has_begun = True

    def chunk_size(self, waiting: int, workers: int) -> int:
        """How many of the waiting items to send together."""
        if self.item_seconds is None:
            return 1
        fair = waiting // (3 * workers)
        return max(1, min(int(_CHUNK_SECONDS / self.item_seconds), _LARGEST_CHUNK, fair))


def judge(lost: Sequence[Try], retries: int) -> tuple[list[Failed[object]], list[Try]]:
    """Decide about what was in flight when a worker died.

    Returns
    -------
    failed, suspects
        Only a death with nothing else in flight is proof; all others are to be tried alone.
    """
    failed: list[Failed[object]] = []
    suspects: list[Try] = []
    for one in sorted(lost, key=lambda one: one.number):
        suspect = replace(one, deaths=one.deaths + 1) if len(lost) == 1 else one
        if suspect.deaths > retries:
            times = f"{suspect.deaths} time{'s' if suspect.deaths > 1 else ''}"
            reason = f"its worker process died {times} (killed, or out of memory)"
            failed.append(Failed(one.item, reason))
        else:
            suspects.append(suspect)
    return failed, suspects


def overdue(one: Try, timeout: float) -> Failed[object]:
    """The failure of an item that takes too long."""
    return Failed(one.item, f"did not finish within {timeout:g} s (candidate_timeout)")
