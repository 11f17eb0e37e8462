"""The settings that the last run changed from the search's own, as its events say."""

from collections.abc import Mapping
from typing import Any

from iris_hpo.orchestration.study import Study

CHANGED = "changed_settings"
"""The metadata of `split`, `parameters` and `selection`: settings that were not the search's."""


def changed(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata that names the settings that differ from the defaults; none if all are equal.

    What is not named follows the description of the search when that changes.
    """
    found = {name: value for name, value in settings.items() if value != defaults[name]}
    return {CHANGED: found} if found else {}


def last_changed(study: Study, asset: str) -> dict[str, Any]:
    """The settings that the last materialisation of an unpartitioned asset had changed."""
    recorded = study.metadata(asset).get(CHANGED)
    value = recorded.value if recorded is not None else None
    return dict(value) if isinstance(value, dict) else {}
