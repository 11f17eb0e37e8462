"""A materialisation that somebody reports by hand, as in the UI, says nothing of what is stored."""

import dagster as dg
import pytest

from iris_hpo.orchestration.history import past_selections
from iris_hpo.orchestration.plan import full_plan
from iris_hpo.orchestration.selection_status import selection_state
from iris_hpo.orchestration.why import explain
from iris_hpo.run_settings import SelectionSettings
from iris_hpo_tests.projects import KEYS, SpecProject, succeed


def report(project: SpecProject, asset: str, partition: str | None = None) -> None:
    """Report an asset as the UI does."""
    project.instance.report_runless_asset_event(
        dg.AssetMaterialization(project.names.asset(asset), partition=partition)
    )


def test_the_selection_stays_readable_and_is_made_again(launched: SpecProject) -> None:
    before = launched.study().champion()
    (first,) = past_selections(launched.study())

    report(launched, "selection")

    study = launched.study()
    assert study.champion() == before
    assert past_selections(study) == [first]
    settings = SelectionSettings("test_score", "auto")
    assert selection_state(study, settings) == "out of date"
    assert launched.launch().counts.reused == len(KEYS)
    assert selection_state(launched.study(), settings) == "up to date"
    assert [past.champion for past in past_selections(launched.study())] == [first.champion] * 2


@pytest.mark.parametrize("asset", ["raw_data", "split", "parameters"])
def test_a_selection_and_candidates_go_on_from_what_is_stored(
    launched: SpecProject, asset: str
) -> None:
    report(launched, asset)

    plan = full_plan(launched.study(), launched.settings())
    assert plan.source_states[asset] == "out of date"
    assert plan.candidates == ()
    succeed(launched.run("selection"))
    assert launched.launch().counts.reused == len(KEYS)
    assert full_plan(launched.study(), launched.settings()).is_empty


def test_a_reported_candidate_is_made_again(launched: SpecProject) -> None:
    report(launched, "models", KEYS[0])

    explanation = explain(launched.study(), launched.settings(), KEYS[0])
    assert (explanation.model_state, explanation.score_state) == ("missing", "out of date")
    assert explanation.files.keys() == {"score"}
    outcome = launched.launch()
    assert (outcome.counts.trained, outcome.counts.reused) == (1, len(KEYS) - 1)
