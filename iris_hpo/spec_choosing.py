"""How a search chooses: the rule and the other settings of its selections."""

from typing import TYPE_CHECKING, Any

from iris_hpo import known_rules
from iris_hpo.errors import InputError
from iris_hpo.known_rules import OWN_SCORE, RULES
from iris_hpo.run_settings import AUTO, SelectionSettings
from iris_hpo.selection.rescoring import scoring_of
from iris_hpo.selection.rules import check_rule

if TYPE_CHECKING:
    from iris_hpo.spec import SearchSpec


def selection_settings(
    spec: "SearchSpec", folds: int, rule: str | None = None, **given: Any
) -> SelectionSettings:
    """Return the settings of a selection: those that were given, else the search's own.

    Raises
    ------
    InputError
        If they cannot be followed.
    """
    names = ("refit", "within", "metric")
    refit, within, metric = (given.get(name) or getattr(spec, name) for name in names)
    ensemble = given.get("ensemble")
    ensemble = spec.ensemble if ensemble is None else ensemble
    _check_own_selection(spec, refit, metric, ensemble=ensemble)
    metric = scoring_of(metric, spec.task, spec.scorings.names) if metric else None
    rule = checked_rule(spec, rule, folds)
    if within != spec.within:
        refuse_share(rule, within)
    return SelectionSettings(rule, refit, within, metric, ensemble)


def default_rule(spec: "SearchSpec", folds: int) -> str:
    """Name the rule that holds where a run says nothing."""
    return spec.rule or (OWN_SCORE if spec.scores_itself else known_rules.default_rule(folds))


def checked_rule(spec: "SearchSpec", rule: str | None, folds: int) -> str:
    """Return the rule that was given, or the search's, if it can be followed.

    Raises
    ------
    InputError
        If it is unknown, needs cross-validation and there is none, needs to know which end of an
        axis is simple, or is for another kind of objective.
    """
    rule = check_rule(rule or default_rule(spec, folds), folds, spec.space)
    if RULES[rule].scores_itself != spec.scores_itself:
        reason = (
            f"the objective scores itself, so the rule is {OWN_SCORE!r}; leave rule out"
            if spec.scores_itself
            else "it is for a function or a program that scores itself"
        )
        raise InputError(f"rule {rule!r}: {reason}", field=("rule",))
    return rule


def refuse_share(rule: str, within: str) -> None:
    """Refuse the share of the rule ``within`` under another one, where it has no effect.

    Raises
    ------
    InputError
        Names the rule.
    """
    if RULES[rule].margin != "share":
        raise InputError(
            f"within {within!r} has no effect under the rule {rule!r}; choose the rule 'within', "
            "or leave it out",
            field=("within",),
        )


def _check_own_selection(
    spec: "SearchSpec", refit: str, metric: str | None, *, ensemble: bool
) -> None:
    """Refuse settings of a selection that an objective that scores itself cannot follow."""
    given = {"refit": refit != AUTO, "metric": metric, "ensemble": ensemble}
    name = next((name for name, value in given.items() if value), None)
    if spec.scores_itself and name:
        raise InputError(
            f"{name}: the objective scores itself and gives no model; leave {name} out",
            field=(name,),
        )
