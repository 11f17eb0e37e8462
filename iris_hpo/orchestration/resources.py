"""The resources of a search: where its data and artifacts are, and how a run reports progress."""

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import dagster as dg
from pydantic import Field, PrivateAttr

from iris_hpo.orchestration.names import log_line
from iris_hpo.orchestration.own_run import at_work, check_turn
from iris_hpo.spec import SearchSpec
from iris_hpo.store.folder import ArtifactStore
from iris_hpo.store.objects import open_store
from iris_hpo.text import counted

Made = TypeVar("Made")

_WARNINGS: Final = 20
"""Number of different warnings that are counted separately."""
_OTHERS: Final = "other warnings"


@dataclass
class Counts:
    """Counts of a run: candidates by outcome, and the warnings that they gave.

    Attributes
    ----------
    scored
        Those whose model was reused, and scored.
    ended
        Why a sampler is asked for no more candidates; empty while it is, and without one.
    """

    total: int
    trained: int = 0
    scored: int = 0
    reused: int = 0
    failed: int = 0
    ended: str = ""
    warned: Counter[str] = field(default_factory=Counter[str])

    @property
    def done(self) -> int:
        """Candidates with an outcome."""
        return self.trained + self.scored + self.reused + self.failed

    def add_warnings(self, warned: Mapping[str, int]) -> None:
        """Count warnings by text; beyond a number of texts, together as other warnings."""
        for text, times in warned.items():
            known = text in self.warned or len(self.warned) < _WARNINGS
            self.warned[text if known else _OTHERS] += times

    def warnings(self) -> list[str]:
        """Each warning once, in one line, with its number."""
        return [
            f"{text} ({times:,} times)" if times > 1 else text
            for text, times in self.warned.items()
        ]

    def __str__(self) -> str:
        scored = f"{self.scored} only scored, " if self.scored else ""
        return f"{self.trained} trained, {scored}{self.reused} reused, {self.failed} failed"


class Progress(Protocol):
    """Called at the start of a run, with nothing done, and whenever outcomes came."""

    def __call__(self, context: dg.AssetExecutionContext, counts: Counts) -> None:
        """Take note of the counts."""
        ...


class PacedLine:
    """The progress of a run and the time left, in one line every few seconds."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._started = self._last = time.monotonic()

    def next(self, counts: Counts) -> str:
        """Return the line, or nothing if it is not yet time for one, or all is done."""
        now = time.monotonic()
        worked = counts.done - counts.reused
        if not worked:  # reused candidates do not show the pace
            self._started = self._last = now
        if now - self._last < self._seconds or counts.done >= counts.total or not worked:
            return ""
        self._last = now
        left = (now - self._started) / worked * (counts.total - counts.done)
        return f"{counts.done} of {counted(counts.total, 'candidate')}: {counts}; {left:.0f} s left"


class LogProgress:
    """Logs one line every few seconds, not one per candidate."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._line = PacedLine(seconds)

    def __call__(self, context: dg.AssetExecutionContext, counts: Counts) -> None:
        """Log the counts and the time left, if it is time for a line."""
        if line := self._line.next(counts):
            log_line(context.log, line)


class Storage(dg.ConfigurableResource[None]):
    """Where a search reads its data and keeps its artifacts."""

    data: str | None = Field(
        default=None,
        description="The folder with the data file and the parameter files. By default "
        "IRIS_HPO_DATA, or `data` in the project.",
    )
    artifacts: str | None = Field(
        default=None,
        description="The folder, or any fsspec URL, for models, scores and the selection. By "
        "default IRIS_HPO_ARTIFACTS, or `artifacts` in the project.",
    )

    _at_work: ExitStack = PrivateAttr(default_factory=ExitStack)
    _made: dict[str, Any] | None = PrivateAttr(default=None)
    _run_id: str = PrivateAttr(default="")

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Show signs of life while a run has the resource, however it was launched.

        An executor in one process makes resources before the first step waits for its turn.
        """
        if context.run is not None and context.instance is not None:  # a run, not a sensor
            self._at_work.enter_context(at_work(context.instance, context.run.run_id))
            self._made = {}
            self._run_id = context.run.run_id

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002
        """End the signs of life."""
        self._made = None
        self._at_work.close()

    def once_a_run(self, name: str, make: Callable[[], Made]) -> Made:
        """Make something, and return the same for the same name until the run ends.

        A run has a resource of its own in each process. Outside of a run nothing is kept.
        """
        if self._made is None:
            return make()
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def data_file(self, spec: SearchSpec) -> Path:
        """Path of a search's data file."""
        return self._data_folder(spec) / spec.data_file

    def parameters_folder(self, spec: SearchSpec) -> Path:
        """Path of the folder of a search's parameter files."""
        return self._data_folder(spec) / spec.parameters_folder

    def store(self, spec: SearchSpec) -> ArtifactStore:
        """Open the store with the artifacts of a search; a run replaces files only in its turn."""
        place = self.artifacts or os.environ.get("IRIS_HPO_ARTIFACTS") or "artifacts"
        root = place.rstrip("/") if "://" in place else str(spec.home / place)
        store = open_store(f"{root}/{spec.name}" if spec.name else root)
        if self._run_id:
            store.guard = partial(check_turn, self._run_id)
        return store

    def _data_folder(self, spec: SearchSpec) -> Path:
        return spec.home / (self.data or os.environ.get("IRIS_HPO_DATA") or "data")
