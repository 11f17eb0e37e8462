"""The settings that a command works with: given ones, those of the last run, the search's own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from iris_hpo.data.named_splitters import refuse_settings
from iris_hpo.errors import InputError
from iris_hpo.known_rules import RULES
from iris_hpo.orchestration.config import sampling_settings
from iris_hpo.orchestration.last_run import last_changed, last_choices, last_sampling, last_split
from iris_hpo.orchestration.source_status import Settings
from iris_hpo.orchestration.study import Study
from iris_hpo.run_settings import (
    SETTINGS,
    SamplingSettings,
    SelectionSettings,
    SplitSettings,
    settings_of,
)
from iris_hpo.samplers import sampler_names
from iris_hpo.spec import SearchSpec
from iris_hpo.spec_choosing import default_rule, refuse_share, selection_settings


@dataclass(frozen=True)
class ChosenSettings:
    """The settings to work with.

    Attributes
    ----------
    settings, selection
        What was given, else what the last run changed, else the search's own.
    kept
        Lines that name the settings taken from the last run.
    """

    settings: Settings
    selection: SelectionSettings
    kept: Sequence[str]


def choose_settings(
    study: Study,
    *,
    choices: Sequence[str],
    rule: str | None,
    refit: str | None,
    within: str | None,
    metric: str | None,
    ensemble: bool | None,
    defaults: bool,
    **split: float | None,
) -> ChosenSettings:
    """Complete given settings by those of the last run, unless `defaults`, and the search's own.

    Parameters
    ----------
    choices
        Settings of the estimator, as ``NAME=VALUE``.
    split
        Settings of the split; None where none is given.

    Raises
    ------
    InputError
        If a setting does not exist or cannot have this value.
    """

    def last(read: Callable[[Study], Mapping[str, Any]]) -> Mapping[str, Any]:
        return {} if defaults else read(study)

    sampling_names = [setting.name for setting in settings_of(SamplingSettings)]
    given_sampling = _given({name: split.pop(name, None) for name in sampling_names})
    given_choices = _parsed(choices)
    given_split = _given(split)
    split_settings, kept_split = _choose_split(study.spec, given_split, last(last_split))
    chosen, kept_choices = _choose_choices(study.spec, given_choices, last(last_choices))
    sampling, kept_sampling = _choose_sampling(study.spec, given_sampling, last(last_sampling))
    n_folds = study.spec.division(split_settings).n_folds
    selecting = {"rule": rule, "refit": refit, "within": within, "metric": metric}
    given: dict[str, Any] = {name: value for name, value in selecting.items() if value}
    given |= {"ensemble": True} if ensemble else {}
    selection, kept = _choose_selection(study.spec, given, last(_last_selection), n_folds)
    return ChosenSettings(
        Settings(split_settings, chosen, sampling),
        selection,
        [*kept_split, *kept_choices, *kept_sampling, *kept],
    )


def present_settings(study: Study) -> ChosenSettings:
    """The settings of the last run, and the search's own."""
    none = dict.fromkeys(("rule", "refit", "within", "metric", "ensemble"))
    return choose_settings(study, choices=(), defaults=False, **none)


def _last_selection(study: Study) -> Mapping[str, Any]:
    return last_changed(study, "selection")


def _given(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options that were given; a flag that was not is False."""
    return {
        name: value for name, value in options.items() if value is not None and value is not False
    }


def _parsed(choices: Sequence[str]) -> Mapping[str, str]:
    values: dict[str, str] = {}
    for choice in choices:
        name, equals, value = choice.partition("=")
        if not equals:
            raise InputError(f"--set {choice!r}: write NAME=VALUE")
        values[name] = value
    return values


def _choose_split(
    spec: SearchSpec, given: Mapping[str, Any], last: Mapping[str, Any]
) -> tuple[SplitSettings, Sequence[str]]:
    refuse_settings(spec.splitter, given, lambda name: SETTINGS[name].option)
    own = asdict(spec.split)
    return SplitSettings(**{**own, **last, **given}), _kept(last, given, own)


def _choose_choices(
    spec: SearchSpec, given: Mapping[str, str], last: Mapping[str, Any]
) -> tuple[Mapping[str, str], Sequence[str]]:
    offered = {choice.name: choice for choice in spec.choices}
    own = {name: choice.default_text for name, choice in offered.items()}
    chosen = {**own, **last, **given}
    spec.make_objective(chosen)
    return chosen, _kept(last, given, own)


def _choose_sampling(
    spec: SearchSpec, given: Mapping[str, Any], last: Mapping[str, Any]
) -> tuple[SamplingSettings, Sequence[str]]:
    offered = {setting.name: setting.option for setting in sampling_settings(spec)}
    for name in given.keys() - offered.keys():
        raise InputError(
            f"{SETTINGS[name].option}: this search has a choice of the estimator of this name; "
            f"write {name} below budget in the YAML of the search"
        )
    own = vars(spec.sampling)
    sampler = given.get("sampler", own["sampler"])
    if sampler not in sampler_names(spec.sampler):
        known = ", ".join(sampler_names(spec.sampler))
        raise InputError(
            f"sampler {sampler!r} is unknown; choose one of {known}, or name the import path of "
            "one in sampler, in the search"
        )
    return SamplingSettings(**{**own, **last, **given}), _kept(last, given, own)


def _choose_selection(
    spec: SearchSpec, given: Mapping[str, Any], last: Mapping[str, Any], n_folds: int
) -> tuple[SelectionSettings, Sequence[str]]:
    last = {name: value for name, value in last.items() if name not in given}
    rule = RULES.get(given.get("rule") or last.get("rule") or default_rule(spec, n_folds))
    if rule is None or rule.margin != "share":
        last.pop("within", None)  # it belongs to the rule of the last run
    try:
        chosen = selection_settings(spec, n_folds, **{**last, **given})
    except InputError:
        if "rule" not in last:
            raise
        # The folds given now do not allow it.
        last = {name: value for name, value in last.items() if name != "rule"}
        chosen = selection_settings(spec, n_folds, **{**last, **given})
    if "within" in given:
        refuse_share(chosen.rule, chosen.within)
    return chosen, _kept(last, given, vars(selection_settings(spec, n_folds)))


def _kept(
    last: Mapping[str, Any], given: Mapping[str, Any], own: Mapping[str, Any]
) -> Sequence[str]:
    return [
        f"settings of the last run: {name} {_as_yaml(value)} (the search's default: "
        f"{_as_yaml(own[name])}); "
        "--defaults takes the search's own"
        for name, value in last.items()
        if name not in given and value != own[name]
    ]


def _as_yaml(value: object) -> str:
    """Spell a setting as a description and the options have it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
