"""Processes that start at once on a new instance leave databases that can be opened."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.runs import SqliteRunStorage

from iris_hpo.event_log import new_databases
from iris_hpo.event_log.new_databases import settle_databases

FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
EARLIER = "5771160a95ad"
"""The version by which Dagster marks a database that it takes for an old one."""
ELSEWHERE = "storage: {sqlite: {base_dir: %s/elsewhere}}\n"
KEPT = """
event_log_storage:
  module: iris_hpo.event_log
  class: KeptSqliteEventLog
  config: {dagster_home: {env: DAGSTER_HOME}}
"""
MAKE_SLOWLY = """
import os, sys, time
from dagster._core.storage.runs.sqlite import sqlite_run_storage as module

stamp = module.stamp_alembic_rev

def stamp_late(*arguments, **others):
    print("tables made", flush=True)
    for _ in range(20):  # it is still writing
        time.sleep(0.2)
        os.utime(f"{sys.argv[1]}/runs.db")
    stamp(*arguments, **others)

module.stamp_alembic_rev = stamp_late
module.SqliteRunStorage.from_local(sys.argv[1])
"""
OPEN = """
import sys
from pathlib import Path
from dagster import DagsterInstance
from iris_hpo.event_log import new_databases

new_databases.settle_databases(Path(sys.argv[1]))
instance = DagsterInstance.from_config(sys.argv[1])
instance.get_runs()
instance.event_log_storage.get_asset_records()
"""


def versions(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")]


def open_instance(home: Path) -> None:
    settle_databases(home)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_runs() == []
        assert instance.event_log_storage.get_asset_records() == []


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("settings", ["", ELSEWHERE, KEPT])
def test_a_new_instance_has_whole_databases(home: Path, settings: str) -> None:
    (home / "dagster.yaml").write_text(settings.replace("%s", str(home)))
    settle_databases(home)
    made = sorted(home.rglob("*.db"))
    assert sorted(file.name for file in made) == ["index.db", "runs.db", "schedules.db"]
    assert [len(versions(file)) for file in made] == [1, 1, 1]
    assert not list(home.rglob(".new_*"))
    open_instance(home)


def test_one_that_is_made_meanwhile_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a process that knows no lock, such as `dg dev`."""
    make = SqliteRunStorage.from_local

    def lose(folder: str) -> object:
        make(str(home / "history"))
        with closing(sqlite3.connect(home / FILES[0])) as connection, connection:
            connection.execute("CREATE TABLE theirs (x)")
        return make(folder)

    monkeypatch.setattr(SqliteRunStorage, "from_local", lose)
    settle_databases(home)
    with closing(sqlite3.connect(home / FILES[0])) as connection:
        assert connection.execute("SELECT * FROM theirs").fetchall() == []


def test_one_that_another_process_is_making_is_waited_for(home: Path) -> None:
    """It has its tables, and no version yet: Dagster would mark it as an old one."""
    command = [sys.executable, "-c", MAKE_SLOWLY, str(home / "history")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "tables made\n"
        subprocess.run([sys.executable, "-c", OPEN, str(home)], check=True)
        (version,) = versions(home / FILES[0])
    assert other.returncode == 0
    assert version != EARLIER


def test_one_that_nobody_goes_on_with_is_not(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_databases, "_QUIET_SECONDS", 0.2)
    for name in FILES:
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).touch()
    open_instance(home)


@pytest.mark.parametrize("name", FILES)
def test_one_that_was_marked_twice_is_put_right(
    home: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    settle_databases(home)
    (head,) = versions(home / name)
    with closing(sqlite3.connect(home / name)) as connection, connection:
        connection.execute("INSERT INTO alembic_version VALUES (?)", [EARLIER])
    with pytest.raises(Exception, match="more than one head"):
        dg.DagsterInstance.from_config(str(home)).event_log_storage.get_asset_records()
    open_instance(home)
    assert versions(home / name) == [head]
    assert capsys.readouterr().err == (
        f"iris-hpo: {home / name} was made by two processes at once, and marked twice: put right\n"
    )


@pytest.mark.parametrize("name", FILES)
def test_the_log_of_a_deleted_one_is_not_applied(home: Path, name: str) -> None:
    """Such as after `kill -9`, if only the database is moved away."""
    settle_databases(home)
    file = home / name
    log = file.with_name(f"{file.name}-wal")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE deleted (x)")
        connection.commit()
        content = log.read_bytes()
    file.unlink()
    log.write_bytes(content)

    # In this process, the tests put a copy of a database in place of making one.
    subprocess.run([sys.executable, "-c", OPEN, str(home)], check=True)

    with closing(sqlite3.connect(file)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
    assert "alembic_version" in tables
    assert "deleted" not in tables
