"""The tables of ``docs/truth.md``, and the goals."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from benchmarks.environment import REPOSITORY
from benchmarks.machine import PACKAGES
from benchmarks.truth.outcomes import Average

PAGE: Final = REPOSITORY / "docs" / "truth.md"
BEGIN: Final = "<!-- truth: written by make truth -->"
END: Final = "<!-- end of truth -->"

ENOUGH: Final = 50
"""Data sets of each kind from which on goals are judged: with fewer, chance decides too much."""

PESSIMISTIC: Final = 1.5
OPTIMISTIC: Final = 1.0
COVERED: Final = 93
ERRORS: Final = 2
"""Number of standard errors beyond which a gain is sure."""

GOALS: Final = (
    f"The estimate is at most {OPTIMISTIC:g} point above the truth on average, and at most "
    f"{PESSIMISTIC:g} below; the 95 % interval holds the truth in at least {COVERED} of 100 data "
    "sets; it is narrower than Wilson's on the test rows, and than that of nested "
    "cross-validation, corrected; the default champion is truly better than GridSearchCV's on "
    f"every generator, on most by more than {ERRORS} standard errors."
)


def missed(averages: Sequence[Average], default: str) -> list[str]:
    """Say which goals were missed, one a line."""
    lines: list[str] = []
    for row in averages:
        where = f"{row.generator}, {_rule(row)}"
        if not -PESSIMISTIC <= row.bias.value <= OPTIMISTIC:
            lines.append(f"{where}: the estimate is {row.bias} points off")
        if row.covered < COVERED:
            lines.append(f"{where}: the interval holds the truth in {row.covered:.0f} of 100")
        for name, beside in (("Wilson's", row.wilson), ("nested cross-validation's", row.nested)):
            if beside is not None and row.width >= beside:
                lines.append(f"{where}: {row.width:.1f} points wide, and {name} {beside:.1f}")
    champions = [row for row in averages if row.rule == default]
    lines += [
        f"{row.generator}: the default champion gains {row.gain} points on GridSearchCV's"
        for row in champions
        if row.gain.value <= 0
    ]
    sure = [row for row in champions if row.gain.value > ERRORS * row.gain.error]
    if 2 * len(sure) <= len(champions):
        lines.append(
            f"the gain on GridSearchCV's champion is sure on {len(sure)} of {len(champions)} "
            "generators only"
        )
    return lines


_COLUMNS: Final = (
    *("data", "rule", "chosen by, off by", "estimate, off by"),
    *("holds the truth", "width", "Wilson's", "nested CV's"),
    "uncorrected",
)


def make_tables(
    averages: Sequence[Average],
    default: str,
    machine: Mapping[str, str],
    measured: str,
    *,
    judged: bool = True,
) -> str:
    """Return both tables, the goals and those that were missed, and the machine.

    Goals are for the full size; ``judged=False`` leaves the verdicts out.
    """
    lines = [
        f"| {' | '.join(_COLUMNS)} |",
        f"|{'---|' * len(_COLUMNS)}",
        *map(_estimate_line, averages),
        "",
        "| data | rule | truth, GridSearchCV | truth | gain |",
        "|---|---|---|---|---|",
        *(_gain_line(row) for row in averages if row.rule == default or "ensemble" in row.rule),
    ]
    lines += ["", f"Goals: {GOALS}", ""] if judged else []
    if judged and min(row.sets for row in averages) < ENOUGH:
        lines.append(f"Goals are judged with at least {ENOUGH} data sets of each kind.")
    elif judged:
        failures = missed(averages, default)
        verdict = ["Missed:", "", *(f"- {line}" for line in failures)] if failures else ["All met."]
        lines += verdict
    return "\n".join([*lines, "", measured, "", _machine(machine)])


def _estimate_line(row: Average) -> str:
    beside = (row.wilson, row.nested, row.nested_plain)
    widths = " | ".join("" if width is None else f"{width:.1f}" for width in beside)
    return (
        f"| {row.generator} | {_rule(row)} | {row.raw_bias} | {row.bias} | {row.covered:.0f} % "
        f"| {row.width:.1f} | {widths} |"
    )


def _gain_line(row: Average) -> str:
    beside = row.truth - row.gain.value
    return f"| {row.generator} | {_rule(row)} | {beside:.1f} | {row.truth:.1f} | {row.gain} |"


def _rule(row: Average) -> str:
    """Name a rule as code, with what is delivered beside a champion."""
    rule, comma, rest = row.rule.partition(",")
    return f"`{rule}`{comma}{rest}"


def _machine(machine: Mapping[str, str]) -> str:
    packages = ", ".join(f"{name} {machine[name]}" for name in PACKAGES if name in _USED)
    return f"On {machine['date']}: {machine['processor']}, Python {machine['python']}, {packages}."


_USED: Final = ("scikit-learn", "numpy")


def as_json(averages: Sequence[Average], machine: Mapping[str, str]) -> str:
    """Return every figure as JSON."""
    return json.dumps({"machine": machine, "rows": [asdict(row) for row in averages]}, indent=1)


def write_page(page: Path, tables: str) -> None:
    """Put the tables between the marks of a page."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no place for the tables: {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}")
