"""Asset checks, each both ways, on files and partitions that were really altered."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace

import dagster as dg
import pytest

from iris_hpo.data.checks import DATA_CHECKS, SPLIT_CHECKS
from iris_hpo.orchestration.checks import examine_champion, failed_blocking_checks
from iris_hpo.orchestration.outcome import RunFailedError
from iris_hpo.selection.checks import CHECKS
from iris_hpo_tests.projects import KEYS, SpecProject, succeed

Rows = list[list[str]]


def alter_part(project: SpecProject, part: str, change: Callable[[Rows], Rows]) -> None:
    """Rewrite a part of the stored split."""
    path = project.artifacts / "split" / f"{part}.csv"
    header, *rows = csv.reader(io.StringIO(path.read_text()))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *change(rows)])
    path.write_text(text.getvalue())


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("parts_are_sound", "all rows stand where they should"),
        ("partitions_agree", "6 candidates registered"),
        ("selection_is_complete", "every candidate took part: 6"),
        ("selected_models_match", "every digest matches"),
    ],
)
def test_all_pass_after_a_search(finished: SpecProject, name: str, description: str) -> None:
    asset = {"parts_are_sound": "split", "partitions_agree": "parameters"}.get(name, "selection")
    key = dg.AssetCheckKey(dg.AssetKey(asset), name)
    stored = finished.instance.event_log_storage.get_latest_asset_check_execution_by_key([key])
    event = stored[key].event
    assert event is not None
    assert event.dagster_event is not None
    evaluation = event.dagster_event.asset_check_evaluation_data
    assert evaluation.passed
    assert evaluation.description == description


def test_a_part_that_was_edited_is_found(prepared: SpecProject) -> None:
    def edit(rows: Rows) -> Rows:
        rows[0][1] = "99.5"
        return rows

    alter_part(prepared, "test", edit)
    found = prepared.check("parts_are_sound")
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.ERROR
    assert found.description == "split/test.csv was changed since it was made"


def test_a_row_in_both_parts_is_found(prepared: SpecProject) -> None:
    test_row: Rows = []
    alter_part(prepared, "test", lambda rows: test_row.append(rows[0]) or rows)
    alter_part(prepared, "train", lambda rows: [*rows, *test_row])
    found = prepared.check("parts_are_sound")
    assert not found.passed
    assert "1 row in both parts" in str(found.description)
    assert "neither" not in str(found.description)


def test_a_row_in_neither_part_is_found(prepared: SpecProject) -> None:
    alter_part(prepared, "train", lambda rows: rows[:-2])
    found = prepared.check("parts_are_sound")
    assert not found.passed
    assert "2 rows in neither part" in str(found.description)
    assert "both" not in str(found.description)


def test_a_split_that_lost_its_proportions_is_found(prepared: SpecProject) -> None:
    """Setosa rows of the test part change places with virginica rows of the training part."""
    taken: dict[str, Rows] = {}

    def take(part: str, label: str) -> None:
        def split_off(rows: Rows) -> Rows:
            taken[part] = [row for row in rows if row[-1] == label][:5]
            return [row for row in rows if row not in taken[part]]

        alter_part(prepared, part, split_off)

    take("test", "Iris-setosa")
    take("train", "Iris-virginica")
    alter_part(prepared, "test", lambda rows: [*rows, *taken["train"]])
    alter_part(prepared, "train", lambda rows: [*rows, *taken["test"]])

    found = prepared.check("parts_are_sound")
    assert not found.passed
    assert "class Iris-setosa has 5 test rows instead of about 10.0" in str(found.description)
    assert "class Iris-virginica has 15 test rows instead of about 10.0" in str(found.description)
    assert "both" not in str(found.description)
    assert "neither" not in str(found.description)


def test_a_split_that_need_not_keep_proportions_passes(project: SpecProject) -> None:
    succeed(project.run("raw_data", "split", split={"stratify": False, "seed": 0}))
    counts = [
        row.data["rows"]
        for row in project.materializations("split")[0].metadata["rows"].value.records
    ]
    assert counts != [40, 40, 40, 10, 10, 10], "this seed does not keep them by chance"
    assert project.check("parts_are_sound").passed


def test_partitions_pass_with_a_hand_added_one(prepared: SpecProject) -> None:
    prepared.instance.add_dynamic_partitions("c_gamma", ["C1.0_G1.0"])
    assert prepared.check("partitions_agree").passed


def test_a_candidate_of_the_files_that_is_not_registered_is_found(prepared: SpecProject) -> None:
    prepared.instance.delete_dynamic_partition("c_gamma", KEYS[0])
    found = prepared.check("partitions_agree")
    assert not found.passed
    assert found.description == f"not registered: {KEYS[0]}; left over: none"


def test_a_candidate_that_the_files_dropped_is_found(prepared: SpecProject) -> None:
    prepared.write_axis("c", 0.5, 8)
    found = prepared.check("partitions_agree")
    assert not found.passed
    assert found.description == f"not registered: none; left over: {KEYS[4]}, {KEYS[5]}"


def test_a_candidate_that_was_never_scored_is_warned_of(searched: SpecProject) -> None:
    searched.instance.add_dynamic_partitions("c_gamma", ["C1.0_G1.0"])
    found = searched.check("selection_is_complete")
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.WARN
    assert found.description == "missing: C1.0_G1.0"


def test_candidates_of_other_settings_are_warned_of(searched: SpecProject) -> None:
    succeed(searched.run("parameters", parameters={"kernel": "linear"}))
    succeed(searched.run("models", "scores", keys=KEYS[:4]))
    succeed(searched.run("selection"))
    found = searched.check("selection_is_complete")
    assert not found.passed
    assert found.description == f"out of date: {KEYS[4]}, {KEYS[5]}"


def test_a_candidate_that_was_scored_after_the_selection_is_warned_of(
    searched: SpecProject,
) -> None:
    searched.instance.add_dynamic_partitions("c_gamma", ["C1.0_G1.0"])
    succeed(searched.run("models", "scores", partition="C1.0_G1.0"))
    found = searched.check("selection_is_complete")
    assert not found.passed
    assert found.description == "scored since: C1.0_G1.0"

    succeed(searched.run("selection"))
    assert searched.check("selection_is_complete").passed


def test_a_check_that_warns_does_not_fail_the_run_of_the_selection(searched: SpecProject) -> None:
    searched.instance.add_dynamic_partitions("c_gamma", ["C1.0_G1.0"])
    result = searched.run("selection")
    succeed(result)
    passed = {one.check_name: one.passed for one in result.get_asset_check_evaluations()}
    assert not passed["selection_is_complete"]
    assert passed["selected_models_match"]


def test_every_check_of_the_champion_is_recorded_and_warns(searched: SpecProject) -> None:
    """The champion of the small grid is at its edge, and the selection before expected more."""
    higher = {"estimate": 0.99, "estimate_low": 0.98, "estimate_high": 1.0, "scoring": "accuracy"}
    tags = {"dagster/data_version": "1", "dagster/code_version": "1"}
    searched.instance.report_runless_asset_event(
        dg.AssetMaterialization("selection", metadata=higher, tags=tags)
    )
    result = searched.run("selection")
    succeed(result)
    evaluations = {one.check_name: one for one in result.get_asset_check_evaluations()}
    assert evaluations.keys() >= CHECKS.keys()
    assert {evaluations[name].severity for name in CHECKS} == {dg.AssetCheckSeverity.WARN}
    at_edge = evaluations["champion_is_within_grid"]
    assert not at_edge.passed
    assert str(at_edge.description).startswith("the champion has the ")
    dropped = evaluations["estimate_is_kept"]
    assert not dropped.passed
    assert "is below the interval of the selection before, 0.990 and at least 0.980" in str(
        dropped.description
    )
    findings = examine_champion(searched.study())
    assert {name: evaluations[name].description for name in CHECKS} == {
        name: finding.text for name, finding in findings.items()
    }
    assert failed_blocking_checks(searched.study()) == {}


def test_a_check_that_blocks_fails_its_run_and_the_selection_stands(searched: SpecProject) -> None:
    spec = replace(searched.spec, blocking_checks=("champion_is_within_grid", "folds_agree"))
    blocking = replace(searched, spec=spec)

    result = blocking.run("selection")

    assert not result.success
    assert {event.step_key for event in result.all_events if event.is_step_failure} == {
        "selection_checks"
    }
    evaluations = {one.check_name: one for one in result.get_asset_check_evaluations()}
    assert evaluations["champion_is_within_grid"].severity is dg.AssetCheckSeverity.ERROR
    assert evaluations.keys() >= CHECKS.keys(), "the others are recorded too"
    assert [*failed_blocking_checks(blocking.study())] == ["champion_is_within_grid"]
    assert len(blocking.launch(rule="cv").run_ids) == 1, "the command names the check instead"
    assert blocking.launch(rule="cv").run_ids == [], "the selection is up to date"


def selected_copy(project: SpecProject) -> str:
    """A selected candidate."""
    return next(row["candidate"] for row in project.leaderboard() if row["selected"] == "true")


def test_a_selected_model_that_is_not_its_card_s_is_found(searched: SpecProject) -> None:
    key = selected_copy(searched)
    copy = searched.artifacts / "selection" / "models" / f"model_{key}.pkl"
    content = bytearray(copy.read_bytes())
    content[-10] ^= 1
    copy.write_bytes(content)
    found = searched.check("selected_models_match")
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.ERROR
    assert found.description == f"model_{key}.pkl is not the file that its card describes"


def test_a_selected_model_without_its_card_is_found(searched: SpecProject) -> None:
    key = selected_copy(searched)
    card = searched.model_file(key).with_suffix(".json")
    card.unlink()
    found = searched.check("selected_models_match")
    assert not found.passed
    assert f"{card} is missing" in str(found.description)


def test_a_selected_model_that_is_gone_is_found(searched: SpecProject) -> None:
    key = selected_copy(searched)
    (searched.artifacts / "selection" / "models" / f"model_{key}.pkl").unlink()
    found = searched.check("selected_models_match")
    assert not found.passed
    assert found.description == f"model_{key}.pkl is missing from the selected models"


def test_a_check_that_cannot_look_fails_with_the_reason(searched: SpecProject) -> None:
    path = searched.write_axis("c", "many")
    with pytest.raises(StopIteration):
        searched.check("partitions_agree")
    run = searched.instance.get_runs(limit=1)[0]
    assert run.status is dg.DagsterRunStatus.FAILURE
    said = [
        str(event.step_failure_data.user_failure_data.description)
        for log in searched.instance.all_logs(run.run_id)
        if (event := log.dagster_event) is not None and event.is_step_failure
    ]
    assert any(f"{path}, line 1" in text and "'many'" in text for text in said)


def test_the_checks_of_the_data_and_the_split_are_recorded_and_warn(project: SpecProject) -> None:
    lines = project.data_file.read_text().splitlines(keepends=True)
    project.data_file.write_text("".join([*lines[:104], *lines[:2]]))  # 4 of a class; 2 repeated
    result = project.run("raw_data", "split")
    succeed(result)
    evaluations = {one.check_name: one for one in result.get_asset_check_evaluations()}
    names = [*DATA_CHECKS, *SPLIT_CHECKS]
    assert {evaluations[name].severity for name in names} == {dg.AssetCheckSeverity.WARN}
    assert not evaluations["classes_are_large_enough"].passed
    assert evaluations["features_are_filled"].passed
    assert str(evaluations["groups_are_apart"].description).startswith("does not apply: ")


def test_the_data_of_another_time_is_not_checked(prepared: SpecProject) -> None:
    prepared.change_data()
    with pytest.raises(StopIteration):
        prepared.check("features_are_filled")


def test_a_split_that_was_changed_is_not_examined(prepared: SpecProject) -> None:
    train = prepared.artifacts / "split" / "train.csv"
    train.write_bytes(train.read_bytes() + b" ")
    assert not prepared.check("parts_are_sound").passed
    assert "train.csv" in str(prepared.check("rows_are_apart").description)


def test_a_check_of_the_data_that_blocks_ends_the_search_each_time(project: SpecProject) -> None:
    project.spec = replace(project.spec, blocking_checks=("classes_are_large_enough",))
    lines = project.data_file.read_text().splitlines(keepends=True)
    project.data_file.write_text("".join(lines[:104]))
    for _ in range(2):
        with pytest.raises(RunFailedError) as error:
            project.launch()
        assert str(error.value).startswith(
            "the check classes_are_large_enough blocks what depends on raw_data: 1 class with "
        )
        assert project.data_version("raw_data")
        assert not project.materializations("split")
    project.data_file.write_text("".join(lines))
    assert project.launch().counts.trained == 6
    assert project.plan().is_empty
