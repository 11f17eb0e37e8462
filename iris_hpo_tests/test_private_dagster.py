"""What the package relies on in Dagster beyond its public API, and the module that does."""

import inspect
from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import AssetMaterializationPlannedData
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.runs import SqliteRunStorage, SqlRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sql import create_engine
from dagster.components.core.component_tree_state import ComponentTreeStateTracker
from dagster.components.core.decl import build_filesystem_component_decl_from_context
from dagster.components.core.defs_module import find_defs_or_component_yaml
from dagster_postgres import PostgresEventLogStorage

RECORD = "iris_hpo/orchestration/record.py"
TURNS = "iris_hpo/orchestration/turns.py"
SIGNS = "iris_hpo/orchestration/signs.py"
WORKING_RUNS = "iris_hpo/orchestration/working_runs.py"
BATCHES = "iris_hpo/event_log/batches.py"
FAILURES = "iris_hpo/event_log/failures.py"
SQLITE = "iris_hpo/event_log/sqlite.py"
POSTGRES = "iris_hpo/event_log/postgres.py"
SERVER = "iris_hpo/event_log/postgres_server.py"
NEW_DATABASES = "iris_hpo/event_log/new_databases.py"
PROJECTS = "iris_hpo/projects.py"

ATTEMPTS = "get_latest_asset_partition_materialization_attempts_without_materializations"
PLANNED = dg.DagsterEvent.build_asset_materialization_planned_event

CALLS: list[tuple[str, Callable[..., Any], tuple[str, ...], dict[str, object]]] = [
    (RECORD, AssetMaterializationPlannedData, ("key",), {"partition": "C1.0"}),
    (RECORD, PLANNED, ("job", "step", "data"), {}),
    (RECORD, SqlEventLogStorage.get_latest_tags_by_partition, ("self", "key", "type", "tags"), {}),
    (RECORD, SqlEventLogStorage.get_latest_storage_id_by_partition, ("self", "key", "type"), {}),
    (RECORD, getattr(SqlEventLogStorage, ATTEMPTS), ("self", "key"), {}),
    (TURNS, SqlEventLogStorage.get_concurrency_info, ("self", "pool"), {}),
    (TURNS, SqlRunStorage.handle_run_event, ("self", "run", "event"), {}),
    (TURNS, SqlEventLogStorage.get_concurrency_run_ids, ("self",), {}),
    (TURNS, SqlEventLogStorage.free_concurrency_slots_for_run, ("self", "run"), {}),
    (SIGNS, dg.DagsterInstance.daemon_cursor_storage.fget, ("self",), {}),
    (WORKING_RUNS, dg.DagsterInstance.get_execution_plan_snapshot, ("self", "id"), {}),
    (BATCHES, SqlEventLogStorage.store_event, ("self", "event"), {}),
    (BATCHES, SqlEventLogStorage.store_event_batch, ("self", "events"), {}),
    (
        FAILURES,
        SqlEventLogStorage.get_logs_for_all_runs_by_log_id,
        ("self", "cursor", "type", "limit"),
        {},
    ),
    (SQLITE, SqliteEventLogStorage, ("folder", "data"), {}),
    (SQLITE, SqliteEventLogStorage.run_connection, ("self", "run"), {}),
    (SQLITE, SqliteEventLogStorage.index_connection, ("self",), {}),
    (SQLITE, SqliteEventLogStorage.conn_string_for_shard, ("self", "index"), {}),
    (SQLITE, SqliteEventLogStorage.has_table, ("self", "table"), {}),
    (SQLITE, SqlEventLogStorage._event_to_row, ("self", "event"), {}),
    (SQLITE, SqlEventLogStorage._store_asset_event_tags, ("self", "conn", "events", "ids"), {}),
    (
        SQLITE,
        SqlEventLogStorage._get_asset_entry_values,
        ("self", "event", "id"),
        {"has_asset_key_index_cols": True},
    ),
    (POSTGRES, PostgresEventLogStorage, ("url", "tables", "data"), {}),
    (POSTGRES, PostgresEventLogStorage._store_asset_event, ("self", "conn", "event", "id"), {}),
    (POSTGRES, PostgresEventLogStorage.index_transaction, ("self",), {}),
    (POSTGRES, PostgresEventLogStorage.index_connection, ("self",), {}),
    (POSTGRES, SqlEventLogStorage.store_asset_check_event, ("self", "event", "id"), {}),
    (POSTGRES, create_engine, ("url",), {"pool_size": 1}),
    (SERVER, InstanceRef.from_dir, ("home",), {}),
    (NEW_DATABASES, InstanceRef.from_dir, ("home",), {}),
    (NEW_DATABASES, SqliteRunStorage.from_local, ("folder",), {}),
    (NEW_DATABASES, SqliteEventLogStorage, ("folder",), {}),
    (NEW_DATABASES, SqliteScheduleStorage.from_local, ("folder",), {}),
    (PROJECTS, build_filesystem_component_decl_from_context, ("context",), {}),
    (PROJECTS, find_defs_or_component_yaml, ("path",), {}),
    (PROJECTS, ComponentTreeStateTracker.set_cache_data, ("self", "loc"), {"component_decl": None}),
]
"""Module, function, and the arguments that the module gives it."""

COLUMNS = [
    (SQLITE, AssetKeyTable, {"asset_key"}),
    (SQLITE, SqlEventLogStorageTable, {"id", "run_id"}),
    (POSTGRES, SqlEventLogStorageTable, {"id", "run_id", "timestamp", "event"}),
    (POSTGRES, AssetEventTagsTable, {"event_id"}),
    (POSTGRES, AssetCheckExecutionsTable, {"id", "evaluation_event_storage_id"}),
]


@pytest.mark.parametrize(
    ("module", "function", "arguments", "named"),
    CALLS,
    ids=[f"{module.rpartition('/')[2]} {call.__qualname__}" for module, call, *_ in CALLS],
)
def test_a_function_takes_what_it_is_given(
    module: str, function: Callable[..., Any], arguments: tuple[str, ...], named: dict[str, object]
) -> None:
    try:
        inspect.signature(function).bind(*arguments, **named)
    except TypeError as error:
        pytest.fail(f"Dagster {dg.__version__} changed {function.__qualname__}: {error}; {module}")


@pytest.mark.parametrize(("module", "table", "columns"), COLUMNS)
def test_a_table_has_the_columns(module: str, table: Any, columns: set[str]) -> None:
    missing = columns.difference(table.c.keys())
    assert not missing, f"Dagster {dg.__version__} has no {missing} in {table.name}; {module}"
