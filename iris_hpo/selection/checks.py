"""Checks of a selection: what a user is warned of before the champion is used.

Here belongs what each check looks at and says; how Dagster runs and records checks is elsewhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from iris_hpo.data.checks import DATA_CHECKS, SPLIT_CHECKS
from iris_hpo.data.dataset import Task
from iris_hpo.data.findings import Check, Finding, does_not_apply
from iris_hpo.errors import InputError
from iris_hpo.selection.champion import ChampionCard, edge_warning
from iris_hpo.selection.estimates import Estimate, NoEstimate
from iris_hpo.selection.sentences import (
    comparison_sentence,
    comparisons_of,
    decimals,
    estimate_of,
    reference_reason,
)

SIGNIFICANT: Final = 0.01
"""Folds disagree if chance makes their errors as uneven in less than this share of cases."""


@dataclass(frozen=True)
class Facts:
    """What checks look at.

    Attributes
    ----------
    card
        The champion's card.
    task
        Classification or regression.
    before
        The estimate of the selection before, or why there is none to compare with.
    """

    card: ChampionCard
    task: Task
    before: Estimate | str


def _better_than(name: str) -> Callable[[Facts], Finding]:
    def examine(facts: Facts) -> Finding:
        comparison = comparisons_of(facts.card).get(name)
        if comparison is None:
            return does_not_apply(reference_reason(facts.card, name))
        return Finding(comparison_sentence(comparison, facts.task), comparison.is_better)

    return examine


def _within_grid(facts: Facts) -> Finding:
    warning = edge_warning(facts.card.edges)
    return Finding(
        warning or "no value of the champion is the lowest or the highest that was tried",
        not warning,
    )


def _folds_agree(facts: Facts) -> Finding:
    test = facts.card.fold_test
    if test is None:
        return does_not_apply("the predictions of the folds were not kept")
    what = (
        "are predicted wrongly"
        if facts.task == "classification"
        else "have an error above the median"
    )
    spread = f"{min(test['shares']):.2f} to {max(test['shares']):.2f} of a fold's rows {what}"
    passed = test["p_value"] >= SIGNIFICANT
    chance = f"chance makes them as uneven in {test['p_value']:.2g} of cases"
    advice = "" if passed else "; rows may depend on each other or be in order: check the splitter"
    return Finding(f"{spread}; {chance}{advice}", passed)


def _estimate_is_kept(facts: Facts) -> Finding:
    estimate, before = estimate_of(facts.card), facts.before
    if isinstance(estimate, NoEstimate):
        return does_not_apply(f"there is no estimate: {estimate.reason}")
    if isinstance(before, str):
        return does_not_apply(before)
    digits = decimals(before.low, before.high)
    value, old, low = (
        f"{number:.{digits}f}" for number in (estimate.value, before.value, before.low)
    )
    if estimate.value < before.low:
        return Finding(
            f"{value} is below the interval of the selection before, {old} and at least {low}",
            passed=False,
        )
    return Finding(f"{value}; the selection before expected {old}, and at least {low}")


CHECKS: Final[Mapping[str, Check[Facts]]] = {
    check.name: check
    for check in (
        Check(
            "better_than_default",
            "The champion is better than the estimator with its default settings, beyond chance.",
            _better_than("default"),
        ),
        Check(
            "better_than_baseline",
            "The champion is better than a model that ignores the features, beyond chance.",
            _better_than("baseline"),
        ),
        Check(
            "champion_is_within_grid",
            "The champion has neither the lowest nor the highest value of an axis of numbers.",
            _within_grid,
        ),
        Check(
            "folds_agree",
            "The champion's errors are spread over the folds as by chance: Pearson's chi-square "
            f"statistic against random tables, at {100 * SIGNIFICANT:g} %.",
            _folds_agree,
        ),
        Check(
            "estimate_is_kept",
            "The estimate is not below the interval of the selection before.",
            _estimate_is_kept,
        ),
    )
}
"""The checks, by name."""


def check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of checks, of the selection, the data or the split, if all are known.

    Raises
    ------
    InputError
        If one is unknown.
    """
    known = [*CHECKS, *DATA_CHECKS, *SPLIT_CHECKS]
    for at, name in enumerate(names):
        if name not in known:
            raise InputError(
                f"check {name!r} is unknown; choose from {', '.join(known)}", field=(at,)
            )
    return names
