"""What is the same in every test, and is made once in the tests' own process.

Empty databases of an instance and connections to them, compiled SQL, jobs and the schemas of
installed components: each takes longer than most tests, or is made many times in each. The
processes that tests start make all of it themselves, as those of users do. Results of searches are
kept in `iris_hpo_tests.results_once`.
"""

import operator
import os
import sqlite3
import tempfile
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, lru_cache, wraps
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any

import sqlalchemy.event
from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster._core.definitions.job_definition import JobDefinition
from dagster._core.execution import compute_logs
from dagster._core.storage.event_log import InMemoryEventLogStorage, SqliteEventLogStorage
from dagster._core.storage.runs import InMemoryRunStorage, SqliteRunStorage
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster.components.core import load_defs, package_entry, snapshot
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.util import LRUCache

Connecting = AbstractContextManager[Connection]


def make_once() -> None:
    """Keep the databases and the schemas, for the rest of this process."""
    _read_scripts_once()
    _describe_components_once()
    _find_components_once()
    _compile_statements_once()
    _make_engines_once()
    _connect_once()
    _prepare_jobs_once()
    compute_logs.tail_to_stream = _copy_at_the_end
    sqlalchemy.event.listen(Engine, "connect", _leave_it_to_the_system)
    _copy_once_made(SqliteRunStorage, "from_local", _runs)
    _copy_once_made(SqliteScheduleStorage, "from_local", _schedules)
    _copy_once_made(SqliteEventLogStorage, "__init__", _index)
    _copy_once_made(SqliteEventLogStorage, "_initdb", _events)


def _runs(base_dir: str, **_: Any) -> Path:
    return Path(base_dir, "runs.db")


def _schedules(base_dir: str, **_: Any) -> Path:
    return Path(base_dir, "schedules.db")


def _index(_storage: SqliteEventLogStorage, base_dir: str, *_: Any, **__: Any) -> Path:
    return Path(base_dir, "index.db")


def _events(_storage: SqliteEventLogStorage, engine: Engine, **_: Any) -> Path:
    return Path(str(engine.url.database))


def _read_scripts_once() -> None:
    """Keep Alembic's migration scripts, which are read again whenever an instance is opened.

    They are packages' files that never change.
    """
    read = ScriptDirectory.from_config
    kept: dict[tuple[str | None, str | None], ScriptDirectory] = {}

    def from_config(config: Config) -> ScriptDirectory:
        place = config.config_file_name, config.get_main_option("script_location")
        if place not in kept:
            kept[place] = read(config)
        return kept[place]

    ScriptDirectory.from_config = from_config


def _describe_components_once() -> None:
    """Keep the JSON schemas of components, which Dagster makes whenever it loads a project."""
    describe = cache(snapshot.get_package_entry_snap)
    snapshot.get_package_entry_snap = describe
    convert = load_defs.json_for_all_components
    kept: list[tuple[list[Any], Any]] = []

    def json_for_all_components(components: list[Any]) -> Any:
        for known, made in kept:
            if len(known) == len(components) and all(map(operator.is_, known, components)):
                return made
        kept.append((components, convert(components)))
        return kept[-1][1]

    load_defs.json_for_all_components = json_for_all_components


def _find_components_once() -> None:
    """Keep the entry points of components, for which all installed packages are looked through."""
    package_entry.get_entry_points_from_python_environment = cache(
        package_entry.get_entry_points_from_python_environment
    )


def _compile_statements_once() -> None:
    """Keep compiled SQL for all engines, each of which would compile its own.

    All of them are for the SQLite of this process, so that their dialects are equal.
    """
    kept = LRUCache[Any, Any](1_000)
    begin = Engine.__init__

    def init(engine: Engine, *arguments: Any, **named: Any) -> None:
        begin(engine, *arguments, **named)
        if type(engine.dialect) is SQLiteDialect_pysqlite:
            engine._compiled_cache = kept

    Engine.__init__ = init
    SQLiteDialect_pysqlite.__hash__ = lambda _: hash(SQLiteDialect_pysqlite)
    SQLiteDialect_pysqlite.__eq__ = lambda one, other: type(one) is type(other)


def _make_engines_once() -> None:
    """Keep the engines of runs and schedules, of which Dagster makes one per connection.

    They keep no connection.
    """
    for storage in (sqlite_run_storage, sqlite_schedule_storage):
        storage.create_engine = lru_cache(maxsize=64)(storage.create_engine)


def _connect_once() -> None:
    """Use the connection that an instance in memory holds; Dagster makes another for each use."""
    InMemoryEventLogStorage._connect = _connect_by_the_held(InMemoryEventLogStorage._connect)
    InMemoryRunStorage.connect = _connect_by_the_held(InMemoryRunStorage.connect)


def _connect_by_the_held(make: Callable[[Any], Connecting]) -> Callable[[Any], Connecting]:
    """Give the held connection where it is free, and to the thread that SQLite lets use it."""

    @contextmanager
    def connect(storage: Any) -> Generator[Connection]:
        held = storage._held_conn
        if held.in_transaction() or current_thread() is not main_thread():
            with make(storage) as made:
                yield made
        else:
            with held.begin():
                yield held

    return connect


def _prepare_jobs_once() -> None:
    """Keep what a job is made to for its runs in this process, and with it its snapshot."""
    make = JobDefinition.as_ephemeral_job

    def as_ephemeral_job(
        job: JobDefinition, resource_defs: Any, input_values: Any, *selections: Any, **named: Any
    ) -> JobDefinition:
        if resource_defs or input_values:
            return make(job, resource_defs, input_values, *selections, **named)
        kept = vars(job).setdefault("_kept_for_tests", {})
        key = repr((selections, named))
        if key not in kept:
            kept[key] = make(job, {}, {}, *selections, **named)
        return kept[key]

    JobDefinition.as_ephemeral_job = as_ephemeral_job


@contextmanager
def _copy_at_the_end(path: str, stream: Any) -> Generator[tuple[None, None]]:
    """Show what a step has printed when it has ended; Dagster starts four processes to do it."""
    try:
        yield None, None
    finally:
        descriptor = compute_logs._fileno(stream)
        if descriptor is not None:
            os.write(descriptor, Path(path).read_bytes())


def _leave_it_to_the_system(connection: Any, _record: object) -> None:
    """Do not wait for the disk: what is written need not outlive the machine."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


def _copy_once_made(storage: type, method: str, file_of: Callable[..., Path]) -> None:
    """Let a method that makes a database copy the empty one that its first call has made.

    Parameters
    ----------
    file_of
        The database, from the method's arguments.
    """
    make = getattr(storage, method)
    kept: list[bytes] = []

    @wraps(make)
    def make_or_copy(*arguments: Any, **named: Any) -> Any:
        file = file_of(*arguments, **named)
        is_new = not file.exists()
        if is_new and kept:
            _write_whole(file, kept[0])
        made = make(*arguments, **named)
        if is_new and not kept and file.exists():
            kept.append(_content(file))
        return made

    setattr(storage, method, make_or_copy if method.startswith("_") else staticmethod(make_or_copy))


def _write_whole(file: Path, content: bytes) -> None:
    """Write a file unless it has come to be, as others see it: whole or not at all."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent) as temporary:
            temporary.write(content)
            temporary.flush()
            os.link(temporary.name, file)
    except OSError:
        return  # the storage then makes it, or says why it cannot


def _content(file: Path) -> bytes:
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return file.read_bytes()
