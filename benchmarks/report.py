"""Write the results as Markdown and as JSON, and the table into the documentation."""

import json
import operator
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.compare import Results, Spread, number
from benchmarks.environment import REPOSITORY
from benchmarks.machine import PACKAGES, describe_machine
from benchmarks.picture import draw
from benchmarks.work import (
    COMMAND,
    COMMAND_EACH,
    CPU,
    DRIVER,
    EACH,
    MEMORY,
    TRAINED,
    WALL,
    WHOLE,
    WORK,
    WORK_EACH,
    Row,
    Work,
)

RESULTS: Final = REPOSITORY / "benchmarks" / "results"
PAGE: Final = REPOSITORY / "docs" / "performance.md"
BEGIN: Final = "<!-- benchmarks: written by make bench -->"
END: Final = "<!-- end of benchmarks -->"

UNITS: Final = {
    WALL: " s",
    CPU: " s",
    COMMAND: " s",
    WHOLE: " s",
    WORK: " s",
    EACH: " ms",
    COMMAND_EACH: " ms",
    WORK_EACH: " ms",
    MEMORY: " MB",
    DRIVER: " MB",
}

_READING: Final = (
    "Times are medians, and ratios are ratios of medians; in brackets are the least and the "
    "greatest of the repetitions, in which the contestants alternated. All contestants computed "
    "the same scores."
)
_TITLE: Final = "# Results\n\n"
_CONTESTANTS: Final = "## Every contestant\n\n"
_QUICK: Final = "A quick run at a small size: a test of the benchmarks, not of speed.\n\n"


def write_results(
    folder: Path, works: Sequence[Work], results: Sequence[Results], *, quick: bool
) -> str:
    """Write ``results.md``, ``results.json`` and ``results.png``; return the table of goals."""
    machine = describe_machine()
    table = goals_table(works, results, machine, judged=not quick)
    folder.mkdir(parents=True, exist_ok=True)
    text = f"{_TITLE}{_QUICK if quick else ''}{table}\n\n{_CONTESTANTS}"
    text += "\n".join(contestants_table(*pair) for pair in zip(works, results, strict=True))
    (folder / "results.md").write_text(text)
    (folder / "results.json").write_text(as_json(works, results, machine))
    draw(folder / "results.png", works, results)
    return table


def goals_table(
    works: Sequence[Work],
    results: Sequence[Results],
    machine: Mapping[str, str],
    *,
    judged: bool = True,
) -> str:
    """Return a table per work with all its comparisons, then the machine.

    Goals are for the full size; ``judged=False`` leaves the verdicts out.
    """
    lines: list[str] = []
    for work, work_results in zip(works, results, strict=True):
        lines += [
            f"**{work.name}**, {_repetitions(work)}:",
            "",
            "| work | iris_hpo | beside | ratio | goal | |",
            "|---|---|---|---|---|---|",
            *(_goal_line(row, work_results, judged=judged) for row in work.rows),
            "",
        ]
    return "\n".join([*lines, _READING, "", _sentence(machine)])


def _repetitions(work: Work) -> str:
    once = f", of {' and '.join(work.once)} one" if work.once and work.repetitions > 1 else ""
    return plural(work.repetitions, "repetition") + once


def _goal_line(row: Row, results: Results, *, judged: bool) -> str:
    value, met = row.judge(results)
    beside, ratio = "", ""
    if row.theirs is not None:
        beside = f"{_median(results, *row.theirs)} {row.theirs[0]}"
        unit = UNITS[row.ours[1]] if row.how is operator.sub else ""
        ratio = f"{number(value.median)}{unit} ({number(value.low)} to {number(value.high)})"
    goal = "" if row.goal is None else f"{row.goal}"
    verdict = {None: "", True: "met", False: "**missed**"}[met if judged else None]
    return (
        f"| {row.text} | {_median(results, *row.ours)} | {beside} | {ratio} | {goal} | {verdict} |"
    )


def _median(results: Results, contestant: str, figure: str) -> str:
    value = Spread.of(results.values(contestant, figure)).median
    return f"{value:.0f}" if figure == TRAINED else f"{number(value)}{UNITS[figure]}"


def _sentence(machine: Mapping[str, str]) -> str:
    packages = ", ".join(f"{name} {machine[name]}" for name in PACKAGES)
    return (
        f"Measured on {machine['date']}: {machine['processor']}, {machine['memory']} of memory, "
        f"{machine['kernel']}, Python {machine['python']}, {packages}."
    )


def contestants_table(work: Work, results: Results) -> str:
    """Return a table of all contestants of a work."""
    lines = [
        f"### {work.name}",
        "",
        "| contestant | wall s | CPU s | peak MB | of the driver |",
        "|---|---|---|---|---|",
    ]
    for name in work.steps:
        wall, cpu, peak, driver = (
            Spread.of(results.values(name, figure)) for figure in (WALL, CPU, MEMORY, DRIVER)
        )
        lines.append(
            f"| {name} | {number(wall.median)} ({number(wall.low)} to {number(wall.high)}) "
            f"| {number(cpu.median)} | {peak.median:.0f} | {driver.median:.0f} |"
        )
    return "\n".join([*lines, ""])


def as_json(works: Sequence[Work], results: Sequence[Results], machine: Mapping[str, str]) -> str:
    """Return every figure of every repetition as JSON."""
    runs = {
        work.name: {name: [ran.figures for ran in rans] for name, rans in work_results.runs.items()}
        for work, work_results in zip(works, results, strict=True)
    }
    return json.dumps({"machine": machine, "runs": runs}, indent=1) + "\n"


def plural(count: int, word: str) -> str:
    """``1 repetition``, ``3 repetitions``."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def table_of(results: Path) -> str:
    """The table of goals of a written ``results.md``."""
    text = results.read_text()
    return text.removeprefix(_TITLE).partition(_CONTESTANTS)[0].strip()


def page_block(table: str) -> str:
    """The picture, then the table."""
    return f"![Seconds of every contestant](../benchmarks/results/results.png)\n\n{table}"


def written_block(page: Path) -> str:
    """The text between the marks of a page."""
    return _around(page)[1].strip()


def update_page(page: Path, table: str) -> None:
    """Put the picture and a table between the marks of a page."""
    before, _, after = _around(page)
    page.write_text(f"{before}{BEGIN}\n\n{page_block(table)}\n\n{END}{after}")


def _around(page: Path) -> tuple[str, str, str]:
    before, begin, rest = page.read_text().partition(BEGIN)
    table, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no place for the table: {BEGIN} and {END}")
    return before, table, after
