"""Checks of the data and of the split: what a user is warned of before anything is learnt.

Here belongs what each check looks at and says; how Dagster records checks is elsewhere. Each looks
at every cell at most once, or at a sample of the rows, and takes a few seconds at most.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from iris_hpo.data.dataset import Dataset, class_counts
from iris_hpo.data.examples import Examples
from iris_hpo.data.findings import Check, Finding, does_not_apply
from iris_hpo.data.identifiers import IDENTIFIES
from iris_hpo.data.single_features import too_few_rows, well_predicting
from iris_hpo.data.values import constant_columns, missing_shares, row_codes
from iris_hpo.text import counted, legible, listed

TINY: Final = 10
"""Number of rows below which a class is tiny."""
UNEQUAL: Final = 0.8
"""Share of the largest class from which on its accuracy says little."""
NEARLY_EMPTY: Final = 0.95
"""Share of missing values from which on a column is nearly empty."""


@dataclass(frozen=True)
class DataFacts:
    """What checks of the data look at; ``scoring`` is that of the search."""

    dataset: Dataset
    scoring: str


def _no_identifiers(facts: DataFacts) -> Finding:
    remarks = [note for note in facts.dataset.notes if IDENTIFIES in note]
    if remarks:
        return Finding("; ".join(remarks[:3]) + _rest(len(remarks) - 3), passed=False)
    return Finding("no feature seems to identify the rows")


def _no_leaks(facts: DataFacts) -> Finding:
    dataset = facts.dataset
    if too_few_rows(dataset.target):
        return does_not_apply("so few rows may agree by chance")
    names = [legible(dataset.feature_names[at]) for at in well_predicting(dataset)]
    if not names:
        return Finding("no single feature predicts the target nearly without error")
    one = len(names) == 1
    return Finding(
        f"{listed(names)} predict{'s' if one else ''} the target nearly without error, "
        f"{'alone' if one else 'each alone'}: check whether {'it is' if one else 'they are'} known "
        "before the target; if not, write columns: {<name>: drop}",
        passed=False,
    )


def _no_empty_columns(facts: DataFacts) -> Finding:
    dataset = facts.dataset
    names = [*map(legible, dataset.feature_names)]
    constant = constant_columns(dataset.features)
    shares = missing_shares(dataset.features)
    empty = [*np.flatnonzero(shares >= NEARLY_EMPTY)]
    problems = [
        f"{what}: {listed([names[at] for at in columns])}"
        for what, columns in (("constant", constant), ("nearly empty", empty))
        if len(columns)
    ]
    return Finding("; ".join(problems) or "no feature is constant or nearly empty", not problems)


def _no_tiny_classes(facts: DataFacts) -> Finding:
    dataset = facts.dataset
    if dataset.task == "regression":
        return does_not_apply("the target is a number")
    counts = class_counts(dataset.target)
    tiny = {name: count for name, count in counts.items() if count < TINY}
    if not tiny:
        smallest = min(counts, key=lambda name: counts[name])
        return Finding(f"the smallest class, {legible(smallest)}, has {counts[smallest]:,} rows")
    described = [f"{legible(name)} ({count})" for name, count in tiny.items()]
    return Finding(
        f"{counted(len(tiny), 'class', 'classes')} with fewer than {TINY} rows: "
        f"{', '.join(described[:5])}{_rest(len(described) - 5)}: their scores say little",
        passed=False,
    )


def _scoring_fits(facts: DataFacts) -> Finding:
    dataset = facts.dataset
    if dataset.task == "regression":
        return does_not_apply("the target is a number")
    counts = class_counts(dataset.target)
    largest = max(counts, key=lambda name: counts[name])
    share = counts[largest] / len(dataset.target)
    described = f"the largest class, {legible(largest)}, has {100 * share:.1f} % of the rows"
    if facts.scoring != "accuracy":
        return does_not_apply(f"the scoring is {facts.scoring}; {described}")
    if share < UNEQUAL:
        return Finding(described)
    return Finding(
        f"{described}, so that predicting always this class has the accuracy {share:.3f}; consider "
        "scoring: balanced_accuracy",
        passed=False,
    )


def _no_shared_rows(parts: Examples) -> Finding:
    train, test = row_codes(parts.features), row_codes(parts.test_features)
    codes = np.concatenate([train, test])
    if 2 * len(np.unique(codes)) < len(codes):
        return does_not_apply("most rows have the same features as another one")
    shared = int(np.isin(test, train).sum())
    if not shared:
        return Finding("no test row has the features of a training row")
    return Finding(
        f"{shared:,} of {counted(len(test), 'test row')} {'has' if shared == 1 else 'have'} the "
        "features of a training row; if they are the same cases, remove repeated rows from the "
        "data, or give each case's rows one group",
        passed=False,
    )


def _groups_are_apart(parts: Examples) -> Finding:
    train, test = parts.roles.group, parts.test_roles.group
    if train is None or test is None:
        return does_not_apply("no column has the role group")
    shared = np.intersect1d(train, test)
    if not len(shared):
        return Finding("no group is in both parts")
    return Finding(
        f"{counted(len(shared), 'group')} in both parts: {listed([*map(str, shared)])}; choose "
        "splitter: grouped",
        passed=False,
    )


def _time_is_kept(parts: Examples) -> Finding:
    train, test = parts.roles.time, parts.test_roles.time
    if train is None or test is None:
        return does_not_apply("no column has the role time")
    early = int((test < train.max()).sum())
    if not early:
        return Finding("no test row is earlier than a training row")
    return Finding(
        f"{early:,} of {counted(len(test), 'test row')} {'is' if early == 1 else 'are'} "
        "earlier than a training row, so that the score is not one of predicting the future; "
        "choose splitter: time",
        passed=False,
    )


def _rest(number: int) -> str:
    return f" and {number} more" if number > 0 else ""


DATA_CHECKS: Final[Mapping[str, Check[DataFacts]]] = {
    check.name: check
    for check in (
        Check(
            "features_identify_no_rows",
            "No feature counts the rows, or differs in every row and is named or ordered like an "
            "identifier.",
            _no_identifiers,
        ),
        Check(
            "no_feature_alone_predicts",
            "No single feature predicts the target nearly without error.",
            _no_leaks,
        ),
        Check(
            "features_are_filled",
            f"No feature is constant, and none is missing in {100 * NEARLY_EMPTY:g} % of the rows.",
            _no_empty_columns,
        ),
        Check(
            "classes_are_large_enough",
            f"Every class has at least {TINY} rows.",
            _no_tiny_classes,
        ),
        Check(
            "scoring_suits_classes",
            f"The scoring is not the accuracy where a class has {100 * UNEQUAL:g} % of the rows.",
            _scoring_fits,
        ),
    )
}
"""The checks of the data, by name."""

SPLIT_CHECKS: Final[Mapping[str, Check[Examples]]] = {
    check.name: check
    for check in (
        Check(
            "rows_are_apart",
            "No test row has the features of a training row.",
            _no_shared_rows,
        ),
        Check(
            "groups_are_apart",
            "No group, of the column with the role `group`, is in both parts.",
            _groups_are_apart,
        ),
        Check(
            "time_order_is_kept",
            "No test row is earlier than a training row, by the column with the role `time`.",
            _time_is_kept,
        ),
    )
}
"""The checks of the split, by name."""
