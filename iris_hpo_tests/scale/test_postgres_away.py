"""A PostgreSQL server that goes away in the middle is waited for, and then named in one message."""

import logging
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
import sqlalchemy.event
from sqlalchemy.exc import NoSuchTableError, OperationalError

from iris_hpo.command.main import main
from iris_hpo.command.session import _no_retries_logged, _reason  # pyright: ignore[reportPrivateUsage]
from iris_hpo.errors import InputError
from iris_hpo.event_log import postgres_server
from iris_hpo.event_log.batches import EventBatches
from iris_hpo.event_log.postgres import KeptPostgresEventLog
from iris_hpo.orchestration.record import data_versions
from iris_hpo_tests.scale.postgres import SETTINGS, Postgres
from iris_hpo_tests.scale.postgres import postgres_server as new_server

KEYS = [f"C{number}.0_G1.0" for number in range(5)]
ASSET = dg.AssetKey("a")
END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server of these tests' own: they stop it."""
    with new_server() as made:
        yield made


@pytest.fixture
def instance(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", server.new_database())
    (tmp_path / "dagster.yaml").write_text(SETTINGS.read_text())
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


@contextmanager
def away(server: Postgres, seconds: float) -> Generator[None]:
    """Stop the server now, and start it again some seconds later."""
    server.server.stop()
    timer = threading.Timer(seconds, server.server.ensure_postgres_running)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def exit_code(arguments: list[str]) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def materialise(instance: dg.DagsterInstance) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, KeptPostgresEventLog)
    with storage.batched():
        for key in KEYS:
            tags = {"dagster/data_version": key}
            event = dg.AssetMaterialization(ASSET, partition=key, tags=tags)
            instance.report_runless_asset_event(event)


def is_stored_once(instance: dg.DagsterInstance, keys: list[str]) -> bool:
    records = instance.fetch_materializations(ASSET, limit=20).records
    tag_rows = sa.text("SELECT count(*) FROM asset_event_tags WHERE key = 'dagster/data_version'")
    storage = instance.event_log_storage
    assert isinstance(storage, KeptPostgresEventLog)
    with storage.index_connection() as connection:
        tags = connection.execute(tag_rows).scalar()
    return (
        [record.partition_key for record in reversed(records)] == keys
        and tags == len(keys)
        and data_versions(instance, ASSET) == {key: key for key in keys}
    )


@pytest.mark.slow
def test_events_and_runs_wait_for_it(server: Postgres, instance: dg.DagsterInstance) -> None:
    with away(server, 1):
        materialise(instance)
    with away(server, 8):  # Dagster itself gives up after six seconds
        assert instance.get_runs() == []

    assert is_stored_once(instance, KEYS)


@pytest.mark.slow
@pytest.mark.parametrize("statement", ["INSERT INTO event_logs", "INSERT INTO asset_event_tags"])
@pytest.mark.parametrize("is_after", [False, True])
def test_a_batch_is_stored_once_wherever_the_connection_breaks(
    server: Postgres, instance: dg.DagsterInstance, statement: str, *, is_after: bool
) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, KeptPostgresEventLog)
    ended: list[str] = []

    def end(*arguments: object) -> None:
        text = str(arguments[2])
        if text.startswith(statement) and not ended:
            ended.append(text)
            server.server.psql(END_SESSIONS)
            if is_after:  # stored, and the answer is lost
                raise OperationalError(text, {}, Exception("gone"), connection_invalidated=True)

    sqlalchemy.event.listen(
        storage._engine,  # pyright: ignore[reportPrivateUsage]
        "after_cursor_execute" if is_after else "before_cursor_execute",
        end,
    )
    materialise(instance)

    assert len(ended) == 1
    assert is_stored_once(instance, KEYS)


@pytest.mark.slow
def test_a_batch_is_stored_once_if_the_answer_to_the_commit_is_lost(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, tries = EventBatches.store_event_batch, list[int]()

    def store_and_break(self: EventBatches, events: list[dg.EventLogEntry]) -> None:
        store(self, events)
        tries.append(len(events))
        raise OperationalError("COMMIT", {}, Exception("gone"), connection_invalidated=True)

    monkeypatch.setattr(EventBatches, "store_event_batch", store_and_break)
    materialise(instance)

    assert tries == [len(KEYS)]
    assert is_stored_once(instance, KEYS)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["STEP_START", "ASSET_MATERIALIZATION"])
def test_a_run_is_ended_by_one_message(
    server: Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    moment: str,
) -> None:
    (tmp_path / "dagster.yaml").write_text(SETTINGS.read_text())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", server.new_database())
    monkeypatch.setenv(postgres_server.PATIENCE, "1")
    monkeypatch.setattr(postgres_server, "_known", {})
    store, stopped = KeptPostgresEventLog.store_event, list[str]()

    def stop(self: KeptPostgresEventLog, event: dg.EventLogEntry) -> None:
        kind = event.dagster_event_type
        if kind is not None and kind.value == moment and not stopped:
            stopped.append(moment)
            server.server.stop()
        store(self, event)

    monkeypatch.setattr(KeptPostgresEventLog, "store_event", stop)
    arguments = ["run", "--engine", "serial", "--artifacts", str(tmp_path / "artifacts")]
    try:
        assert exit_code(arguments) == 2
    finally:
        server.server.ensure_postgres_running()
    shown = capfd.readouterr()
    began, ended = [line for line in shown.err.splitlines() if "iris-hpo" in line]
    assert began.startswith("iris-hpo: waiting up to 1 s for PostgreSQL at ")
    assert "PostgreSQL could not be used for 1 s" in ended
    assert "INSERT" not in shown.out + shown.err


