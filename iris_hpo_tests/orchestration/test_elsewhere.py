"""Who looks from a checkout without artifacts is told where the recorded files are."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from iris_hpo.errors import InputError
from iris_hpo_tests.orchestration.following import Follower
from iris_hpo_tests.projects import SpecProject, failure_text, succeed

ADVICE = (
    "in other artifacts; run the search here too, or let the projects share their artifacts "
    "(IRIS_HPO_ARTIFACTS)"
)


@pytest.fixture
def checkout(searched: SpecProject, tmp_path: Path) -> SpecProject:
    """Another folder with the same files, on the instance of a search that was done."""
    return SpecProject.create(tmp_path / "second", searched.instance)


def skip_reason(project: SpecProject) -> str:
    follower = Follower(project, "parameter_files_sensor")
    follower.look()
    return str(follower.look().skip_message)


def recorded_folder(project: SpecProject, asset: str) -> str:
    return str(project.study().metadata(asset)["path"].value)


def test_the_sensor_says_that_nothing_is_here(searched: SpecProject, checkout: SpecProject) -> None:
    reason = skip_reason(checkout)
    card = checkout.artifacts / "split" / "split.json"
    assert reason.startswith(f"6 candidates, nothing new; {card} is missing: run ")
    assert reason.endswith(f" recorded {recorded_folder(searched, 'split')}, {ADVICE}")

    succeed(checkout.run("split"))
    for project in (checkout, searched):
        assert skip_reason(project) == "6 candidates, nothing new"


@pytest.mark.parametrize(
    ("asset", "card", "field"),
    [("split", "split.json", "seed"), ("selection", "champion.json", "rule")],
)
def test_a_card_that_is_missing_or_of_another_run(
    searched: SpecProject, checkout: SpecProject, asset: str, card: str, field: str
) -> None:
    study = checkout.study()
    read = study.upstream if asset == "split" else study.champion
    own, theirs = (project.artifacts / asset / card for project in (checkout, searched))
    place = f" recorded {recorded_folder(searched, asset)}, {ADVICE}"
    with pytest.raises(InputError) as missing:
        read()
    assert str(missing.value).startswith(f"{own} is missing: run ")
    assert str(missing.value).endswith(place)

    own.parent.mkdir(parents=True)
    own.write_text(json.dumps({**json.loads(theirs.read_text()), field: 7}))
    with pytest.raises(InputError) as changed:
        read()
    assert str(changed.value).startswith(f"{own} is not what was recorded: run ")
    assert str(changed.value).endswith(place)


def test_a_card_whose_run_was_deleted(project: SpecProject) -> None:
    """Dagster removes the events of the run, so that those of an earlier one count."""
    project.materialize_sources()
    result = project.run("split", split={"seed": 7})
    project.instance.delete_run(result.run_id)
    with pytest.raises(InputError) as error:
        project.study().upstream()
    card = project.artifacts / "split" / "split.json"
    assert str(error.value).startswith(f"{card} is not what was recorded (version ")
    assert str(error.value).endswith(
        "it was changed or replaced, or the run that recorded it was deleted; run the search again"
    )


def test_a_selection_that_another_code_location_was_given(
    scored: SpecProject, tmp_path: Path
) -> None:
    assert skip_reason(scored) == "6 candidates, nothing new"
    other = SpecProject.create(tmp_path / "second", scored.instance)
    other.spec = replace(other.spec, rule="cv")
    refused = other.run("selection")
    assert "with other selection rule or reports; with those of" in failure_text(refused)
    assert skip_reason(scored) == (
        f"6 candidates, nothing new, and no selection: its run {refused.run_id} failed; see why "
        "there, and whether Dagster gave it to another code location, which has a search of this "
        "name"
    )


def test_artifacts_that_were_moved_away(project: SpecProject) -> None:
    project.search()
    project.artifacts.rename(project.root / "kept")
    assert skip_reason(project) == (
        f"6 candidates, nothing new; {project.artifacts} is missing: restore the folder, or run "
        "the search again (iris-hpo run)"
    )
