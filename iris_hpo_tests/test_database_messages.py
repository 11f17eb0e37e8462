"""A message of a database is followed by what helps."""

import pytest

from iris_hpo.database_messages import with_advice

MIGRATE = "; an earlier Dagster made this instance: run `dagster instance migrate`"


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
    assert with_advice(reason) == reason + (MIGRATE if is_old else "")


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("Connection refused", "start the server of PostgreSQL"),
        ("Is the server running locally and accepting connections?", "start the server of"),
        ("FATAL:  sorry, too many clients already", "end processes that are connected"),
        ('FATAL:  too many connections for role "a"', "end processes that are connected"),
        (
            "FATAL:  remaining connection slots are reserved for roles with SUPERUSER",
            "end processes that are connected",
        ),
        ("FATAL:  the database system is starting up", "wait until PostgreSQL has started"),
        ('FATAL:  password authentication failed for user "a"', "correct the user, password or"),
        ('FATAL:  database "nosuch" does not exist', "correct the user, password or database"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', "correct the user, password or"),
    ],
)
def test_a_server_that_cannot_be_used_is_followed_by_what_helps(reason: str, advice: str) -> None:
    message = f'connection to server at "127.0.0.1", port 5432 failed: {reason}'
    assert with_advice(message).startswith(f"{message}; {advice}")


@pytest.mark.parametrize(
    "kind",
    [
        "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError)",
        "psycopg2.OperationalError:",
    ],
)
def test_a_connection_that_broke_is_one_line(kind: str) -> None:
    reason = (
        f"{kind} server closed the connection unexpectedly\n\tThis probably means the server "
        "terminated abnormally\n\tbefore or while processing the request.\n"
    )
    assert with_advice(reason) == (
        "the connection to PostgreSQL broke: server closed the connection unexpectedly This "
        "probably means the server terminated abnormally before or while processing the request; "
        "see to the server, then run the search again: finished candidates are kept"
    )


@pytest.mark.parametrize(
    "reason",
    [
        'relation "asset_keys" does not exist LINE 2: FROM asset_keys ^',
        'psycopg2.errors.UndefinedTable: relation "runs" does not exist',
        "there is no unique or exclusion constraint matching the ON CONFLICT specification",
    ],
)
def test_tables_that_were_made_only_in_part_are_followed_by_what_helps(reason: str) -> None:
    advice = "if this database is new, drop it, create it again"
    assert with_advice(reason).startswith(f"{reason}; Dagster's tables were made only in part")
    assert advice in with_advice(reason)
