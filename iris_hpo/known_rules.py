"""The rules by which the best candidate is chosen, each with its name, texts and way to choose.

`iris_hpo.selection.choosing` follows them. ``--help`` reads this module, so it imports nothing
heavy.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from iris_hpo.errors import InputError


@dataclass(frozen=True)
class Rule:
    """How the best candidate is chosen.

    Attributes
    ----------
    name
        The rule's name in settings and files.
    criterion
        What the selected candidates have; figures and texts name it.
    consequence
        What follows for the user, after the criterion and a comma.
    tie
        What several selected candidates have in common, after their number.
    needs_folds
        Whether it ranks by cross-validation, and not by the test score.
    margin
        How far below the best mean a selected candidate may lie: not at all, one standard error of
        the best mean, or a share of the mean.
    scores_itself
        Whether it is for objectives that give their scores themselves, and for no others.
    """

    name: str
    criterion: str
    consequence: str
    tie: str = "candidates tie at the best"
    needs_folds: bool = True
    margin: Literal["none", "standard_error", "share"] = "none"
    scores_itself: bool = False

    @property
    def takes_simplest(self) -> bool:
        """Whether the champion is the simplest of the selected candidates."""
        return self.margin != "none"

    @property
    def needs_error(self) -> bool:
        """Whether it needs the standard error of the mean."""
        return self.margin == "standard_error"

    @property
    def description(self) -> str:
        """What it chooses, and what follows."""
        return f"{self.criterion}, {self.consequence}"

    def title_of(self, scoring: str) -> str:
        """Describe the score that ranks."""
        if self.scores_itself:
            return scoring
        return f"{scoring}, {'mean over the folds' if self.needs_folds else 'on the test rows'}"

    def sentence(self, selected: int) -> str:
        """Describe how many candidates were selected."""
        return f"{selected} {self.tie}" if selected > 1 else "one candidate is the best"


OWN_SCORE: Final = "own_score"
"""Name of the rule of objectives that score themselves."""

RULES: Final[Mapping[str, Rule]] = {
    rule.name: rule
    for rule in (
        Rule(
            "test_score",
            "the best test score",
            "which is then too good an estimate",
            needs_folds=False,
        ),
        Rule(
            "cv",
            "the best cross-validation mean",
            "so that the test score stays an honest estimate",
        ),
        Rule(
            "one_standard_error",
            "a cross-validation mean within one standard error of the best",
            "the champion being the simplest of these",
            tie="candidates lie within one standard error of the best",
            margin="standard_error",
        ),
        Rule(
            "within",
            "a cross-validation mean within a share of the best, such as 1%",
            "the champion being the simplest of these",
            tie="candidates lie within the allowed share of the best",
            margin="share",
        ),
        Rule(
            OWN_SCORE,
            "the best score that the objective gives",
            "for a function or a program that scores itself",
            needs_folds=False,
            scores_itself=True,
        ),
    )
}
"""The rules, by name."""


DEFAULT_SHARE: Final = 0.01
"""The share of the best mean within which the rule `within` selects, where nothing is given."""

_PERCENTAGE: Final = re.compile(r"(\d{1,2}(?:\.\d{1,6})?) ?%", re.ASCII)


def parse_share(text: str) -> float:
    """Read a percentage below 100, such as ``1%``, as a share.

    Raises
    ------
    InputError
        If it is written in another way.
    """
    match = _PERCENTAGE.fullmatch(text)
    if match is None:
        raise InputError(
            f"within {text!r}: write a percentage from 0% to below 100%, such as 1%",
            field=("within",),
        )
    return float(match[1]) / 100


def default_rule(folds: int) -> str:
    """Name the rule where neither a run nor the search names one: the first that fits the folds."""
    return next(rule.name for rule in RULES.values() if rule.needs_folds == bool(folds))
