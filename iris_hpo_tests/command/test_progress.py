"""Progress fits a terminal of any width, and goes into a pipe as lines."""

import io
import re
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest
from rich.console import Console
from sklearn.datasets import load_iris

from iris_hpo.command import progress
from iris_hpo.command.progress import TerminalProgress, fit_columns
from iris_hpo.orchestration.resources import Counts
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS

CONTEXT = cast("dg.AssetExecutionContext", None)
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def lines_of(text: str) -> list[str]:
    """What a terminal shows, line by line, without the codes that steer it."""
    return [line for line in re.split(r"[\r\n]", ESCAPES.sub("", text)) if line.strip()]


def show(console: Console, counts: Counts) -> str:
    """Show counts once; return what was written."""
    file = console.file
    assert isinstance(file, io.StringIO)
    with TerminalProgress(console) as shown:
        shown(CONTEXT, counts)
        shown._bar.refresh()
    return file.getvalue()


def terminal(width: int, **more: Any) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, **more)


@pytest.mark.parametrize("total", [77, 10_000])
@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
@pytest.mark.parametrize("more", [{}, {"no_color": True}], ids=["colour", "no colour"])
def test_the_bar_fits_the_terminal(width: int, total: int, more: dict[str, Any]) -> None:
    counts = Counts(total, trained=total // 2, reused=3, failed=1)

    lines = lines_of(show(terminal(width, **more), counts))

    assert any(f"{counts.done}/{total}" in line.replace(" ", "") for line in lines)
    assert max(map(len, lines)) <= width
    assert all("…" not in line for line in lines)
    assert any(str(counts) in line for line in lines) == (width >= 60)


@pytest.mark.parametrize(
    ("width", "names"),
    [
        (10, ["done"]),
        (20, ["done", "left"]),
        (40, ["bar", "done", "elapsed", "left"]),
        (60, ["bar", "done", "counts", "left"]),
        (80, ["title", "bar", "done", "counts", "elapsed", "left"]),
    ],
)
def test_what_matters_most_stays_longest(width: int, names: list[str]) -> None:
    every = fit_columns(500, 77, str(Counts(77)))
    kinds = dict(zip(("title", "bar", "done", "counts", "elapsed", "left"), every, strict=True))

    columns = fit_columns(width, 77, str(Counts(77)))

    assert [type(column) for column in columns] == [type(kinds[name]) for name in names]


def test_a_terminal_that_was_resized_gets_another_bar() -> None:
    console = terminal(120)
    file = console.file
    assert isinstance(file, io.StringIO)
    counts = Counts(77, trained=5)
    with TerminalProgress(console) as shown:
        shown(CONTEXT, counts)
        shown._bar.refresh()
        assert max(map(len, lines_of(file.getvalue()))) > 60
        console.width = 30
        file.seek(0)
        file.truncate()
        shown._bar.refresh()
        assert max(map(len, lines_of(file.getvalue()))) <= 30


@pytest.mark.parametrize(
    "console",
    [
        Console(file=io.StringIO(), width=500),
        Console(file=io.StringIO(), force_terminal=True, width=40, _environ={"TERM": "dumb"}),
    ],
    ids=["pipe", "dumb terminal"],
)
def test_without_a_terminal_that_can_redraw_there_are_lines(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_PIPE_SECONDS", 0)

    text = show(console, Counts(77, trained=7))

    assert ESCAPES.search(text) is None
    assert text.startswith("7 of 77 candidates: 7 trained, 0 reused, 0 failed; ")


def test_only_the_result_goes_to_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notes and progress do not, so the output can be kept in a file."""
    monkeypatch.setattr(progress, "_PIPE_SECONDS", 0)
    project = YamlProject.create(tmp_path)
    load_iris(as_frame=True).frame[::5].to_csv(project.root / "data" / "d.csv", index=False)
    project.write_values("tree", max_depth=[1, 2, 3])
    axis = {"name": "max_depth", "symbol": "D", "type": "int"}
    estimator = "sklearn.tree.DecisionTreeClassifier"
    project.write_search("tree", data_file="d.csv", estimator=estimator, axes=[axis])
    arguments = ("run", "--search", "tree", "--engine", "serial")

    first = project.call(*arguments, "--folds", "2")
    again = project.call(*arguments, "--force")

    assert first.out.startswith("3 trained, 0 reused, 0 failed (")
    assert first.err.startswith("1 of 3 candidates: 1 trained, 0 reused, 0 failed; ")
    assert again.out.startswith("3 trained, 0 reused, 0 failed (")
    assert again.err.startswith("settings of the last run: folds 2")


def test_a_quiet_run_shows_nothing() -> None:
    assert lines_of(show(terminal(80, quiet=True), Counts(77, trained=7))) == []
