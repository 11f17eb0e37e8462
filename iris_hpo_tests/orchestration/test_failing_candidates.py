"""A candidate that fails harms no other, shows as failed by itself, and is named."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.engines import serial
from iris_hpo.orchestration.failed_candidates import failed_partitions, failure_reasons
from iris_hpo.orchestration.outcome import RunFailedError
from iris_hpo.orchestration.record import last_attempts, partitions_of_failed_runs
from iris_hpo.orchestration.selection_metadata import part_note
from iris_hpo.training.estimators import Step
from iris_hpo_tests.projects import KEYS, SpecProject, failure_text, small_spec, succeed

GOOD, BAD, UNSCORED = "C0.5_G0.016", "C8.0_G0.016", "C0.5_G0.25"
HOSTILE = ("../../stolen", "C0.50_G1.0", "a...b", "C1.0_G1.0\n", "C1.0", "Cnan_G1.0", "C-1.0_G1.0")


def picky_project(folder: Path, instance: dg.DagsterInstance) -> SpecProject:
    """Four candidates: two cannot be fitted, one cannot be cross-validated, one is good."""
    spec = replace(
        small_spec(folder),
        steps=(Step("iris_hpo_tests.orchestration.estimators.Picky"),),
    )
    made = SpecProject.create(folder, instance, spec)
    made.write_axis("c", 0.5, 8)
    made.write_axis("gamma", 0.016, 0.25)
    made.materialize_sources()
    return made


@pytest.fixture(scope="module")
def picky_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpecProject]:
    """What `picky` copies; read only."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield picky_project(tmp_path_factory.mktemp("picky") / "picky", instance)


@pytest.fixture
def picky(picky_once: SpecProject, tmp_path: Path, instance: dg.DagsterInstance) -> SpecProject:
    return picky_once.copy(tmp_path / "picky", instance)


@pytest.fixture(scope="module")
def failed(
    picky_once: SpecProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SpecProject, str]]:
    """After a run in which one of three candidates failed, and the selection; read only."""
    with dg.DagsterInstance.ephemeral() as instance:
        project = picky_once.copy(tmp_path_factory.mktemp("failed") / "picky", instance)
        project.write_axis("c", 0.5, 8, 128)
        project.write_axis("gamma", 0.016)
        project.materialize_sources()
        result = project.materialize_candidates()
        assert not result.success
        succeed(project.run("selection"))
        yield project, result.run_id


def test_the_others_are_there(failed: tuple[SpecProject, str]) -> None:
    project, _ = failed
    for asset in ("models", "scores"):
        assert set(project.by_partition(asset)) == {GOOD, "C128.0_G0.016"}
    assert set(project.files("models")) == {
        f"models/model_{key}.{ending}"
        for key in (GOOD, "C128.0_G0.016")
        for ending in ("pkl", "json")
    }


def test_dagster_shows_its_partition_alone_as_failed(failed: tuple[SpecProject, str]) -> None:
    project, _ = failed
    for asset in ("models", "scores"):
        assert project.partition_status(asset) == {
            "materialized": {GOOD, "C128.0_G0.016"},
            "failed": {BAD},
        }


def test_the_record_names_it_and_its_run(failed: tuple[SpecProject, str]) -> None:
    project, run_id = failed
    for asset in ("models", "scores"):
        assert failed_partitions(project.instance, dg.AssetKey(asset)) == {BAD: run_id}


def test_the_run_fails_and_says_why(failed: tuple[SpecProject, str]) -> None:
    project, run_id = failed
    run = project.instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert failure_reasons(project.instance, run_id) == {
        BAD: "fitting failed: ValueError: C = 8 is not to my taste"
    }


def test_the_message_counts_and_names(picky: SpecProject) -> None:
    text = failure_text(picky.run("models", keys=picky.registered()))
    assert text.startswith("2 of 4 candidates failed; the others are done.")
    assert f"{BAD}: fitting failed: ValueError: C = 8 is not to my taste" in text


