"""The leaderboard on a terminal: columns go before names are shortened."""

import io
from types import SimpleNamespace
from typing import cast

import pytest
from rich.console import Console

from iris_hpo.command.show import print_leaderboard
from iris_hpo.selection.champion import ChampionCard

KEYS = ("C32768.0_G0.016", "C32768.0_G0.063")
ROW = {
    "rank": "1",
    "score": "0.9667",
    "cv_mean": "0.94166",
    "cv_std": "0.02",
    "correct": "29",
    "total": "30",
    "interval_low": "0.833",
    "interval_high": "0.994",
    "selected": "true",
    "champion": "false",
}
WIDE = ["rank", "candidate", "test score", "95 % interval", "fold mean", "fold SD"]


def printed(width: int, *keys: str) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    champion = cast("ChampionCard", SimpleNamespace(rule="cv", scoring="accuracy"))
    print_leaderboard(console, [{**ROW, "candidate": key} for key in keys], champion)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("width", "headers"),
    [
        (100, WIDE),
        (83, WIDE),
        (82, WIDE[:-1]),
        (70, [*WIDE[:3], "fold mean"]),
        (50, WIDE[:3]),
    ],
)
def test_a_narrow_terminal_gets_fewer_columns_and_whole_names(
    width: int, headers: list[str]
) -> None:
    lines = printed(width, *KEYS)

    assert [header for header in WIDE if header in lines[0]] == headers
    assert len(lines) == 3
    for key, line in zip(KEYS, lines[1:], strict=True):
        assert f" {key} " in line
        assert "0.9667 (29/30)" in line


def test_a_name_that_is_wider_than_the_terminal_goes_on_in_the_next_line() -> None:
    lines = printed(40, *("_".join(["n_estimators100"] * 4) + end for end in "ab"))

    folded = "".join(line[6:].split()[0] for line in lines[1:] if line[6:].split())
    assert "estimators100a" in folded
    assert "estimators100b" in folded
    assert "\u2026" not in "".join(lines)


def test_a_name_in_brackets_is_shown_as_it_is() -> None:
    assert "[bold]" in printed(100, "[bold]")[1]


def test_other_metrics_go_before_what_decides() -> None:
    champion = cast("ChampionCard", SimpleNamespace(rule="cv", scoring="accuracy"))
    console = Console(file=io.StringIO(), width=70)
    row = {**ROW, "candidate": "C0.1_Klinear", "cv_mean_f1": "0.5", "cv_mean_neg_log_loss": "-0.5"}
    print_leaderboard(console, [row], champion)
    header = console.file.getvalue().splitlines()[0]  # type: ignore[attr-defined]

    assert "fold mean" in header
    assert "f1" not in header
    assert "log_loss" not in header
