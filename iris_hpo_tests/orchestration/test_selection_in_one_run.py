"""A run that makes candidates cannot make their selection, which its log says."""

import pytest

from iris_hpo_tests.projects import KEYS, SpecProject


@pytest.mark.parametrize("has_selection", [True, False])
def test_a_run_warns_that_dagster_passes_over_its_selection(
    prepared: SpecProject, *, has_selection: bool
) -> None:
    keys = [prepared.names.asset(name) for name in ("models", "scores")]
    asked = [*keys, *([prepared.names.asset("selection")] if has_selection else [])]

    job = prepared.defs.resolve_implicit_job_def_def_for_assets(asked)
    assert job is not None
    made = job.execute_in_process(
        instance=prepared.instance,
        asset_selection=asked,
        partition_key=KEYS[0],
        run_config=prepared._run_config(  # pyright: ignore[reportPrivateUsage]
            {"candidates": {"engine": "serial"}}
        ),
    )

    assert made.success
    warnings = [
        log.user_message
        for log in prepared.instance.all_logs(made.run_id)
        if "Dagster passes over selection in this run" in log.user_message
    ]
    assert len(warnings) == has_selection
    assert prepared.names.asset("selection") not in {
        event.asset_key for event in made.get_asset_materialization_events()
    }