def test_the_selection_stands_and_names_it(failed: tuple[SpecProject, str]) -> None:
    project, _ = failed
    metadata = project.metadata("selection")
    assert metadata["failed"] == f"1: {BAD}"
    assert metadata["missing"] == metadata["out_of_date"] == "none"
    assert (metadata["candidates"], metadata["scored"]) == (3, 2)
    assert {row["candidate"] for row in project.leaderboard()} == {GOOD, "C128.0_G0.016"}


def test_a_selection_from_a_part_says_so(failed: tuple[SpecProject, str]) -> None:
    project, _ = failed
    note = part_note(project.study())
    assert note == f"selected from 2 of 3 candidates (failed 1: {BAD})"


def test_a_selection_from_all_says_nothing(searched: SpecProject) -> None:
    assert part_note(searched.study()) == ""


def test_the_check_of_completeness_warns(failed: tuple[SpecProject, str]) -> None:
    project, _ = failed
    found = project.check("selection_is_complete")
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.WARN
    assert found.description == f"failed: {BAD}"


def test_a_candidate_without_a_score_may_have_its_model(picky: SpecProject) -> None:
    result = picky.materialize_candidates()
    assert "too few rows for my taste" in failure_text(result)
    assert picky.partition_status("models") == {
        "materialized": {GOOD, UNSCORED},
        "failed": {BAD, "C8.0_G0.25"},
    }
    assert picky.partition_status("scores") == {
        "materialized": {GOOD},
        "failed": {BAD, "C8.0_G0.25", UNSCORED},
    }
    reasons = failure_reasons(picky.instance, result.run_id)
    assert set(reasons) == {BAD, "C8.0_G0.25", UNSCORED}


