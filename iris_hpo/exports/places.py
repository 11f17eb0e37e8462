"""Places that exports write to, which other tools open: databases by their URLs, and files."""

import re
import sys
from contextlib import suppress
from typing import Final

from iris_hpo.files import open_regular

_PASSWORD: Final = re.compile(r"(://[^\s/:]*):\S*@")

_VERSION_TABLE: Final = "alembic_version"
"""Table of a database that Optuna, MLflow, Dagster or another user of Alembic has made."""


def without_passwords(text: str) -> str:
    """Return a place, or a message with places in it, without the passwords of URLs."""
    return _PASSWORD.sub(r"\1:***@", text)


def reason_of(error: Exception) -> str:
    """Say in one line why a place cannot be used, without passwords."""
    cause = getattr(error, "orig", None) or error  # SQLAlchemy's text has the SQL, too
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return without_passwords(" ".join(text.split()))


def check_file(path: str) -> None:
    """Refuse what is no regular file; it may be missing.

    Raises
    ------
    OSError
        If it is a device, a pipe or a folder, or cannot be read.
    """
    with suppress(FileNotFoundError), open_regular(path, sys.maxsize):
        pass


def check_database(url: str, table: str) -> None:
    """Connect to a database once: tools that open it try again and again, or give no reason.

    Parameters
    ----------
    table
        Name of a table that the tool has in a database that it has used before.

    Raises
    ------
    OSError
        If the file of the database is not regular.
    ValueError
        If another program keeps the version of its tables where the tool keeps that of its own.
    ArgumentError, SQLAlchemyError, ImportError
        If there is no such database, or no driver for it.
    """
    from sqlalchemy import create_engine, inspect, make_url

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        check_file(parsed.database)
    engine = create_engine(parsed)
    try:
        tables = inspect(engine).get_table_names()
    finally:
        engine.dispose()
    if _VERSION_TABLE in tables and table not in tables:
        raise ValueError("it is the database of another program; give another")
