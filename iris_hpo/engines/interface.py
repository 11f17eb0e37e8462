"""What every engine has in common: outcomes, limits, workers, and one attempt at an item."""

import pickle
import re
import time
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Generator, Hashable, Mapping, Sequence, Set
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Final, Generic, Protocol, TypeVar

from iris_hpo.errors import CandidateError, InputError, WholeRunError
from iris_hpo.text import readable

Item = TypeVar("Item")
Result = TypeVar("Result")
WorkerId = TypeVar("WorkerId", bound=Hashable)

_WARNING_LENGTH: Final = 500
_CLOCK: Final = re.compile(r"\[?\b\d\d:\d\d:\d\d\b\]?:? ?")


@dataclass(frozen=True)
class Done(Generic[Item, Result]):
    """An item's work succeeded.

    Attributes
    ----------
    warned
        What Python has warned of, one line each, and how often.
    """

    item: Item
    result: Result
    warned: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Failed(Generic[Item]):
    """An item's work failed; the reason is one line.

    Attributes
    ----------
    ends_run
        Whether all others would fail for the same reason (`WholeRunError`).
    warned
        What Python has warned of, one line each, and how often.
    """

    item: Item
    reason: str
    ends_run: bool = False
    warned: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Limits:
    """What an item may cost.

    Parameters
    ----------
    retries
        How often an item is tried again after a failure that may be transient: a dead worker, an
        error of the machine. Errors of the item itself (`CandidateError`) are not retried.
    timeout
        Seconds an item may take, from its start in a worker; None for no limit.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    retries: int = 1
    timeout: float | None = None

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise InputError(f"retries {self.retries} must be 0 or more")
        if self.timeout is not None and not self.timeout > 0:
            raise InputError(
                f"candidate_timeout {self.timeout} must be a number of seconds above 0"
            )


class Engine(Protocol):
    """Runs work on items."""

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], limits: Limits
    ) -> Generator[Sequence[Done[Item, Result] | Failed[Item]], None, None]:
        """Yield one outcome per item, as they finish; those that come together in one sequence.

        If the work has a method ``load``, workers call it before their first item.

        Closing the generator early stops the work.
        """
        ...


@dataclass(frozen=True)
class Chunk:
    """Items that travel to a worker together.

    Attributes
    ----------
    number
        Counts the chunks of a run.
    items
        What to do; none, for a worker that is new: it only loads the work.
    retries
        Of an item, within the worker.
    is_timed
        Whether the worker shows when it starts (`Workers.has_started`).
    """

    number: int
    items: Sequence[object]
    retries: int
    is_timed: bool


@dataclass(frozen=True)
class Report:
    """What a worker says of one item of a chunk."""

    outcome: Done[object, object] | Failed[object]
    seconds: float


class Workers(ABC, Generic[WorkerId]):
    """The workers of a run: what an engine supplies to `dispatch`.

    Each stands alone and does one chunk after the other.

    Attributes
    ----------
    most
        How many there may be; None if they come and go by themselves.
    look_seconds
        How often `present` may give another answer by itself; None for never.
    """

    most: int | None = None
    look_seconds: float | None = 0.5

    @abstractmethod
    def present(self) -> Set[WorkerId]:
        """Those that can be given work.

        Raises
        ------
        InputError
            If there cannot be any.
        """

    @abstractmethod
    def submit(self, worker: WorkerId, chunk: Chunk) -> Future[list[Report]]:
        """Send a chunk. The answer is a report for each item; fewer, if it could not do the rest.

        The future's error is a BrokenExecutor if the worker has died; so may be that of the call.
        """

    @abstractmethod
    def kill(self, workers: Collection[WorkerId]) -> None:
        """End workers, whatever they are doing; they are not present any more."""

    def lose(self, worker: WorkerId) -> None:
        """Give a worker up that has died; it is not present any more."""
        self.kill([worker])

    def refuse(self, worker: WorkerId, error: BaseException) -> None:
        """Hear that a worker cannot load the work. By default its items fail by that."""

    def start_seconds(self) -> float | None:
        """How long another worker takes to start; None if they come by themselves."""
        return None

    def start(self) -> None:
        """Start another worker."""
        raise NotImplementedError

    def has_started(self, number: int) -> bool:  # noqa: ARG002
        """Whether a chunk with a limit of time has begun; by default as soon as it is sent."""
        return True


def load_work(content: bytes) -> Callable[[object], object]:
    """Unpickle the work of a run, in a worker, and let it load what it needs."""
    work = pickle.loads(content)  # noqa: S301 - from our own process
    load = getattr(work, "load", None)
    if load is not None:
        load()
    return work


def do_chunk(work: Callable[[object], object], chunk: Chunk) -> list[Report]:
    """Do the items of a chunk, in a worker."""
    reports: list[Report] = []
    for item in chunk.items:
        started = time.perf_counter()
        outcome = attempt(work, item, chunk.retries)
        reports.append(Report(outcome, time.perf_counter() - started))
    return reports


def attempt(
    work: Callable[[Item], Result], item: Item, retries: int
) -> Done[Item, Result] | Failed[Item]:
    """Do an item's work, again after an error that may be transient.

    Warnings are kept for the driver: thousands of fits would print the same one.
    """
    with warnings.catch_warnings(record=True) as caught:
        outcome = _attempt(work, item, retries)
    return replace(outcome, warned=Counter(map(_as_line, caught))) if caught else outcome


def _as_line(caught: warnings.WarningMessage) -> str:
    # With the time in it, as XGBoost's have, each would be another warning.
    said = _CLOCK.sub("", " ".join(str(caught.message).split()))[:_WARNING_LENGTH]
    return readable(f"{caught.filename}:{caught.lineno}: {caught.category.__name__}: {said}")


def in_one_line(error: BaseException) -> str:
    """Describe an error of the machine, with nothing that a terminal would obey."""
    return readable(f"{type(error).__name__}: {' '.join(str(error).split())}")


def _attempt(
    work: Callable[[Item], Result], item: Item, retries: int
) -> Done[Item, Result] | Failed[Item]:
    while True:
        try:
            return Done(item, work(item))
        except CandidateError as error:
            return Failed(item, str(error))
        except WholeRunError as error:
            return Failed(item, str(error), ends_run=True)
        except Exception as error:  # noqa: BLE001 - an item must not end the others
            # What the candidate itself does wrong is a CandidateError; this is the machine.
            if retries <= 0:
                return Failed(item, in_one_line(error))
            retries -= 1
