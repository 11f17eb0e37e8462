"""The sentences about a champion, each on one line: its estimate, its test score, comparisons.

The command, the metadata of `selection` and its checks show the same sentences. Where they are
shown is decided there.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from iris_hpo.data.dataset import Task
from iris_hpo.known_rules import RULES
from iris_hpo.run_settings import ALL
from iris_hpo.selection.champion import CHAMPION, MINIMIZE, ChampionCard
from iris_hpo.selection.ensemble import ENSEMBLE
from iris_hpo.selection.estimates import Comparison, Estimate, NoEstimate
from iris_hpo.selection.selected_files import SELECTED_FOLDER, selected_name
from iris_hpo.text import counted

_PLAIN_SCORING: Final = "accuracy"
"""The scoring whose numbers need no name beside them."""

_NAMES: Final[Mapping[str, Mapping[Task, str]]] = {
    "default": {"classification": "the defaults", "regression": "the defaults"},
    "baseline": {"classification": "the most frequent class", "regression": "the mean"},
}
"""How sentences name the references."""

_CHANCE: Final = "this may be chance"
_EARLIER: Final = "an earlier version made this selection"


def champion_lines(card: ChampionCard, task: Task, candidates: int) -> list[str]:
    """All sentences about a champion, the estimate first.

    Parameters
    ----------
    candidates
        Number of candidates that it was selected from.
    """
    lines = [
        f"champion {card.key}: {expectation(estimate_of(card), card.scoring)}",
        score_sentence(card),
    ]
    if card.as_good is not None:
        lines.append(others_sentence(len(card.as_good), candidates))
    lines += [comparison_sentence(each, task) for each in comparisons_of(card).values()]
    lines += [ties_sentence(card), model_sentence(card)]
    return [*lines, ensemble_sentence(card)] if card.ensemble else lines


def estimate_of(card: ChampionCard) -> Estimate | NoEstimate:
    """Read the estimate from a card, or why there is none."""
    return _estimate_in(card.estimate, card.estimate_reason)


def estimate_of_vote(card: ChampionCard) -> Estimate | NoEstimate:
    """Read the estimate of the ensemble from a champion's card, or why there is none."""
    fields = card.ensemble or {}
    return _estimate_in(fields.get("estimate"), fields.get("estimate_reason"))


def _estimate_in(fields: Mapping[str, Any] | None, reason: str | None) -> Estimate | NoEstimate:
    return Estimate(**fields) if fields is not None else NoEstimate(reason or _EARLIER)


def comparisons_of(card: ChampionCard) -> Mapping[str, Comparison]:
    """Read from a card how the champion compares with each reference, the default first."""
    compared = {each["name"]: each for each in card.references or () if "gain" in each}
    names = sorted(compared, key=lambda name: (name not in _NAMES, name != "default", name))
    return {
        name: Comparison(name, *(compared[name][part] for part in ("value", "gain", "low", "high")))
        for name in names
    }


def reference_reason(card: ChampionCard, name: str) -> str:
    """Return why a champion was not compared with a reference."""
    if card.references is None:
        return _EARLIER
    reasons = {each["name"]: each.get("reason") for each in card.references}
    if name not in reasons:
        return f"the objective names no {name}"
    return reasons[name] or "the rows cannot be compared"


def expectation(estimate: Estimate | NoEstimate, scoring: str) -> str:
    """Sentence with the estimate and its interval, or with the reason why there is none.

    Examples
    --------
    >>> expectation(Estimate(0.9311, 0.8834, 0.9761, "", "bbc"), "accuracy")
    'expect 0.93, between 0.88 and 0.98 (95 %)'
    """
    if isinstance(estimate, NoEstimate):
        return f"no estimate: {estimate.reason}"
    digits = decimals(estimate.low, estimate.high)
    value, low, high = (
        f"{_rounded(number, digits):.{digits}f}"
        for number in (estimate.value, estimate.low, estimate.high)
    )
    return f"expect {_named(scoring, value)}, between {low} and {high} (95 %)"


def score_sentence(card: ChampionCard) -> str:
    """Sentence with the score on the test rows, and whether they chose the champion.

    The score of an objective that scores itself is on no rows that are known here.
    """
    if RULES[card.rule].scores_itself:
        best = "least" if card.direction == MINIMIZE else "greatest"
        number = f"{card.score:.6g}"
        return f"{card.scoring} {number} is the {best} score that the objective gave"
    number = f"{card.score:.4f}" if card.scoring == _PLAIN_SCORING else f"{card.score:.4g}"
    rows = "the test rows" if card.test_rows is None else f"the {card.test_rows} test rows"
    choice = ", which did not choose it" if RULES[card.rule].needs_folds else " it was chosen by"
    return f"{_named(card.scoring, number)} on {rows}{choice}"


