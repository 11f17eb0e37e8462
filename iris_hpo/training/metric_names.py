"""Names of metrics: which ones are taken, as columns of the leaderboard and of exports are."""

import re
from typing import Final

PARAMETER: Final = "param_"
"""How the columns of parameters begin."""

CV_MEAN_OF: Final = "cv_mean_"
"""How the columns begin with the mean over the folds of a scoring that does not decide."""

PROPOSAL: Final = ("sampler", "number", "results_known")
"""Columns that say how a candidate was proposed; only where a sampler proposed some."""

FIXED_COLUMNS: Final = frozenset(
    (
        *("rank", "candidate", "score", "cv_mean", "cv_std", "correct", "total"),
        *("interval_low", "interval_high", "selected", "champion"),
        *PROPOSAL,
    )
)
"""Columns of the leaderboard that are neither a parameter nor a metric."""

_TAKEN: Final = FIXED_COLUMNS | {
    *("params", "mean_fit_time", "mean_test_score", "std_test_score", "rank_test_score", "reason"),
    *("score_seconds", "convergence_warnings", "reused"),
}
"""With the other columns of tables for scikit-learn's users, and the metadata of a score."""

_TAKEN_FORM: Final = re.compile(rf"{PARAMETER}.*|split\d+_test_score")


def is_metric(column: str) -> bool:
    """Whether a column of the leaderboard is a metric."""
    return column not in FIXED_COLUMNS and not column.startswith(PARAMETER)


def check_metric(name: object) -> None:
    """Refuse what cannot name a score or a metric.

    Raises
    ------
    ValueError
        If it is no text of one line, or a table of candidates calls something else so.
    """
    if not (isinstance(name, str) and name.strip() and name.isprintable()):
        raise ValueError(f"{repr(name)[:60]} is no name of a metric")
    if name in _TAKEN or _TAKEN_FORM.fullmatch(name):
        raise ValueError(
            f"a metric cannot be named {name!r}, as another column in tables of candidates is; "
            "give it another name"
        )
