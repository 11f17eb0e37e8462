"""What to do about the messages of the databases that hold a Dagster instance."""

import re
from typing import Final

_LACKS_COLUMN: Final = re.compile(
    r"no such column: |has no column named |column \S+ (of relation \S+ )?does not exist"
)
"""What SQLite and PostgreSQL answer if their tables are older than the code that uses them."""

_LACKS_TABLE: Final = re.compile(
    r'relation "\S+" does not exist|no unique or exclusion constraint matching'
)
"""What PostgreSQL answers if Dagster was stopped while it made its tables."""

_NO_CONNECTION: Final = re.compile(r"^connection to server .* failed: ")

_BROKEN: Final = re.compile(r"psycopg2\.(?:Operational|Interface)Error[):] (.+)", re.DOTALL)

_REFUSALS: Final = (
    (
        r"too many|connection slots",
        "end processes that are connected to PostgreSQL, or let it take more (max_connections)",
    ),
    (r"starting up|shutting down|recovery", "wait until PostgreSQL has started"),
    ("", "correct the user, password or database in the URL of PostgreSQL, or its pg_hba.conf"),
)
"""Texts in a server's refusals, since its client library gives no codes; and what to do."""


def with_advice(message: str) -> str:
    """Add to a message of the database what to do: reach it, migrate its tables, or go on."""
    if _NO_CONNECTION.match(message):
        return f"{message}; {advice_about_connection(message)}"
    if _LACKS_COLUMN.search(message):
        return f"{message}; an earlier Dagster made this instance: run `dagster instance migrate`"
    if _LACKS_TABLE.search(message):
        return (
            f"{message}; Dagster's tables were made only in part, as where its first start was "
            "stopped: if this database is new, drop it, create it again and start again"
        )
    if broken := _BROKEN.search(message):
        reason = " ".join(broken[1].split()).rstrip(".")
        return (
            f"the connection to PostgreSQL broke: {reason}; see to the server, then run the search "
            "again: finished candidates are kept"
        )
    return message


def advice_about_connection(reason: str) -> str:
    """Say what to do about a server that cannot be reached, or that refuses."""
    _, is_refused, refusal = reason.partition("FATAL: ")
    if is_refused:
        return next(advice for text, advice in _REFUSALS if re.search(text, refusal))
    return "start the server of PostgreSQL, or correct its address in dagster.yaml"
