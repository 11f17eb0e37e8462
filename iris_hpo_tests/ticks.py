"""Ticks of sensors, evaluated as the daemon does."""

from typing import Any

import dagster as dg
import pytest

from iris_hpo.orchestration import ticks
from iris_hpo.orchestration.resources import Storage


def evaluate_tick(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    sensor: str,
    cursor: str | None = None,
    storage: Storage | None = None,
) -> Any:
    """Evaluate a sensor once, at once also where files have changed; obey nothing it asks for."""
    context = dg.build_sensor_context(
        instance=instance,
        cursor=cursor,
        definitions=defs,
        resources={"iris_hpo_storage": storage or Storage()},
    )
    with context, pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticks, "SETTLING_SECONDS", 0)
        return defs.resolve_sensor_def(sensor).evaluate_tick(context)