def others_sentence(as_good: int, candidates: int) -> str:
    """Sentence on how many candidates are as good as the champion.

    Parameters
    ----------
    as_good, candidates
        Number of candidates that a paired test on the same rows does not distinguish from the
        champion, and of all; both with the champion.
    """
    others, rivals = candidates - 1, as_good - 1
    if not others:
        return "there is no other candidate"
    if others == 1:
        compared = "the other candidate"
    else:
        part = f"{rivals} of" if rivals else "each of"
        compared = f"{part} the {others} other candidates"
    return f"{compared} {'cannot be distinguished from it' if rivals else 'is worse beyond chance'}"


def comparison_sentence(comparison: Comparison, task: Task) -> str:
    """Sentence on the champion against a reference."""
    digits = decimals(comparison.low, comparison.high)
    name = _NAMES.get(comparison.name, {}).get(task, comparison.name)
    gain, low, high = (
        _rounded(number, digits) for number in (comparison.gain, comparison.low, comparison.high)
    )
    if not (comparison.gain or comparison.low or comparison.high):
        return f"it predicts the same as {name} for each row"
    beside = f"{name} ({_rounded(comparison.value, digits):.{digits}f})"
    if not gain:
        between = f"between {low:.{digits}f} and {high:.{digits}f}"
        return f"as good as {beside}: the difference lies {between}"
    if gain < 0:
        gain, low, high = -gain, -high + 0.0, -low + 0.0
    between = f"between {low:.{digits}f} and {high:.{digits}f}"
    side = "better" if comparison.gain > 0 else "worse"
    text = f"{side} than {beside} by {gain:.{digits}f} on the same rows, {between}"
    is_certain = comparison.low > 0 or comparison.high < 0
    return text if is_certain else f"{text}: {_CHANCE}"


def ties_sentence(card: ChampionCard) -> str:
    """Sentence on how many candidates were selected, why, and where their models are."""
    text = f"{RULES[card.rule].sentence(card.tied)} ({card.rule})"
    return f"{text}; their models are in {SELECTED_FOLDER}" if card.tied > 1 else text


def model_sentence(card: ChampionCard) -> str:
    """Sentence on which model the champion's file is."""
    if RULES[card.rule].scores_itself:
        folder = f"; its files are in {SELECTED_FOLDER}" if card.has_files else ""
        return f"{CHAMPION} holds the numbers that the objective gave{folder}"
    file = CHAMPION.rpartition("/")[2]
    if card.refit == ALL:
        scored_file = selected_name(card.key)
        return (
            f"{file} was trained again on all {card.training_rows} rows; the model that was scored "
            f"is {scored_file}"
        )
    rows = "" if card.training_rows is None else f", trained on {card.training_rows} rows"
    return f"{file} is the model that was scored{rows}"


def ensemble_sentence(card: ChampionCard) -> str:
    """Sentence on the vote of the selected models: its number of models, size and estimate."""
    fields = card.ensemble or {}
    models, size = fields.get("models", 0), fields.get("bytes", 0)
    file = ENSEMBLE.rpartition("/")[2]
    expected = expectation(estimate_of_vote(card), card.scoring)
    return f"{file} is the vote of {counted(models, 'model')} ({_in_bytes(size)}): {expected}"


def decimals(low: float, high: float) -> int:
    """Return how many decimals the ends of an interval are worth.

    Rounding to them moves no number by more than a tenth of the interval's width.
    """
    width = high - low
    if not width > 0:
        return 4
    return min(max(0, math.ceil(-math.log10(width / 5) - 1e-9)), 12)


def _named(scoring: str, number: str) -> str:
    """Return a number with the name of its scoring, unless it is an accuracy."""
    return number if scoring == _PLAIN_SCORING else f"{scoring} {number}"


def _rounded(number: float, digits: int) -> float:
    """Round, without the sign of a zero."""
    return round(number, digits) + 0.0


def _in_bytes(size: int) -> str:
    """Write a size in kB or MB, of 1,000 or 1,000,000 bytes."""
    kilobytes = math.ceil(size / 1e3)
    return f"{kilobytes} kB" if kilobytes < 1_000 else f"{size / 1e6:.1f} MB"
