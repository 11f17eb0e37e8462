"""The protocols of engines and workers, outcomes and limits, and one attempt at an item.

How items are handed out is in `dispatch`; the engines have modules of their own.
"""

import pickle
import re
import time
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Generator, Hashable, Mapping, Sequence, Set
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, Protocol, TypeVar

from threadpoolctl import threadpool_limits

from iris_hpo.errors import CandidateError, InputError, WholeRunError
from iris_hpo.machine import lack_of_temporary_room
from iris_hpo.text import one_line, readable

Item = TypeVar("Item")
Result = TypeVar("Result")
SuppliedItem_co = TypeVar("SuppliedItem_co", covariant=True)
WorkerId = TypeVar("WorkerId", bound=Hashable)

_WARNING_LENGTH: Final = 500
_CLOCK: Final = re.compile(r"\[?\b\d\d:\d\d:\d\d\b\]?:? ?")


@dataclass(frozen=True)
class Done(Generic[Item, Result]):
    """Outcome of an item whose work succeeded.

    Attributes
    ----------
    warned
        Warnings of Python, one line each, and how often each occurred.
    """

    item: Item
    result: Result
    warned: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Failed(Generic[Item]):
    """Outcome of an item whose work failed; the reason is one line.

    Attributes
    ----------
    ends_run
        Whether all others would fail for the same reason (`WholeRunError`).
    warned
        Warnings of Python, one line each, and how often each occurred.
    """

    item: Item
    reason: str
    ends_run: bool = False
    warned: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Limits:
    """Limits for each item.

    Parameters
    ----------
    retries
        Number of retries after a failure that may be transient: a dead worker, an error of the
        machine. Errors of the item itself (`CandidateError`) are not retried.
    timeout
        Seconds that an item may take, from its start in a worker; None for no limit.

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


class Supply(Protocol[SuppliedItem_co]):
    """Items that are not known from the beginning, because outcomes decide what comes next."""

    def take(self, most: int) -> Sequence[SuppliedItem_co]:
        """Return the next items, at most so many; none if there are none now.

        It is asked again when outcomes were yielded. The work ends when an answer is empty and no
        item is in flight.
        """
        ...


class Engine(Protocol):
    """Does work on items.

    An engine can have a second method, ``draw(work, supply, limits)``, which yields outcomes as
    `map` does, of items that come from a `Supply`: each worker has one item in flight and none
    ahead, and outcomes are yielded before the next items are taken. Engines without this method are
    given batches (`iris_hpo.engines.draw`).
    """

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], limits: Limits
    ) -> Generator[Sequence[Done[Item, Result] | Failed[Item]], None, None]:
        """Yield one outcome per item as they finish; outcomes that come together in one sequence.

        If the work has a method ``load``, workers call it before their first item.

        Closing the generator early stops the work.
        """
        ...


@dataclass(frozen=True)
class Chunk:
    """Items that are sent to a worker together.

    Attributes
    ----------
    number
        Number of the chunk, counted over a run.
    items
        The items; none for a new worker, which only loads the work.
    retries
        Number of retries per item within the worker.
    is_timed
        Whether the worker reports the start of the chunk (`Workers.has_started`).
    """

    number: int
    items: Sequence[object]
    retries: int
    is_timed: bool


@dataclass(frozen=True)
class Report:
    """A worker's report on one item of a chunk: the outcome, and the seconds that it took."""

    outcome: Done[object, object] | Failed[object]
    seconds: float


UNKNOWN_CAUSE: Final = "killed, or out of memory"
"""How a worker ended, where nothing more is known."""


