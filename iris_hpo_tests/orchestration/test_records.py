"""What is read from the record: versions, failures, and since when."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pytest

from iris_hpo.orchestration import failed_candidates, status
from iris_hpo.orchestration import record as record_module
from iris_hpo.orchestration.failed_candidates import failed_partitions
from iris_hpo.orchestration.record import (
    data_versions,
    last_attempts,
    latest,
    latest_metadata,
    partitions_of_failed_runs,
    version_since,
)
from iris_hpo.orchestration.selection_status import read_selectable
from iris_hpo_tests.orchestration.following import counted_statements
from iris_hpo_tests.projects import KEYS, SpecProject

SPLIT = dg.AssetKey("split")


def record(instance: dg.DagsterInstance, versions: Sequence[str]) -> list[int]:
    """Materialise `split` with these data versions, one after the other; give storage ids."""
    ids = []
    for version in versions:
        tags = {"dagster/data_version": version, "dagster/code_version": "7"}
        instance.report_runless_asset_event(dg.AssetMaterialization(SPLIT, tags=tags))
        ids.append(instance.fetch_materializations(SPLIT, limit=1).records[0].storage_id)
    return ids


@pytest.mark.parametrize(
    ("versions", "first"),
    [
        ("a", 0),
        ("aaa", 0),
        ("aab", 2),
        ("aba", 2),
        ("abbb", 1),
        ("b" + "a" * 19, 1),
        ("b" + "a" * 20, 1),
        ("b" + "a" * 45, 1),
        ("a" * 45, 0),
    ],
)
def test_a_version_holds_since_its_first_event_in_a_row(
    instance: dg.DagsterInstance, versions: str, first: int
) -> None:
    ids = record(instance, versions)
    assert version_since(instance, SPLIT) == ids[first]


def test_what_was_never_made_has_no_version(instance: dg.DagsterInstance) -> None:
    assert version_since(instance, SPLIT) == 0
    assert latest(instance, SPLIT) is None
    assert latest_metadata(instance, SPLIT) == {}
    assert data_versions(instance, SPLIT) == {}
    assert failed_partitions(instance, SPLIT) == {}


def test_the_latest_is_given_with_its_versions_and_its_event(instance: dg.DagsterInstance) -> None:
    ids = record(instance, "ab")
    found = latest(instance, SPLIT)
    assert found is not None
    assert (found.version, found.pointer, found.code_version) == ("b", ids[1], "7")


@pytest.mark.parametrize("asset", ["models", "scores"])
def test_versions_of_all_partitions_come_together(scored: SpecProject, asset: str) -> None:
    key = dg.AssetKey(asset)
    data_versions(scored.instance, key)  # the first use of a storage looks at its tables
    with counted_statements() as sent:
        found = data_versions(scored.instance, key)
    selects = [one for one in sent if one.lstrip().upper().startswith("SELECT")]
    assert len(selects) <= 2, "the asset's, and one for all partitions"
    assert found == {
        partition: (events[0].tags or {})["dagster/data_version"]
        for partition, events in scored.by_partition(asset).items()
    }


def start_run(project: SpecProject) -> dg.DagsterRun:
    """A run over one candidate that has begun and not ended."""
    assets = {dg.AssetKey("models"), dg.AssetKey("scores")}
    return project.instance.create_run_for_job(
        project.defs.resolve_job_def("search").get_subset(asset_selection=assets),
        asset_selection=frozenset(assets),
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": KEYS[2]},
    )


def left_by_failed_runs(project: SpecProject, asset: str) -> Mapping[str, str]:
    return partitions_of_failed_runs(*last_attempts(project.instance, dg.AssetKey(asset)))


def test_a_candidate_in_progress_has_not_failed(scored: SpecProject) -> None:
    start_run(scored)
    assert failed_partitions(scored.instance, dg.AssetKey("models")) == {}


def test_a_candidate_that_failed_by_itself_has_failed(prepared: SpecProject) -> None:
    prepared.occupy(KEYS[2])
    result = prepared.run("models", "scores", partition=KEYS[2])
    assert not result.success
    for asset in ("models", "scores"):
        expected = {KEYS[2]: result.run_id}
        assert failed_partitions(prepared.instance, dg.AssetKey(asset)) == expected
        assert left_by_failed_runs(prepared, asset) == expected


def test_a_candidate_that_a_dead_run_left_has_not(scored: SpecProject) -> None:
    """It was not tried. Dagster shows it as failed all the same."""
    run = start_run(scored)
    scored.instance.report_run_failed(run)
    for asset in ("models", "scores"):
        key = dg.AssetKey(asset)
        assert failed_partitions(scored.instance, key) == {}
        assert left_by_failed_runs(scored, asset) == {KEYS[2]: run.run_id}


def test_the_attempts_are_read_once_for_each_asset(
    scored: SpecProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored.instance.report_run_failed(start_run(scored))
    study, read = scored.study(), list[dg.AssetKey]()

    def count(instance: dg.DagsterInstance, key: dg.AssetKey) -> Any:
        read.append(key)
        return last_attempts(instance, key)

    for module in (record_module, failed_candidates, status):
        monkeypatch.setattr(module, "last_attempts", count, raising=False)
    read_selectable(study, study.upstream())

    assert read == [dg.AssetKey("models"), dg.AssetKey("scores")]


def test_a_candidate_that_a_cancelled_run_left_has_not(scored: SpecProject) -> None:
    scored.instance.report_run_canceled(start_run(scored))
    for asset in ("models", "scores"):
        assert failed_partitions(scored.instance, dg.AssetKey(asset)) == {}


def test_a_candidate_that_succeeded_since_has_not_failed(scored: SpecProject) -> None:
    scored.instance.report_run_failed(start_run(scored))
    assert scored.run("models", "scores", partition=KEYS[2]).success
    assert left_by_failed_runs(scored, "models") == {}
