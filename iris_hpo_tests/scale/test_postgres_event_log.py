"""The event log on PostgreSQL: together or one by one, what is recorded is the same."""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.event_log.postgres import KeptPostgresEventLog
from iris_hpo.orchestration.record import data_versions, latest_storage_ids
from iris_hpo_tests.failed_runs import check_that_a_failure_is_seen_with_its_status
from iris_hpo_tests.scale.events_per_second import measure
from iris_hpo_tests.scale.postgres import SETTINGS, Postgres

KEYS = [f"C{number}.0_G1.0" for number in range(5)]


@pytest.fixture
def instance(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", postgres.new_database())
    (tmp_path / "dagster.yaml").write_text(SETTINGS.read_text())
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


def storage_of(instance: dg.DagsterInstance) -> KeptPostgresEventLog:
    storage = instance.event_log_storage
    assert isinstance(storage, KeptPostgresEventLog)
    return storage


def record(instance: dg.DagsterInstance, asset: str, *, together: bool) -> None:
    with storage_of(instance).batched() if together else nullcontext():
        for key in KEYS:
            tags = {"dagster/data_version": f"version of {key}"}
            instance.report_runless_asset_event(
                dg.AssetMaterialization(asset, partition=key, metadata={"n": 1}, tags=tags)
            )


def test_events_stored_together_equal_events_stored_one_by_one(
    instance: dg.DagsterInstance,
) -> None:
    record(instance, "one", together=False)
    record(instance, "many", together=True)

    one, many = (
        instance.fetch_materializations(dg.AssetKey(asset), limit=10).records
        for asset in ("one", "many")
    )
    for records in (one, many):
        assert [record.partition_key for record in reversed(records)] == KEYS
        assert len({record.storage_id for record in records}) == 5
    for before, after in zip(one, many, strict=True):
        assert before.asset_materialization is not None
        assert after.asset_materialization is not None
        assert before.asset_materialization.metadata == after.asset_materialization.metadata
        assert before.asset_materialization.tags == after.asset_materialization.tags
    versions = {key: f"version of {key}" for key in KEYS}
    assert data_versions(instance, dg.AssetKey("one")) == versions
    assert data_versions(instance, dg.AssetKey("many")) == versions
    ids = latest_storage_ids(instance, dg.AssetKey("many"))
    assert sorted(ids, key=lambda key: ids[key]) == KEYS
    latest = instance.get_latest_materialization_event(dg.AssetKey("many"))
    assert latest is not None
    assert latest.asset_materialization is not None
    assert latest.asset_materialization.partition == KEYS[-1]


def test_events_recorded_before_an_error_are_kept(instance: dg.DagsterInstance) -> None:
    def break_off() -> None:
        with storage_of(instance).batched():
            instance.report_runless_asset_event(dg.AssetMaterialization("a", partition="x"))
            assert instance.get_latest_materialization_event(dg.AssetKey("a")) is None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()

    assert instance.get_latest_materialization_event(dg.AssetKey("a")) is not None
    record(instance, "a", together=False)  # the batch is over
    assert data_versions(instance, dg.AssetKey("a")).keys() == set(KEYS)


def test_an_empty_batch_is_nothing(instance: dg.DagsterInstance) -> None:
    with storage_of(instance).batched():
        pass

    assert instance.all_asset_keys() == []


@pytest.mark.slow
def test_rates_are_measured_on_both(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAGSTER_HOME", "DAGSTER_POSTGRES_URL"):
        monkeypatch.setenv(name, "")  # and so set back afterwards

    rates = measure(20)

    assert rates.keys() == {"sqlite", "postgresql"}
    assert all(rate > 1 for rate in rates.values())


@pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated")  # Dagster's own
def test_the_daemon_sees_a_failure_with_its_status(instance: dg.DagsterInstance) -> None:
    check_that_a_failure_is_seen_with_its_status(instance, time.time())