class Workers(ABC, Generic[WorkerId]):
    """The workers of a run, which an engine supplies to `dispatch`.

    Workers are independent; each does one chunk after the other.

    Attributes
    ----------
    most
        Largest number of workers; None if workers come and go by themselves.
    look_seconds
        Seconds after which `present` may change by itself; None for never.
    """

    most: int | None = None
    look_seconds: float | None = 0.5

    @abstractmethod
    def present(self) -> Set[WorkerId]:
        """Workers that can be given work.

        Raises
        ------
        InputError
            If there cannot be any.
        """

    @abstractmethod
    def submit(self, worker: WorkerId, chunk: Chunk) -> Future[list[Report]]:
        """Send a chunk; the future holds a report per item, fewer if the rest was not done.

        If the worker has died, the future fails with a BrokenExecutor, or this call does.
        """

    @abstractmethod
    def kill(self, workers: Collection[WorkerId]) -> None:
        """End workers at once, also busy ones; they are no longer present."""

    def lose(self, worker: WorkerId) -> None:
        """Give up a worker that has died; it is no longer present."""
        self.kill([worker])

    def cause(self, worker: WorkerId, error: BaseException | None) -> str:  # noqa: ARG002
        """How a worker ended; by default it is not known.

        Parameters
        ----------
        error
            The error of its future; None if it is merely no longer present.
        """
        return UNKNOWN_CAUSE

    def refuse(self, worker: WorkerId, error: BaseException) -> None:
        """Handle a worker that cannot load the work; by default its items fail with the error."""

    def start_seconds(self) -> float | None:
        """Seconds that another worker takes to start; None if workers come by themselves."""
        return None

    def start(self) -> None:
        """Start another worker."""
        raise NotImplementedError

    def has_started(self, number: int) -> bool:  # noqa: ARG002
        """Whether a chunk with a time limit has started; by default as soon as it is sent."""
        return True


def load_work(content: bytes) -> Callable[[object], object]:
    """Unpickle the work of a run, in a worker, and let it load what it needs.

    Libraries that are loaded then use one thread, so that every engine computes the same.
    """
    return loaded(pickle.loads(content))  # noqa: S301 - from our own process


def loaded(work: Any) -> Callable[[object], object]:
    """Let the work of a run load what it needs, in a worker, and use one thread."""
    load = getattr(work, "load", None)
    if load is not None:
        load()
    threadpool_limits(1)
    return work


def do_chunk(work: Callable[[object], object], chunk: Chunk) -> list[Report]:
    """Do the items of a chunk in a worker."""
    reports: list[Report] = []
    for item in chunk.items:
        started = time.perf_counter()
        outcome = attempt(work, item, chunk.retries)
        reports.append(Report(outcome, time.perf_counter() - started))
    return reports


def attempt(
    work: Callable[[Item], Result], item: Item, retries: int
) -> Done[Item, Result] | Failed[Item]:
    """Do an item's work; try again after an error that may be transient.

    Warnings are returned with the outcome: thousands of fits would print the same one.
    """
    with warnings.catch_warnings(record=True) as caught:
        outcome = _attempt(work, item, retries)
    return replace(outcome, warned=Counter(map(_as_line, caught))) if caught else outcome


def _as_line(caught: warnings.WarningMessage) -> str:
    # XGBoost's warnings contain the time of day, which would make each a different warning.
    message = _CLOCK.sub("", one_line(caught.message))[:_WARNING_LENGTH]
    return readable(f"{caught.filename}:{caught.lineno}: {caught.category.__name__}: {message}")


def in_one_line(error: BaseException) -> str:
    """Describe an error of the machine in one readable line."""
    return readable(f"{type(error).__name__}: {one_line(error)}")


def _attempt(
    work: Callable[[Item], Result], item: Item, retries: int
) -> Done[Item, Result] | Failed[Item]:
    while True:
        try:
            return Done(item, work(item))
        except WholeRunError as error:
            return Failed(item, str(error), ends_run=True)
        except Exception as error:  # noqa: BLE001 - an item must not end the others
            if (problem := lack_of_temporary_room(error)) is not None:
                return Failed(item, problem, ends_run=True)
            if isinstance(error, CandidateError):
                return Failed(item, str(error))
            # A failure of the candidate is a CandidateError; this is an error of the machine.
            if retries <= 0:
                return Failed(item, in_one_line(error))
            retries -= 1
