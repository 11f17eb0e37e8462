"""`SamplerBeside`: a sampler that decides in a process of its own.

An adaptive search records a result and asks for the next candidate. The sampler needs the result
and not its record, so it decides while the result is being recorded.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future
from contextlib import suppress
from typing import Any, Final, Protocol, cast

from iris_hpo.parts import Part, make_part
from iris_hpo.samplers import SAMPLERS, Observation, Sampler
from iris_hpo.space.candidates import Candidate, ParameterSpace

SLOW: Final = frozenset({"tpe"})
"""Samplers that take the longer, the more results there are, but about as long as a record."""

FROM_RESULTS: Final = 200
"""Number of results from which on a process of its own is worth its start."""

_SENDING_SECONDS: Final = 3e-4
"""Pause in which another thread can send a question, which would else wait for the interpreter."""

Question = tuple[ParameterSpace, Sequence[Observation], tuple[Candidate, ...]]


class Process(Protocol):
    """A process that calls functions, one after the other."""

    def begin(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call a function after those that it was given before."""
        ...

    def kill(self) -> None:
        """End the process."""
        ...


class SamplerBeside:
    """A sampler that is asked in a process of its own, once there are many results.

    Its answers depend on nothing but what it is shown. So it is asked in this process until the
    other one is ready, and after the other one has died.

    Parameters
    ----------
    sampler
        The sampler in this process.
    part
        How the other process makes it.
    start
        Starts the other process.
    """

    def __init__(self, sampler: Sampler, part: Part, start: Callable[[], Process]) -> None:
        self._sampler = sampler
        self._part = part
        self._start: Callable[[], Process] | None = start
        self._process: Process | None = None
        self._made: Future[None] | None = None
        self._held: dict[int, Observation] = {}
        self._asked: tuple[Question, Future[Sequence[Candidate]]] | None = None

    def prepare(
        self,
        space: ParameterSpace,
        observations: Sequence[Observation],
        running: Sequence[Candidate],
    ) -> None:
        """Let the sampler decide what it is going to be asked."""
        with suppress(OSError, RuntimeError):  # without the process it is asked in this one
            if self._start is not None and len(observations) >= FROM_RESULTS:
                start, self._start = self._start, None  # tried once, as an attempt takes time
                self._process = start()
                self._made = self._process.begin(_make, self._part)
            if self._is_ready:
                self._ask((space, observations, tuple(running)))
                time.sleep(_SENDING_SECONDS)

    def propose(
        self,
        space: ParameterSpace,
        observations: Sequence[Observation],
        running: Sequence[Candidate],
    ) -> Sequence[Candidate]:
        """Return the sampler's answer."""
        if self._is_ready:
            try:
                return self._ask((space, observations, tuple(running))).result()
            except BrokenExecutor:
                self._made = None
        return self._sampler.propose(space, observations, running)

    def end(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()

    @property
    def _is_ready(self) -> bool:
        return self._made is not None and self._made.done() and self._made.exception() is None

    def _ask(self, question: Question) -> Future[Sequence[Candidate]]:
        """Ask the other process, unless it was asked this last; only what is new is sent."""
        if self._asked is None or self._asked[0] != question:
            space, observations, running = question
            new = [seen for seen in observations if self._held.get(seen.number) is not seen]
            self._held.update((seen.number, seen) for seen in new)
            is_all = len(self._held) > len(observations)
            if is_all:
                new = list(observations)
                self._held = {seen.number: seen for seen in new}
            process = cast("Process", self._process)
            self._asked = question, process.begin(_answer, space, new, running, is_all)
        return self._asked[1]


class _Sampler:
    """The sampler of this process, and what it was shown by number."""

    made: Sampler
    shown: dict[int, Observation]


def _make(part: Part) -> None:
    _Sampler.made = cast("Sampler", make_part(part, SAMPLERS, "sampler", "propose"))
    _Sampler.shown = {}


def _answer(
    space: ParameterSpace,
    new: Sequence[Observation],
    running: Sequence[Candidate],
    is_all: bool,  # noqa: FBT001 - an argument of a call by another process
) -> Sequence[Candidate]:
    if is_all:
        _Sampler.shown.clear()
    _Sampler.shown.update((seen.number, seen) for seen in new)
    observations = [_Sampler.shown[number] for number in sorted(_Sampler.shown)]
    return _Sampler.made.propose(space, observations, running)
