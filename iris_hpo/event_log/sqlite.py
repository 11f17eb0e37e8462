"""Dagster's SQLite event log for thousands of events, with its connections kept open.

Dagster's own event log opens and closes two databases for every event, which takes most of the
time of an event. This one keeps the connections, and stores a batch of events in one transaction
and few statements. Files, tables and content are the same: an instance can change from one to the
other at any time.

    event_log_storage:
      module: iris_hpo.event_log
      class: KeptSqliteEventLog
      config:
        dagster_home: {env: DAGSTER_HOME}
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Self

import sqlalchemy as sa
import sqlalchemy.event
from dagster import StringSource
from dagster._core.events import ASSET_EVENTS, EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetKeyTable, SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from sqlalchemy.dialects.sqlite import Insert, insert

from iris_hpo.event_log.batches import EventBatches
from iris_hpo.event_log.failures import FailuresWithStatus
from iris_hpo.event_log.locked import waiting_settings
from iris_hpo.event_log.one_message import WAITS, removed_while_open
from iris_hpo.interrupts import held

# Made once, so that SQLAlchemy compiles them once: that saves a third of the time of an event.
_INSERT: Final = SqlEventLogStorageTable.insert()
_INSERT_FOR_IDS: Final = _INSERT.returning(
    SqlEventLogStorageTable.c.id, sort_by_parameter_order=True
)

_INDEX: Final = "index"
_MOST_KEPT: Final = 16
_BUSY_SECONDS: Final = 60


@dataclass(frozen=True)
class _Kept:
    """A database that is kept open, and which file it was opened as."""

    engine: sa.Engine
    file: Path
    identity: tuple[int, int] | None


class KeptSqliteEventLog(EventBatches, FailuresWithStatus, SqliteEventLogStorage):
    """A SQLite event log that keeps its connections.

    After a crash of the machine, not of a process, the last events of a run that was at work may be
    missing (``synchronous=NORMAL`` in write-ahead mode); the files stay intact. What was stored
    before a run was queued, began or ended is not lost, as those events are written to disk.

    A file that is removed or replaced while it is open is opened again; for that of all runs, after
    one error.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._kept_lock = threading.RLock()
        self._tables: set[str] = set()
        self._level = threading.local()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        """Type of the settings: the instance's folder."""
        return {"dagster_home": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Make the event log in the default place of Dagster's own."""
        return cls(str(Path(config_value["dagster_home"]) / "history" / "runs"), inst_data)

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[sa.Connection]:
        """Open a transaction on the events of one run."""
        return self._connection(
            str(run_id), lambda: SqliteEventLogStorage.run_connection(self, run_id)
        )

    def index_connection(self) -> AbstractContextManager[sa.Connection]:
        """Open a transaction on the tables of all runs."""
        return self._connection(_INDEX, super().index_connection)

    def has_table(self, table_name: str) -> bool:
        """Whether a table exists; tables are never dropped, so the answer is kept."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event; one that changes the status of a run is written to disk at once."""
        content = event.dagster_event
        is_of_status = content and content.event_type in EVENT_TYPE_TO_PIPELINE_RUN_STATUS
        self._level.name = "FULL" if is_of_status else "NORMAL"
        try:
            super().store_event(event)
        finally:
            self._level.name = "NORMAL"

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store asset events that follow each other together, and others one by one."""
        for are_of_assets, neighbours in groupby(events, _is_asset_event):
            if are_of_assets:
                self._store_together(list(neighbours))
            else:
                super().store_event_batch(list(neighbours))

    def _store_together(self, events: Sequence[EventLogEntry]) -> None:
        """Store asset events in one transaction per database: all or none."""
        rows = [self._event_to_row(event) for event in events]
        last = {
            (event.get_dagster_event().asset_key, event.dagster_event_type): index
            for index, event in enumerate(events)
        }
        with ExitStack() as stack:
            index = stack.enter_context(self.index_connection())
            for run_id in {event.run_id for event in events}:
                own = [row for row in rows if row["run_id"] == run_id]
                run = stack.enter_context(self.run_connection(run_id))
                run.execute(_INSERT, own)
            ids = index.scalars(_INSERT_FOR_IDS, rows).all()
            self._store_asset_event_tags(index, events, ids)
            for place in sorted(last.values()):  # the table keeps only an asset's latest event
                self._store_asset_event(index, events[place], ids[place])

    def _store_asset_event(self, conn: sa.Connection, event: EventLogEntry, event_id: int) -> None:
        """Store an asset's latest event in one statement; Dagster tries to insert, then updates."""
        if event.dagster_event is None or event.dagster_event.asset_key is None:
            return
        values = self._get_asset_entry_values(event, event_id, has_asset_key_index_cols=True)
        if values:
            asset_key = event.dagster_event.asset_key.to_string()
            conn.execute(_upsert_asset(tuple(values)), {"asset_key": asset_key, **values})

    def dispose(self) -> None:
        """Close all connections."""
        with self._kept_lock:
            for kept in self._kept.values():
                kept.engine.dispose()
            self._kept.clear()
        super().dispose()

    @contextmanager
    def _connection(
        self, shard: str, make: Callable[[], AbstractContextManager[object]]
    ) -> Generator[sa.Connection]:
        with held(), self._engine(shard, make).begin() as connection:
            if shard == _INDEX:
                level = getattr(self._level, "name", "NORMAL")
                connection.exec_driver_sql(f"PRAGMA synchronous={level}")
            yield connection

    def _engine(self, shard: str, make: Callable[[], AbstractContextManager[object]]) -> sa.Engine:
        with self._kept_lock:
            kept = self._kept.get(shard)
            if kept is not None and _identity(kept.file) != kept.identity:
                self._kept.pop(shard).engine.dispose()
                self._initialized_dbs.discard(shard)
                if shard == _INDEX:
                    raise removed_while_open(kept.file)
                kept = None
            if kept is None:
                with make():  # Dagster creates the file and its tables
                    pass
                kept = self._kept[shard] = self._open(shard)
            self._kept.move_to_end(shard)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)[1].engine.dispose()
            return kept.engine

    def _open(self, shard: str) -> _Kept:
        url = sa.make_url(self.conn_string_for_shard(shard))
        file = Path(str(url.database))
        settings = waiting_settings(str(file), _BUSY_SECONDS)
        engine = sa.create_engine(url, connect_args=settings)
        engine.update_execution_options(**{WAITS: _BUSY_SECONDS})
        sqlalchemy.event.listen(engine, "connect", _write_ahead)
        return _Kept(engine, file, _identity(file))


@cache
def _upsert_asset(columns: Sequence[str]) -> Insert:
    """Make the statement that inserts an asset's row, or updates these columns of it."""
    statement = insert(AssetKeyTable)
    return statement.on_conflict_do_update(
        index_elements=[AssetKeyTable.c.asset_key],
        set_={name: statement.excluded[name] for name in columns},
    )


def _identity(file: Path) -> tuple[int, int] | None:
    """Device and number of a file; None if there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_asset_event(event: EventLogEntry) -> bool:
    content = event.dagster_event
    return (
        content is not None and content.event_type in ASSET_EVENTS and content.asset_key is not None
    )


def _write_ahead(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
