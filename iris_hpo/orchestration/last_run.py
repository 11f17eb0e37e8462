"""The settings that the last run changed from the search's own, as its events say."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from iris_hpo.orchestration.names import names_of
from iris_hpo.orchestration.record import latest_metadata
from iris_hpo.spec import SearchSpec

CHANGED = "changed_settings"
"""The metadata of `split`, `parameters` and `selection`: settings that were not the search's."""


def changed(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata that names the settings that differ from the defaults; none if all are equal.

    What is not named follows the description of the search when that changes.
    """
    found = {name: value for name, value in settings.items() if value != defaults[name]}
    return {CHANGED: found} if found else {}


def last_changed(instance: dg.DagsterInstance, spec: SearchSpec, asset: str) -> dict[str, Any]:
    """The settings that the last materialisation of an unpartitioned asset had changed."""
    recorded = latest_metadata(instance, names_of(spec).asset(asset)).get(CHANGED)
    value = recorded.value if recorded is not None else None
    return dict(value) if isinstance(value, dict) else {}
