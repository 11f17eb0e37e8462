"""A database that another process has locked: the wait is said, and it ends once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from iris_hpo.errors import InputError
from iris_hpo.event_log import locked, sqlite
from iris_hpo.event_log.locked import LockedFile
from iris_hpo.event_log.one_message import one_message
from iris_hpo_tests.projects import ShippedProject


class Database:
    """A file that is locked until a moment; SQLite waits on a clock of the test's."""

    now = 0.0

    def __init__(self, free_at: float) -> None:
        self.free_at = free_at
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.lock = LockedFile("index.db", 60, lambda: self.now)
        self.connection.execute(f"PRAGMA busy_timeout = {int(self.lock.slice_seconds * 1000)}")

    def write(self) -> str:
        def attempt() -> str:
            (milliseconds,) = self.connection.execute("PRAGMA busy_timeout").fetchone()
            self.now = max(self.now, min(self.free_at, self.now + milliseconds / 1000))
            if self.now >= self.free_at:
                self.connection.execute("BEGIN")
                return "written"
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorname = "SQLITE_BUSY"
            raise error

        return self.lock.wait(self.connection, attempt)


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database(free_at=1e6)
    with closing(made.connection):
        yield made


LINE = "iris-hpo: waiting up to 60 s for index.db, which another process has locked\n"


def test_waits_do_not_add_up(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in ("candidates", "failure", "end of the run"):
        with pytest.raises(sqlite3.OperationalError):
            database.write()
    assert database.now == 60
    assert capsys.readouterr().err == LINE


def test_it_goes_on_when_the_file_is_free(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    database.free_at = 50
    assert database.write() == "written"
    database.connection.execute("COMMIT")
    database.now, database.free_at = 55, 110
    assert database.write() == "written", "it is waited for again"
    assert capsys.readouterr().err == LINE * 2


def test_a_short_wait_is_not_said(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    database.free_at = 4
    assert database.write() == "written"
    assert capsys.readouterr().err == ""


def test_it_is_waited_for_again_after_a_pause(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError):
        database.write()
    database.now += 100
    database.free_at = database.now + 30
    assert database.write() == "written"


def test_a_command_says_it_and_ends_with_one_message(
    done: ShippedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 1)
    monkeypatch.setattr(locked, "QUIET_SECONDS", 0.2)
    file = done.root / "home" / "history" / "runs" / "index.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        command = ("run", "--engine", "serial", "--folds", "2", "--quiet", "--force")
        result = done.call(*command)
    said, ended = result.stderr.splitlines()
    assert result.returncode == 2
    assert said == f"iris-hpo: waiting up to 1 s for {file}, which another process has locked"
    assert f"{Path(file)}: another process has locked it for 1 s; end that process" in ended


def test_files_of_dagsters_own_storages_are_waited_for_together(tmp_path: Path) -> None:
    """Such as an event log that is not the kept one: Dagster would print each refusal."""
    file = tmp_path / "runs.db"

    def write() -> None:
        url, settings = f"sqlite:///{file}", {"timeout": 0.2}
        engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=settings)
        with engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO runs VALUES (1)"))

    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("CREATE TABLE runs (id INTEGER)")
        other.execute("BEGIN IMMEDIATE")
        said = r"runs\.db: another process has locked it for 0\.2 s; end that process"
        for _ in range(2):
            with pytest.raises(InputError, match=said), one_message(str(tmp_path)):
                write()
            assert locked.seconds_locked(str(file)) == 0.2
        other.execute("COMMIT")
    with one_message(str(tmp_path)):
        write()
    assert locked.seconds_locked(str(file)) is None
