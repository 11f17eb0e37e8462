"""The event log with kept connections holds what Dagster's own holds, and can take its place."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import dagster as dg
import pytest
import yaml
from dagster._core.events import StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster_postgres import PostgresEventLogStorage

from iris_hpo.errors import InputError
from iris_hpo.event_log.sqlite import KeptSqliteEventLog
from iris_hpo.orchestration.recorder import slow_log_note
from iris_hpo_tests.failed_runs import check_that_a_failure_is_seen_with_its_status
from iris_hpo_tests.orchestration.following import counted_statements
from iris_hpo_tests.processes import REPOSITORY

KEYS = ["a", "b", "c"]
ASSET = dg.AssetKey("thing")
THINGS = dg.DynamicPartitionsDefinition(name="things")


@dg.multi_asset(
    specs=[dg.AssetSpec(ASSET, partitions_def=THINGS, skippable=True)],
    check_specs=[dg.AssetCheckSpec("sound", asset=ASSET)],
)
def thing(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """One event per partition, as candidates are logged: together, where the event log can."""
    storage = context.instance.event_log_storage
    with storage.batched() if isinstance(storage, KeptSqliteEventLog) else nullcontext():
        for key in context.partition_keys:
            context.log_event(dg.AssetObservation(ASSET, partition=key))
            context.log_event(
                dg.AssetMaterialization(
                    ASSET, partition=key, tags={"dagster/data_version": f"version of {key}"}
                )
            )
    yield dg.AssetCheckResult(passed=True)


def instance_at(home: Path, *, kept: bool) -> dg.DagsterInstance:
    home.mkdir(exist_ok=True)
    settings = yaml.safe_load((REPOSITORY / ".dagster" / "dagster.yaml").read_text())
    if not kept:
        del settings["event_log_storage"]
    (home / "dagster.yaml").write_text(yaml.safe_dump(settings))
    return dg.DagsterInstance.from_config(str(home))


def run_thing(instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions("things", KEYS)
    job = dg.Definitions(assets=[thing]).resolve_implicit_global_asset_job_def()
    tags = {
        "dagster/asset_partition_range_start": KEYS[0],
        "dagster/asset_partition_range_end": KEYS[-1],
    }
    assert job.execute_in_process(instance=instance, tags=tags).success


def tables(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """What does not differ from run to run in the database of all runs."""
    queries = {
        "events": "select dagster_event_type, asset_key, partition from event_logs order by id",
        "tags": "select asset_key, key, value from asset_event_tags order by id",
        "checks": "select asset_key, check_name, execution_status from asset_check_executions",
        "assets": "select asset_key, wipe_timestamp, asset_details from asset_keys",
        "partitions": "select partitions_def_name, partition from dynamic_partitions order by id",
    }
    with sqlite3.connect(home / "history" / "runs" / "index.db") as connection:
        found = {name: connection.execute(query).fetchall() for name, query in queries.items()}
    connection.close()
    return found


@pytest.mark.parametrize("batch", ["0", "500"])
def test_both_event_logs_hold_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: str
) -> None:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", batch)
    for name, kept in (("kept", True), ("plain", False)):
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / name))
        with instance_at(tmp_path / name, kept=kept) as instance:
            expected = "KeptSqliteEventLog" if kept else "SqliteEventLogStorage"
            assert type(instance.event_log_storage).__name__ == expected
            run_thing(instance)
    assert tables(tmp_path / "kept") == tables(tmp_path / "plain")


def test_an_instance_can_change_between_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    for kept in (False, True, False):
        with instance_at(tmp_path, kept=kept) as instance:
            if not instance.get_dynamic_partitions("things"):
                run_thing(instance)
            else:
                job = dg.Definitions(assets=[thing]).resolve_implicit_global_asset_job_def()
                assert job.execute_in_process(instance=instance, partition_key="b").success
    with instance_at(tmp_path, kept=True) as instance:
        records = instance.fetch_materializations(ASSET, limit=10).records
        assert [record.partition_key for record in records] == ["b", "b", "c", "b", "a"]
        assert len(instance.get_runs()) == 3
        for run in instance.get_runs():
            events = [log.dagster_event_type for log in instance.all_logs(run.run_id)]
            assert dg.DagsterEventType.RUN_SUCCESS in events


@dataclass(frozen=True)
class Done:
    """An instance with the event log that keeps connections, on which the assets were made."""

    instance: dg.DagsterInstance
    run_id: str

    @property
    def storage(self) -> KeptSqliteEventLog:
        storage = self.instance.event_log_storage
        assert isinstance(storage, KeptSqliteEventLog)
        return storage

    @property
    def made(self) -> list[EventLogEntry]:
        """The materialisations that the run logged."""
        return self.logs(dg.DagsterEventType.ASSET_MATERIALIZATION)

    def logs(self, kind: dg.DagsterEventType | None = None) -> list[EventLogEntry]:
        return list(self.instance.all_logs(self.run_id, of_type=kind))

    def stored(self) -> list[str | None]:
        """Partitions of all materialisations, the latest first."""
        records = self.instance.fetch_materializations(ASSET, limit=20).records
        return [record.partition_key for record in records]


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Done]:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with instance_at(tmp_path, kept=True) as instance:
        run_thing(instance)
        yield Done(instance, instance.get_runs()[0].run_id)


def test_a_batch_is_stored_whole_or_not_at_all(done: Done) -> None:
    logs = done.made
    before = len(done.logs())
    # A version that no database takes: all rows are in when the tags are refused.
    with pytest.raises(UnicodeEncodeError):
        done.storage.store_event_batch([*logs, with_version(logs[0], "\ud800")])
    assert len(done.logs()) == before
    assert len(done.stored()) == len(KEYS)
    done.storage.store_event_batch(logs)
    assert len(done.logs()) == before + len(KEYS)
    assert len(done.stored()) == 2 * len(KEYS)


def with_version(log: EventLogEntry, version: str) -> EventLogEntry:
    materialization = dg.AssetMaterialization(
        ASSET, partition="a", tags={"dagster/data_version": version}
    )
    return log._replace(
        dagster_event=log.get_dagster_event()._replace(
            event_specific_data=StepMaterializationData(materialization)
        )
    )


def test_events_of_other_kinds_keep_their_place_in_a_batch(done: Done) -> None:
    planned = done.logs(dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED)
    assert planned
    before = len(done.logs())
    batch = [*done.made, *planned, done.made[0]]

    done.storage.store_event_batch(batch)

    stored = done.logs()[before:]
    assert [log.dagster_event_type for log in stored] == [log.dagster_event_type for log in batch]
    assert done.stored() == ["a", "c", "b", "a", "c", "b", "a"]


def test_what_is_batched_is_stored_at_the_end_of_the_block(done: Done) -> None:
    """Also if the block ends by an error: what was finished before stays."""
    storage, logs = done.storage, done.made

    def store_and_fail() -> None:
        with storage.batched():
            storage.store_event(logs[0])
            storage.store_event(logs[2])
            assert done.stored() == ["c", "b", "a"]
            raise KeyError

    with pytest.raises(KeyError):
        store_and_fail()
    assert done.stored() == ["c", "a", "c", "b", "a"]
    latest = done.instance.get_latest_materialization_event(ASSET)
    assert latest is not None
    assert latest.asset_materialization is not None
    assert latest.asset_materialization.partition == "c"
    storage.store_event(logs[1])
    assert done.stored()[0] == "b"


@pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated")  # Dagster's own
def test_the_daemon_sees_a_failure_with_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with instance_at(tmp_path, kept=True) as instance:
        check_that_a_failure_is_seen_with_its_status(instance, time.time())


@pytest.mark.parametrize(
    ("log", "advice"),
    [
        (SqliteEventLogStorage, "event_log_storage in dagster.yaml can name iris_hpo.event_log"),
        (
            PostgresEventLogStorage,
            "deploy/dagster.postgres.yaml shows what to write in place of storage: postgres",
        ),
    ],
)
def test_the_note_of_dagsters_own_log_says_what_to_write(log: type, advice: str) -> None:
    instance = SimpleNamespace(is_ephemeral=False, event_log_storage=object.__new__(log))
    assert slow_log_note(cast("dg.DagsterInstance", instance)).endswith(f"slower; {advice}")


def test_a_file_that_is_removed_while_it_is_open_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with instance_at(tmp_path, kept=True) as instance:
        run_thing(instance)
        assert instance.get_materialized_partitions(ASSET) == set(KEYS)
        for file in tmp_path.glob("history/runs/*.db*"):
            file.unlink()

        with pytest.raises(InputError, match=r"index\.db: it was removed or replaced while"):
            instance.get_materialized_partitions(ASSET)

        assert instance.get_materialized_partitions(ASSET) == set()
        run_thing(instance)
        assert instance.get_materialized_partitions(ASSET) == set(KEYS)


def test_the_end_of_a_run_is_written_to_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And all events before it: a file that is written one way keeps its order."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with instance_at(tmp_path, kept=True) as instance, counted_statements() as statements:
        run_thing(instance)
        storage = instance.event_log_storage
        assert isinstance(storage, KeptSqliteEventLog)
        with storage.index_connection() as connection:
            types = connection.exec_driver_sql(
                "SELECT dagster_event_type FROM event_logs ORDER BY id DESC LIMIT 1"
            )
            assert types.scalar() == "PIPELINE_SUCCESS"

    levels = [each for each in statements if each.startswith(("PRAGMA syn", "INSERT INTO event"))]
    ends = [at for at, each in enumerate(levels) if each.endswith("=FULL")]
    assert len(ends) == 2, "one for its start"
    assert all(levels[at + 1].startswith("INSERT") for at in ends)
    assert levels.count("PRAGMA synchronous=NORMAL") > len(ends)
