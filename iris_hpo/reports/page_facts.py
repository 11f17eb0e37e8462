"""`PageFacts`: what the page of a selection says, as plain values.

How the page looks is decided elsewhere.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from iris_hpo.reports.past import PastSelection
from iris_hpo.selection.leaderboard import leaderboard
from iris_hpo.selection.rules import Selection
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.space.values import Value


@dataclass(frozen=True)
class PageFacts:
    """What the page of a selection says.

    Attributes
    ----------
    title
        The name of the search.
    scoring, rule, space
        The name of the scoring, the rule that chose, and the space that was searched.
    rows
        The leaderboard, best first: cells by the names of the columns.
    answer, warnings
        Sentences: the first ones on the champion, the others on what may be wrong.
    as_good
        Keys of the candidates that cannot be distinguished from the champion, with its own; None
        if rows cannot be compared.
    seconds
        Seconds that training and scoring took, by candidate; empty if they are not shown.
    order
        Candidates in the order in which their scores were recorded; empty if it is not shown.
    failures
        Reason by the key of each candidate that failed.
    about
        What the selection was made from: the data, the split, versions, runs.
    past
        Selections of the search, the latest first.
    minimizes
        Whether the least score is the best.
    """

    title: str
    scoring: str
    rule: str
    space: ParameterSpace
    rows: Sequence[Mapping[str, Value]]
    answer: Sequence[str]
    warnings: Sequence[str] = ()
    as_good: Collection[str] | None = None
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    order: Sequence[str] = ()
    failures: Mapping[str, str] = field(default_factory=dict[str, str])
    about: Mapping[str, str] = field(default_factory=dict[str, str])
    past: Sequence[PastSelection] = ()
    minimizes: bool = False


@dataclass(frozen=True)
class ReportedSelection(Selection):
    """A selection with all that is known of it when its reports are made.

    Attributes
    ----------
    facts
        What the page says; None if only the selection is known.
    """

    facts: PageFacts | None = None


def facts_of(selection: Selection) -> PageFacts:
    """Return the facts of a selection, or those that can be read from the choice alone."""
    if isinstance(selection, ReportedSelection) and selection.facts is not None:
        return selection.facts
    key = selection.champion.candidate.key
    return PageFacts(
        title=selection.scoring,
        scoring=selection.scoring,
        rule=selection.rule,
        space=selection.space,
        rows=leaderboard(selection),
        answer=[f"champion {key}: {selection.expectation or 'no estimate was made'}"],
        minimizes=selection.minimizes,
    )
