"""The settings in which the last run differed from the search's own, from its metadata."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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


def last_changed(study: "Study", asset: str) -> dict[str, Any]:
    """Settings in which the last materialisation of an unpartitioned asset differed."""
    recorded = study.metadata(asset).get(CHANGED)
    value = recorded.value if recorded is not None else None
    return dict(value) if isinstance(value, dict) else {}