def test_what_lies_in_the_place_of_a_model_fails_that_candidate_alone(
    prepared: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are done, however few outcomes are recorded together; later it is done too."""
    monkeypatch.setattr(serial, "_TOGETHER_SECONDS", 0)
    folder = prepared.occupy(KEYS[1])
    text = failure_text(prepared.materialize_candidates())
    assert f"{KEYS[1]}: {folder} is in the way: Is a directory; move it away" in text
    assert prepared.partition_status("scores")["failed"] == {KEYS[1]}

    shutil.rmtree(folder)
    succeed(prepared.run("models", "scores", partition=KEYS[1]))
    assert prepared.partition_status("scores") == {"materialized": set(KEYS), "failed": set()}
    assert failed_partitions(prepared.instance, dg.AssetKey("scores")) == {}
    succeed(prepared.run("selection"))
    assert prepared.metadata("selection")["failed"] == "none"


@pytest.mark.parametrize("name", ["model_{}.pkl", "model_{}.json"])
def test_what_can_neither_be_read_nor_made_again_is_not_ranked(
    searched: SpecProject, name: str
) -> None:
    champion = str(searched.metadata("selection")["champion"])
    place = searched.artifacts / "models" / name.format(champion)
    place.unlink()
    place.mkdir()
    (place / "notes.txt").write_text("of somebody else")
    assert set(searched.launch().failures) == {champion}

    assert searched.metadata("selection")["failed"] == f"1: {champion}"
    assert {row["candidate"] for row in searched.leaderboard()} == {*KEYS} - {champion}


def test_a_result_stays_right_when_a_later_attempt_fails(searched: SpecProject) -> None:
    """The whole run fails before any candidate is looked at; what was stored is untouched."""
    train = searched.artifacts / "split" / "train.csv"
    content = train.read_bytes()
    train.write_bytes(content.replace(b"Iris-setosa", b"Iris-other", 1))
    text = failure_text(searched.materialize_candidates())
    assert f"{train} is not the file that was recorded" in text
    scores = dg.AssetKey("scores")
    assert set(partitions_of_failed_runs(*last_attempts(searched.instance, scores))) == set(KEYS)
    assert failed_partitions(searched.instance, scores) == {}, "none was tried"

    train.write_bytes(content)
    succeed(searched.run("selection"))
    metadata = searched.metadata("selection")
    assert (metadata["scored"], metadata["failed"]) == (6, "none")


def test_hand_added_keys_that_are_no_candidates_fail_alone(prepared: SpecProject) -> None:
    prepared.instance.add_dynamic_partitions("c_gamma", list(HOSTILE))
    result = prepared.materialize_candidates()

    assert set(failure_reasons(prepared.instance, result.run_id)) == set(HOSTILE)
    for asset in ("models", "scores"):
        assert prepared.partition_status(asset) == {
            "materialized": set(KEYS),
            "failed": set(HOSTILE),
        }
    succeed(prepared.run("selection"))
    assert prepared.metadata("selection")["failed"].startswith(f"{len(HOSTILE)}: ../../stolen, ")


def test_hand_added_keys_touch_no_file(prepared: SpecProject) -> None:
    prepared.instance.add_dynamic_partitions("c_gamma", list(HOSTILE))
    before = {path for path in prepared.root.rglob("*") if path.is_file()}
    prepared.run("models", "scores", keys=HOSTILE)
    prepared.run("models", "scores", partition=HOSTILE[0])
    assert {path for path in prepared.root.rglob("*") if path.is_file()} == before


def test_a_hand_added_candidate_is_as_good_as_any(prepared: SpecProject) -> None:
    prepared.instance.add_dynamic_partitions("c_gamma", ["C2.0_G0.063"])
    succeed(prepared.materialize_candidates())
    succeed(prepared.run("selection"))
    assert "C2.0_G0.063" in {row["candidate"] for row in prepared.leaderboard()}


def test_many_failures_are_cut_in_the_message_but_all_recorded(prepared: SpecProject) -> None:
    wrong = [f"wrong{number}" for number in range(25)]
    prepared.instance.add_dynamic_partitions("c_gamma", wrong)
    result = prepared.run("models", keys=wrong)
    text = failure_text(result)
    assert text.endswith("and 5 more")
    assert "wrong19" in text
    assert "wrong20" not in text
    assert set(failure_reasons(prepared.instance, result.run_id)) == set(wrong)


def test_the_launcher_names_the_failed_and_tries_them_again(picky: SpecProject) -> None:
    outcome = picky.launch()
    assert set(outcome.failures) == {BAD, "C8.0_G0.25", UNSCORED}
    assert (outcome.counts.trained, outcome.counts.reused, outcome.counts.failed) == (1, 0, 3)
    assert picky.metadata("selection")["champion"] == GOOD

    again = picky.launch()
    assert set(again.failures) == {BAD, "C8.0_G0.25", UNSCORED}
    assert (again.counts.trained, again.counts.reused, again.counts.failed) == (0, 1, 3)


def test_the_launcher_counts_a_key_that_is_no_candidate_as_failed(searched: SpecProject) -> None:
    searched.instance.add_dynamic_partitions("c_gamma", ["C0.5"])
    outcome = searched.launch()
    assert set(outcome.failures) == {"C0.5"}
    assert (outcome.counts.trained, outcome.counts.reused, outcome.counts.failed) == (0, 6, 1)
    assert searched.told[-1].failed == 1


def test_the_only_candidate_fails(picky: SpecProject) -> None:
    picky.write_axis("c", 8)
    picky.write_axis("gamma", 0.016)
    with pytest.raises(RunFailedError) as refusal:
        picky.launch()
    assert "the only candidate has no score: it failed; C8.0_G0.016: " in str(refusal.value)


def test_when_all_fail_there_is_nothing_to_select(picky: SpecProject) -> None:
    picky.write_axis("c", 8)
    with pytest.raises(RunFailedError, match="none of the 2 candidates has a score"):
        picky.launch()
    assert picky.materializations("selection") == []
