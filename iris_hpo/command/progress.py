"""The progress of ``iris-hpo run``, in a terminal of any width and in a pipe."""

from collections.abc import Iterable
from typing import Final, Self

import dagster as dg
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from iris_hpo.command.output import complain, say
from iris_hpo.orchestration.resources import Counts, PacedLine

_BAR: Final = 8, 40
"""Smallest and largest width of the bar."""
_CLOCK: Final = len("10:00:00")
_TITLE: Final = "candidates"
_PIPE_SECONDS: Final = 30.0
"""Time between two lines in a pipe, which is often a log."""


def fit_columns(width: int, total: int, counts: str) -> list[ProgressColumn]:
    """Choose the columns that fit a terminal, the most important ones first.

    Parameters
    ----------
    width
        Width of the terminal, in characters.
    total
        Number of candidates.
    counts
        The counts by outcome, as they are shown.
    """
    bar, largest = _BAR
    widths = {
        "done": 2 * len(str(total)) + 1,
        "left": _CLOCK,
        "counts": len(counts),
        "bar": bar,
        "elapsed": _CLOCK,
        "title": len(_TITLE),
    }
    chosen: list[str] = []
    rest = width + 1  # there is a space between two columns, and none behind the last
    for name, needed in widths.items():
        if needed and needed + 1 <= rest:
            chosen.append(name)
            rest -= needed + 1
    columns: dict[str, ProgressColumn] = {
        "title": TextColumn(_TITLE),
        "bar": BarColumn(min(bar + rest, largest)),
        "done": MofNCompleteColumn(),
        "counts": TextColumn("{task.fields[counts]}"),
        "elapsed": TimeElapsedColumn(),
        "left": TimeRemainingColumn(),
    }
    return [column for name, column in columns.items() if name in chosen]


class _Bar(Progress):
    """A bar whose columns fit the terminal, also after its width has changed."""

    def make_tasks_table(self, tasks: Iterable[Task]) -> Table:
        """Make the line of the bar for the present width."""
        for task in tasks:
            total, counts = int(task.total or 0), str(task.fields["counts"])
            self.columns = (*fit_columns(self.console.width, total, counts),)
        return super().make_tasks_table(tasks)


class TerminalProgress:
    """Progress as a bar on a terminal, and as a line every 30 seconds in a pipe."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._has_bar = console.is_terminal and not console.is_dumb_terminal
        self._bar = _Bar(
            console=console, transient=True, disable=not self._has_bar or console.quiet
        )
        self._task = self._bar.add_task(_TITLE, total=None, counts="")
        self._line = PacedLine(_PIPE_SECONDS)
        self._counts = Counts(0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *details: object) -> None:
        self.finish()

    def finish(self) -> None:
        """Remove the bar."""
        self._bar.stop()

    def warn(self) -> None:
        """Print the warnings of the candidates, each once."""
        for text in self._counts.warnings():
            complain(f"warning: {text}")

    def __call__(self, context: dg.AssetExecutionContext, counts: Counts) -> None:  # noqa: ARG002
        """Show the counts."""
        self._counts = counts
        self._bar.update(self._task, total=counts.total, completed=counts.done, counts=str(counts))
        if self._has_bar:
            return
        if line := self._line.next(counts):
            say(self._console, line)