class TestConnecting:
    """Without a server."""

    def test_it_goes_on_once_the_server_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgres_server, "_RETRY_SECONDS", 0)
        answers = iter([OSError, OSError, None])

        def attempt() -> str:
            refusal = next(answers)
            if refusal:
                raise refusal
            return "connected"

        assert postgres_server.Patience(60, "here").connect(attempt, OSError) == "connected"

    def test_each_wait_says_once_that_it_begins(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(postgres_server, "_RETRY_SECONDS", 0)
        patience = postgres_server.Patience(60, "db:5433")
        for refusals in ([], [OSError] * 3, [], [OSError]):
            answers = iter([*refusals, None])

            def attempt(answers: Iterator[type[OSError] | None] = answers) -> None:
                refusal = next(answers)
                if refusal:
                    raise refusal

            patience.connect(attempt, OSError)

        shown = capsys.readouterr()
        line = "iris-hpo: waiting up to 60 s for PostgreSQL at db:5433\n"
        assert (shown.out, shown.err) == ("", line * 2)

    def test_what_is_said_shows_no_password(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(postgres_server, "_known", {})
        monkeypatch.setenv(postgres_server.PATIENCE, "0.01")
        engine = sa.create_engine("postgresql://me:secret@127.0.0.1:1/d")
        postgres_server.wait_for_server(engine)
        with pytest.raises(postgres_server.PostgresAwayError) as error:
            engine.connect()

        shown = capfd.readouterr()
        assert shown.err == "iris-hpo: waiting up to 0.01 s for PostgreSQL at 127.0.0.1:1\n"
        assert "secret" not in str(error.value)

    def test_who_does_not_wait_says_nothing(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Also without a standard error, as after ``2>&-``, nothing fails."""

        def attempt() -> None:
            raise OSError

        with pytest.raises(postgres_server.PostgresAwayError):
            postgres_server.Patience(0, "here").connect(attempt, OSError)
        assert capsys.readouterr().err == ""
        monkeypatch.setattr("sys.stderr", None)
        with pytest.raises(postgres_server.PostgresAwayError):
            postgres_server.Patience(0.01, "here").connect(attempt, OSError)

    def test_the_command_gives_up_with_one_line(self) -> None:
        def attempt() -> None:
            raise OSError("is the\nserver running?")

        with pytest.raises(
            InputError, match=r"could not be used for 0 s.*is the server running"
        ) as error:
            postgres_server.Patience(0, "here").connect(attempt, OSError)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
    def test_the_patience_is_a_number(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setenv(postgres_server.PATIENCE, text)
        with pytest.raises(InputError, match=postgres_server.PATIENCE):
            postgres_server.wait_for_server(sa.create_engine("postgresql://me@nowhere/d"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:p@ss@host/d",
        "postgresql://m@e:x@host:1/d?a=b",
        "postgresql://me:p@ss/word@host/d",
        "postgresql://me:p@ss?word@host/d",
    ],
)
def test_a_password_that_breaks_the_url_is_refused_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], url: str
) -> None:
    """Also by Dagster's own storages, which would show a part of it as the name of a server."""
    settings = SETTINGS.read_text()
    (tmp_path / "dagster.yaml").write_text(settings)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url)
    with pytest.raises(InputError, match="write %40"):
        KeptPostgresEventLog.from_config_value(None, {"postgres_url": url})

    def refuse() -> None:
        raise ValueError(f"no server {url}")

    monkeypatch.setattr(dg.DagsterInstance, "get", refuse)
    assert exit_code(["status"]) == 2
    shown = capfd.readouterr().err
    assert "write %40" in shown
    assert "p@" not in shown
    assert "ss@" not in shown


@pytest.mark.parametrize(
    "url",
    ["postgresql://me:p%40ss@host:1/d", "postgresql://me@/d?host=/tmp/a&application_name=b@c"],
)
def test_other_urls_are_taken(url: str) -> None:
    postgres_server.check_url(url)


def test_a_reason_has_no_sql() -> None:
    outer = RuntimeError("outer")
    outer.__cause__ = OperationalError("SELECT 1", {"a": "secret"}, Exception("server\nclosed"))
    assert _reason(outer) == "server closed"


def test_a_reason_is_no_bare_name() -> None:
    assert _reason(NoSuchTableError("runs")) == "no such table: runs"


def test_dagsters_retries_are_logged_again_afterwards() -> None:
    root = logging.getLogger()
    before = list(root.filters)
    with _no_retries_logged():
        record = logging.makeLogRecord({"msg": "Retrying failed database connection: %s"})
        assert not root.filter(record)
    assert root.filters == before
