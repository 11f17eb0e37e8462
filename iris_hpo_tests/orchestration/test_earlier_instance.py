"""An instance whose tables an earlier Dagster made, and that was not migrated."""

import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.orchestration.failures import with_advice
from iris_hpo.orchestration.outcome import RunFailedError
from iris_hpo_tests.projects import SpecProject

ADVICE = "; an earlier Dagster made this instance: run `dagster instance migrate`"


def test_a_run_names_the_command_that_migrates(tmp_path: Path) -> None:
    limited = {"concurrency": {"pools": {"default_limit": 1}}}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=limited) as instance:
        project = SpecProject.create(tmp_path / "project", instance)
        database = tmp_path / "history" / "runs" / "index.db"
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("ALTER TABLE concurrency_limits DROP COLUMN using_default_limit")

        with pytest.raises(RunFailedError) as failed:
            project.launch()

    assert "using_default_limit" in str(failed.value)
    assert str(failed.value).endswith(ADVICE)


@pytest.mark.parametrize(
    ("reason", "is_old"),
    [
        ("no such column: bulk_actions.job_name", True),
        ("table runs has no column named backfill_id", True),
        ('column "backfill_id" of relation "runs" does not exist', True),
        ("column runs.backfill_id does not exist", True),
        ("no such table: runs", False),
        ("database or disk is full", False),
    ],
)
def test_only_what_a_migration_adds_is_meant(reason: str, *, is_old: bool) -> None:
    assert with_advice(reason) == reason + (ADVICE if is_old else "")


def test_a_server_that_does_not_answer_is_to_be_started() -> None:
    reason = 'connection to server at "127.0.0.1", port 5432 failed: Connection refused'
    assert with_advice(reason).startswith(f"{reason}; start the server of PostgreSQL")


def test_a_connection_that_broke_is_one_line() -> None:
    reason = (
        "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) server closed the connection "
        "unexpectedly\n\tThis probably means the server terminated abnormally\n\tbefore or while "
        "processing the request.\n"
    )
    assert with_advice(reason) == (
        "the connection to PostgreSQL broke: server closed the connection unexpectedly This "
        "probably means the server terminated abnormally before or while processing the request; "
        "see to the server, then run the search again: finished candidates are kept"
    )
