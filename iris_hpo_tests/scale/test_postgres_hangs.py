"""A PostgreSQL server that takes calls and answers none is noticed, waited for and given up."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest
import sqlalchemy as sa

from iris_hpo.event_log import postgres_server, postgres_watch
from iris_hpo.event_log.postgres import KeptPostgresEventLog
from iris_hpo_tests.scale.postgres import SETTINGS, Postgres
from iris_hpo_tests.scale.postgres import postgres_server as new_server
from iris_hpo_tests.scale.test_postgres_away import KEYS, exit_code, is_stored_once, materialise


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server of these tests' own: they stop it."""
    with new_server() as made:
        yield made


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An instance in PostgreSQL; what takes 0.2 seconds is looked at."""
    (tmp_path / "dagster.yaml").write_text(SETTINGS.read_text())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setattr(postgres_server, "_known", {})
    monkeypatch.setattr(postgres_watch, "watch", postgres_watch.Watch())
    monkeypatch.setattr(postgres_watch, "QUIET_SECONDS", 0.2)
    monkeypatch.setattr(postgres_watch, "_LOOK_SECONDS", 0.05)
    return tmp_path


class Socket:
    """A connection on which no answer comes."""

    def __init__(self, *, answers: bool) -> None:
        self.own, self.other = socket.socketpair()
        self.answers = answers

    def fileno(self) -> int:
        return self.own.fileno()

    def server_answers(self) -> bool:
        return self.answers

    def receive(self, seconds: float) -> None:
        self.own.settimeout(seconds)
        try:
            self.own.recv(1)
        except TimeoutError:
            return
        raise psycopg2.OperationalError("server closed the connection unexpectedly")

    def close(self) -> None:
        self.own.close()
        self.other.close()


class TestCalls:
    """Without a server."""

    @pytest.fixture
    def patience(self) -> postgres_server.Patience:
        return postgres_server.Patience(0.3, "db:5432")

    def call(self, connection: Any, patience: postgres_server.Patience, seconds: float) -> None:
        try:
            with postgres_watch.watch.call(patience, connection):
                connection.receive(seconds)
        finally:
            connection.close()

    def test_one_without_an_answer_is_ended(
        self, patience: postgres_server.Patience, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(postgres_server.PostgresAwayError, match=r"not be used for 0\.3 s"):
            self.call(Socket(answers=False), patience, 60)
        assert (
            capsys.readouterr().err == "iris-hpo: waiting up to 0.3 s for PostgreSQL at db:5432\n"
        )

    def test_a_long_one_of_a_server_that_answers_is_left_alone(
        self, patience: postgres_server.Patience, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.call(Socket(answers=True), patience, 0.6)
        assert capsys.readouterr().err == ""

    def test_an_answer_ends_the_wait(self) -> None:
        patience = postgres_server.Patience(60, "db:5432")
        self.call(Socket(answers=False), patience, 0.6)
        assert patience.left() == 60


@pytest.mark.slow
def test_a_run_survives_it(
    server: Postgres, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", server.new_database())
    with dg.DagsterInstance.get() as instance:
        with server.stopped():
            thread = threading.Thread(target=materialise, args=(instance,))
            thread.start()
            thread.join(4)
            assert thread.is_alive()
        thread.join(60)
        assert is_stored_once(instance, KEYS)
    assert capfd.readouterr().err.count("iris-hpo: waiting up to 60 s for PostgreSQL at ") == 1


@pytest.mark.slow
def test_a_long_statement_is_left_alone(
    server: Postgres, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", server.new_database())
    monkeypatch.setenv(postgres_server.PATIENCE, "0.5")
    with dg.DagsterInstance.get() as instance:
        storage = instance.event_log_storage
        assert isinstance(storage, KeptPostgresEventLog)
        with storage.index_connection() as connection:
            connection.execute(sa.text("SELECT pg_sleep(1.5)"))
    assert "waiting" not in capfd.readouterr().err


@pytest.mark.slow
def test_a_run_is_ended_by_one_message(
    server: Postgres, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", server.new_database())
    monkeypatch.setenv(postgres_server.PATIENCE, "1")
    store, stopped = KeptPostgresEventLog.store_event, server.stopped()
    moments = iter(["STEP_START"])

    def stop(self: KeptPostgresEventLog, event: dg.EventLogEntry) -> None:
        kind = event.dagster_event_type
        if kind is not None and kind.value == "STEP_START" and next(moments, None):
            stopped.__enter__()
        store(self, event)

    monkeypatch.setattr(KeptPostgresEventLog, "store_event", stop)
    try:
        assert exit_code(["run", "--engine", "serial", "--artifacts", str(home / "made")]) == 2
    finally:
        stopped.__exit__(None, None, None)
    began, ended = [line for line in capfd.readouterr().err.splitlines() if "iris-hpo" in line]
    assert began.startswith("iris-hpo: waiting up to 1 s for PostgreSQL at ")
    assert "PostgreSQL could not be used for 1 s" in ended


@pytest.mark.slow
def test_a_command_that_never_reaches_it_ends(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(postgres_server.PATIENCE, "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("DAGSTER_POSTGRES_URL", f"postgresql://me:secret@127.0.0.1:{port}/d")
        assert exit_code(["status"]) == 2
    began, ended = capfd.readouterr().err.splitlines()
    assert began == f"iris-hpo: waiting up to 1 s for PostgreSQL at 127.0.0.1:{port}"
    assert ended.startswith("iris-hpo: PostgreSQL could not be used for 1 s")
