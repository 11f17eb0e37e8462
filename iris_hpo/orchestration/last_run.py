"""The settings in which the last run differed from the search's own, from its metadata."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from iris_hpo.data.named_splitters import names_of_settings
from iris_hpo.orchestration.config import sampling_settings
from iris_hpo.samplers import sampler_names

if TYPE_CHECKING:
    from iris_hpo.orchestration.study import Study

CHANGED = "changed_settings"
"""Metadata of `split`, `parameters` and `selection`: settings that were not the search's own."""


def changed(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Make the metadata that names settings that differ from the defaults; empty if none do.

    Settings that are not named follow the description of the search when it changes.
    """
    differing = {name: value for name, value in settings.items() if value != defaults[name]}
    return {CHANGED: differing} if differing else {}


def last_split(study: "Study") -> dict[str, Any]:
    """Changed settings of the split that the search's splitter has; it may have had another one."""
    names = names_of_settings(study.spec.splitter)
    return {name: value for name, value in last_changed(study, "split").items() if name in names}


def last_choices(study: "Study") -> dict[str, Any]:
    """Changed settings of the estimator that the search still offers."""
    offered = {choice.name: choice.texts for choice in study.spec.choices}
    last = last_changed(study, "parameters")
    return {name: value for name, value in last.items() if value in offered.get(name, ())}


def last_sampling(study: "Study") -> dict[str, Any]:
    """The changed sampler and budget, as far as the search still has them."""
    names = {setting.name for setting in sampling_settings(study.spec)}
    last = last_changed(study, "parameters")
    kept = {name: value for name, value in last.items() if name in names}
    if kept.get("sampler") not in sampler_names(study.spec.sampler):
        kept.pop("sampler", None)
    return kept


def last_changed(study: "Study", asset: str) -> dict[str, Any]:
    """Settings in which the last materialisation of an unpartitioned asset differed."""
    recorded = study.metadata(asset).get(CHANGED)
    value = recorded.value if recorded is not None else None
    return dict(value) if isinstance(value, dict) else {}
